// What fingers, mice and keys ask of a map. Positions are pixels from the surface's corner.

const STILL = { mouse: 4, pen: 8, touch: 10 };
const STEP = 80;
const LINE = 16;

/** Calls *map*'s pan(dx, dy), zoom(by, x, y), pick(x, y) and, by keys, the same at its middle. */
export function listen(surface, map) {
  listenToPointers(surface, map);
  surface.addEventListener("wheel", (event) => turned(event, surface, map), { passive: false });
  surface.addEventListener("keydown", (event) => pressed(event, map));
}

function listenToPointers(surface, map) {
  const pointers = new Map();
  let start = null;

  surface.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    surface.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, at(event, surface));
    start = pointers.size === 1 ? at(event, surface) : null;
  });

  surface.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return;
    const before = [...pointers.values()];
    const now = at(event, surface);
    if (start && Math.hypot(now.x - start.x, now.y - start.y) <= (STILL[event.pointerType] ?? 4)) {
      return;
    }
    start = null;
    pointers.set(event.pointerId, now);
    const after = [...pointers.values()];
    const [from, to] = [middle(before), middle(after)];
    map.pan(to.x - from.x, to.y - from.y);
    if (after.length > 1) map.zoom(Math.log2(apart(after) / apart(before)), to.x, to.y);
  });

  const lifted = (event) => {
    if (!pointers.delete(event.pointerId)) return;
    if (start && event.type === "pointerup") map.pick(start.x, start.y);
    start = null;
  };
  surface.addEventListener("pointerup", lifted);
  surface.addEventListener("pointercancel", lifted);
}

/** The page scrolls on unless the map was chosen, by focus or by ctrl (as pinching a touchpad). */
function turned(event, surface, map) {
  if (!event.ctrlKey && !surface.contains(document.activeElement)) return;
  event.preventDefault();
  const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1;
  const by = (-event.deltaY * lines) / (event.ctrlKey ? 100 : 300);
  const { x, y } = at(event, surface);
  map.zoom(Math.min(Math.max(by, -1), 1), x, y);
}

function pressed(event, map) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const act = {
    ArrowLeft: () => map.pan(STEP, 0),
    ArrowRight: () => map.pan(-STEP, 0),
    ArrowUp: () => map.pan(0, STEP),
    ArrowDown: () => map.pan(0, -STEP),
    "+": () => map.zoom(1),
    "=": () => map.zoom(1),
    "-": () => map.zoom(-1),
    Enter: () => map.pick(),
    " ": () => map.pick(),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function at(event, surface) {
  const { left, top } = surface.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}

function middle(points) {
  const sum = points.reduce((one, other) => ({ x: one.x + other.x, y: one.y + other.y }));
  return { x: sum.x / points.length, y: sum.y / points.length };
}

function apart([one, other]) {
  return Math.max(Math.hypot(one.x - other.x, one.y - other.y), 1);
}
