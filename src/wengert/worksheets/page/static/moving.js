// The operations that only move entries: reshapes, permutations, copies, joins.

function padWidths(width, axes) {
  if (typeof width === "number") return Array(axes).fill([width, width]);
  if (width.every((w) => typeof w === "number")) return Array(axes).fill(width);
  return width;
}

function joined(xs, axis) {
  const k = positiveAxis(axis, xs[0].shape.length);
  const { dtype } = resultType(xs);
  const shape = xs[0].shape.map((n, other) => (other === k ? xs.reduce((sum, x) => sum + x.shape[k], 0) : n));
  const out = empty(dtype, shape);
  const outer = sizeOf(shape.slice(0, k));
  const width = sizeOf(shape.slice(k));
  let before = 0;
  for (const x of xs) {
    const part = sizeOf(x.shape.slice(k));
    for (let row = 0; row < outer; row++)
      out.data.set(x.data.subarray(row * part, (row + 1) * part), row * width + before);
    before += part;
  }
  return out;
}

function unstacked(x, axis) {
  const k = positiveAxis(axis, x.shape.length);
  const before = Array(k).fill({ slice: [null, null, null] });
  return Array.from({ length: x.shape[k] }, (_, j) => {
    const { places, shape } = indexed(x.shape, [...before, j], []);
    return gathered(x, places, shape);
  });
}

/** The entries from the k-th diagonal on, upwards or downwards; zeros elsewhere. */
function triangle(x, keeps) {
  const [columns, rows] = [x.shape.at(-1), x.shape.at(-2)];
  const out = { ...x, data: x.data.slice() };
  out.data.forEach((_, n) => {
    if (!keeps((n % columns) - (Math.floor(n / columns) % rows))) out.data[n] = 0;
  });
  return out;
}

function diagonal(x, k) {
  if (x.shape.length === 1) {
    const n = x.shape[0] + Math.abs(k);
    const places = Int32Array.from(x.data, (_, j) => (k >= 0 ? j * n + j + k : (j - k) * n + j));
    return scattered(x, places, [n, n]);
  }
  const [rows, columns] = x.shape;
  const length = Math.max(0, k >= 0 ? Math.min(rows, columns - k) : Math.min(rows + k, columns));
  const places = Int32Array.from({ length }, (_, j) =>
    k >= 0 ? j * columns + j + k : (j - k) * columns + j,
  );
  return gathered(x, places, [length]);
}

function completeShape(wanted, size) {
  const shape = [wanted].flat();
  const known = shape.reduce((product, n) => (n === -1 ? product : product * n), 1);
  return shape.map((n) => (n === -1 ? size / known : n));
}

function withoutOnes(shape, axis) {
  const axes =
    axis === null ? shape.flatMap((n, k) => (n === 1 ? [k] : [])) : positiveAxes(axis, shape.length);
  return shape.filter((_, k) => !axes.includes(k));
}

function flipped(x, axis) {
  const axes = positiveAxes(axis, x.shape.length);
  const key = x.shape.map((_, k) => ({ slice: axes.includes(k) ? [null, null, -1] : [null, null, null] }));
  const { places, shape } = indexed(x.shape, key, []);
  return gathered(x, places, shape);
}

function rolled(x, shift, axis) {
  if (axis === null) return reshaped(rolled(reshaped(x, [x.data.length]), shift, 0), x.shape);
  const shifts = [shift].flat();
  return positiveAxes(axis, x.shape.length).reduce((moved, k, j) => {
    const n = x.shape[k];
    const by = ((shifts[j % shifts.length] % n) + n) % n;
    const before = Array(k).fill({ slice: [null, null, null] });
    const parts = [
      [n - by, null, null],
      [null, n - by, null],
    ].map((slice) => {
      const { places, shape } = indexed(moved.shape, [...before, { slice }], []);
      return gathered(moved, places, shape);
    });
    return joined(parts, k);
  }, x);
}

function tiled(x, reps) {
  const counts = [reps].flat();
  const axes = Math.max(counts.length, x.shape.length);
  let out = reshaped(x, [...Array(axes - x.shape.length).fill(1), ...x.shape]);
  const full = [...Array(axes - counts.length).fill(1), ...counts];
  full.forEach((n, axis) => {
    out = joined(Array(n).fill(out), axis);
  });
  return out;
}

function repeated(x, repeats, axis) {
  if (axis === null) return repeated(reshaped(x, [x.data.length]), repeats, 0);
  const k = positiveAxis(axis, x.shape.length);
  const counts = typeof repeats === "number" ? Array(x.shape[k]).fill(repeats) : repeats;
  const positions = counts.flatMap((n, j) => Array(n).fill(j));
  const { places, shape } = indexed(
    x.shape,
    [...Array(k).fill({ slice: [null, null, null] }), positions],
    [],
  );
  return gathered(x, places, shape);
}

const moving = {
  component: ([x], { index }) => x[index],
  getitem: ([x, ...arrays], { key }) => {
    const { places, shape } = indexed(x.shape, key, arrays);
    return gathered(x, places, shape);
  },
  scatter_add: ([g, ...arrays], { key, shape }) => {
    const found = indexed(shape, key, arrays);
    return scattered(broadcastTo(g, found.shape), found.places, shape);
  },
  take_along_axis: ([x, indices], { axis }) => {
    const { places, shape } = alongAxis(x.shape, indices, axis);
    return gathered(x, places, shape);
  },
  put_along_axis: ([g, indices], { axis, shape }) =>
    scattered(g, alongAxis(shape, indices, axis).places, shape),
  reshape: ([x], { shape }) => reshaped(x, completeShape(shape, x.data.length)),
  transpose: ([x], { axis0, axis1 }) => {
    const n = x.shape.length;
    if (n < 2) return x;
    const order = [...Array(n).keys()];
    [order[positiveAxis(axis0, n)], order[positiveAxis(axis1, n)]] = [
      positiveAxis(axis1, n),
      positiveAxis(axis0, n),
    ];
    return permuted(x, order);
  },
  permute: ([x], { axes }) => permuted(x, axes),
  squeeze: ([x], { axis }) => reshaped(x, withoutOnes(x.shape, axis)),
  expand_dims: ([x], { axis }) => {
    const shape = [...x.shape];
    shape.splice(axis < 0 ? axis + shape.length + 1 : axis, 0, 1);
    return reshaped(x, shape);
  },
  broadcast_to: ([x], { shape }) => broadcastTo(x, shape),
  flip: ([x], { axis }) => flipped(x, axis),
  roll: ([x], { shift, axis }) => rolled(x, shift, axis),
  tile: ([x], { reps }) => tiled(x, reps),
  repeat: ([x], { repeats, axis }) => repeated(x, repeats, axis),
  pad: ([x], { pad_width }) => {
    const widths = padWidths(pad_width, x.shape.length);
    const shape = x.shape.map((n, k) => n + widths[k][0] + widths[k][1]);
    const key = widths.map(([before], k) => ({ slice: [before, before + x.shape[k], null] }));
    return scattered(x, indexed(shape, key, []).places, shape);
  },
  tril: ([x], { k }) => triangle(x, (above) => above <= k),
  triu: ([x], { k }) => triangle(x, (above) => above >= k),
  diag: ([x], { k }) => diagonal(x, k),
  astype: ([x], { dtype }) => {
    const name = typeof dtype === "string" ? dtype : dtype.dtype;
    return { ...cast(x, { float: "float64", int: "int64" }[name] ?? name), weak: false };
  },
  real: ([x]) => x,
  concatenate: (xs, { axis }) => joined(xs, axis),
  stack: (xs, { axis }) => {
    const k = axis < 0 ? axis + xs[0].shape.length + 1 : axis;
    return joined(
      xs.map((x) => reshaped(x, [...x.shape.slice(0, k), 1, ...x.shape.slice(k)])),
      k,
    );
  },
  unstack: ([x], { axis }) => unstacked(x, axis),
};
