// The panes: each is a list of elements, made from data of the server.

const opened = new Map(); // rows of tables that are expanded or collapsed by hand

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
  if (found.diagnostics.length) made.push(problemList(found, "backend"));
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
    return [await explored(address, `${backend.title}: ${file.name}`,
      JSON.stringify([view.spec, backend.name, file.name]))];
  }
  if (backend.kind === "figure") return figure(spec, file, address, controls);
  controls.append(copyButton(file));
  return [element("pre", { className: "code", id: "code", tabIndex: 0 },
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
  const link = element("a", { id: "alone", href: address, target: "_blank", rel: "noopener" }, "Open alone");
  controls.append(size, link);
  return [element("div", { className: "figure", id: "drawn", tabIndex: 0, role: "region",
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
    lines.forEach((line) => {
      if (line.depth > closed) return;
      closed = line.parent && !isOpen(line) ? line.depth : Infinity;
      rows.push(row(line, found.table, line.parent && toggle(line)));
    });
    body.replaceChildren(...rows);
  };
  const toggle = (line) => {
    const open = isOpen(line);
    const button = element("button", { type: "button", className: "toggle", id: `row ${line.path}`,
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
    const id = open ? "expand" : "collapse";
    const button = element("button", { type: "button", id }, open ? "Expand all" : "Collapse all");
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
  return scrolled(label, made);
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
  return scrolled("Totals", table);
}

function scrolled(label, table) {
  return element("div", { className: "scroll", tabIndex: 0, role: "region", id: `table-${label}`,
    "aria-label": label }, table);
}

async function differencePane(spec) {
  const other = state.baseline;
  const made = other.failure ? [note(other.failure)] : [];
  if (other.errors) made.push(problemList(other, "baseline"));
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
