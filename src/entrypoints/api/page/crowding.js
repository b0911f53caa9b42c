// What is too much for the eye at once: dots that coincide, names that overlap, badges that hide
// each other. Points are of the plane of geometry.js unless they are said to be pixels.

import { pixels } from "./geometry.js";

/** Points gathered in squares of so many pixels: their *n* added up, in the middle of them. */
export function gathered(points, zoom, size) {
  const scale = pixels(zoom) / size;
  const squares = new Map();
  for (const { x, y, n } of points) {
    const key = Math.floor(x * scale) * 2 ** 26 + Math.floor(y * scale);
    const square = squares.get(key) ?? { x: 0, y: 0, n: 0 };
    square.x += x * n;
    square.y += y * n;
    square.n += n;
    squares.set(key, square);
  }
  return [...squares.values()].map(({ x, y, n }) => ({ x: x / n, y: y / n, n }));
}

/** Of names, the most important first, those that have room: none overlaps one before it.
 *
 * Each needs *width* pixels to the right of its point, and half of *height* up and down.
 */
export function thinned(names, zoom, height, gap) {
  const scale = pixels(zoom);
  const kept = [];
  for (const name of names) {
    const left = name.x * scale;
    const middle = name.y * scale;
    const free = kept.every(
      (other) =>
        Math.abs(other.middle - middle) >= height + gap ||
        other.left >= left + name.width + gap ||
        left >= other.left + other.name.width + gap,
    );
    if (free) kept.push({ name, left, middle });
  }
  return kept.map(({ name }) => name);
}

/** Pixels moved apart until any two are *gap* away from each other; the first one stays. */
export function spread(points, gap) {
  const placed = points.map(({ x, y }) => ({ x, y }));
  for (let round = 0; round < 60; round += 1) {
    let moved = false;
    for (let i = 0; i < placed.length; i += 1) {
      for (let j = i + 1; j < placed.length; j += 1) {
        moved = parted(placed[i], placed[j], gap, i === 0, j) || moved;
      }
    }
    if (!moved) break;
  }
  return placed;
}

function parted(one, other, gap, fixed, place) {
  let [x, y] = [other.x - one.x, other.y - one.y];
  const distance = Math.hypot(x, y);
  if (distance >= gap) return false;
  if (distance < 1e-6) {
    // In the same place: each goes a way of its own.
    [x, y] = [Math.cos(place * 2.4), Math.sin(place * 2.4)];
  } else {
    [x, y] = [x / distance, y / distance];
  }
  const push = gap - distance + 0.01;
  const share = fixed ? 0 : push / 2;
  one.x -= x * share;
  one.y -= y * share;
  other.x += x * (push - share);
  other.y += y * (push - share);
  return true;
}

/** Municipalities as points with a *weight*: the sales that are nearer to them than to another. */
export function weighed(municipalities, places) {
  const found = municipalities.map((each) => ({ ...each, weight: 0 }));
  if (!found.length) return found;
  for (const { x, y, n } of places) {
    nearest(found, x, y).weight += n;
  }
  return found.sort((one, other) => other.weight - one.weight);
}

/** The point that is nearest to a place. */
export function nearest(points, x, y) {
  let best;
  let least = Infinity;
  for (const point of points) {
    const distance = (point.x - x) ** 2 + (point.y - y) ** 2;
    if (distance < least) [best, least] = [point, distance];
  }
  return best;
}
