/** The form: what was filled in, and the faults that stand at its fields. */

import { element } from "./elements.js";
import { explained, separated } from "./faults.js";
import { findMunicipality } from "./municipality.js";
import { fieldText, parseNumber, parsePair } from "./numbers.js";

const AREAS = ["usable_area", "total_area"];
const COUNTS = ["built_year", "floor", "rooms", "bedrooms"];
const DEGREES = ["lat", "lon"];
const NUMBERS = [...DEGREES, ...AREAS, ...COUNTS];

const form = document.getElementById("form");
const summary = document.getElementById("faults");

export class Form {
  /**
   * *onPlace* is told of a municipality that was chosen, *onPoint* of coordinates or null while they
   * are typed, *onSettled* when they are typed to the end.
   */
  constructor(places, { onPlace, onPoint, onSettled }) {
    this.places = places;
    this.onPlace = onPlace;
    this.onPoint = onPoint;
    this.placed = null;
    field("municipality_number").addEventListener("input", () => this.lookForPlace());
    for (const name of DEGREES) {
      field(name).addEventListener("input", () => {
        this.takePair(name);
        this.tellPoint();
      });
      field(name).addEventListener("change", onSettled);
    }
  }

  /** {home, query, faults}; faults of what cannot be read. The rest is for the service to judge. */
  read(words) {
    const faults = [];
    const home = {};
    const type = form.querySelector('[name="realestate_type"]:checked');
    if (type) home.realestate_type = type.value;
    const municipality = findMunicipality(field("municipality_number").value, this.places);
    if (municipality.fault) faults.push(local("municipality_number", municipality.fault));
    if (municipality.number) home.municipality_number = municipality.number;
    for (const name of NUMBERS) {
      const { value, fault } = parsed(name, words.language);
      if (fault) faults.push(local(name, fault));
      if (value !== undefined) home[name === "usable_area" ? "bra" : name] = value;
    }
    const query = { coverage: field("coverage").value };
    const date = field("valuation_date");
    if (date.validity.badInput) faults.push(local("valuation_date", "date"));
    if (date.value) query.valuation_date = date.value;
    return { home, query, faults };
  }

  fill(example, words) {
    form.querySelector(`[value="${example.realestate_type}"]`).checked = true;
    const place = this.places.find((each) => each.number === example.municipality_number);
    field("municipality_number").value = place?.label ?? example.municipality_number;
    for (const name of NUMBERS) {
      const value = example[name];
      field(name).value = value === undefined ? "" : fieldText(value, words.language);
    }
    field("valuation_date").value = "";
    this.language = words.language;
    this.lookForPlace();
    this.tellPoint();
  }

  /** From the map. */
  setPoint(lat, lon, language) {
    field("lat").value = fieldText(lat, language);
    field("lon").value = fieldText(lon, language);
  }

  /** What was typed stays, unless the other language would read another number. */
  speak(words) {
    const before = this.language;
    this.language = words.language;
    if (before === undefined || before === words.language) return;
    for (const name of NUMBERS) {
      const { value } = parsed(name, before);
      if (value !== undefined && parsed(name, words.language).value !== value) {
        field(name).value = fieldText(value, words.language);
      }
    }
  }

  lookForPlace() {
    const { place } = findMunicipality(field("municipality_number").value, this.places);
    if (place && place !== this.placed) this.onPlace(place);
    this.placed = place ?? null;
  }

  takePair(name) {
    const pair = parsePair(field(name).value);
    if (pair) [field("lat").value, field("lon").value] = pair;
  }

  tellPoint() {
    const [lat, lon] = DEGREES.map((name) => parsed(name, this.language).value);
    const known = Math.abs(lat) <= 90 && Math.abs(lon) <= 180;
    this.onPoint(known ? [lat, lon] : null);
  }
}

export function clearFaults() {
  summary.hidden = true;
  summary.replaceChildren();
  for (const each of form.querySelectorAll(".error")) {
    each.hidden = true;
    each.textContent = "";
  }
  for (const each of form.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
  for (const name of DEGREES) describe(field(name), [`${name}-hint`, `${name}-error`]);
}

/** Each at its field with what to do, and all of them, shorter, above the form. */
export function showFaults(faults, words) {
  const told = separated(faults).map((fault) => {
    return { ...explained(fault, words), fields: fault.fields.filter(field) };
  });
  told.sort(byPlace);
  const items = told.map(({ what, whole, fields }) => {
    if (fields.length === 0) return element("li", {}, whole);
    markFields(fields, whole);
    const [first] = fields;
    const link = element("a", { href: `#${field(first).id}` }, `${nameOf(fields, words)}: ${what}`);
    link.addEventListener("click", (event) => {
      event.preventDefault();
      field(first).focus();
    });
    return element("li", {}, link);
  });
  showSummary("faults.heading", words, [
    element("p", {}, words.say("faults.refused")),
    element("ul", {}, ...items),
  ]);
}

/** What went wrong with no field, or with the one for the client key. */
export function showProblem(text, atKey, words) {
  const key = atKey && field("client_key");
  if (key) {
    showFaults([{ field: "client_key", code: "", text }], words);
    return;
  }
  showSummary("problem.heading", words, [element("p", {}, text)]);
}

export function focusSummary() {
  summary.focus();
}

function showSummary(heading, words, content) {
  const id = "faults-heading";
  summary.setAttribute("aria-labelledby", id);
  summary.replaceChildren(element("h2", { id }, words.say(heading)), ...content);
  summary.hidden = false;
}

function markFields(fields, text) {
  const [first] = fields;
  const place = document.getElementById(`${first}-error`);
  place.textContent = place.textContent ? `${place.textContent} ${text}` : text;
  place.hidden = false;
  for (const name of fields) {
    const control = groupOf(name);
    control.setAttribute("aria-invalid", "true");
    if (name !== first) describe(control, [`${name}-hint`, `${name}-error`, `${first}-error`]);
  }
}

function describe(control, ids) {
  control.setAttribute("aria-describedby", ids.join(" "));
}

/** What can be focused for a field; null if the form has none. */
function field(name) {
  if (name === "realestate_type") {
    return form.querySelector(`[name="${name}"]:checked, [name="${name}"]`);
  }
  return /^\w+$/.test(name) ? form.querySelector(`input#${name}, select#${name}`) : null;
}

/** What is invalid then: of the types all of them. */
function groupOf(name) {
  return name === "realestate_type" ? document.getElementById(name) : field(name);
}

function nameOf(fields, words) {
  const joined = fields.join(",");
  const together = words.has(`name.${joined}`);
  return words.say(`name.${together ? joined : fields[0]}`);
}

/** As the form has the fields; what has none comes first. */
function byPlace({ fields: [one] }, { fields: [other] }) {
  if (!one || !other) return Boolean(one) - Boolean(other);
  const order = field(one).compareDocumentPosition(field(other));
  return order & Node.DOCUMENT_POSITION_PRECEDING ? 1 : -1;
}

function parsed(name, language) {
  return parseNumber(field(name).value, language, DEGREES.includes(name));
}

function local(name, fault) {
  return { field: name, code: `local:${fault}`, local: fault };
}
