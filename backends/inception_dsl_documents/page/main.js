// The page: its state in the address, clicks and keys, and the list of layers.

const MOVING = 220; // milliseconds, a little more than the transition

// Draw what is expanded now.
function update() {
  draw();
  recolour();
  mark();
  tabStop();
  remember();
}

// Expand or collapse, keep the beginning of `anchor` where it is on the screen, draw.
function change(anchor) {
  const point = (shape) => [shape.x + shape.width / 2, shape.y + (data.up ? shape.height : 0)];
  if (anchor) placed = null;
  const before = anchor && shapeOf(anchor) && point(shapeOf(anchor));
  canvas.classList.add("moving");
  setTimeout(() => canvas.classList.remove("moving"), MOVING);
  update();
  const after = before && point(shapeOf(anchor));
  if (before) pan((before[0] - after[0]) * view.scale, (before[1] - after[1]) * view.scale);
  else if (!visible()) begin();
}

// Go to an item: expand the blocks around it, move it into the stage, pin it.
function visit(id) {
  const hidden = around.get(id).filter((block) => !open.has(block));
  hidden.forEach((block) => open.add(block));
  if (hidden.length) change(null);
  else mark();
  reveal(shapeOf(id));
  tabStop(id);
  pin(items.get(id));
}

function toggle(id) {
  if (!open.delete(id)) open.add(id);
  change(id);
  const shape = shapeOf(id);
  drawn.get(keyOf(shape)).focus({preventScroll: true});
  if (fits(shape)) reveal(shape);
}

function setAll(expanded) {
  open.clear();
  if (expanded) blocks.forEach((block) => open.add(block.id));
  change(null);
  begin();
}

// The state in the fragment of the address: a step to go to, what is expanded, and the colours.
let linked = null;
function remember() {
  const parts = linked ? [encodeURIComponent(linked).replaceAll("%2F", "/")] : [];
  const ids = [...open].map(encodeURIComponent).join(",");
  if (open.size) parts.push(`open=${open.size === blocks.length ? "*" : ids}`);
  if (colour.value !== "type") parts.push(`colour=${colour.value}`);
  const hash = parts.length ? `#${parts.join("&")}` : "";
  if (hash === location.hash) return;
  try {
    history.replaceState(null, "", hash || location.pathname + location.search);
  } catch {
    // not allowed in a frame without an address, such as a preview of an attachment
  }
}

function restore() {
  const parts = location.hash.slice(1).split("&");
  const given = new Map(parts.map((part) => part.split("=", 2)));
  linked = named(decoded(parts.find((part) => !part.includes("=")) || ""));
  open.clear();
  const wanted = given.get("open") || "";
  const known = new Set(blocks.map((block) => block.id));
  const ids = wanted === "*" ? [...known] : wanted.split(",").map(decoded);
  ids.filter((id) => known.has(id)).forEach((id) => open.add(id));
  const choices = [...colour.options].map((option) => option.value);
  colour.value = choices.includes(given.get("colour")) ? given.get("colour") : "type";
}

// The item with an id; for the path of a fork, where its branches join.
function named(path) {
  if (texts.has(path)) return path;
  const found = [...texts.keys()].find((id) => path && items.get(id).path === path);
  return found || null;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return ""; // not an address that this page has written
  }
}

function activate(id) {
  const item = items.get(id);
  if (isBlock(item)) toggle(id);
  pin(item);
}

stage.addEventListener("click", (event) => {
  if (dragged) return;
  const item = hovered(event);
  if (item) activate(item.id);
  else pin(null);
});

// One box is reached with Tab, the others from there with arrows.
let stop = null;
function tabStop(id = stop) {
  const boxes = figure.shapes.filter((shape) => !shape.title);
  const chosen = boxes.find((s) => s.item.id === id) || boxes[0];
  stop = chosen.item.id;
  boxes.forEach((s) => (elementOf(s.item.id).tabIndex = s === chosen ? 0 : -1));
}
stage.addEventListener("focusin", (event) => {
  const element = event.target.closest("[data-id]");
  if (!element) return;
  if (element.matches(".box")) tabStop(element.dataset.id);
  if (element.matches(":focus-visible")) reveal(shapeOf(element.dataset.id));
});

// The box that an arrow key leads to: along the lines, or beside this one.
function neighbour(shape, key) {
  const middle = (s) => [s.x + s.width / 2, s.y + s.height / 2];
  const [x, y] = middle(shape), ids = new Set(), id = shape.item.id;
  const vertical = key === "ArrowUp" || key === "ArrowDown";
  const forward = (key === "ArrowUp") === data.up;
  for (const edge of vertical ? figure.edges : []) {
    if (forward && edge.source === id) ids.add(edge.target);
    if (!forward && edge.target === id) ids.add(edge.source);
  }
  const side = key === "ArrowLeft" ? -1 : 1;
  const boxes = figure.shapes.filter((s) => !s.title && s !== shape);
  const beside = (s) => (middle(s)[0] - x) * side > 1;
  const possible = boxes.filter((s) => (vertical ? ids.has(s.item.id) : beside(s)));
  const far = (s) => Math.abs(middle(s)[0] - x) + (vertical ? 0 : 3 * Math.abs(middle(s)[1] - y));
  return possible.sort((a, b) => far(a) - far(b))[0];
}

const moveTo = (shape) => elementOf(shape.item.id).focus({preventScroll: true});

const PANS = {ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [1, 0], ArrowRight: [-1, 0]};
const KEYS = {"+": () => zoom(STEP), "=": () => zoom(STEP), "-": () => zoom(1 / STEP), 0: fit};

stage.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const item = hovered(event), {key} = event;
  const shape = item && figure.shapes.find((s) => !s.title && s.item === item);
  if (key in KEYS) KEYS[key]();
  else if (key in PANS && shape) {
    const next = neighbour(shape, key);
    if (next) moveTo(next);
  } else if (key in PANS) pan(...PANS[key].map((by) => by * PAN));
  else if (item && (key === "Enter" || key === " ")) activate(item.id);
  else if (key === "Home" || key === "End") {
    const boxes = figure.shapes.filter((s) => s.item.role === "terminal");
    moveTo(key === "Home" ? boxes[0] : boxes.find((s) => s.item.id === "output") || boxes[0]);
  } else if (key === "Escape") leave(item);
  else return;
  event.preventDefault();
});

// Escape unpins, then collapses the block around.
function leave(item) {
  if (pinned) {
    pin(null);
    return;
  }
  const ids = item ? [...around.get(item.id), ...(open.has(item.id) ? [item.id] : [])] : [];
  if (ids.length) toggle(ids[ids.length - 1]);
}

byId("expand").addEventListener("click", () => setAll(true));
byId("collapse").addEventListener("click", () => setAll(false));
byId("blocks").hidden = !blocks.length;

// The same network as a nested list, for readers who do not see the figure.
function listOf(chain) {
  const list = html("ol");
  for (const item of chain.items) {
    if (item.flat) list.append(...branchesOf(item));
    else {
      const entry = html("li", {}, item.kind === "group" ? item.title[0] : described(item));
      if (item.kind === "fork") entry.append(html("ul", {}, ...branchesOf(item)));
      else if (item.inside) entry.append(listOf(item.inside));
      list.append(entry);
    }
  }
  return list;
}

function branchesOf(fork) {
  return fork.branches.map((branch) => html("li", {}, `branch ${branch.name}`,
    branch.chain.items.length ? listOf(branch.chain) : ": no layer"));
}

function listLayers() {
  if (byId("layers").children.length) return;
  byId("layers").append(listOf(data.chain));
  for (const head of data.chain.heads) {
    const last = head.chain.items[head.chain.items.length - 1];
    byId("layers").append(html("p", {}, `head ${last.text[0]}`), listOf(head.chain));
  }
}
byId("list").addEventListener("toggle", listLayers);

document.title = data.title;
byId("title").textContent = data.title;
for (const text of [data.citation, data.description]) {
  if (text) byId("about").append(html("p", {}, text));
}
for (const [name, value] of Object.entries(data.summary)) {
  byId("summary").append(html("div", {}, html("dt", {}, name), html("dd", {}, value)));
}
restore();
update();
inform(null);
// Before the first layout of the page the stage has no size.
function ready() {
  begin();
  if (linked) visit(linked);
  resumeKept();
}
window.addEventListener("hashchange", () => {
  restore();
  change(null);
  if (linked) visit(linked);
});
