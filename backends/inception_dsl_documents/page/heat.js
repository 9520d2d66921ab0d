// The colours of boxes: by the kind of layer, or by the share of a cost.

const colour = byId("colour"), legend = byId("legend");
const LIMITS = data.heat; // where the levels after the first begin

const levelOf = (part) => LIMITS.filter((limit) => part >= limit).length;

function recolour() {
  const what = colour.value, heat = what !== "type";
  for (const item of items.values()) {
    const element = elementOf(item.id);
    if (!element) continue;
    const part = heat ? share(item, what) : null;
    for (let n = 0; n <= LIMITS.length; n += 1) element.classList.toggle(`h${n}`, false);
    const plain = !heat || item.role === "terminal" || item.role === "merge";
    if (!plain) element.classList.add(part === null ? "h0" : `h${levelOf(part)}`);
  }
  legend.replaceChildren(...(heat ? heatLegend() : roleLegend()));
}

function entry(name, text) {
  const swatch = svg("svg", {class: `swatch ${name}`, width: 14, height: 14, "aria-hidden": true});
  swatch.append(svg("rect", {x: 1, y: 1, width: 12, height: 12, rx: 2}));
  return html("li", {}, swatch, text);
}

function roleLegend() {
  const used = new Set([...items.values()].map((item) => item.role));
  const roles = Object.entries(data.roles).filter(([role]) => used.has(role) && role !== "merge");
  return roles.map(([role, text]) => entry(`box ${role}`, text));
}

function heatLegend() {
  const edges = LIMITS.map((limit) => `${100 * limit}`);
  const texts = [`under ${edges[0]} %`];
  edges.forEach((edge, n) => {
    texts.push(n + 1 < edges.length ? `${edge}–${edges[n + 1]} %` : `${edge} % and more`);
  });
  return texts.map((text, n) => entry(`box h${n}`, text));
}

colour.addEventListener("change", () => {
  recolour();
  remember();
});
