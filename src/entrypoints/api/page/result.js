/** An answer, as people read it. */

import { copied, curlText } from "./curl.js";
import { drawChanges, drawInterval } from "./drawing.js";
import { element } from "./elements.js";
import { warned } from "./faults.js";

/** The parts of an answer; *request* is what was asked, *place* its municipality's label. */
export function answerParts({ answer, trainedUntil, request, place, withKey }, words) {
  return [
    headline(answer, trainedUntil, words),
    answer.warnings.length ? warnings(answer.warnings, words) : "",
    comparables(answer, words),
    contributions(answer, words),
    asked(request, answer, place, words),
    curl(dated(request, answer), withKey, words),
  ];
}

/** For the day that was answered for, so that another day's request gives the same. */
function dated({ home, query }, { valuation_date }) {
  return { home, query: { ...query, valuation_date } };
}

function headline(answer, trainedUntil, words) {
  const price = words.money(answer.estimated_price);
  const per_sqm = words.money(answer.price_per_sqm);
  return card("headline", null, [
    element("p", { class: "caption" }, words.say("answer.price")),
    element("p", { class: "price", id: "price" }, price),
    element("p", { class: "muted" }, words.say("answer.per_sqm", { price: per_sqm })),
    ...surety(answer, words),
    element("p", { class: "muted model" }, model(answer, trainedUntil, words)),
  ]);
}

function surety(answer, words) {
  const { interval, fsd, confidence } = answer;
  if (!interval) return [element("p", {}, words.say("answer.interval.none"))];
  const bounds = { lower: words.money(interval.lower), upper: words.money(interval.upper) };
  const parts = [
    element("p", { class: "between" }, words.say("answer.interval", bounds)),
    drawInterval(answer, words),
    element("p", { class: "unit" }, words.say("answer.millions")),
    element(
      "p",
      { class: "muted" },
      words.say("answer.interval.means", { percent: words.percent(interval.coverage) }),
    ),
  ];
  if (confidence) {
    const word = element("strong", {}, words.say(`confidence.${confidence}`));
    const means = words.say("confidence.means", { percent: words.percent(fsd) });
    parts.push(element("p", { class: "confidence", id: "confidence" }, word, `. ${means}`));
  }
  return parts;
}

function model(answer, trainedUntil, words) {
  const values = { day: words.day(answer.valuation_date), version: answer.model_version };
  if (!trainedUntil) return words.say("answer.model.short", values);
  return words.say("answer.model", { ...values, until: words.day(trainedUntil) });
}

function warnings(codes, words) {
  const items = codes.map((code) => element("li", {}, warned(code, words)));
  return card("warnings", words.say("warnings.heading"), [element("ul", {}, ...items)]);
}

const COLUMNS = ["number", "price", "sold", "distance", "area", "adjusted"];

function comparables(answer, words) {
  const heading = words.say("comparables.heading");
  if (answer.comparables.length === 0) {
    return card("comparables", heading, [element("p", {}, words.say("comparables.none"))]);
  }
  const day = words.day(answer.valuation_date);
  const rows = answer.comparables.map((sale, place) => [
    words.number(place + 1),
    words.money(sale.price),
    words.day(sale.sold_on, "medium"),
    `${words.number(sale.distance_km, 1)}\u00a0km`,
    `${words.number(sale.usable_area)}\u00a0m²`,
    words.money(sale.adjusted_price),
  ]);
  return card("comparables", heading, [
    element(
      "p",
      { class: "muted" },
      `${words.say("comparables.about")} ${words.say("comparables.map")}`,
    ),
    salesTable(rows, words),
    element("p", { class: "muted" }, words.say("comparables.adjusted.about", { day })),
  ]);
}

/** With roles: on a narrow screen its rows are laid out as blocks, which would be no table. */
function salesTable(rows, words) {
  const titles = COLUMNS.map((column) => words.say(`comparables.${column}`));
  const head = titles.map((title) => {
    return element("th", { role: "columnheader", scope: "col" }, title);
  });
  const body = rows.map((cells) =>
    element(
      "tr",
      { role: "row" },
      ...cells.map((cell, place) => {
        const title = element("span", { class: "title", "aria-hidden": "true" }, titles[place]);
        return element("td", { role: "cell" }, title, cell);
      }),
    ),
  );
  return element(
    "table",
    { role: "table", class: "rows", "aria-labelledby": "comparables-heading" },
    element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...head)),
    element("tbody", { role: "rowgroup" }, ...body),
  );
}

function contributions(answer, words) {
  const heading = words.say("contributions.heading");
  const groups = Object.entries(answer.contributions);
  if (groups.length === 0) {
    return card("contributions", heading, [element("p", {}, words.say("contributions.none"))]);
  }
  const changes = groups.map(([, change]) => change);
  const sum = changes.reduce((total, change) => total + change, answer.base);
  const bars = drawChanges(answer.base, changes);
  const lines = [
    line(words.say("contributions.base"), words.money(answer.base), bars[0]),
    ...groups.map(([group, change], place) =>
      line(words.say(`contributions.${group}`), words.change(change), bars[place + 1]),
    ),
    line(words.say("contributions.sum"), words.money(sum), bars.at(-1), "sum"),
  ];
  const head = ["part", "amount"].map((name) =>
    element("th", { scope: "col" }, words.say(`contributions.${name}`)),
  );
  return card("contributions", heading, [
    element("p", { class: "muted" }, words.say("contributions.about")),
    element(
      "table",
      { class: "sums", "aria-labelledby": "contributions-heading" },
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...lines),
    ),
  ]);
}

function line(name, amount, bar, kind = "part") {
  return element(
    "tr",
    { class: kind },
    element("th", { scope: "row" }, name, bar),
    element("td", {}, amount),
  );
}

function asked({ home, query }, answer, place, words) {
  const number = (value, decimals = 2) => words.number(value, decimals);
  const counts = ["floor", "rooms", "bedrooms"].filter((name) => name in home);
  const area = (value) => `${number(value)}\u00a0m²`;
  const facts = {
    realestate_type: words.say(`type.${home.realestate_type}`),
    municipality_number: place,
    lat: `${number(home.lat, 5)}°`,
    lon: `${number(home.lon, 5)}°`,
    usable_area: area(home.bra),
    total_area: area(home.total_area),
    built_year: String(home.built_year),
    ...Object.fromEntries(counts.map((name) => [name, number(home[name])])),
    valuation_date: words.day(answer.valuation_date),
    coverage: words.say(`coverage.${query.coverage}`),
  };
  const list = Object.entries(facts).map(([name, value]) => {
    const term = element("dt", {}, words.say(`name.${name}`));
    return element("div", {}, term, element("dd", {}, value));
  });
  return card("asked", words.say("asked.heading"), [element("dl", {}, ...list)]);
}

function curl(request, withKey, words) {
  const text = element("code", {}, curlText(request, withKey));
  const button = element("button", { type: "button", class: "small" }, words.say("curl.copy"));
  const told = element("span", { role: "status", class: "told" });
  button.addEventListener("click", async () => {
    told.textContent = words.say((await copied(text)) ? "curl.copied" : "curl.select");
  });
  return card("curl", words.say("curl.heading"), [
    element("p", { class: "muted" }, words.say("curl.about")),
    ...(withKey ? [element("p", { class: "muted" }, words.say("curl.key"))] : []),
    element("pre", { tabindex: "0", role: "region", "aria-labelledby": "curl-heading" }, text),
    element("p", { class: "copy" }, button, " ", told),
  ]);
}

function card(name, heading, content) {
  const above = heading === null ? [] : [element("h3", { id: `${name}-heading` }, heading)];
  return element("div", { class: `card ${name}` }, ...above, ...content);
}
