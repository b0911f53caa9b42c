// A map without tiles and without another host: what it shows is what the page gives it.

import { around, clamp, fit, pixels, project, unproject, zoomOf } from "./geometry.js";
import { Drawing, shape } from "./map_drawing.js";
import { listen } from "./map_gestures.js";

const MOST_ZOOM = 16;
const MARGIN = 28;
const MILLISECONDS = 400;
const STILLNESS = matchMedia("(prefers-reduced-motion: reduce)");
const NORWAY = [project(57.9, 4.5), project(71.2, 31.2)];
const ICONS = { zoomIn: "M3,8h10M8,3v10", zoomOut: "M3,8h10", reset: "M3,6V3h3m4,0h3v3m0,4v3h-3m-4,0H3v-3" };

/** Fills an empty element with a map of the municipalities {number, name, lat, lon}.
 *
 * *labels* are its texts {zoomIn, zoomOut, reset, map, help, comparable, home}; *onPick(lat, lon)*
 * is told of the place that is chosen by a click, a tap or Enter. Degrees everywhere.
 */
export function createMap(element, { labels, municipalities, onPick }) {
  const towns = municipalities.map((each) => ({ ...each, ...project(each.lat, each.lon), n: 1 }));
  const drawing = new Drawing(towns);
  const parts = build(element, drawing.svg);
  const size = { width: 0, height: 0 };
  let view = null;
  let whole = true;
  let home = null;
  let comparables = [];
  let frame = 0;
  let moving = 0;

  const language = () => document.documentElement.lang || undefined;
  const bounds = () => around([...(towns.length ? towns : NORWAY), ...(home ? [home] : [])]);
  const all = () => fit(bounds(), size.width, size.height, MARGIN);

  function show(next) {
    const box = bounds();
    view = {
      x: clamp(next.x, box.left, box.right),
      y: clamp(next.y, box.top, box.bottom),
      zoom: clamp(next.zoom, Math.min(all().zoom, MOST_ZOOM), MOST_ZOOM),
    };
    draw();
  }

  function draw() {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      if (view) drawing.draw(view, language());
    });
  }

  function stop() {
    cancelAnimationFrame(moving);
    moving = 0;
  }

  /** What is gone to comes nearer by as many pixels in each moment, however the zoom changes. */
  function go(to) {
    stop();
    if (STILLNESS.matches || !view) {
      show(to);
      return;
    }
    const from = view;
    const began = performance.now();
    const step = (now) => {
      const share = clamp((now - began) / MILLISECONDS, 0, 1);
      const eased = 1 - (1 - share) ** 3;
      const zoom = from.zoom + (to.zoom - from.zoom) * eased;
      const left = (1 - eased) * 2 ** (from.zoom - zoom);
      show({ x: to.x + (from.x - to.x) * left, y: to.y + (from.y - to.y) * left, zoom });
      moving = share < 1 ? requestAnimationFrame(step) : 0;
    };
    moving = requestAnimationFrame(step);
  }

  function place(x, y) {
    const scale = pixels(view.zoom);
    return { x: view.x + (x - size.width / 2) / scale, y: view.y + (y - size.height / 2) / scale };
  }

  function pan(right, down) {
    stop();
    whole = false;
    const scale = pixels(view.zoom);
    show({ ...view, x: view.x - right / scale, y: view.y - down / scale });
    tell();
  }

  /** What is under the pixel stays there. */
  function zoom(by, x = size.width / 2, y = size.height / 2) {
    stop();
    whole = false;
    const least = Math.min(all().zoom, MOST_ZOOM);
    const next = clamp(view.zoom + by, least, MOST_ZOOM);
    const [at, left] = [place(x, y), 2 ** (view.zoom - next)];
    show({ x: at.x + (view.x - at.x) * left, y: at.y + (view.y - at.y) * left, zoom: next });
    tell();
  }

  function reset() {
    whole = true;
    go(all());
  }

  function pick(x = size.width / 2, y = size.height / 2) {
    const at = place(x, y);
    const { lat, lon } = unproject(at.x, at.y);
    const [north, east] = [round(lat), round(lon)];
    mark(north, east);
    onPick(north, east);
  }

  function mark(lat, lon) {
    home = Number.isFinite(lat) && Number.isFinite(lon) ? project(lat, lon) : null;
    drawing.setMarkers(home, comparables, labels);
    draw();
  }

  /** Says where the cross is to who moves it by keys. */
  function tell() {
    const { lat, lon } = unproject(view.x, view.y);
    const degrees = new Intl.NumberFormat(language(), {
      minimumFractionDigits: 3,
      maximumFractionDigits: 3,
    });
    const town = drawing.near(view)?.name;
    const where = `${degrees.format(lat)}°, ${degrees.format(lon)}°`;
    parts.where.textContent = town ? `${town} · ${where}` : where;
  }

  function name() {
    parts.surface.setAttribute("aria-label", labels.map);
    parts.help.textContent = labels.help;
    for (const [key, button] of Object.entries(parts.buttons)) {
      button.setAttribute("aria-label", labels[key]);
      button.setAttribute("title", labels[key]);
    }
    drawing.setMarkers(home, comparables, labels);
    draw();
  }

  function measure() {
    const { width, height } = parts.surface.getBoundingClientRect();
    if (!width || !height || (width === size.width && height === size.height)) return;
    Object.assign(size, { width, height });
    drawing.resize(width, height);
    stop();
    show(whole || !view ? all() : view);
  }

  listen(parts.surface, { pan, zoom, pick });
  parts.surface.addEventListener("focus", () => view && tell());
  parts.buttons.zoomIn.addEventListener("click", () => zoom(1));
  parts.buttons.zoomOut.addEventListener("click", () => zoom(-1));
  parts.buttons.reset.addEventListener("click", reset);
  name();
  measure();
  new ResizeObserver(measure).observe(parts.surface);

  return {
    /** Where the home is; null takes it away. A home out of sight is gone to. */
    setPoint(lat, lon) {
      mark(lat, lon);
      if (!home || !view) return;
      const scale = pixels(view.zoom);
      const [x, y] = [Math.abs(home.x - view.x) * scale, Math.abs(home.y - view.y) * scale];
      if (x > size.width / 2 - 12 || y > size.height / 2 - 12) go({ ...home, zoom: view.zoom });
    },

    /** Cells [lat, lon, n] in which n homes were sold. */
    setPlaces(cells) {
      drawing.setPlaces(cells.map(([lat, lon, n]) => ({ ...project(lat, lon), n })));
      drawing.setMarkers(home, comparables, labels);
      draw();
    },

    /** Past sales {lat, lon, label}, numbered from 1. */
    setComparables(sales) {
      comparables = sales.map(({ lat, lon, label }) => ({ ...project(lat, lon), label }));
      drawing.setMarkers(home, comparables, labels);
      draw();
    },

    /** Show what is within *km* of a place. */
    focus(lat, lon, km) {
      whole = false;
      const length = Math.max(Math.min(size.width, size.height) - 2 * MARGIN, 1);
      go({ ...project(lat, lon), zoom: zoomOf(2 * km, length, lat) });
    },

    /** The same map in another language. */
    setLabels(texts) {
      labels = texts;
      name();
    },
  };
}

function round(degrees) {
  return Math.round(degrees * 1e5) / 1e5;
}

function build(element, svg) {
  const surface = made("div", "map-surface", { role: "application", tabindex: "0" });
  const help = made("p", "map-help", { id: `${element.id || "map"}-help` });
  const where = made("p", "map-where", { role: "status" });
  surface.setAttribute("aria-describedby", help.id);
  surface.append(svg);
  const buttons = {};
  for (const [name, icon] of Object.entries(ICONS)) {
    buttons[name] = made("button", "map-button", { type: "button" });
    const picture = shape("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" });
    picture.append(shape("path", { d: icon }));
    buttons[name].append(picture);
  }
  const tools = made("div", "map-tools", {});
  tools.append(...Object.values(buttons));
  element.classList.add("map");
  element.replaceChildren(surface, tools, help, where);
  return { surface, help, where, buttons };
}

function made(name, className, attributes) {
  const element = document.createElement(name);
  element.className = className;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
