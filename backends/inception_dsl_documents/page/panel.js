// The panel with the facts of one layer: what is pinned, else what the pointer or focus is on.

const panel = byId("panel");
let pinned = null, shown = null;

function inform(item) {
  shown = item;
  const head = html("h2", {}, item ? item.path || item.text.join(" ") : "Layers");
  if (!item) {
    panel.replaceChildren(head, html("p", {}, "Point at a box, or move to it with the keyboard."));
    return;
  }
  const list = html("dl");
  for (const [name, value] of factsOf(item)) {
    list.append(html("dt", {}, name), html("dd", {}, value));
  }
  panel.replaceChildren(head, list);
  if (item.line) {
    panel.append(html("h3", {}, item.line), html("code", {}, item.spec || ""));
  }
  if (item === pinned) {
    const button = html("button", {type: "button", id: "unpin"}, "Unpin");
    button.addEventListener("click", () => pin(null));
    panel.append(button);
  }
}

function pin(item) {
  for (const [, element] of drawn) element.classList.toggle("pinned", false);
  pinned = item;
  if (linked && item?.id !== linked) {
    linked = null;
    remember();
  }
  for (const kind of item ? ["box", "frame"] : []) {
    drawn.get(`${kind} ${item.id}`)?.classList.add("pinned");
  }
  inform(item);
}

const hovered = (event) => items.get(event.target.closest?.("[data-id]")?.dataset.id);

for (const name of ["pointerover", "focusin"]) {
  stage.addEventListener(name, (event) => {
    const item = hovered(event);
    if (item && !pinned && item !== shown) inform(item);
  });
}
