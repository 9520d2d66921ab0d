// Where the reader is. The page of `serve` asks for it, and gives it to the next version of this
// page, in which steps may have other numbers, and the figure another size. So does the tab itself,
// when this page is loaded again.

const labelOf = (id) => items.get(id).text.join(" ");
const steps = () => [...texts.keys()].map((id) => ({id, label: labelOf(id)}));

// The steps of the last version in this one: a map of ids. A save changes one part as a rule. Steps
// before and after it are the same ones, whatever their numbers; in it, as many steps are the same
// ones in order, else those with the same id.
function sameSteps(before) {
  const now = steps(), found = new Map(), least = Math.min(before.length, now.length);
  const pair = (old, next) => found.set(old.id, next.id);
  let start = 0, end = 0;
  while (start < least && before[start].label === now[start].label) start += 1;
  while (end < least - start && before.at(-1 - end).label === now.at(-1 - end).label) end += 1;
  for (let n = 0; n < start; n += 1) pair(before[n], now[n]);
  for (let n = 1; n <= end; n += 1) pair(before.at(-n), now.at(-n));
  const changed = before.slice(start, before.length - end), next = now.slice(start, now.length - end);
  const known = new Map(next.map((step) => [step.id, step]));
  changed.forEach((step, n) => {
    const same = changed.length === next.length ? next[n] : known.get(step.id);
    if (same) pair(step, same);
  });
  return found;
}

// The boxes by how far they are from the middle of the stage; first what is pinned or has the focus.
function landmarks(chosen) {
  const {clientWidth, clientHeight} = stage;
  const boxes = figure.shapes.filter((shape) => !shape.title).map((shape) => {
    const [x, y] = middleOf(shape), {id} = shape.item;
    const far = Math.hypot(x - clientWidth / 2, y - clientHeight / 2);
    const first = chosen.includes(id) && x > 0 && y > 0 && x < clientWidth && y < clientHeight;
    return {id, x: x - clientWidth / 2, y: y - clientHeight / 2, far: first ? -1 : far};
  });
  return boxes.sort((a, b) => a.far - b.far);
}

const middleOf = ({x, y, width, height}) =>
  [view.x + (x + width / 2) * view.scale, view.y + (y + height / 2) * view.scale];

function situation() {
  const active = document.activeElement, step = active?.dataset?.id;
  return {
    steps: steps(),
    open: [...open],
    all: blocks.length > 0 && open.size === blocks.length,
    colour: colour.value,
    search: box.value,
    hit: hits[current],
    pinned: pinned?.id,
    shown: shown?.id,
    stop,
    focus: {step, id: active?.id, ring: active?.matches(":focus-visible")},
    selection: active === box ? [box.selectionStart, box.selectionEnd] : null,
    details: [...document.querySelectorAll("details")].map((one) => one.open),
    scroll: [window.scrollX, window.scrollY, panel.scrollTop],
    placed: placed?.name,
    scale: view.scale,
    landmarks: landmarks([step, pinned?.id]),
  };
}

function resume(old, focused) {
  const now = sameSteps(old.steps);
  const ids = old.all ? blocks.map((block) => block.id) : old.open.map((id) => now.get(id));
  open.clear();
  ids.filter((id) => id && isBlock(items.get(id))).forEach((id) => open.add(id));
  colour.value = old.colour;
  box.value = old.search;
  stop = now.get(old.stop);
  search();
  current = hits.indexOf(now.get(old.hit));
  update();
  document.querySelectorAll("details").forEach((one, n) => (one.open = old.details[n]));
  if (byId("list").open) listLayers();
  if (focused) focusAgain(old, now);
  place(old, now);
  if (now.has(old.pinned)) pin(items.get(now.get(old.pinned)));
  else inform(items.get(now.get(old.shown)) || null);
  window.scrollTo(old.scroll[0], old.scroll[1]);
  panel.scrollTop = old.scroll[2];
}

function focusAgain({focus, selection}, now) {
  const id = now.get(focus.step);
  const found = focus.step ? drawn.get(`box ${id}`) || drawn.get(`frame ${id}`) : byId(focus.id);
  (found || stage).focus({preventScroll: true, focusVisible: focus.ring});
  if (selection) box.setSelectionRange(...selection);
}

// Fit again what was fitted; else a box that is still there keeps its position on the screen.
function place(old, now) {
  size = {width: stage.clientWidth, height: stage.clientHeight};
  const shapes = new Map(figure.shapes.filter((s) => !s.title).map((s) => [s.item.id, s]));
  const known = old.landmarks.find(({id}) => shapes.has(now.get(id)));
  if (old.placed === "fit") fit();
  else if (old.placed || !known) begin();
  else {
    view.scale = old.scale;
    const [x, y] = middleOf(shapes.get(now.get(known.id)));
    pan(known.x + size.width / 2 - x, known.y + size.height / 2 - y);
    placed = null;
    show();
    if (!visible()) begin();
  }
}

// Only the page around this one may ask, and only if it is of the same server.
window.addEventListener("message", ({source, origin, data: message, ports: [port]}) => {
  const outer = source === window.parent && source !== window && origin === location.origin;
  if (!outer || !port) return;
  if (message.resume) {
    resume(message.resume, message.focused);
    // a hidden page is not drawn
    const drawn = () => port.postMessage(true), later = requestAnimationFrame;
    document.hidden ? drawn() : later(() => later(drawn));
  } else {
    answer(port, 2000);
  }
});

// Where the reader is, once nothing is dragged.
function answer(port, patience) {
  if (pointers.size && patience > 0) setTimeout(answer, 50, port, patience - 50);
  else port.postMessage(situation());
}

// The tab keeps where the reader is until it is closed, for this page only. In a frame of `serve`,
// which has no storage of its own, the page around it does.
const KEPT = `inception-dsl ${location.pathname}`;
const inFrame = window.parent !== window;
let telling = 0;

function stored(action) {
  try {
    return action(window.sessionStorage);
  } catch {
    return null; // no storage here, or it is full
  }
}

function resumeKept() {
  const [loaded] = performance.getEntriesByType("navigation");
  const kept = loaded?.type === "reload" && stored((storage) => storage.getItem(KEPT));
  if (kept) stored(() => resume(JSON.parse(kept), false));
}

function tell() {
  clearTimeout(telling);
  telling = setTimeout(() => window.parent.postMessage({situation: situation()}, location.origin), 150);
}

if (inFrame && location.origin !== "null") {
  for (const event of ["pointerup", "wheel", "keyup", "input", "scroll"]) {
    window.addEventListener(event, tell, {capture: true, passive: true});
  }
} else {
  window.addEventListener("pagehide", () =>
    stored((storage) => storage.setItem(KEPT, JSON.stringify(situation()))));
}
