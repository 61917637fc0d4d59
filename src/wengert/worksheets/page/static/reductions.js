// Sums, means and extremes over axes, and what is made of them. Sums are carried in double precision.

/** Folds the entries over the axes into values of that type. */
function reduced(x, axis, keepdims, start, step, type) {
  const axes = positiveAxes(axis, x.shape.length);
  const kept = x.shape.map((n, k) => (axes.includes(k) ? 1 : n));
  const strides = stridesOf(kept).map((stride, k) => (axes.includes(k) ? 0 : stride));
  const total = new Float64Array(sizeOf(kept)).fill(start);
  const { data } = x;
  walk(x.shape, strides, (place, offset) => {
    total[offset] = step(total[offset], data[place]);
  });
  const out = empty(
    type.dtype,
    keepdims ? kept : x.shape.filter((_, k) => !axes.includes(k)),
    type.weak ?? false,
  );
  out.data.set(total);
  return out;
}

/** How many entries a reduction over these axes takes together. */
function countOver(x, axis) {
  return positiveAxes(axis, x.shape.length).reduce((product, k) => product * x.shape[k], 1);
}

/** A reduction's result with the reduced axes kept as ones. */
function keptAxes(y, x, axis) {
  const axes = positiveAxes(axis, x.shape.length);
  return reshaped(
    y,
    x.shape.map((n, k) => (axes.includes(k) ? 1 : n)),
  );
}

const isNumber = (x) => x.weak && x.shape.length === 0;

function sumOver(x, axis = null, keepdims = false) {
  if (isNumber(x)) return x;
  const type = x.dtype === "bool" ? { dtype: "int64" } : { dtype: x.dtype };
  return reduced(x, axis, keepdims, 0, (total, entry) => total + entry, type);
}

function extremeOver(x, axis, keepdims, start, better) {
  if (isNumber(x)) return x;
  const step = (best, entry) => (best !== best || entry !== entry ? NaN : better(best, entry));
  return reduced(x, axis, keepdims, start, step, { dtype: x.dtype });
}

const maxOver = (x, axis = null, keepdims = false) => extremeOver(x, axis, keepdims, -Infinity, Math.max);
const minOver = (x, axis = null, keepdims = false) => extremeOver(x, axis, keepdims, Infinity, Math.min);

function meanOver(x, axis, keepdims = false) {
  if (isNumber(x)) return x;
  return entrywise.divide(sumOver(x, axis, keepdims), number(countOver(x, axis), "int64"));
}

function productOver(x, axis, keepdims) {
  const type = x.dtype === "bool" ? { dtype: "int64" } : { dtype: x.dtype };
  return reduced(x, axis, keepdims, 1, (total, entry) => total * entry, type);
}

function varianceOver(x, axis, correction, keepdims) {
  const wide = cast(reshaped(x, x.shape), "float64");
  const deviations = entrywise.square(entrywise.subtract(wide, meanOver(wide, axis, true)));
  const freedom = Math.max(countOver(x, axis) - correction, 0);
  const spread = entrywise.divide(sumOver(deviations, axis, keepdims), number(freedom, "int64"));
  return cast(spread, floatType(x).dtype);
}

function logSumExp(x, axis, keepdims) {
  if (isNumber(x)) return x;
  const top = maxOver(x, axis, true);
  const held = entrywise.where(entrywise.isfinite(top), top, entrywise.zeros_like(top));
  const total = entrywise.add(
    entrywise.log(sumOver(entrywise.exp(entrywise.subtract(x, held)), axis, true)),
    held,
  );
  return keepdims ? total : reshaped(total, sumOver(x, axis).shape);
}

function softmaxOver(x, axis) {
  const weights = entrywise.exp(entrywise.subtract(x, maxOver(x, axis, true)));
  return entrywise.divide(weights, sumOver(weights, axis, true));
}

function normOver(x, ord, axis, keepdims) {
  const size = entrywise.abs(x);
  if (ord === 2 || ord === "fro") return entrywise.sqrt(sumOver(entrywise.square(x), axis, keepdims));
  if (ord === 1) return sumOver(size, axis, keepdims);
  if (ord === Infinity) return maxOver(size, axis, keepdims);
  return entrywise.power(sumOver(entrywise.power(size, number(ord)), axis, keepdims), number(1 / ord));
}

/** The place of the first best entry along an axis. */
function bestPlace(x, axis, keepdims, better) {
  if (axis === null)
    return reshaped(
      bestPlace(reshaped(x, [x.data.length]), 0, false, better),
      keepdims ? x.shape.map(() => 1) : [],
    );
  const k = positiveAxis(axis, x.shape.length);
  const last = permuted(x, [...x.shape.keys()].filter((a) => a !== k).concat(k));
  const n = x.shape[k];
  const out = empty(
    "int64",
    keepdims ? x.shape.map((e, a) => (a === k ? 1 : e)) : x.shape.filter((_, a) => a !== k),
  );
  for (let row = 0; row < out.data.length; row++) {
    let best = 0;
    for (let j = 1; j < n; j++) if (better(last.data[row * n + j], last.data[row * n + best])) best = j;
    out.data[row] = best;
  }
  return out;
}

function sortedPlaces(x, axis) {
  const k = positiveAxis(axis, x.shape.length);
  const order = [...x.shape.keys()].filter((a) => a !== k).concat(k);
  const last = permuted(x, order);
  const n = x.shape[k];
  const out = empty("int64", last.shape);
  for (let row = 0; row < last.data.length; row += n) {
    const places = Array.from({ length: n }, (_, j) => j).sort(
      (a, b) => last.data[row + a] - last.data[row + b],
    );
    out.data.set(places, row);
  }
  const back = order.map((_, a) => order.indexOf(a));
  return permuted(out, back);
}

function runningSum(x, axis) {
  const k = positiveAxis(axis, x.shape.length);
  const stride = stridesOf(x.shape)[k];
  const total = Float64Array.from(x.data);
  total.forEach((_, place) => {
    if (Math.floor(place / stride) % x.shape[k] > 0) total[place] += total[place - stride];
  });
  const out = empty(x.dtype, x.shape);
  out.data.set(total);
  return out;
}

const reductions = {
  sum: ([x], { axis, keepdims }) => sumOver(x, axis, keepdims),
  mean: ([x], { axis, keepdims }) => meanOver(x, axis, keepdims),
  max: ([x], { axis, keepdims }) => maxOver(x, axis, keepdims),
  min: ([x], { axis, keepdims }) => minOver(x, axis, keepdims),
  prod: ([x], { axis, keepdims }) => productOver(x, axis, keepdims),
  cumsum: ([x], { axis }) => runningSum(x, axis),
  trace: ([x]) => sumOver(diagonal(x, 0)),
  var: ([x], { axis, correction, keepdims }) => varianceOver(x, axis, correction, keepdims),
  std: ([x], { axis, correction, keepdims }) => entrywise.sqrt(varianceOver(x, axis, correction, keepdims)),
  logsumexp: ([x], { axis, keepdims }) => logSumExp(x, axis, keepdims),
  softmax: ([x], { axis }) => softmaxOver(x, axis),
  log_softmax: ([x], { axis }) => entrywise.subtract(x, logSumExp(x, axis, true)),
  norm: ([x], { ord, axis, keepdims }) => normOver(x, ord, axis, keepdims),
  standardise: ([x], { axis, eps }) => {
    const centred = entrywise.subtract(x, meanOver(x, axis, true));
    const variance = meanOver(entrywise.square(centred), axis, true);
    return entrywise.divide(centred, entrywise.sqrt(entrywise.add(variance, number(eps))));
  },
  argmax: ([x], { axis, keepdims }) => bestPlace(x, axis, keepdims, (a, b) => a > b),
  argmin: ([x], { axis, keepdims }) => bestPlace(x, axis, keepdims, (a, b) => a < b),
  argsort: ([x], { axis }) => sortedPlaces(x, axis),
  any: ([x], { axis, keepdims }) =>
    reduced(x, axis, keepdims, 0, (found, entry) => Number(found || entry !== 0), { dtype: "bool" }),
  all: ([x], { axis, keepdims }) =>
    reduced(x, axis, keepdims, 1, (found, entry) => Number(found && entry !== 0), { dtype: "bool" }),
};
