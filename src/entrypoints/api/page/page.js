/** The estimate page: the form asks, the answer and the map show. */

import { ask, modelPlaces } from "./estimate.js";
import { problem } from "./faults.js";
import { Form, clearFaults, focusSummary, showFaults, showProblem } from "./form.js";
import { createMap } from "./map.js";
import { findMunicipality, loadMunicipalities } from "./municipality.js";
import { answerParts } from "./result.js";
import { loadWords, translate } from "./words.js";

const NEAR_KM = 15;
const NEXT_DOOR_KM = 0.25;
const EXAMPLES = {
  house: {
    realestate_type: "enebolig",
    municipality_number: "4003",
    lat: 59.21,
    lon: 9.584,
    usable_area: 167,
    total_area: 472.8,
    built_year: 2016,
    rooms: 4,
    bedrooms: 2,
  },
  flat: {
    realestate_type: "leilighet",
    municipality_number: "0301",
    lat: 59.92,
    lon: 10.75,
    usable_area: 62,
    total_area: 62,
    built_year: 1936,
    floor: 3,
    rooms: 3,
    bedrooms: 2,
  },
};
const LABELS = ["zoomIn", "zoomOut", "reset", "map", "help", "comparable", "home"];

const byId = (id) => document.getElementById(id);
const key = byId("client_key");
const status = byId("status");

class Page {
  constructor(words, places) {
    this.words = words;
    this.places = places;
    this.outcome = null;
    this.running = null;
    this.point = null;
    this.sold = { model_version: null, cells: [] };
    this.form = new Form(places, {
      onPlace: (place) => this.map.focus(place.lat, place.lon, NEAR_KM),
      onPoint: (point) => this.showPoint(point),
      onSettled: () => this.focusPoint(),
    });
    this.form.speak(words);
    this.map = createMap(byId("map"), {
      labels: this.labels(),
      municipalities: places,
      onPick: (lat, lon) => {
        this.form.setPoint(lat, lon, this.words.language);
        this.showPoint([lat, lon]);
        this.outdate();
      },
    });
    if (!key) this.loadSold();
  }

  /** What the map says. */
  labels() {
    return Object.fromEntries(LABELS.map((name) => [name, this.words.say(`map.${name}`)]));
  }

  showPoint(point) {
    this.point = point;
    if (point) this.map.setPoint(...point);
    else this.map.setPoint(null);
  }

  focusPoint() {
    if (this.point) this.map.focus(...this.point, NEAR_KM);
  }

  /** The home and all that it is compared with, from as near as that goes. */
  focusComparables({ answer, request }) {
    const distances = answer.comparables.map((sale) => sale.distance_km);
    if (!distances.length) return;
    const { lat, lon } = request.home;
    this.map.focus(lat, lon, 1.2 * Math.max(NEXT_DOOR_KM, ...distances));
  }

  /** Where homes were sold, of the active version. */
  async loadSold() {
    this.sold = (await modelPlaces(key?.value.trim())) ?? this.sold;
    this.map.setPlaces(this.sold.cells);
  }

  async submit() {
    this.running?.abort();
    const running = new AbortController();
    this.running = running;
    this.show(null);
    const { faults, ...request } = this.form.read(this.words);
    if (faults.length) {
      this.finish({ faults });
      return;
    }
    this.setBusy(true);
    const outcome = await ask(request, key?.value.trim(), running.signal);
    if (outcome === null) return;
    this.setBusy(false);
    this.finish({ ...outcome, request, place: this.placeOf(request.home.municipality_number) });
  }

  finish(outcome) {
    this.show(outcome);
    if (outcome.answer) {
      if (outcome.answer.model_version !== this.sold.model_version) this.loadSold();
      this.focusComparables(outcome);
      byId("answer-heading").focus();
    } else {
      focusSummary();
    }
  }

  /** All of an outcome, or nothing. */
  show(outcome) {
    this.outcome = outcome;
    const answer = outcome?.answer;
    clearFaults();
    byId("before").hidden = Boolean(answer);
    byId("result").replaceChildren(
      ...(answer ? answerParts({ ...outcome, withKey: Boolean(key) }, this.words) : []),
    );
    byId("outdated").textContent = "";
    this.map.setComparables(answer ? this.located(answer.comparables) : []);
    status.textContent = answer
      ? this.words.say("form.ready", { price: this.words.money(answer.estimated_price) })
      : "";
    if (outcome?.faults) showFaults(outcome.faults, this.words);
    if (outcome?.problem) {
      const text = problem(outcome.problem, outcome.values, this.words);
      showProblem(text, ["401", "no_key"].includes(outcome.problem), this.words);
    }
    if (outcome?.outdated) this.outdate();
  }

  /** An answer is of what was typed then; a key is no part of that. */
  outdate() {
    if (!this.outcome?.answer) return;
    this.outcome.outdated = true;
    byId("outdated").textContent = this.words.say("form.changed");
    status.textContent = "";
  }

  located(comparables) {
    return comparables.flatMap(({ lat, lon }, place) =>
      lat === undefined ? [] : [{ lat, lon, label: String(place + 1) }],
    );
  }

  setBusy(busy) {
    byId("answer").setAttribute("aria-busy", String(busy));
    byId("form").classList.toggle("busy", busy);
    status.textContent = busy ? this.words.say("form.busy") : "";
  }

  placeOf(number) {
    const { place } = findMunicipality(number ?? "", this.places);
    return place ? `${place.label} (${number})` : number;
  }

  tryExample(name) {
    this.running?.abort();
    this.setBusy(false);
    this.show(null);
    this.form.fill(EXAMPLES[name], this.words);
    status.textContent = this.words.say("form.filled");
    byId("submit").focus();
  }

  /** What was typed, the answer and the key stay. */
  speak(words) {
    const busy = byId("form").classList.contains("busy");
    this.words = words;
    translate(words);
    this.form.speak(words);
    this.map.setLabels(this.labels());
    if (busy) this.setBusy(true);
    else this.show(this.outcome);
  }
}

function listen(page) {
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    page.submit();
  });
  byId("form").addEventListener("input", ({ target }) => {
    if (target !== key) page.outdate();
  });
  for (const name of Object.keys(EXAMPLES)) {
    byId(`example-${name}`).addEventListener("click", () => page.tryExample(name));
  }
  for (const link of document.querySelectorAll("#languages a")) {
    link.addEventListener("click", async (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      try {
        page.speak(await loadWords(link.hreflang));
        history.replaceState(null, "", link.href);
      } catch {
        byId("failed").hidden = false;
      }
    });
  }
  byId("submit").disabled = false;
}

async function begin() {
  const [words, places] = await Promise.all([
    loadWords(document.documentElement.lang),
    loadMunicipalities(),
  ]);
  listen(new Page(words, places));
}

begin().catch((error) => {
  byId("failed").hidden = false;
  throw error;
});
