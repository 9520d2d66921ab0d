// The search: marks what matches, and moves from one to the next.

const box = byId("search"), hitCount = byId("hits");
let hits = [], current = -1;

const folded = (text) => text.toLowerCase().replaceAll("×", "x");

function textOf(item) {
  return folded([item.path, item.op, ...item.text, ...item.attributes.flat()].join(" "));
}
const texts = new Map([...items].filter(([, i]) => !i.flat).map(([id, i]) => [id, textOf(i)]));

function search() {
  const words = folded(box.value).split(/\s+/).filter(Boolean);
  const matches = (text) => words.length && words.every((word) => text.includes(word));
  hits = [...texts].filter(([, text]) => matches(text)).map(([id]) => id);
  current = -1;
  mark();
}

// Hits that are inside of a collapsed block mark that block.
function mark() {
  const visible = new Set(hits);
  const hidden = new Set(hits.flatMap((id) => around.get(id)));
  for (const [key, element] of drawn) {
    const id = key.slice(key.indexOf(" ") + 1), collapsed = key.startsWith("box ");
    element.classList.toggle("hit", visible.has(id));
    element.classList.toggle("holds", collapsed && hidden.has(id) && !visible.has(id));
    element.classList.toggle("current", id === hits[current]);
  }
  const number = hits.length.toLocaleString("en");
  const all = hits.length === 1 ? "1 hit" : `${hits.length ? number : "no"} hits`;
  if (!box.value.trim()) hitCount.textContent = "";
  else hitCount.textContent = current < 0 ? all : `${current + 1} of ${number}`;
}

function go(step) {
  if (!hits.length) return;
  current = (current + step + hits.length + (current < 0 && step < 0 ? 1 : 0)) % hits.length;
  visit(hits[current]);
}

box.addEventListener("input", search);
box.addEventListener("keydown", (event) => {
  if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
  else if (event.key === "Escape") {
    box.value = "";
    search();
  } else return;
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (event.key !== "/" || !plain || event.target.closest?.("input, select")) return;
  event.preventDefault();
  box.focus();
});
