// The picture of a map: land where homes were sold, sales as dots, names, the home, comparables.

import { gathered, nearest, ranked, spread, thinned } from "./crowding.js";
import { clamp, inWords, kmAcross, pixels, scaleBar, unproject } from "./geometry.js";

const SVG = "http://www.w3.org/2000/svg";
const LAND_KM = 14;
const LAND_ZOOM = 6;
/** How large dots are, by how many sales they stand for: fewer than 4, 16, 64, 256, or more. */
const DOTS = [2.4, 3.6, 5.4, 8, 11.5];
/** From where on cells are drawn as what they are, squares that grow with the map. */
const SQUARES = 8.5;
const NAME = { height: 17, apart: 21, character: 7.2, offset: 7, short: 8 };
const BADGE = 24;
const BAR = 110;
const LENGTH = 50;

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
    this.shore = shape("path", { class: "map-shore" });
    this.land = shape("path", { class: "map-land" });
    this.squares = DOTS.map((_, place) => shape("path", { class: `map-squares map-n${place}` }));
    this.dots = DOTS.map((size) => shape("path", { class: "map-dots", "stroke-width": size }));
    this.centres = shape("path", { class: "map-centres" });
    this.names = shape("g", { class: "map-names" });
    this.markers = shape("g", { class: "map-markers" });
    this.tiled = shape("g", {}, ...this.squares);
    this.world = shape("g", {}, this.shore, this.land, this.tiled, ...this.dots);
    this.world.append(this.centres, this.names, this.markers);
    this.panel = shape("rect", { class: "map-panel", rx: 4, x: 6, height: 26 });
    this.bar = shape("path", { class: "map-bar" });
    this.length = shape("text", { class: "map-length" });
    this.crosshair = shape("path", { class: "map-crosshair" });
    this.svg = shape("svg", { "aria-hidden": "true", focusable: "false" });
    this.svg.append(this.world, this.panel, this.bar, this.length, this.crosshair);
    this.setPlaces([], 0);
  }

  /** Points with n sales each, of squares of so many degrees. */
  setPlaces(places, degrees) {
    this.places = places;
    this.degrees = degrees;
    this.ranked = ranked(this.municipalities, places);
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
    const land = this.path(this.landed, to, LAND_KM * km);
    this.land.setAttribute("d", land);
    this.land.setAttribute("stroke-width", (2 * LAND_KM * km).toFixed(1));
    this.shore.setAttribute("d", land);
    this.shore.setAttribute("stroke-width", (2 * LAND_KM * km + 2.5).toFixed(1));
    this.drawSales(view.zoom, scale, to);
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

  drawSales(zoom, scale, to) {
    const level = Math.floor(zoom);
    const near = zoom >= SQUARES;
    const points = near
      ? this.places
      : this.kept(this.gatheredAt, level, () => gathered(this.places, level, 5));
    const classes = DOTS.map(() => []);
    for (const point of points) {
      classes[Math.min(Math.floor(Math.log2(point.n) / 2), DOTS.length - 1)].push(point);
    }
    // Paler the larger they are, or one would fill the map.
    const opacity = clamp(1 - (zoom - 10) / 5, 0.3, 1).toFixed(2);
    this.tiled.setAttribute("opacity", opacity);
    const width = (this.degrees / 360) * scale;
    classes.forEach((some, place) => {
      this.dots[place].setAttribute("d", near ? "" : this.path(some, to, 10));
      this.squares[place].setAttribute("d", near ? this.tiles(some, to, width) : "");
    });
  }

  /** A degree of latitude is as long as one of longitude divided by its cosine. */
  tiles(points, to, width) {
    return this.inSight(points, to, width)
      .map(([{ cosine }, { x, y }]) => {
        const height = width / cosine;
        const [left, top] = [(x - width / 2).toFixed(1), (y - height / 2).toFixed(1)];
        return `M${left},${top}h${width.toFixed(1)}v${height.toFixed(1)}h${-width.toFixed(1)}z`;
      })
      .join("");
  }

  /** Which names there are depends on the zoom alone: none comes or goes while the map moves. */
  drawNames(zoom, to) {
    const level = Math.floor(zoom * 4) / 4;
    const names = this.kept(this.thinnedAt, level, () => named(this.ranked, level));
    this.centres.setAttribute("d", this.path(names, to, 0));
    this.names.replaceChildren(
      ...this.inSight(names, to, 150).map(([{ shown }, { x, y }]) => {
        const text = shape("text", { x: (x + NAME.offset).toFixed(1), y: (y + 4).toFixed(1) });
        text.textContent = shown;
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
    this.panel.setAttribute("y", bottom - 20);
    this.panel.setAttribute("width", (Math.max(length, LENGTH) + 12).toFixed(1));
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

/** Of a name in several languages the first, until there is room. */
function named(towns, level) {
  const short = level < NAME.short;
  const names = towns.map((each) => {
    const shown = short ? each.name.split(" - ")[0] : each.name;
    return { ...each, shown, width: NAME.offset + shown.length * NAME.character };
  });
  return thinned(names, level, short ? NAME.apart : NAME.height, short ? 8 : 4);
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
