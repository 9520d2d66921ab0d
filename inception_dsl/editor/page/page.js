"use strict";
// Data of the server is shown as text: no text of a spec ever becomes markup.

const dark = matchMedia("(prefers-color-scheme: dark)");
const byId = (id) => document.getElementById(id);
const view = { spec: 0, tab: "figure", backend: {}, file: {}, actual: false };
const unfolded = { errors: true, warnings: false }; // the list of them
let state = null;
let lost = ""; // why there is no connection
let shown = ""; // what the pane shows
let problemsShown = "";
let sayBusy = 0; // a timer

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function pieces(parts) {
  return parts.map(([kind, text]) =>
    kind ? element("span", { className: kind }, text) : text);
}

// --- the connection ---

// All pages of a server share one: a browser opens six to a server, and each stream would take one.
const others = new BroadcastChannel(location.pathname);
let news = null; // of the page that has the connection

function tell(message) {
  news = { ...news, ...message };
  others.postMessage(news);
  hear(news);
}

function hear(message) {
  const next = message.state;
  if (state !== null && next && next.page !== state.page) location.reload(); // another version
  lost = message.lost;
  if (lost) say(lost, "lost");
  if (!next) return;
  state = next;
  render();
}

function connect() {
  const source = new EventSource("events");
  source.onmessage = (event) => tell({ state: JSON.parse(event.data), lost: "" });
  source.onerror = () => {
    tell({ lost: "No connection: reconnecting" });
    if (source.readyState === EventSource.CLOSED) setTimeout(reconnect, 1000);
  };
}

async function reconnect() {
  const answer = await fetch("", { cache: "no-store" }).catch(() => null);
  if (answer && answer.status === 403) {
    tell({ lost: "Refused: open the address that the command prints" });
    setTimeout(reconnect, 5000);
  } else {
    connect();
  }
}

function say(text, kind = "") {
  const status = byId("status");
  if (status.textContent !== text) status.textContent = text;
  status.className = kind;
}

// --- the page around the pane ---

function current() {
  view.spec = Math.min(view.spec, state.specs.length - 1);
  return state.specs[view.spec];
}

function render() {
  const spec = current();
  const [title, ...about] = spec.about;
  byId("title").textContent = title || spec.name;
  byId("about").textContent = [spec.name, ...about].join(" ");
  const mark = spec.errors || spec.failure ? "\u2717 " : "";
  document.title = `${mark}${spec.name} \u00b7 inception-dsl`;
  const busy = state.specs.some((one) => one.busy);
  clearTimeout(sayBusy); // most saves take less time than it takes to read that
  if (busy) sayBusy = setTimeout(say, 400, "Compiling", "busy");
  else if (!lost) say("Follows the files");
  const specs = state.specs.map((one, index) => [String(index), one.name, one]);
  byId("specs").hidden = specs.length < 2;
  tablist(byId("specs"), specs, String(view.spec), (chosen) => { view.spec = Number(chosen); });
  renderProblems(spec);
  const names = [["figure", "Figure"], ["summary", "Summary"], ["source", "Source"]];
  if (state.baseline) {
    names.push(["difference", "Difference", { ...state.baseline, diagnostics: [] }]);
  }
  if (specs.length > 1) names.push(["compared", "Comparison"]);
  if (!names.some(([name]) => name === view.tab)) view.tab = "figure";
  tablist(byId("tabs"), names, view.tab, (chosen) => { view.tab = chosen; });
  byId("pane").setAttribute("aria-labelledby", `tabs-${view.tab}`);
  const address = `#${view.spec}/${view.tab}`;
  if (location.hash !== address) location.replace(address);
  renderPane(spec);
}

function tablist(list, items, selected, choose) {
  const focused = list.contains(document.activeElement) ? document.activeElement.id : "";
  list.replaceChildren(...items.map(([name, text, about]) => {
    const kind = about && (about.errors || about.failure) ? "error"
      : about && about.diagnostics.length ? "warning" : "";
    const mark = kind && element("span", { className: kind }, about.counted || kind);
    const tab = element("button", {
      type: "button", role: "tab", id: `${list.id}-${name}`,
      "aria-selected": String(name === selected),
      "aria-controls": "pane",
      tabIndex: name === selected ? 0 : -1,
    }, text, mark || null);
    tab.onclick = () => { choose(name); render(); };
    return tab;
  }));
  list.onkeydown = (event) => {
    const now = items.findIndex(([name]) => name === selected);
    const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const [name] = items.at(to % items.length);
    choose(name);
    render();
    byId(`${list.id}-${name}`).focus();
  };
  if (focused && byId(focused)) byId(focused).focus();
}

function renderProblems(spec) {
  const notice = byId("notice");
  const text = spec.failure || (spec.stale ? staleText(spec) : "");
  notice.hidden = !text;
  if (notice.textContent !== text) notice.textContent = text;
  const key = JSON.stringify([spec.name, spec.diagnostics]);
  if (key === problemsShown) return;
  problemsShown = key;
  const section = byId("problems");
  const kind = spec.errors ? "errors" : "warnings";
  if (!spec.errors) unfolded.errors = true; // the next one is shown
  section.hidden = !spec.diagnostics.length;
  section.className = kind;
  const details = element("details", { open: unfolded[kind] },
    element("summary", { id: "problems-title" }, spec.counted), problemList(spec, "problem"));
  details.ontoggle = () => { unfolded[kind] = details.open; };
  replace(section, [details]);
  for (const excerpt of section.querySelectorAll(".excerpt")) {
    const mark = excerpt.querySelector(".error, .warning"); // the carets, also in a narrow window
    if (mark) excerpt.scrollLeft = mark.offsetLeft + mark.offsetWidth - 0.8 * excerpt.clientWidth;
  }
}

function staleText(spec) {
  return spec.errors ? "The last version without errors is shown above." : "";
}

function problemList(found, name) {
  const counts = {};
  const items = found.diagnostics.map((one) => {
    counts[one.code] = (counts[one.code] || 0) + 1;
    const id = `${name}-${one.code}-${counts[one.code]}`;
    return element("li", {},
      element("h2", {}, ...pieces(one.head)),
      element("p", { className: "where" }, one.where),
      element("pre", { tabIndex: 0, className: "excerpt", id }, ...pieces(one.excerpt)),
      ...one.advice.map((line) => element("p", { className: "advice" }, ...pieces(line))),
      element("details", { id: `${id}-about` },
        element("summary", { id: `${id}-title` }, `About ${one.code}`),
        element("pre", { tabIndex: 0, id: `${id}-text` }, one.about)));
  });
  if (found.more) items.push(element("li", {}, `and ${found.more} more`));
  return element("ul", { className: "problems", id: `${name}-list` }, ...items);
}

// --- the panes ---

async function renderPane(spec) {
  const theme = dark.matches ? "dark" : "light";
  const key = JSON.stringify([view, spec.version, spec.good, theme, state.backends,
    state.baseline && [state.baseline.version, state.baseline.diagnostics],
    view.tab === "compared" && state.specs.map((one) => [one.version, one.good])]);
  if (key === shown) return;
  const pane = byId("pane");
  shown = key;
  pane.classList.add("waiting");
  const made = await filled(spec, theme).catch((error) => [note(String(error.message || error))]);
  if (key !== shown) return; // something else is to be shown by now
  await leave(pane, made);
  if (key !== shown) return;
  const same = JSON.stringify([view.spec, view.tab, view.backend, view.file]);
  replace(pane, made, pane.dataset.shows === same);
  pane.classList.remove("waiting");
  Object.assign(pane.dataset, { version: spec.version, shows: same });
}

const [, wantedSpec, wantedTab] = /^#(\d+)\/(\w+)$/.exec(location.hash) || [];
if (wantedTab) Object.assign(view, { spec: Number(wantedSpec), tab: wantedTab });
others.onmessage = ({ data: message }) => {
  if (message) hear(message);
  else if (news) others.postMessage(news);
};
others.postMessage(null); // asks for news
function lead() {
  connect();
  return new Promise(() => {}); // until this page is closed, then another one has the lock
}
if (navigator.locks) navigator.locks.request(location.pathname, lead);
else lead();
dark.onchange = () => { if (state) render(); };
