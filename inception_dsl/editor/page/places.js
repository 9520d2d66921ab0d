// What a reader has scrolled, opened and focused stays as it is when a new version is shown.

// Where the reader was on pages of backends, as they describe it; the tab keeps it until it is closed.
const KEPT = `inception-dsl ${location.pathname}`;
const situations = new Map(kept());

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) || [];
  } catch {
    return []; // no storage
  }
}

// What a page says of itself after each change, as it cannot be asked when this page is left.
addEventListener("message", ({ source, data }) => {
  const frames = [...document.querySelectorAll(".pages iframe:not(.next)")];
  const frame = frames.find((one) => one.contentWindow === source);
  if (frame && data?.situation) situations.set(frame.closest(".pages").dataset.key, data.situation);
});
addEventListener("pagehide", () => {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify([...situations]));
  } catch {
    // no storage, or it is full
  }
});

// Replace the children of an element; those that are in it already are not moved, as frames that are
// moved load again. What has the same id keeps the focus and stays open, and `scrolls` if wanted.
function replace(parent, made, scrolls = true) {
  const focused = parent.contains(document.activeElement) && document.activeElement;
  const before = [...parent.querySelectorAll("[id]")].map(
    ({ id, scrollLeft, scrollTop, open }) => ({ id, scrollLeft, scrollTop, open }));
  const frames = [...parent.querySelectorAll("iframe:not(.next)")];
  const { scrollX, scrollY } = window; // less may be left to scroll for a moment
  for (const child of [...parent.childNodes]) if (!made.includes(child)) child.remove();
  made.forEach((child, n) => {
    if (parent.childNodes[n] !== child) parent.insertBefore(child, parent.childNodes[n] || null);
  });
  for (const { id, scrollLeft, scrollTop, open } of scrolls ? before : []) {
    const found = byId(id);
    if (!found) continue;
    if (open !== undefined) found.open = open;
    found.scrollTo(scrollLeft, scrollTop);
  }
  if (scrolls) window.scrollTo(scrollX, scrollY);
  const frame = uncovered(parent, frames);
  if (!focused || focused === document.activeElement) return;
  const next = focused.tagName === "IFRAME" ? frame : byId(focused.id);
  for (const one of [next, parent.querySelector("summary"), byId("pane")]) { // may be hidden
    one?.focus({ preventScroll: true });
    if (one && one === document.activeElement) return;
  }
}

// --- pages of backends ---

// A page in a frame. A new version is drawn behind the last one, and gets from it where the reader
// is, before it takes its place: nothing flashes, and nobody is thrown elsewhere.
async function explored(address, title, key) {
  const pane = byId("pane");
  const known = [...pane.querySelectorAll(".pages")].find((one) => one.dataset.key === key);
  const pages = known || element("div", { className: "pages next" });
  pages.dataset.key = key;
  for (const late of pages.querySelectorAll("iframe.next")) late.remove();
  const frame = element("iframe", { src: address, title, sandbox: "allow-scripts" });
  frame.className = "next";
  const loaded = new Promise((done) => {
    frame.onload = done;
    setTimeout(done, 10000);
  });
  pages.append(frame);
  if (!known) pane.append(pages); // frames are loaded in a document only
  await loaded;
  const last = pages.querySelector("iframe:not(.next)");
  const focused = last !== null && document.activeElement === last;
  const situation = last ? await situationOf(pages, last) : situations.get(key);
  const answered = ask(frame, situation ? { resume: situation, focused } : {})
    .then((found) => { pages.answers = found !== null; }); // pages of some backends do not
  if (situation) await answered;
  return pages;
}

function situationOf(pages, frame) {
  return pages.answers ? ask(frame, {}) : null;
}

// The answer of a page; `null` if there is none.
function ask(frame, question) {
  return new Promise((answer) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => answer(data);
    setTimeout(answer, 5000, null);
    frame.contentWindow?.postMessage(question, "*", [port2]); // its origin has no name
  });
}

// Ask the page that is about to be removed where the reader is.
async function leave(pane, made) {
  const pages = pane.querySelector(".pages:not(.next)");
  if (!pages || made.includes(pages)) return;
  const situation = await situationOf(pages, pages.querySelector("iframe:not(.next)"));
  if (situation) situations.set(pages.dataset.key, situation);
}

// Show the new frames of an element instead of those that it had; the last one shown.
function uncovered(parent, before) {
  let shown = null;
  for (const frame of parent.querySelectorAll("iframe.next")) {
    shown = frame;
    shown.classList.remove("next");
    shown.parentElement.classList.remove("next");
    if (before.includes(document.activeElement)) shown.focus({ preventScroll: true });
  }
  if (shown) before.forEach((frame) => frame.remove());
  return shown;
}
