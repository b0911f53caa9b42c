// The picture of a map: land where homes were sold, sales as dots, names, the home, comparables.

import { gathered, nearest, spread, thinned, weighed } from "./crowding.js";
import { inWords, kmAcross, pixels, scaleBar, unproject } from "./geometry.js";

const SVG = "http://www.w3.org/2000/svg";
const LAND_KM = 9;
const LAND_ZOOM = 6;
const DOTS = [3, 4.5, 6.5, 9, 12];
/** Where dots begin to grow with the map, so that those of a town go on to look like one. */
const GROWS = 9;
const NAME = { height: 15, character: 7.2, offset: 7 };
const BADGE = 24;
const BAR = 110;

/** An element of SVG. */
export function shape(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Draws views {x, y, zoom} of what it was told into an `svg` of its own. */
export class Drawing {
  constructor(municipalities) {
    this.municipalities = municipalities;
    this.home = null;
    this.comparables = [];
    this.size = { width: 0, height: 0 };
    this.land = shape("path", { class: "map-land" });
    this.dots = DOTS.map(() => shape("path", { class: "map-dots" }));
    this.centres = shape("path", { class: "map-centres" });
    this.names = shape("g", { class: "map-names" });
    this.markers = shape("g", { class: "map-markers" });
    this.world = shape("g", {}, this.land, ...this.dots, this.centres, this.names, this.markers);
    this.bar = shape("path", { class: "map-bar" });
    this.length = shape("text", { class: "map-length" });
    this.crosshair = shape("path", { class: "map-crosshair" });
    this.svg = shape("svg", { "aria-hidden": "true", focusable: "false" });
    this.svg.append(this.world, this.bar, this.length, this.crosshair);
    this.setPlaces([]);
  }

  setPlaces(places) {
    this.places = places;
    this.ranked = weighed(this.municipalities, places).map((each) => ({
      ...each,
      width: NAME.offset + each.name.length * NAME.character,
    }));
    this.landed = gathered([...places, ...this.municipalities], LAND_ZOOM, 8);
    this.gatheredAt = new Map();
    this.thinnedAt = new Map();
    this.drawn = null;
  }

  setMarkers(home, comparables, labels) {
    Object.assign(this, { home, comparables, labels, drawn: null });
  }

  resize(width, height) {
    this.size = { width, height };
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const [x, y] = [width / 2, height / 2];
    this.crosshair.setAttribute("d", `M${x - 14},${y}h10m8,0h10M${x},${y - 14}v10m0,8v10`);
    this.drawn = null;
  }

  /** Moving alone only moves what is there, of which there is as much again on every side. */
  draw(view, language) {
    const { width, height } = this.size;
    const scale = pixels(view.zoom);
    if (!this.drawn || this.drawn.zoom !== view.zoom || this.far(view, scale)) {
      this.drawn = { ...view };
      this.rebuild(view, scale);
    }
    const right = width / 2 + (this.drawn.x - view.x) * scale;
    const down = height / 2 + (this.drawn.y - view.y) * scale;
    this.world.setAttribute("transform", `translate(${right.toFixed(2)} ${down.toFixed(2)})`);
    this.drawBar(view, language);
  }

  far(view, scale) {
    return (
      Math.abs(view.x - this.drawn.x) * scale > this.size.width / 2 ||
      Math.abs(view.y - this.drawn.y) * scale > this.size.height / 2
    );
  }

  rebuild(view, scale) {
    const to = ({ x, y }) => ({ x: (x - view.x) * scale, y: (y - view.y) * scale });
    const km = scale / kmAcross(unproject(view.x, view.y).lat);
    this.land.setAttribute("d", this.path(this.landed, to, LAND_KM * km));
    this.land.setAttribute("stroke-width", (2 * LAND_KM * km).toFixed(1));
    this.drawDots(view.zoom, to);
    this.centres.setAttribute("d", this.path(this.municipalities, to, 0));
    this.drawNames(view.zoom, to);
    this.drawMarkers(to);
  }

  /** Dots for those of the points that are in sight, or would be after moving a little. */
  path(points, to, reach) {
    return this.inSight(points, to, reach)
      .map(([, { x, y }]) => `M${x.toFixed(1)},${y.toFixed(1)}h0`)
      .join("");
  }

  inSight(points, to, reach) {
    const { width, height } = this.size;
    return points
      .map((point) => [point, to(point)])
      .filter(([, { x, y }]) => Math.abs(x) < width + reach && Math.abs(y) < height + reach);
  }

  drawDots(zoom, to) {
    const level = Math.floor(zoom);
    const points = this.kept(this.gatheredAt, level, () => gathered(this.places, level, 5));
    const grown = Math.max(1, 1.3 ** (zoom - GROWS));
    const classes = DOTS.map(() => []);
    for (const point of points) {
      classes[Math.min(Math.floor(Math.log2(point.n) / 2), DOTS.length - 1)].push(point);
    }
    this.dots.forEach((dots, place) => {
      dots.setAttribute("d", this.path(classes[place], to, 40));
      dots.setAttribute("stroke-width", (DOTS[place] * grown).toFixed(1));
    });
  }

  /** Which names there are depends on the zoom alone: none comes or goes while the map moves. */
  drawNames(zoom, to) {
    const level = Math.floor(zoom * 2) / 2;
    const names = this.kept(this.thinnedAt, level, () =>
      thinned(this.ranked, level, NAME.height, level < 8 ? 10 : 4),
    );
    this.names.replaceChildren(
      ...this.inSight(names, to, 150).map(([{ name }, { x, y }]) => {
        const text = shape("text", { x: (x + NAME.offset).toFixed(1), y: (y + 4).toFixed(1) });
        text.textContent = name;
        return text;
      }),
    );
  }

  drawMarkers(to) {
    const home = this.home && to(this.home);
    const sold = this.comparables.map(to);
    // The home's own place is its badge's foot: what is moved away keeps clear of its head.
    const head = home ? [{ x: home.x, y: home.y - 14 }] : [];
    const badges = spread([...head, ...sold], BADGE).slice(head.length);
    this.markers.replaceChildren(
      ...sold.map(({ x, y }, place) => leader({ x, y }, badges[place])),
      ...badges.map((badge, place) => comparable(badge, this.comparables[place], place, this.labels)),
      ...(home ? [pin(home, this.labels.home)] : []),
    );
  }

  drawBar(view, language) {
    const { km, length } = scaleBar(unproject(view.x, view.y).lat, view.zoom, BAR);
    const bottom = this.size.height - 12;
    this.bar.setAttribute("d", `M12,${bottom - 6}v6h${length.toFixed(1)}v-6`);
    this.length.setAttribute("x", 18);
    this.length.setAttribute("y", bottom - 6);
    const words = inWords(km, language);
    if (this.length.textContent !== words) this.length.textContent = words;
  }

  /** The municipality whose centre is nearest to the middle of a view. */
  near({ x, y }) {
    return nearest(this.municipalities, x, y);
  }

  kept(cache, key, make) {
    if (!cache.has(key)) cache.set(key, make());
    return cache.get(key);
  }
}

function leader(from, to) {
  const line = `M${from.x.toFixed(1)},${from.y.toFixed(1)}L${to.x.toFixed(1)},${to.y.toFixed(1)}`;
  return shape("g", {}, shape("path", { class: "map-leader", d: line }), foot(from));
}

function foot({ x, y }) {
  return shape("circle", { class: "map-foot", cx: x.toFixed(1), cy: y.toFixed(1), r: 3 });
}

function comparable({ x, y }, { label }, place, labels) {
  const number = String(place + 1);
  const text = shape("text");
  text.textContent = number;
  const title = shape("title");
  const more = String(label ?? number);
  title.textContent = `${labels.comparable} ${number}${more === number ? "" : `: ${more}`}`;
  const where = `translate(${x.toFixed(1)} ${y.toFixed(1)})`;
  const badge = shape("g", { class: "map-comparable", transform: where });
  badge.append(title, shape("circle", { r: 10.5 }), text);
  return badge;
}

function pin({ x, y }, words) {
  const title = shape("title");
  title.textContent = words;
  const where = `translate(${x.toFixed(1)} ${y.toFixed(1)})`;
  const drop = "M0,0C-3,-7 -11,-11 -11,-20A11,11 0 1 1 11,-20C11,-11 3,-7 0,0Z";
  const house = "M-6,-20L0,-26L6,-20M-4,-21V-14H4V-21";
  return shape(
    "g",
    { class: "map-home", transform: where },
    title,
    shape("path", { class: "map-pin", d: drop }),
    shape("path", { class: "map-house", d: house }),
  );
}
