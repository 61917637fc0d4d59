// Reading entries by position, and adding them up there.

/** The entries that an index such as `x[1:, :, rows]` names, as their numbers in order, and the shape that
 * they come in (NumPy's rules: slices, ellipsis, new axes, arrays of positions or of truth values). */
function indexed(shape, key, arrays) {
  const entries = key.flatMap((entry) => indexEntry(entry, arrays));
  const taken = entries.filter((e) => e.kind !== "new" && e.kind !== "rest").length;
  const rest = entries.findIndex((e) => e.kind === "rest");
  const missing = Array.from({ length: shape.length - taken }, () => ({
    kind: "slice",
    bounds: [null, null, null],
  }));
  entries.splice(rest < 0 ? entries.length : rest, rest < 0 ? 0 : 1, ...missing);
  const strides = stridesOf(shape);
  const plain = [];
  const lists = [];
  const hasLists = entries.some((e) => e.kind === "list");
  let [axis, start, firstList, lastList] = [0, 0, -1, -1];
  let apart = false;
  for (const entry of entries) {
    if (entry.kind === "new") {
      plain.push({ length: 1, stride: 0 });
      continue;
    }
    const [n, stride] = [shape[axis], strides[axis]];
    axis += 1;
    if (entry.kind === "slice") {
      const [first, step, length] = sliceBounds(entry.bounds, n);
      start += first * stride;
      plain.push({ length, stride: step * stride });
    } else if (entry.kind === "at" && !hasLists) {
      start += (entry.at < 0 ? entry.at + n : entry.at) * stride;
    } else {
      const positions = entry.kind === "at" ? number(entry.at) : entry.positions;
      if (firstList < 0) firstList = plain.length;
      else if (lastList !== plain.length) apart = true;
      lastList = plain.length;
      lists.push({ positions, n, stride });
    }
  }
  const inner = broadcastShape(lists.map((list) => list.positions.shape));
  const offsets = new Int32Array(sizeOf(inner));
  for (const { positions, n, stride } of lists) {
    const data = broadcastTo(positions, inner).data;
    for (let k = 0; k < offsets.length; k++) offsets[k] += (data[k] < 0 ? data[k] + n : data[k]) * stride;
  }
  const front = apart || firstList < 0 ? 0 : firstList;
  const before = plain.slice(0, front);
  const behind = plain.slice(front);
  const result = [...before.map((p) => p.length), ...inner, ...behind.map((p) => p.length)];
  const places = new Int32Array(sizeOf(result));
  const listSize = offsets.length;
  const behindShape = behind.map((p) => p.length);
  const behindSize = sizeOf(behindShape);
  walk(
    before.map((p) => p.length),
    before.map((p) => p.stride),
    (outer, base) => {
      for (let k = 0; k < listSize; k++) {
        const row = (outer * listSize + k) * behindSize;
        walk(
          behindShape,
          behind.map((p) => p.stride),
          (place, offset) => {
            places[row + place] = offset;
          },
          base + offsets[k],
        );
      }
    },
    start,
  );
  return { places, shape: result };
}

function indexEntry(entry, arrays) {
  if (entry === null) return { kind: "new" };
  if (typeof entry === "number") return { kind: "at", at: entry };
  if (Array.isArray(entry)) return listEntry(arrayOf(entry));
  if (entry.ellipsis) return { kind: "rest" };
  if (entry.slice) return { kind: "slice", bounds: entry.slice };
  if ("slot" in entry) return listEntry(arrays[entry.slot]);
  throw new Unsupported("this index");
}

/** An array of truth values stands for the positions at which it is true, one list for each of its axes. */
function listEntry(array) {
  if (array.dtype !== "bool") return [{ kind: "list", positions: array }];
  const found = [];
  array.data.forEach((truth, k) => {
    if (truth) found.push(placeOf(k, array.shape));
  });
  return array.shape.map((_, axis) => {
    const positions = empty("int64", [found.length]);
    found.forEach((place, k) => {
      positions.data[k] = place[axis];
    });
    return { kind: "list", positions };
  });
}

function arrayOf(nested) {
  const shape = [];
  for (let part = nested; Array.isArray(part); part = part[0]) shape.push(part.length);
  const flat = nested.flat(Infinity);
  const value = empty(typeof flat[0] === "boolean" ? "bool" : "int64", shape);
  flat.forEach((x, k) => {
    value.data[k] = Number(x);
  });
  return value;
}

/** Python's slice as its first position, its step and its length. */
function sliceBounds([start, stop, step], n) {
  const by = step ?? 1;
  const held = (x, low, high) => Math.min(Math.max(x < 0 ? x + n : x, low), high);
  const [low, high] = by > 0 ? [0, n] : [-1, n - 1];
  const first = start === null ? (by > 0 ? 0 : n - 1) : held(start, low, high);
  const last = stop === null ? (by > 0 ? n : -1) : held(stop, low, high);
  return [first, by, Math.max(0, Math.ceil((last - first) / by))];
}

/** Zeros of a shape with the entries added at these places. */
function scattered(g, places, shape) {
  const total = new Float64Array(sizeOf(shape));
  for (let k = 0; k < places.length; k++) total[places[k]] += g.data[k];
  return {
    dtype: g.dtype,
    shape,
    weak: false,
    data: entriesOf(g.dtype, total.length).map((_, k) => total[k]),
  };
}

/** For every entry of the indices, the number of the entry of an array that it names along the axis. */
function alongAxis(shape, indices, axis) {
  const k = positiveAxis(axis, shape.length);
  const wide = shape.map((n, other) => (other === k ? indices.shape[k] : n));
  const picked = broadcastTo(indices, wide);
  const strides = stridesOf(shape);
  const places = new Int32Array(picked.data.length);
  walk(
    wide,
    strides.map((s, other) => (other === k ? 0 : s)),
    (place, offset) => {
      const at = picked.data[place];
      places[place] = offset + (at < 0 ? at + shape[k] : at) * strides[k];
    },
  );
  return { places, shape: wide };
}
