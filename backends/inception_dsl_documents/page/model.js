// The data of the page, which boxes there are, and which blocks are expanded.

const data = JSON.parse(document.getElementById("data").textContent);
const open = new Set(); // ids of the blocks that are expanded
const items = new Map(); // by id, in the order of the flow
const around = new Map(); // by id: the blocks around an item, outermost first

function collect(chain, blocks) {
  for (const item of chain.items) {
    if (item.kind === "fork") item.branches.forEach((branch) => collect(branch.chain, blocks));
    else if (item.kind === "group") collect(item.inside, blocks);
    if (item.kind === "group") continue;
    item.attributes = (item.attributes || []).map((number) => data.attributes[number]);
    items.set(item.id, item);
    around.set(item.id, blocks);
    if (item.inside) collect(item.inside, [...blocks, item.id]);
  }
}
collect(data.chain, []);
data.chain.heads.forEach((head) => collect(head.chain, []));

const isBlock = (item) => item.kind === "box" && Boolean(item.inside);
const blocks = [...items.values()].filter(isBlock);
const count = (number, noun) => `${number.toLocaleString("en")} ${noun}`;

// The share of a cost of the network, 0 to 1; null for what the total does not have.
function share(item, what) {
  if (what === "macs" && item.training) return null;
  return data.totals[what] ? (item[what] || 0) / data.totals[what] : null;
}

function percent(part) {
  const value = 100 * part;
  if (!value) return "0\u00a0%";
  return value < 0.01 ? "< 0.01\u00a0%" : `${value.toFixed(value < 1 ? 2 : 1)}\u00a0%`;
}

// What there is to know of an item, each with its name; in the order of the panel.
function factsOf(item) {
  const rows = [["layer", item.op || item.text.join(" ")]];
  if (item.shapes || item.shape) rows.push(["shape", item.shapes || item.shape[0]]);
  if (item.count > 1) rows.push(["applied", `${count(item.count, "times")}, drawn once`]);
  const all = item.count > 1 ? " in all" : "";
  for (const [what, name] of [["parameters", "parameters"], ["macs", "MACs"]]) {
    const part = share(item, what);
    const shown = part === null ? "training only" : percent(part);
    if (item[what]) rows.push([name, `${item[what].toLocaleString("en")}${all} (${shown})`]);
  }
  if (item.weights) rows.push(["weights", `those of ${item.weights}`]);
  if (item.field) rows.push(["receptive field", item.field]);
  rows.push(...item.attributes);
  return rows;
}

// One line for people who do not see the figure.
function described(item) {
  const parts = [item.path, item.text.join(" ")];
  if (item.shapes) parts.push(item.shapes);
  if (item.count > 1) parts.push(`${count(item.count, "times")}`);
  if (item.parameters) parts.push(count(item.parameters, "parameters"));
  if (item.macs) parts.push(count(item.macs, "MACs"));
  return parts.filter(Boolean).join(", ");
}

// An element with attributes and children: elements, or texts, which are never markup.
function made(space, tag, attributes, children) {
  const found = document.createElementNS(space, tag);
  set(found, attributes);
  found.append(...children);
  return found;
}
const html = (tag, attributes = {}, ...children) =>
  made("http://www.w3.org/1999/xhtml", tag, attributes, children);
const svg = (tag, attributes = {}, ...children) =>
  made("http://www.w3.org/2000/svg", tag, attributes, children);
function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}
const byId = (id) => document.getElementById(id);
