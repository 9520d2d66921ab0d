// The layout of layout.py and columns.py, for one column and any set of expanded blocks.
// The data have the widths of all texts, so that fonts of the browser do not matter.

const L = data.lengths;

class Cursor {
  constructor(id, points) {
    this.id = id;
    this.points = points;
  }
  get end() {
    return this.points[this.points.length - 1];
  }
  to(...points) {
    return new Cursor(this.id, [...this.points, ...points]);
  }
}

class BoxNode {
  constructor(item, style) {
    const terminal = item.role === "terminal", two = style.double && !terminal;
    this.item = item;
    this.lines = two ? item.text : [item.text.join(terminal ? " " : ", ")];
    this.left = this.right = item.widths[two ? 1 : 0] / 2 + (terminal ? 1.5 : 1) * L.PAD;
    this.height = terminal ? L.LINE + 3 : L.LINE * (style.double ? 2 : 1) + 5;
  }
  draw(sheet, x, y, cursors) {
    for (const cursor of cursors) sheet.edge(cursor, this.item.id, [x, y]);
    const size = {x: x - this.left, y, width: this.left + this.right, height: this.height};
    sheet.shapes.push({item: this.item, lines: this.lines, ...size});
    return [new Cursor(this.item.id, [[x, y + this.height]])];
  }
}

class GroupNode {
  constructor(item, style) {
    this.item = item;
    this.chain = new ChainNode(item.inside, {...style, double: true, shapes: false});
    this.last = style.title_last;
    this.before = this.last ? L.INSET : L.TITLE;
    this.left = Math.max(this.chain.left + L.INSET, item.title[1] + 2 * L.PAD);
    this.right = this.chain.right + L.INSET;
    this.height = this.chain.height + L.INSET + L.TITLE;
  }
  draw(sheet, x, y, cursors) {
    const left = x - this.left;
    const middle = y + (this.last ? this.height - L.TITLE / 2 : L.TITLE / 2);
    const title = {x: left + L.PAD, y: middle, text: this.item.title[0], width: this.item.title[1]};
    const size = {x: left, y, width: this.left + this.right, height: this.height};
    sheet.shapes.push({item: this.item, title, ...size});
    const ends = this.chain.draw(sheet, x, y + this.before, cursors);
    return ends.map((end) => end.to([end.end[0], y + this.height]));
  }
}

class ForkNode {
  constructor(item, style) {
    this.item = item;
    this.branches = item.branches.map((b) => new ChainNode(b.chain, style));
    const notes = item.branches.map((b) => (b.note ? b.note[1] + 3 : 0));
    const axes = [];
    let at = 0;
    this.branches.forEach((branch, n) => {
      axes.push(at + branch.left);
      at = axes[n] + Math.max(branch.right, item.entry ? 0 : notes[n]) + L.SPACE;
    });
    const centre = (axes[0] + axes[axes.length - 1]) / 2;
    const nearest = axes.reduce((a, b) => (Math.abs(b - centre) < Math.abs(a - centre) ? b : a));
    const axis = Math.abs(nearest - centre) < L.NEAR ? nearest : centre;
    this.axes = axes.map((a) => a - axis);
    const ends = this.branches.flatMap((b, n) => b.ends.map((e) => this.axes[n] + e));
    const reach = ends.map((e) => Math.abs(e) + 2 * L.PAD);
    this.half = Math.max(item.widths[0] / 2 + L.PAD, ...reach);
    const least = item.flat ? -Infinity : this.half;
    this.left = Math.max(axis, least);
    this.right = Math.max(at - L.SPACE - axis, least);
    this.ends = item.flat ? ends : [0];
    const lanes = item.branches.filter((b) => "after" in b).length;
    const noted = notes.some((n) => n) ? 2 : 0;
    this.top = item.entry ? 0 : L.BUS + L.DROP + L.LANE * lanes + noted;
    this.body = Math.max(...this.branches.map((b) => b.height));
    this.height = this.top + this.body + (item.flat ? 0 : L.GAP + L.BAR);
  }
  draw(sheet, x, y, cursors, started = new Map()) {
    const {item} = this, ends = [], levels = levelsOf(started, this.axes);
    this.branches.forEach((branch, n) => {
      const at = x + this.axes[n], top = y + this.top + this.body - branch.height;
      let own = item.entry ? [] : cursors.map((c) => c.to([x, y + L.BUS], [at, y + L.BUS]));
      if (started.has(n)) {
        const start = started.get(n), level = y + L.BUS + L.LANE * (1 + levels.get(n));
        own = [start.to([start.end[0], level], [at, level])];
      }
      const {note} = item.branches[n];
      if (note && !item.entry) sheet.text(at + 3, y + this.top - L.DROP / 2, note);
      ends.push(...branch.draw(sheet, at, top, own));
    });
    if (item.flat) return ends;
    const bar = y + this.top + this.body + L.GAP;
    for (const end of ends) sheet.edge(end, item.id, [end.end[0], bar]);
    const size = {x: x - this.half, y: bar, width: 2 * this.half, height: L.BAR};
    sheet.shapes.push({item, lines: item.text, ...size});
    return [new Cursor(item.id, [[x, bar + L.BAR]])];
  }
}

class ChainNode {
  constructor(chain, style) {
    this.items = chain.items;
    this.lanes = chain.lanes || [];
    this.nodes = chain.items.map((item) => nodeOf(item, style));
    this.left = Math.max(...this.nodes.map((n) => n.left));
    this.right = Math.max(...this.nodes.map((n) => n.right));
    if (!this.nodes.length) this.left = this.right = 2 * L.PAD;
    this.shown = style.shapes ? this.shapes() : new Map();
    this.sides = this.lanePositions();
    this.gaps = this.nodes.map((_, n) => (this.shown.has(n) ? L.LABEL_GAP : L.GAP));
    this.height = sum(this.nodes.map((n) => n.height)) + sum(this.gaps.slice(0, -1));
    const last = this.nodes[this.nodes.length - 1];
    this.ends = last instanceof ForkNode && last.item.flat ? last.ends : [0];
  }
  lanePositions() {
    const found = new Map(), overlap = (a, b) => a.source < b.target && b.source < a.target;
    for (const side of [-1, 1]) {
      const name = side < 0 ? "left" : "right";
      for (const lane of this.lanes.filter((l) => l.side === side)) {
        const beside = this.nodes.slice(lane.source + 1, lane.target + 1).map((n) => n[name]);
        for (let n = lane.source; side > 0 && n < lane.target; n += 1) {
          if (this.shown.has(n)) beside.push(4 + this.shown.get(n)[1]);
        }
        const inner = [...found.keys()].filter((l) => l.side === side && overlap(l, lane));
        found.set(lane, Math.max(...beside, ...inner.map((l) => found.get(l))) + L.LANE);
        this[name] = Math.max(this[name], found.get(lane) + L.PAD);
      }
    }
    return found;
  }
  shapes() {
    const found = new Map();
    let shown = "";
    this.items.slice(0, -1).forEach((item, n) => {
      const [shape] = item.shape || [""], next = this.items[n + 1];
      const [end] = (isTerminal(next) && next.shape) || [""];
      if (isTerminal(item)) shown = shape;
      else if (shape && shape !== shown && shape !== end) {
        shown = shape;
        found.set(n, item.shape);
      }
    });
    this.right = Math.max(this.right, ...[...found.values()].map(([, width]) => 4 + width));
    return found;
  }
  draw(sheet, x, y, cursors) {
    return this.drawn(sheet, x, y, cursors)[0];
  }
  drawn(sheet, x, y, cursors) {
    const exits = [];
    this.nodes.forEach((node, n) => {
      const lanes = this.lanes.filter((l) => l.target === n);
      const started = new Map(lanes.map((l) => [l.branch, this.lane(l, exits[l.source], x)]));
      cursors = node.draw(sheet, x, y, cursors, started);
      exits.push(cursors[0]);
      y += node.height;
      if (this.shown.has(n)) sheet.text(x + 4, y + 9.5, this.shown.get(n));
      y += this.gaps[n];
    });
    return [cursors, exits];
  }
  lane(lane, start, x) {
    const at = start.end[1] + L.LEAVE;
    return start.to([x, at], [x + lane.side * this.sides.get(lane), at]);
  }
}

function nodeOf(item, style) {
  if (item.kind === "fork") return new ForkNode(item, style);
  return item.kind === "group" || open.has(item.id) ? new GroupNode(item, style)
    : new BoxNode(item, style);
}

const isTerminal = (item) => item.role === "terminal";
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

// The order in which lines from the sides arrive: those of outer branches nearer to them.
function levelsOf(started, axes) {
  const ordered = [...started.keys()].sort((a, b) => Math.abs(axes[a]) - Math.abs(axes[b]));
  return new Map(ordered.map((number, level) => [number, level]));
}

// The heads at the right of the column; one that begins later is nearer to it.
function drawHeads(sheet, column, exits, heads) {
  const plain = {...data.style, shapes: false};
  const nodes = heads.map((head) => new ChainNode(head.chain, plain));
  const tops = heads.map((head) => exits[head.after].end[1] + L.LEAVE + L.DROP);
  const bottoms = nodes.map((node, n) => tops[n] + node.height + L.GAP);
  const places = placesOf(tops, bottoms);
  let left = column.right + 2 * L.SPACE;
  for (let place = 0; place < heads.length; place += 1) {
    const own = [...places.keys()].filter((n) => places.get(n) === place);
    const middle = left + Math.max(0, ...own.map((n) => nodes[n].left));
    const right = middle + Math.max(0, ...own.map((n) => nodes[n].right));
    for (const n of own) {
      const exit = exits[heads[n].after], y = exit.end[1] + L.LEAVE;
      nodes[n].draw(sheet, middle, tops[n], [exit.to([exit.end[0], y], [middle, y])]);
    }
    left = right + 2 * L.SPACE;
  }
}

// The column of each head: the nearest in which it is on no other one and on no line.
function placesOf(tops, bottoms) {
  const found = new Map();
  for (const own of tops.map((_, n) => n).sort((a, b) => tops[b] - tops[a])) {
    const level = tops[own] - L.DROP, bottom = bottoms[own];
    const free = (place) => [...found].every(([n, other]) => {
      const line = tops[n] - L.DROP;
      const meets = place === other && level < bottoms[n] && line < bottom;
      return !meets && !(other > place && level < line && line < bottom);
    });
    const place = tops.findIndex((_, n) => free(n));
    if (place >= 0) found.set(own, place);
  }
  return found;
}

// Collects what nodes draw; the figure of it begins at 0, 0 and flows up or down.
// Shapes are boxes, which have lines of text, and frames, which have a title.
class Sheet {
  shapes = [];
  edges = [];
  texts = [];
  edge(cursor, target, end) {
    this.edges.push({source: cursor.id, target, points: straight([...cursor.points, end])});
  }
  text(x, y, [text, width]) {
    this.texts.push({x, y, text, width});
  }
  figure() {
    const points = this.shapes.flatMap((a) => [[a.x, a.y], [a.x + a.width, a.y + a.height]]);
    points.push(...this.edges.flatMap((e) => e.points));
    points.push(...this.texts.flatMap((t) => [[t.x, t.y - 4], [t.x + t.width, t.y + 4]]));
    const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
    const [left, right] = range(xs), [top, bottom] = range(ys);
    const turn = (y, height = 0) => (data.up ? bottom - y - height : y - top);
    const moved = (a) => ({...a, x: a.x - left, y: turn(a.y, a.height)});
    return {
      width: right - left,
      height: bottom - top,
      shapes: this.shapes.map((s) => ({...moved(s), title: s.title && moved(s.title)})),
      texts: this.texts.map(moved),
      edges: this.edges.map((e) => ({...e, points: e.points.map(([x, y]) => [x - left, turn(y)])})),
    };
  }
}

const range = (numbers) => numbers.reduce(([a, b], n) => [Math.min(a, n), Math.max(b, n)],
  [Infinity, -Infinity]);

// A line without points on the straight line between their neighbours.
function straight(points) {
  const found = [], same = (a, b) => Math.abs(a - b) < 1e-6;
  for (const point of points) {
    const last = found[found.length - 1], before = found[found.length - 2];
    if (last && same(last[0], point[0]) && same(last[1], point[1])) continue;
    const between = (n) => same(before[n], last[n]) && same(point[n], last[n]);
    if (before && (between(0) || between(1))) found.pop();
    found.push(point);
  }
  return found;
}

function layoutFigure() {
  const sheet = new Sheet(), column = new ChainNode(data.chain, data.style);
  const [, exits] = column.drawn(sheet, 0, 0, []);
  drawHeads(sheet, column, exits, data.chain.heads);
  return sheet.figure();
}
