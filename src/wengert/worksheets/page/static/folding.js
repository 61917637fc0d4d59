// Groups of boxes that fold into one, and which boxes are to be seen.

const OPEN_AT_FIRST = 80;
const MOST_VISIBLE = 400;

class Folding {
  constructor(model) {
    this.model = model;
    this.groups = [];
    this.whole = this.read({ title: "", members: model.data.groups }, null);
    this.whole.isOpen = true;
    this.homes = new Map();
    for (const group of [this.whole, ...this.groups]) for (const id of group.rows) this.homes.set(id, group);
    this.rank = new Map(model.rows.map((row, k) => [row.id, k]));
    this.openAtFirst();
  }

  read({ title, members }, parent) {
    const group = { title, parent, rows: [], inside: [], isOpen: false, number: this.groups.length };
    if (parent) this.groups.push(group);
    for (const member of members) {
      if (typeof member === "number") group.rows.push(member);
      else group.inside.push(this.read(member, group));
    }
    group.size = group.rows.length + group.inside.reduce((sum, one) => sum + one.size, 0);
    return group;
  }

  /** Open level after level from the outside in, as long as the graph stays easy to take in. */
  openAtFirst() {
    let level = this.whole.inside;
    while (level.length > 0) {
      for (const group of level) group.isOpen = true;
      if (this.visibleCount() > OPEN_AT_FIRST) {
        for (const group of level) group.isOpen = false;
        return;
      }
      level = level.flatMap((group) => group.inside);
    }
  }

  visibleCount(group = this.whole) {
    return (
      group.rows.length +
      group.inside.reduce((sum, one) => sum + (one.isOpen ? this.visibleCount(one) : 1), 0)
    );
  }

  get canOpenAll() {
    return this.model.rows.length <= MOST_VISIBLE;
  }

  setAll(isOpen) {
    for (const group of this.groups) group.isOpen = isOpen;
    this.model.changed("folding");
  }

  /** Open or fold a group. Where too many boxes would be seen, others fold again, the largest first. */
  toggle(group) {
    group.isOpen = !group.isOpen;
    if (group.isOpen) this.makeRoom(group);
    this.model.changed("folding");
  }

  makeRoom(kept) {
    const around = new Set();
    for (let group = kept; group; group = group.parent) around.add(group);
    const others = this.groups
      .filter((group) => group.isOpen && !around.has(group))
      .sort((a, b) => b.size - a.size);
    for (const group of others) {
      if (this.visibleCount() <= MOST_VISIBLE) return;
      group.isOpen = false;
    }
  }

  /** Open whatever hides a row. */
  reveal(id) {
    for (let group = this.homes.get(id); group; group = group.parent) group.isOpen = true;
    this.makeRoom(this.homes.get(id));
    this.model.changed("folding");
  }

  /** The outermost folded group around a row, or null where it is to be seen. */
  hiding(id) {
    let found = null;
    for (let group = this.homes.get(id); group; group = group.parent) if (!group.isOpen) found = group;
    return found;
  }

  /** The boxes to be seen, each after those that it reads, and the edges between them. */
  visible() {
    const boxes = [];
    const add = (group, path) => {
      for (const id of group.rows)
        boxes.push({ key: `r${id}`, id, group: null, path, rank: this.rank.get(id) });
      for (const one of group.inside) {
        if (one.isOpen) add(one, [...path, one.number]);
        else boxes.push({ key: `g${one.number}`, id: null, group: one, path, rank: this.firstRank(one) });
      }
    };
    add(this.whole, []);
    const place = new Map(boxes.map((box) => [box.key, box]));
    const keyOf = (id) => {
      const group = this.hiding(id);
      return group ? `g${group.number}` : `r${id}`;
    };
    const edges = new Map();
    for (const row of this.model.rows) {
      const to = keyOf(row.id);
      for (const arg of row.args) {
        const from = keyOf(arg);
        if (from === to) continue;
        const edge = edges.get(`${from},${to}`) ?? { from: place.get(from), to: place.get(to), pairs: [] };
        edge.pairs.push([arg, row.id]);
        edges.set(`${from},${to}`, edge);
      }
    }
    return { boxes: inOrder(boxes, [...edges.values()]), edges: [...edges.values()] };
  }

  firstRank(group) {
    group.first ??= Math.min(
      ...group.rows.map((id) => this.rank.get(id)),
      ...group.inside.map((one) => this.firstRank(one)),
    );
    return group.first;
  }
}

/** The boxes so that every edge leads onwards, else by their first rows (Kahn 1962). */
function inOrder(boxes, edges) {
  const waiting = new Map(boxes.map((box) => [box, 0]));
  const readers = new Map(boxes.map((box) => [box, []]));
  for (const { from, to } of edges) {
    waiting.set(to, waiting.get(to) + 1);
    readers.get(from).push(to);
  }
  const ready = boxes.filter((box) => waiting.get(box) === 0).sort((a, b) => b.rank - a.rank);
  const order = [];
  while (ready.length > 0) {
    const box = ready.pop();
    order.push(box);
    for (const reader of readers.get(box)) {
      waiting.set(reader, waiting.get(reader) - 1);
      if (waiting.get(reader) > 0) continue;
      const at = ready.findIndex((other) => other.rank < reader.rank);
      ready.splice(at < 0 ? ready.length : at, 0, reader);
    }
  }
  return order;
}
