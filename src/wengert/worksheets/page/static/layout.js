// Where the boxes of the graph stand: columns from left to right (Sugiyama, Tagawa & Toda 1981). A box stands
// as far right as its readers allow. All edges that leave one box share their places in the columns that they
// pass, so that they run as one line and part at their ends.

const COLUMN_GAP = 74;
const WIDEST_GAP = 150;
const BOX_GAP = 20;
const LINE_GAP = 14;
const GROUP_GAP = 30;
const MOST_PLACES = 4000;
const LONGEST_PASSING = 12;
const SWEEPS = 12;

/** Boxes are in an order in which every edge leads onwards: `{width, height, path}`; edges are [from, to]. */
function arrange(boxes, edges) {
  const column = columnsOf(boxes, edges);
  const places = new Places(boxes, edges, column);
  orderColumns(places.columns);
  const depth = settleHeights(places.columns);
  return routed(boxes, edges, places, column, depth);
}

function columnsOf(boxes, edges) {
  const column = new Array(boxes.length).fill(Infinity);
  const readers = boxes.map(() => []);
  for (const [from, to] of edges) readers[from].push(to);
  for (let k = boxes.length - 1; k >= 0; k--) {
    column[k] = readers[k].length === 0 ? 0 : Math.min(...readers[k].map((r) => column[r])) - 1;
  }
  const first = Math.min(0, ...column);
  return column.map((c) => c - first);
}

/** The boxes in their columns, and between them places for the edges that pass. */
class Places {
  constructor(boxes, edges, column) {
    this.columns = Array.from({ length: Math.max(0, ...column) + 1 }, () => []);
    this.items = boxes.map((box, k) =>
      this.add({ ...box, column: column[k], left: [], right: [], isLine: false }),
    );
    const lengths = edges.map(([from, to]) => column[to] - column[from]);
    const longest = new Map();
    edges.forEach(([from], k) => longest.set(from, Math.max(longest.get(from) ?? 0, lengths[k])));
    const total = [...longest.values()].reduce((sum, n) => sum + n, 0);
    this.lines = new Map();
    this.direct = new Set();
    edges.forEach(([from, to], k) => {
      if (total > MOST_PLACES && lengths[k] > LONGEST_PASSING) {
        this.direct.add(k);
        return;
      }
      let last = this.items[from];
      for (let c = column[from] + 1; c < column[to]; c++)
        last = this.line(from, c, last, this.items[to].path);
      this.join(last, this.items[to]);
    });
  }

  add(item) {
    this.columns[item.column].push(item);
    return item;
  }

  line(from, column, before, path) {
    const key = `${from},${column}`;
    if (!this.lines.has(key)) {
      const own = this.items[from].path;
      const common = own.filter((group, depth) => path[depth] === group);
      const item = this.add({ width: 0, height: 0, path: common, column, left: [], right: [], isLine: true });
      this.lines.set(key, item);
      this.join(before, item);
    }
    return this.lines.get(key);
  }

  join(left, right) {
    left.right.push(right);
    right.left.push(left);
  }
}

/** Orders every column by the mean place of its neighbours, to and fro; keeps the order that crosses least. */
function orderColumns(columns) {
  let best = columns.map((items) => [...items]);
  const number = () =>
    columns.forEach((items) =>
      items.forEach((item, k) => {
        item.order = (k + 0.5) / items.length;
      }),
    );
  number();
  let fewest = crossings(columns);
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
    const rightwards = sweep % 2 === 1;
    const run = rightwards ? columns : [...columns].reverse();
    for (const items of run) {
      const wanted = new Map(
        items.map((item) => {
          const others = rightwards ? item.left : item.right;
          return [
            item,
            others.length ? others.reduce((sum, other) => sum + other.order, 0) / others.length : item.order,
          ];
        }),
      );
      const sorted = sortedByGroup(items, wanted, 0);
      items.splice(0, items.length, ...sorted);
      items.forEach((item, k) => {
        item.order = (k + 0.5) / items.length;
      });
    }
    const count = crossings(columns);
    if (count < fewest) [fewest, best] = [count, columns.map((items) => [...items])];
  }
  columns.forEach((items, k) => items.splice(0, items.length, ...best[k]));
}

/** The members of a group stay side by side. */
function sortedByGroup(items, wanted, depth) {
  const parts = new Map();
  for (const item of items) {
    const key = item.path.length > depth ? item.path[depth] : item;
    parts.set(key, [...(parts.get(key) ?? []), item]);
  }
  const mean = (part) => part.reduce((sum, item) => sum + wanted.get(item), 0) / part.length;
  const ordered = [...parts].map(([key, part]) => [mean(part), key, part]).sort((a, b) => a[0] - b[0]);
  return ordered.flatMap(([, key, part]) =>
    typeof key === "object" ? part : sortedByGroup(part, wanted, depth + 1),
  );
}

function crossings(columns) {
  let count = 0;
  for (const items of columns) {
    const ends = [];
    items.forEach((item) => {
      const heights = item.right.map((other) => other.order).sort((a, b) => a - b);
      for (const height of heights) for (const other of ends) if (other > height) count += 1;
      ends.push(...heights);
    });
  }
  return count;
}

/** Heights at which every place is as near to its neighbours as the others in its column let it be. */
function settleHeights(columns) {
  columns.forEach((items) => {
    let y = 0;
    items.forEach((item, k) => {
      y += k === 0 ? 0 : distance(items[k - 1], item);
      item.y = y;
    });
  });
  const isSource = (item) => !item.isLine && item.left.length === 0;
  const weight = (a, b) =>
    a.isLine && b.isLine ? 8 : isSource(a) || isSource(b) ? 0.02 : a.isLine || b.isLine ? 0.2 : 1; // chains stay straight
  for (let sweep = 0; sweep < 24; sweep++) {
    const run = sweep % 2 === 0 ? columns : [...columns].reverse();
    for (const items of run) {
      const sides = sweep < 16 ? [sweep % 2 === 0 ? "left" : "right"] : ["left", "right"];
      settleColumn(
        items,
        items.map((item) => {
          const others = sides.flatMap((side) => item[side]);
          const total = others.reduce((sum, other) => sum + weight(item, other), 0);
          if (total === 0) return [item.y, 0.1];
          return [others.reduce((sum, other) => sum + weight(item, other) * other.y, 0) / total, total];
        }),
      );
    }
  }
  const top = Math.min(...columns.flat().map((item) => item.y - item.height / 2));
  columns.flat().forEach((item) => {
    item.y -= top;
  });
  return Math.max(...columns.flat().map((item) => item.y + item.height / 2));
}

function distance(above, below) {
  const gap = above.isLine && below.isLine ? LINE_GAP : BOX_GAP;
  const steps =
    above.path.filter((g, k) => below.path[k] !== g).length +
    below.path.filter((g, k) => above.path[k] !== g).length;
  return (above.height + below.height) / 2 + gap + (steps > 0 ? GROUP_GAP : 0);
}

/** The nearest heights to the wanted ones that keep the distances: pools adjacent violators. */
function settleColumn(items, wanted) {
  const blocks = [];
  let offset = 0;
  items.forEach((item, k) => {
    offset += k === 0 ? 0 : distance(items[k - 1], item);
    const [height, weight] = wanted[k];
    blocks.push({ mean: height - offset, weight, members: [[item, offset]] });
    while (blocks.length > 1 && blocks.at(-2).mean > blocks.at(-1).mean) {
      const below = blocks.pop();
      const above = blocks.at(-1);
      const total = above.weight + below.weight;
      above.mean = (above.mean * above.weight + below.mean * below.weight) / total;
      above.weight = total;
      above.members.push(...below.members);
    }
  });
  for (const { mean, members } of blocks) for (const [item, own] of members) item.y = mean + own;
}

/** The places in pixels, and for every edge the corners of its way. */
function routed(boxes, edges, places, column, depth) {
  const widths = places.columns.map((items) => Math.max(0, ...items.map((item) => item.width)));
  const climbs = places.columns.map((items) =>
    Math.max(0, ...items.flatMap((item) => item.right.map((other) => Math.abs(other.y - item.y)))),
  );
  const lefts = [];
  let x = 0;
  widths.forEach((width, k) => {
    lefts.push(x);
    x += width + Math.min(WIDEST_GAP, COLUMN_GAP + climbs[k] * 0.1);
  });
  const centre = (item) => lefts[item.column] + widths[item.column] / 2;
  const ports = arrivals(edges, places, column);
  const ways = edges.map(([from, to], k) => {
    const [source, target] = [places.items[from], places.items[to]];
    const end = [centre(target) - target.width / 2, target.y + ports[k]];
    const points = [[centre(source) + source.width / 2, source.y]];
    if (places.direct.has(k)) return { points: [...points, end], isDirect: true };
    points.push([lefts[source.column] + widths[source.column], source.y]);
    for (let c = column[from] + 1; c < column[to]; c++) {
      const { y } = places.lines.get(`${from},${c}`);
      points.push([lefts[c], y], [lefts[c] + widths[c], y]);
    }
    points.push([lefts[target.column], end[1]], end);
    return { points, isDirect: false };
  });
  const centres = places.items.map((item) => [centre(item), item.y]);
  return { centres, ways, width: lefts.at(-1) + (widths.at(-1) ?? 0), height: depth };
}

/** How far from the middle of its target each edge arrives: in the order in which they come in. */
function arrivals(edges, places, column) {
  const byTarget = new Map();
  edges.forEach(([from, to], k) => {
    const last = places.lines.get(`${from},${column[to] - 1}`) ?? places.items[from];
    byTarget.set(to, [...(byTarget.get(to) ?? []), [last.y, k]]);
  });
  const ports = new Array(edges.length).fill(0);
  for (const [to, list] of byTarget) {
    const step = Math.min(12, (places.items[to].height - 14) / Math.max(1, list.length - 1));
    list
      .sort((a, b) => a[0] - b[0])
      .forEach(([, k], place) => {
        ports[k] = (place - (list.length - 1) / 2) * step;
      });
  }
  return ports;
}

/** The way as an SVG path: straight through the columns, curved between them. */
function pathOf({ points, isDirect }) {
  const n = (value) => Math.round(value * 10) / 10;
  const curve = ([x, y], [toX, toY]) => {
    const middle = n((x + toX) / 2);
    return `C${middle} ${n(y)} ${middle} ${n(toY)} ${n(toX)} ${n(toY)}`;
  };
  let path = `M${n(points[0][0])} ${n(points[0][1])}`;
  for (let k = 1; k < points.length; k++) {
    const straight = !isDirect && k % 2 === 1;
    path += straight ? `L${n(points[k][0])} ${n(points[k][1])}` : curve(points[k - 1], points[k]);
  }
  return path;
}
