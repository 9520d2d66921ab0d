// Draws the figure; what is there already moves to its new position.

const FONT = data.fonts.box, SMALL = data.fonts.small, BASELINE = data.fonts.baseline;
const ROUND = data.lines.round, ARROW = data.lines.arrow;
const drawn = new Map(); // the elements of shapes, by kind and id
const layer = {edges: byId("edges"), shapes: byId("shapes"), texts: byId("texts")};
let figure = null;

const keyOf = (shape) => (shape.title ? "frame " : "box ") + shape.item.id;
const elementOf = (id) => drawn.get(`box ${id}`);
const shapeOf = (id) => figure.shapes.find((s) => s.item.id === id && s.item.kind !== "group");

function draw() {
  figure = layoutFigure();
  const kept = new Set(figure.shapes.map(keyOf));
  for (const [key, element] of drawn) {
    if (kept.has(key)) continue;
    element.remove();
    drawn.delete(key);
  }
  figure.shapes.forEach((shape, n) => {
    const key = keyOf(shape);
    if (!drawn.has(key)) drawn.set(key, shape.title ? frameElement(shape) : boxElement(shape));
    const element = drawn.get(key);
    element.style.transform = `translate(${shape.x}px, ${shape.y}px)`;
    (shape.title ? resizeFrame : resizeBox)(element, shape);
    if (layer.shapes.children[n] !== element) {
      layer.shapes.insertBefore(element, layer.shapes.children[n] || null);
    }
  });
  layer.edges.replaceChildren(...figure.edges.map(edgeElement));
  layer.texts.replaceChildren(...figure.texts.map(textElement));
}

function boxElement({item, lines, height}) {
  const group = svg("g", {class: `box ${item.role}`, "data-id": item.id, role: "button"});
  group.tabIndex = -1;
  group.setAttribute("aria-label", described(item));
  if (isBlock(item)) {
    group.setAttribute("aria-expanded", "false");
    group.append(svg("rect", {rx: 2, x: 2, y: data.up ? -2 : 2, class: "behind"}));
  }
  group.append(svg("rect", {rx: item.role === "terminal" ? height / 2 : 2}));
  const font = item.role === "merge" ? SMALL : FONT;
  const first = height / 2 - ((lines.length - 1) * L.LINE) / 2 + BASELINE * font;
  lines.forEach((line, n) => {
    group.append(svg("text", {y: first + L.LINE * n, "font-size": font}, line));
  });
  return group;
}

// A merge is as wide as its branches, which may be expanded.
function resizeBox(group, {width, height}) {
  group.querySelectorAll("rect").forEach((rect) => set(rect, {width, height}));
  group.querySelectorAll("text").forEach((text) => set(text, {x: width / 2}));
}

// The frame of an expanded block; its title is the button that collapses it.
function frameElement({item}) {
  const group = svg("g", {class: "frame"});
  const title = svg("text", {"font-size": SMALL}, item.title[0]);
  group.append(svg("rect", {rx: 3, class: "outline"}), svg("rect", {rx: 2, class: "tab"}), title);
  if (item.kind === "group") return group;
  group.classList.add("block");
  group.dataset.id = item.id;
  group.tabIndex = 0;
  group.setAttribute("role", "button");
  group.setAttribute("aria-expanded", "true");
  group.setAttribute("aria-label", described(item));
  return group;
}

function resizeFrame(group, {x, y, width, height, title}) {
  const [outline, tab, text] = group.children;
  const top = title.y - y - L.TITLE / 2;
  set(outline, {width, height});
  set(tab, {x: 1, y: top, width: title.width + 2 * L.PAD - 2, height: L.TITLE});
  set(text, {x: title.x - x, y: title.y - y + BASELINE * SMALL});
}

function edgeElement({source, target, points}) {
  const [px, py] = points[points.length - 2], [x, y] = points[points.length - 1];
  const down = y > py ? 1 : -1, back = y - ARROW * down;
  const ends = [...points.slice(0, -1), [x, px === x ? y - (ARROW - 1) * down : y]];
  let path = `M${ends[0]}`;
  for (let n = 1; n < ends.length - 1; n += 1) {
    const [before, here, after] = ends.slice(n - 1, n + 2);
    const radius = Math.min(ROUND, distance(before, here) / 2, distance(here, after) / 2);
    path += `L${towards(here, before, radius)}Q${here} ${towards(here, after, radius)}`;
  }
  path += `L${ends[ends.length - 1]}`;
  const arrow = `M${x},${y}L${x - ARROW / 2},${back}H${x + ARROW / 2}Z`;
  const lines = [svg("path", {class: "line", d: path}), svg("path", {class: "arrow", d: arrow})];
  return svg("g", {"data-source": source, "data-target": target}, ...lines);
}

const textElement = ({x, y, text}) => svg("text", {x, y: y + BASELINE * SMALL}, text);
// All lines are horizontal or vertical.
const distance = (a, b) => Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]);

function towards(start, end, by) {
  const part = by / (distance(start, end) || 1);
  return start.map((s, n) => s + (end[n] - s) * part);
}
