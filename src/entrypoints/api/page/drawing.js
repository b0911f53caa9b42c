/** The interval and the contributions, to scale. */

import { element, svg } from "./elements.js";

const HEIGHT = 108;
const MARGIN = 10;
const BAND = { top: 34, height: 22 };
const AXIS = 88;
const LETTER = 8.4;
const STEPS = [1, 2, 5];

/** A picture of the interval in a place whose width it follows. */
export function drawInterval({ estimated_price: price, interval }, words) {
  const { lower, upper } = interval;
  const shown = { price: words.money(price), lower: words.money(lower), upper: words.money(upper) };
  const label = words.say("answer.interval.picture", shown);
  const picture = svg("svg", { role: "img", "aria-label": label, height: HEIGHT });
  const place = element("div", { class: "interval" }, picture);
  let drawn = 0;
  const draw = () => {
    const width = Math.max(260, Math.floor(place.clientWidth));
    if (width === drawn) return;
    drawn = width;
    picture.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    picture.replaceChildren(...intervalParts({ price, lower, upper }, shown, width, words));
  };
  new ResizeObserver(draw).observe(place);
  return place;
}

function intervalParts({ price, lower, upper }, shown, width, words) {
  const spare = (upper - lower) * 0.12 || price * 0.1;
  const [from, to] = [Math.max(0, lower - spare), upper + spare];
  const x = (nok) => MARGIN + ((nok - from) / (to - from)) * (width - 2 * MARGIN);
  const middle = BAND.top + BAND.height / 2;
  const under = BAND.top + BAND.height + 18;
  const crowded = x(upper) - x(lower) < (shown.lower.length + shown.upper.length + 2) * LETTER;
  const parts = [
    svg("line", { class: "axis", x1: MARGIN, x2: width - MARGIN, y1: middle, y2: middle }),
    svg("rect", { class: "band", x: x(lower), width: x(upper) - x(lower), y: BAND.top,
                  height: BAND.height, rx: 4 }),
    svg("line", { class: "mark", x1: x(price), x2: x(price), y1: BAND.top - 6,
                  y2: BAND.top + BAND.height + 6 }),
    label(shown.price, x(price), BAND.top - 13, "middle", width, "number strong"),
    label(shown.lower, crowded ? 0 : x(lower), under, "start", width, "number"),
    label(shown.upper, crowded ? width : x(upper), under, "end", width, "number"),
  ];
  const step = niceStep((to - from) / Math.max(2, width / 80));
  for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) {
    parts.push(
      svg("line", { class: "tick", x1: x(tick), x2: x(tick), y1: AXIS - 7, y2: AXIS - 2 }),
      label(words.number(tick / 1e6, 2), x(tick), HEIGHT - 8, "middle", width, "small"),
    );
  }
  return parts;
}

/** A text that stays inside the picture. */
function label(text, at, y, anchor, width, kind) {
  const size = text.length * LETTER;
  const before = { start: 0, middle: size / 2, end: size }[anchor];
  const x = Math.min(Math.max(at, before), width - (size - before));
  return svg("text", { class: kind, x, y, "text-anchor": anchor }, text);
}

function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return (STEPS.find((step) => step * power >= least) ?? 10) * power;
}

/**
 * A bar for each change from *base*, that begins where the one before ended; the first and the last
 * picture are the base and the sum, as marks: they are no changes.
 */
export function drawChanges(base, changes) {
  const totals = [base];
  for (const change of changes) totals.push(totals.at(-1) + change);
  const [least, most] = [Math.min(...totals), Math.max(...totals)];
  const x = (nok) => (most === least ? 50 : 2 + (96 * (nok - least)) / (most - least));
  const bars = changes.map((change, place) => {
    const [from, to] = [x(totals[place]), x(totals[place + 1])];
    const size = { x: Math.min(from, to), width: Math.max(Math.abs(to - from), 0.4) };
    return row(svg("rect", { class: change < 0 ? "less" : "more", y: 1, height: 8, ...size }));
  });
  return [row(mark(x(base))), ...bars, row(mark(x(totals.at(-1))))];
}

function mark(at) {
  return svg("rect", { class: "total", x: at - 0.5, width: 1, y: 0, height: 10 });
}

function row(shape) {
  const shapes = { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" };
  return svg("svg", { class: "bar", focusable: "false", ...shapes }, shape);
}
