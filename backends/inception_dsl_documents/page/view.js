// Zoom and pan: the wheel, two fingers, drag, keys and buttons.

const stage = byId("stage"), canvas = byId("figure"), content = byId("content");
const view = {x: 0, y: 0, scale: 1};
// `fit` or `begin`, until the reader moves the figure.
let placed = null;
const MARGIN = 16, LEAST = 0.05, MOST = 8, SMALLEST = 1, READABLE = 1.4, LARGE = 2;
const STEP = 1.25, PAN = 60, DRAG = 4;
const between = (low, value, high) => Math.min(Math.max(value, low), high);

function show() {
  const {clientWidth, clientHeight} = stage;
  const right = view.x + figure.width * view.scale, bottom = view.y + figure.height * view.scale;
  const cut = {left: view.x < 0, top: view.y < 0};
  Object.assign(cut, {right: right > clientWidth, bottom: bottom > clientHeight});
  for (const [side, more] of Object.entries(cut)) stage.classList.toggle(`more-${side}`, more);
  content.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
}

function zoom(factor, x = stage.clientWidth / 2, y = stage.clientHeight / 2) {
  const scale = between(LEAST, view.scale * factor, MOST), by = scale / view.scale;
  Object.assign(view, {x: x - (x - view.x) * by, y: y - (y - view.y) * by, scale});
  placed = null;
  show();
}

function pan(x, y) {
  if (!x && !y) return;
  placed = null;
  view.x += x;
  view.y += y;
  show();
}

const fitting = () => Math.min((stage.clientWidth - 2 * MARGIN) / figure.width,
  (stage.clientHeight - 2 * MARGIN) / figure.height);

// The whole figure.
function fit() {
  placed = fit;
  view.scale = between(LEAST, fitting(), LARGE);
  view.x = (stage.clientWidth - figure.width * view.scale) / 2;
  view.y = (stage.clientHeight - figure.height * view.scale) / 2;
  show();
}

// The whole figure if its text can be read then, else its beginning in a larger size.
function begin() {
  fit();
  placed = begin;
  if (view.scale >= SMALLEST) return;
  const wide = (stage.clientWidth - 2 * MARGIN) / figure.width;
  view.scale = between(1, wide, READABLE);
  const width = figure.width * view.scale, height = figure.height * view.scale;
  const first = figure.shapes[0];
  const narrow = width <= stage.clientWidth - 2 * MARGIN;
  const axis = narrow ? figure.width / 2 : first.x + first.width / 2;
  view.x = stage.clientWidth / 2 - axis * view.scale;
  const room = stage.clientHeight - height;
  if (room > 2 * MARGIN) view.y = room / 2;
  else view.y = data.up ? room - MARGIN : MARGIN;
  show();
}

// Whether a box is on the stage, at least in part.
const visible = () => figure.shapes.some(({title, x, y, width, height}) => {
  const left = view.x + x * view.scale, top = view.y + y * view.scale;
  return !title && left < stage.clientWidth && left + width * view.scale > 0
    && top < stage.clientHeight && top + height * view.scale > 0;
});

// After the stage has got another size, but not in print: what was in its middle stays there.
let size = null;
const media = window.matchMedia("print");
function resized() {
  const {clientWidth: width, clientHeight: height} = stage;
  if (!width || media.matches || canvas.hasAttribute("viewBox")) return;
  const before = size;
  size = {width, height};
  if (!before) ready();
  else if (placed) placed();
  else pan((width - before.width) / 2, (height - before.height) / 2);
}
new ResizeObserver(resized).observe(stage);

const fits = ({width, height}) => width * view.scale < stage.clientWidth - 2 * MARGIN
  && height * view.scale < stage.clientHeight - 2 * MARGIN;

// Move what is outside of the stage into it.
function reveal(shape) {
  const left = view.x + shape.x * view.scale, top = view.y + shape.y * view.scale;
  const right = left + shape.width * view.scale, bottom = top + shape.height * view.scale;
  const by = (low, high, size) => {
    if (low < MARGIN || high - low > size - 2 * MARGIN) return MARGIN - low;
    return high > size - MARGIN ? size - MARGIN - high : 0;
  };
  pan(by(left, right, stage.clientWidth), by(top, bottom, stage.clientHeight));
}

const pointers = new Map();
let dragged = false;

stage.addEventListener("wheel", (event) => {
  event.preventDefault();
  const lines = event.deltaMode ? 16 : 1, speed = event.ctrlKey ? 0.01 : 0.0015;
  const {left, top} = stage.getBoundingClientRect();
  zoom(Math.exp(-event.deltaY * lines * speed), event.clientX - left, event.clientY - top);
}, {passive: false});

stage.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  if (!pointers.size) dragged = false;
  pointers.set(event.pointerId, {x: event.clientX, y: event.clientY, from: event});
});

stage.addEventListener("pointermove", (event) => {
  if (!event.buttons) pointers.delete(event.pointerId); // released outside of the stage
  const last = pointers.get(event.pointerId);
  if (!last) return;
  const {from} = last;
  const far = Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) > DRAG;
  if (!dragged && !far && pointers.size < 2) return; // a click
  if (!dragged) stage.setPointerCapture(event.pointerId);
  dragged = true;
  const other = [...pointers.values()].find((p) => p !== last);
  const {left, top} = stage.getBoundingClientRect();
  if (other) {
    const gap = (x, y) => Math.hypot(x - other.x, y - other.y) || 1;
    const factor = gap(event.clientX, event.clientY) / gap(last.x, last.y);
    zoom(factor, (event.clientX + other.x) / 2 - left, (event.clientY + other.y) / 2 - top);
  }
  const share = other ? 2 : 1;
  pan((event.clientX - last.x) / share, (event.clientY - last.y) / share);
  Object.assign(last, {x: event.clientX, y: event.clientY});
});

for (const name of ["pointerup", "pointercancel"]) {
  stage.addEventListener(name, (event) => pointers.delete(event.pointerId));
}

byId("in").addEventListener("click", () => zoom(STEP));
byId("out").addEventListener("click", () => zoom(1 / STEP));
byId("fit").addEventListener("click", fit);

// In print, the whole figure is on the page, whatever part is on the screen.
function print(on) {
  if (!on) {
    canvas.removeAttribute("viewBox");
    show();
    return;
  }
  canvas.setAttribute("viewBox", `-4 -4 ${figure.width + 8} ${figure.height + 8}`);
  content.style.transform = "none";
}
media.addEventListener("change", (event) => print(event.matches));
window.addEventListener("beforeprint", () => print(true));
window.addEventListener("afterprint", () => print(false));
