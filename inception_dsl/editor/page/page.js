"use strict";
// Data of the server is shown as text: no text of a spec ever becomes markup.

const dark = matchMedia("(prefers-color-scheme: dark)");
const byId = (id) => document.getElementById(id);
const view = { spec: 0, tab: "figure", backend: {}, file: {}, actual: false };
const opened = new Map(); // rows of tables that are expanded or collapsed by hand
let state = null;
let shown = ""; // what the pane shows
let problemsShown = "";

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

function connect() {
  const source = new EventSource("events");
  source.onmessage = (event) => {
    const next = JSON.parse(event.data);
    if (state !== null && next.page !== state.page) location.reload(); // another version
    state = next;
    render();
  };
  source.onerror = () => {
    say("No connection: reconnecting", "lost");
    if (source.readyState === EventSource.CLOSED) setTimeout(reconnect, 1000);
  };
}

async function reconnect() {
  const answer = await fetch("", { cache: "no-store" }).catch(() => null);
  if (answer && answer.status === 403) {
    say("Refused: open the address that the command prints", "lost");
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
  say(busy ? "Compiling" : "Follows the files", busy ? "busy" : "");
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
  location.replace(`#${view.spec}/${view.tab}`);
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
  const open = section.querySelector("details")?.open ?? true;
  section.hidden = !spec.diagnostics.length;
  section.className = spec.errors ? "errors" : "";
  const details = element("details", { open: open || spec.errors > 0 },
    element("summary", {}, spec.counted), problemList(spec));
  section.replaceChildren(details);
  for (const excerpt of section.querySelectorAll(".excerpt")) {
    const mark = excerpt.querySelector(".error, .warning"); // the carets, also in a narrow window
    if (mark) excerpt.scrollLeft = mark.offsetLeft + mark.offsetWidth - 0.8 * excerpt.clientWidth;
  }
}

function staleText(spec) {
  return spec.errors ? "The last version without errors is shown below." : "";
}

function problemList(found) {
  const items = found.diagnostics.map((one) => element("li", {},
    element("h2", {}, ...pieces(one.head)),
    element("p", { className: "where" }, one.where),
    element("pre", { tabIndex: 0, className: "excerpt" }, ...pieces(one.excerpt)),
    ...one.advice.map((line) => element("p", { className: "advice" }, ...pieces(line))),
    element("details", {}, element("summary", {}, `About ${one.code}`),
      element("pre", { tabIndex: 0 }, one.about))));
  if (found.more) items.push(element("li", {}, `and ${found.more} more`));
  return element("ul", { className: "problems" }, ...items);
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
  const focused = pane.contains(document.activeElement) && document.activeElement.id;
  pane.replaceChildren(...made);
  pane.classList.remove("waiting");
  pane.dataset.version = spec.version;
  if (focused && byId(focused)) byId(focused).focus();
}

function filled(spec, theme) {
  if (view.tab === "compared") return comparedPane();
  if (!spec.good) {
    const text = spec.busy ? "Compiling" : "There is no version without errors yet.";
    return Promise.resolve([element("p", {}, text)]);
  }
  const panes = { summary: summaryPane, difference: differencePane };
  if (panes[view.tab]) return panes[view.tab](spec);
  return filesPane(spec, theme, view.tab === "source" ? ["text"] : ["page", "figure"]);
}

function note(text) {
  return element("p", { className: "note" }, text);
}

async function data(address) {
  const answer = await fetch(address).catch(() => null);
  if (answer === null) throw new Error("The server does not answer.");
  if (!answer.ok) throw new Error(`The server answers with status ${answer.status}.`);
  const found = await answer.json();
  if (found.failure) throw new Error(found.failure);
  return found;
}

function choice(id, label, names, selected, choose) {
  const select = element("select", { id }, ...names.map(([value, text]) =>
    element("option", { value, selected: value === selected }, text)));
  select.onchange = () => { choose(select.value); render(); };
  return [element("label", { htmlFor: id }, label), select];
}

async function filesPane(spec, theme, kinds) {
  const backends = kinds.flatMap((kind) => state.backends.filter((one) => one.kind === kind));
  if (!backends.length) return [element("p", {}, "No backend for this is installed."), ...broken()];
  const backend = backends.find((one) => one.name === view.backend[view.tab]) || backends[0];
  const query = `theme=${theme}&v=${spec.version}`;
  const found = await data(`${view.spec}/files/${backend.name}?${query}`)
    .catch((error) => ({ files: [], binary: [], diagnostics: [], failure: error.message }));
  const names = found.files.map((one) => one.name);
  const file = found.files.find((one) => one.name === view.file[backend.name]) || found.files[0];
  const controls = element("div", { className: "controls" });
  if (backends.length > 1) {
    const listed = backends.map((one) => [one.name, one.title]);
    controls.append(...choice("backend", "Backend", listed, backend.name,
      (chosen) => { view.backend[view.tab] = chosen; }));
  }
  if (names.length > 1) {
    controls.append(...choice("file", "File", names.map((name) => [name, name]), file.name,
      (chosen) => { view.file[backend.name] = chosen; }));
  }
  const made = [controls];
  if (found.failure) made.push(note(found.failure)); // others can still be chosen
  if (found.diagnostics.length) made.push(problemList(found));
  if (found.binary.length) made.push(note(`Not shown, no texts: ${found.binary.join(", ")}`));
  if (file) made.push(...await shownFile(spec, backend, file, query, controls));
  return view.tab === "source" ? [...made, ...broken()] : made;
}

function broken() {
  return state.broken.map((line) => note(line));
}

async function shownFile(spec, backend, file, query, controls) {
  const name = encodeURIComponent(file.name);
  const address = `${view.spec}/file/${backend.name}?file=${name}&${query}`;
  if (backend.kind === "page") {
    return [element("iframe", { src: address, title: `${backend.title}: ${file.name}`,
      sandbox: "allow-scripts" })];
  }
  if (backend.kind === "figure") return figure(spec, file, address, controls);
  controls.append(copyButton(file));
  return [element("pre", { className: "code", tabIndex: 0 },
    element("code", {}, ...pieces(file.pieces)))];
}

async function figure(spec, file, address, controls) {
  const image = element("img", { src: address, alt: `Figure ${file.name} of ${spec.name}` });
  await image.decode().catch(() => null); // it takes the place of the last one at once
  const tall = image.naturalHeight > 2.5 * image.naturalWidth ? "" : "tall";
  image.className = view.actual ? "actual" : tall;
  const size = element("button", { type: "button", id: "size",
    "aria-pressed": String(view.actual) }, "Actual size");
  size.onclick = () => { view.actual = !view.actual; render(); };
  const link = element("a", { href: address, target: "_blank", rel: "noopener" }, "Open alone");
  controls.append(size, link);
  return [element("div", { className: "figure", tabIndex: 0, role: "region",
    "aria-label": file.name }, image)];
}

function copyButton(file) {
  const button = element("button", { type: "button", id: "copy" }, "Copy");
  button.onclick = async () => {
    const text = file.pieces.map(([, part]) => part).join("");
    const done = await navigator.clipboard.writeText(text).then(() => true, () => false);
    button.textContent = done ? "Copied" : "Not allowed by the browser";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  };
  return button;
}

async function summaryPane(spec) {
  const found = await data(`${view.spec}/summary?v=${spec.version}`);
  const body = element("tbody");
  const lines = found.table.lines;
  lines.forEach((line, index) => {
    line.key = `${view.spec} ${line.path}`;
    line.parent = lines[index + 1]?.depth > line.depth;
  });
  const isOpen = (line) => opened.get(line.key) ?? line.depth + 1 < found.depth;
  const fill = () => {
    const rows = [];
    let closed = Infinity; // the depth below which rows are hidden
    lines.forEach((line, index) => {
      if (line.depth > closed) return;
      closed = line.parent && !isOpen(line) ? line.depth : Infinity;
      rows.push(row(line, found.table, line.parent && toggle(line, index)));
    });
    body.replaceChildren(...rows);
  };
  const toggle = (line, index) => {
    const open = isOpen(line);
    const button = element("button", { type: "button", className: "toggle", id: `row-${index}`,
      "aria-expanded": String(open), "aria-label": `Layers in ${line.cells[0]}` },
      open ? "\u25be" : "\u25b8");
    button.onclick = () => {
      opened.set(line.key, !open);
      fill();
      byId(button.id).focus();
    };
    return button;
  };
  const all = (open) => {
    const button = element("button", { type: "button" }, open ? "Expand all" : "Collapse all");
    button.onclick = () => {
      lines.forEach((line) => opened.set(line.key, open));
      fill();
    };
    return button;
  };
  fill();
  const parents = lines.some((line) => line.parent);
  const controls = element("div", { className: "controls" }, all(true), all(false));
  return [parents ? controls : null, framed(found.table, body, "Layers"), facts(found.facts)]
    .filter((one) => one !== null);
}

function row(line, table, toggle) {
  const cells = line.cells.map((text, index) => {
    const cell = element(index ? "td" : "th", { className: index < table.numbers ? "" : "number" });
    if (index) {
      cell.append(text);
    } else {
      cell.scope = "row";
      cell.append(toggle === null ? text : indented(line, toggle, text));
    }
    return cell;
  });
  return element("tr", { className: line.heading ? "heading" : "" }, ...cells);
}

function indented(line, toggle, text) {
  const step = element("span", { className: "step" }, toggle || "", text);
  step.style.paddingLeft = `${1.3 * line.depth + (toggle ? 0 : 1.2)}em`;
  return step;
}

function framed(table, body, label) {
  const head = element("tr", {}, ...table.columns.map((name, index) =>
    element("th", { scope: "col", className: index < table.numbers ? "" : "number" }, name)));
  const made = element("table", {}, element("thead", {}, head), body);
  return element("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": label },
    made);
}

function plain(table, label) {
  const flat = table.lines.map((line) => row(line, table, null));
  return framed(table, element("tbody", {}, ...flat), label);
}

function facts(pairs) {
  const rows = pairs.map(([name, value]) => {
    const head = element("th", { scope: "row" }, name.trim());
    if (name.startsWith(" ")) head.style.paddingLeft = "1.5em";
    return element("tr", {}, head, element("td", {}, value));
  });
  const table = element("table", { className: "facts" }, element("tbody", {}, ...rows));
  return element("div", { className: "scroll", tabIndex: 0, role: "region",
    "aria-label": "Totals" }, table);
}

async function differencePane(spec) {
  const other = state.baseline;
  const made = other.failure ? [note(other.failure)] : [];
  if (other.errors) made.push(problemList(other));
  if (!other.good) {
    return [...made, element("p", {}, `${other.name} has no version without errors.`)];
  }
  const found = await data(`${view.spec}/difference?v=${spec.version}.${other.version}`);
  made.push(element("p", {}, `From ${other.name} to ${spec.name}`));
  const labels = ["Totals", "Changes", "Steps"];
  made.push(...found.tables.map((table, index) => plain(table, labels[index])));
  if (found.same) made.push(element("p", {}, "The networks are the same."));
  return made;
}

async function comparedPane() {
  if (!state.specs.some((one) => one.good)) return [element("p", {}, "All specs have errors.")];
  const found = await data(`compared?v=${state.specs.map((one) => one.version).join(".")}`);
  const missing = state.specs.filter((one) => !one.good)
    .map((one) => note(`Left out, as it has errors: ${one.name}`));
  return [...found.tables.map((table) => plain(table, "Networks")), ...missing];
}

const [, wantedSpec, wantedTab] = /^#(\d+)\/(\w+)$/.exec(location.hash) || [];
if (wantedTab) Object.assign(view, { spec: Number(wantedSpec), tab: wantedTab });
dark.onchange = () => { if (state) render(); };
connect();
