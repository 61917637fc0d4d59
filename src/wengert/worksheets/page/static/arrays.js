// Arrays: a dtype, a shape and the entries in order. A Python number is a `weak` one without axes: beside an
// array it takes the array's dtype. Entries of float32 are kept in float32, so every result is rounded to it.

const INTEGERS = ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "int64"];
const setup = { defaultFloat: "float32" };

/** What the page's evaluator has no operation for, with the name of it. */
class Unsupported extends Error {}

function isFloating(dtype) {
  return dtype === "float32" || dtype === "float64";
}

function category(dtype) {
  if (isFloating(dtype)) return 2;
  if (!INTEGERS.includes(dtype)) throw new Unsupported(`numbers of type ${dtype}`);
  return dtype === "bool" ? 0 : 1;
}

function entriesOf(dtype, length) {
  return dtype === "float32" ? new Float32Array(length) : new Float64Array(length);
}

function sizeOf(shape) {
  return shape.reduce((product, n) => product * n, 1);
}

function empty(dtype, shape, weak = false) {
  return { dtype, shape, weak, data: entriesOf(dtype, sizeOf(shape)) };
}

function number(x, dtype = "float64") {
  const value = empty(dtype, [], true);
  value.data[0] = x;
  return value;
}

/** The same entries under another shape. */
function reshaped(x, shape) {
  return { ...x, shape, weak: false };
}

function cast(x, dtype) {
  if (x.dtype === dtype) return x;
  const data = entriesOf(dtype, x.data.length);
  const whole = !isFloating(dtype) && isFloating(x.dtype);
  for (let k = 0; k < data.length; k++)
    data[k] = dtype === "bool" ? Number(x.data[k] !== 0) : whole ? Math.trunc(x.data[k]) : x.data[k];
  return { ...x, dtype, data };
}

/** The common dtype of arrays and Python numbers, and whether they are all Python numbers: the highest of
 * truth values, integers and floats, and of that the widest; a Python number only raises the category. */
function resultType(values) {
  const strong = values.filter((x) => !x.weak);
  const top = Math.max(-1, ...strong.map((x) => category(x.dtype)));
  const weak = Math.max(-1, ...values.filter((x) => x.weak).map((x) => category(x.dtype)));
  if (strong.length === 0) return { dtype: ["bool", "int64", "float64"][weak], weak: true };
  const widest = strong.map((x) => x.dtype).filter((dtype) => category(dtype) === top);
  if (weak > top) return { dtype: weak === 1 ? "int64" : setup.defaultFloat, weak: false };
  if (top === 2) return { dtype: widest.includes("float64") ? "float64" : "float32", weak: false };
  return { dtype: INTEGERS[Math.max(...widest.map((dtype) => INTEGERS.indexOf(dtype)))], weak: false };
}

/** The dtype of a function that makes floats of whatever it gets. */
function floatType({ dtype, weak }) {
  return isFloating(dtype) ? { dtype, weak } : { dtype: weak ? "float64" : setup.defaultFloat, weak };
}

function stridesOf(shape) {
  const strides = new Array(shape.length);
  let stride = 1;
  for (let k = shape.length - 1; k >= 0; k--) {
    strides[k] = stride;
    stride *= shape[k];
  }
  return strides;
}

/** Calls `visit(place, offset)` for every entry of a shape in order; the offset moves by other strides. */
function walk(shape, strides, visit, start = 0) {
  const axes = shape.length;
  const size = sizeOf(shape);
  if (size === 0) return;
  if (axes === 0) {
    visit(0, start);
    return;
  }
  const counter = new Array(axes).fill(0);
  const inner = shape[axes - 1];
  const step = strides[axes - 1];
  let offset = start;
  for (let place = 0; place < size;) {
    for (let k = 0; k < inner; k++) visit(place++, offset + k * step);
    for (let axis = axes - 2; axis >= 0; axis--) {
      offset += strides[axis];
      if (++counter[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      counter[axis] = 0;
    }
  }
}

function broadcastShape(shapes) {
  const axes = Math.max(0, ...shapes.map((shape) => shape.length));
  const result = new Array(axes).fill(1);
  for (const shape of shapes) {
    shape.forEach((n, k) => {
      const axis = axes - shape.length + k;
      if (n !== 1 && result[axis] !== 1 && result[axis] !== n)
        throw new Error(`shapes ${shapes.map(shapeText).join(" and ")} do not fit`);
      if (n !== 1) result[axis] = n;
    });
  }
  return result;
}

/** For every entry of the wider shape, the number of the entry of the narrower one that stands there. */
function sources(shape, wide) {
  const own = stridesOf(shape);
  const strides = wide.map((_, axis) => {
    const k = axis - (wide.length - shape.length);
    return k < 0 || shape[k] === 1 ? 0 : own[k];
  });
  const found = new Int32Array(sizeOf(wide));
  walk(wide, strides, (place, offset) => {
    found[place] = offset;
  });
  return found;
}

function broadcastTo(x, shape) {
  return gathered(x, sources(x.shape, shape), shape);
}

/** The entries at these places, in that order. */
function gathered(x, places, shape) {
  const data = entriesOf(x.dtype, places.length);
  for (let k = 0; k < data.length; k++) data[k] = x.data[places[k]];
  return { dtype: x.dtype, shape, weak: false, data };
}

/** A function of entries over arrays that are broadcast against each other. */
function mapped(f, inputs, { dtype, weak }) {
  const shape = broadcastShape(inputs.map((x) => x.shape));
  const out = empty(dtype, shape, weak);
  const n = out.data.length;
  const read = inputs.map((x) => {
    if (x.data.length === n) return x.data;
    if (x.data.length === 1) return entriesOf(x.dtype, n).fill(x.data[0]);
    return broadcastTo(x, shape).data;
  });
  const [a, b, c] = read;
  if (read.length === 1) for (let k = 0; k < n; k++) out.data[k] = f(a[k]);
  else if (read.length === 2) for (let k = 0; k < n; k++) out.data[k] = f(a[k], b[k]);
  else for (let k = 0; k < n; k++) out.data[k] = f(a[k], b[k], c[k]);
  return out;
}

/** The axis counted from the front. */
function positiveAxis(axis, axes) {
  if (axis < -axes || axis >= Math.max(axes, 1))
    throw new Error(`axis ${axis} of an array with ${axes} axes`);
  return axes === 0 ? 0 : (axis + axes) % axes;
}

function positiveAxes(axis, axes) {
  if (axis === null) return Array.from({ length: axes }, (_, k) => k);
  return [axis].flat().map((a) => positiveAxis(a, axes));
}

/** The axes in another order. */
function permuted(x, axes) {
  const strides = stridesOf(x.shape);
  const order = axes.map((axis) => positiveAxis(axis, x.shape.length));
  const shape = order.map((axis) => x.shape[axis]);
  const out = empty(x.dtype, shape);
  walk(
    shape,
    order.map((axis) => strides[axis]),
    (place, offset) => {
      out.data[place] = x.data[offset];
    },
  );
  return out;
}

function transposed(x) {
  const n = x.shape.length;
  return n < 2 ? x : permuted(x, [...Array(n - 2).keys(), n - 1, n - 2]);
}
