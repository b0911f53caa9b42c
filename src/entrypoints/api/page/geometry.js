// The map's plane is Web Mercator: x eastwards and y southwards, both from 0 to 1. At zoom z the
// world is 256 * 2^z pixels wide. Degrees are WGS 84.

const TILE = 256;
const EQUATOR_KM = 40075.017;
const MOST_LAT = 85.05;
const RADIANS = Math.PI / 180;

/** Degrees as a point of the plane. */
export function project(lat, lon) {
  const sine = Math.sin(clamp(lat, -MOST_LAT, MOST_LAT) * RADIANS);
  return { x: lon / 360 + 0.5, y: 0.5 - Math.atanh(sine) / (2 * Math.PI) };
}

/** A point of the plane in degrees. */
export function unproject(x, y) {
  return { lat: Math.asin(Math.tanh((0.5 - y) * 2 * Math.PI)) / RADIANS, lon: (x - 0.5) * 360 };
}

/** How wide the world is in pixels. */
export function pixels(zoom) {
  return TILE * 2 ** zoom;
}

/** How long a unit of the plane is on the ground at a latitude. */
export function kmAcross(lat) {
  return EQUATOR_KM * Math.cos(lat * RADIANS);
}

/** The zoom at which *km* take *length* pixels. */
export function zoomOf(km, length, lat) {
  return Math.log2((length * kmAcross(lat)) / (km * TILE));
}

/** The box that holds points of the plane. */
export function around(points) {
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  return {
    left: Math.min(...xs),
    right: Math.max(...xs),
    top: Math.min(...ys),
    bottom: Math.max(...ys),
  };
}

/** The middle of a box and the zoom at which it fits, *margin* pixels from each side. */
export function fit({ left, right, top, bottom }, width, height, margin) {
  const across = Math.max(width - 2 * margin, 1) / Math.max(right - left, 1e-6);
  const down = Math.max(height - 2 * margin, 1) / Math.max(bottom - top, 1e-6);
  return {
    x: (left + right) / 2,
    y: (top + bottom) / 2,
    zoom: Math.log2(Math.min(across, down) / TILE),
  };
}

/** A round length on the ground and its pixels: at most so many, and more than two fifths of it. */
export function scaleBar(lat, zoom, most) {
  const km = kmAcross(lat) / pixels(zoom);
  const power = 10 ** Math.floor(Math.log10(most * km));
  const round = [5, 2, 1].find((step) => step * power <= most * km * (1 + 1e-9)) * power;
  return { km: round, length: round / km };
}

/** A length in the unit that people say: metres below a kilometre. */
export function inWords(km, language) {
  const [number, unit] = km < 1 ? [km * 1000, "m"] : [km, "km"];
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: 0 }).format(number)} ${unit}`;
}

/** A number, kept between two. */
export function clamp(number, least, most) {
  return Math.min(Math.max(number, least), most);
}
