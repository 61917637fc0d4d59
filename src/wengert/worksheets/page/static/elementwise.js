// The operations that work entry by entry. "same" keeps the arguments' common type, "float" makes floats of
// integers, "truth" answers yes or no.

const horner = (coefficients, x) => coefficients.reduce((total, c) => total * x + c, 0);

const CODY = {
  p: [
    1.85777706184603153e-1, 3.1611237438705656, 1.13864154151050156e2, 3.77485237685302021e2,
    3.20937758913846947e3,
  ],
  q: [1, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3],
  cp: [
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1,
    2.98635138197400131e2, 8.8195222124176909e2, 1.71204761263407058e3, 2.05107837782607147e3,
    1.23033935479799725e3,
  ],
  cq: [
    1, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
  ],
  r: [
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
    1.60837851487422766e-2, 6.58749161529837803e-4,
  ],
  s: [
    1, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2,
    2.33520497626869185e-3,
  ],
};

/** W. J. Cody, "Rational Chebyshev approximations for the error function" (1969). */
function erf(x) {
  const a = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (a <= 0.46875) return (x * horner(CODY.p, x * x)) / horner(CODY.q, x * x);
  if (a >= 6) return Math.sign(x);
  if (a <= 4) return Math.sign(x) * (1 - (Math.exp(-a * a) * horner(CODY.cp, a)) / horner(CODY.cq, a));
  const r = 1 / (a * a);
  const tail =
    (Math.exp(-a * a) / a) * (0.56418958354775628695 - (r * horner(CODY.r, r)) / horner(CODY.s, r));
  return Math.sign(x) * (1 - tail);
}

/** To the nearest whole number; halves go to the even one. */
function roundHalfEven(x) {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const normalShare = (x) => (1 + erf(x / Math.SQRT2)) / 2;
const larger = (a, b) => (a > b || a !== a ? a : b);
const smaller = (a, b) => (a < b || a !== a ? a : b);
const SELU = { scale: 1.0507009873554804934, alpha: 1.6732632423543772848 };

const ENTRYWISE = {
  add: ["same", (a, b) => a + b],
  subtract: ["same", (a, b) => a - b],
  multiply: ["same", (a, b) => a * b],
  divide: ["float", (a, b) => a / b],
  ratio: ["float", (a, b) => (b === 0 ? 0 : a / b)],
  negative: ["same", (x) => -x],
  power: ["power", (a, b) => a ** b],
  reciprocal: ["float", (x) => 1 / x],
  square: ["same", (x) => x * x],
  sqrt: ["float", Math.sqrt],
  rsqrt: ["float", (x) => 1 / Math.sqrt(x)],
  abs: ["same", Math.abs],
  sign: ["same", Math.sign],
  floor: ["whole", Math.floor],
  ceil: ["whole", Math.ceil],
  round: ["whole", roundHalfEven],
  maximum: ["same", larger],
  minimum: ["same", smaller],
  clip: ["same", (x, low, high) => smaller(larger(x, low), high)],
  equal: ["truth", (a, b) => Number(a === b)],
  not_equal: ["truth", (a, b) => Number(a !== b)],
  less: ["truth", (a, b) => Number(a < b)],
  less_equal: ["truth", (a, b) => Number(a <= b)],
  greater: ["truth", (a, b) => Number(a > b)],
  greater_equal: ["truth", (a, b) => Number(a >= b)],
  isnan: ["truth", (x) => Number(Number.isNaN(x))],
  isfinite: ["truth", (x) => Number(Number.isFinite(x))],
  logical_and: ["truth", (a, b) => Number(a !== 0 && b !== 0)],
  logical_or: ["truth", (a, b) => Number(a !== 0 || b !== 0)],
  logical_not: ["truth", (x) => Number(x === 0)],
  zeros_like: ["same", () => 0],
  ones_like: ["same", () => 1],
  stop_gradient: ["same", (x) => x],
  exp: ["float", Math.exp],
  expm1: ["float", Math.expm1],
  log: ["float", Math.log],
  log1p: ["float", Math.log1p],
  log2: ["float", Math.log2],
  erf: ["float", erf],
  xlogy: ["float", (x, y) => (x === 0 ? 0 : x * Math.log(y))],
  sin: ["float", Math.sin],
  cos: ["float", Math.cos],
  tan: ["float", Math.tan],
  asin: ["float", Math.asin],
  acos: ["float", Math.acos],
  atan: ["float", Math.atan],
  atan2: ["float", Math.atan2],
  sinh: ["float", Math.sinh],
  cosh: ["float", Math.cosh],
  tanh: ["float", Math.tanh],
  relu: ["same", (x) => (x < 0 ? 0 : x)],
  leaky_relu: ["float", (x, { negative_slope }) => (x > 0 ? x : x * negative_slope)],
  hardtanh: ["float", (x, { min_val, max_val }) => smaller(larger(x, min_val), max_val)],
  sigmoid: ["float", sigmoid],
  softplus: ["float", softplus],
  log_sigmoid: ["float", (x) => -softplus(-x)],
  elu: ["float", (x, { alpha }) => (x > 0 ? x : Math.expm1(x) * alpha)],
  selu: ["float", (x) => SELU.scale * (x > 0 ? x : Math.expm1(x) * SELU.alpha)],
  silu: ["float", (x) => x * sigmoid(x)],
  mish: ["float", (x) => x * Math.tanh(softplus(x))],
  gelu: [
    "float",
    (x, { approximate }) =>
      approximate === "none"
        ? x * normalShare(x)
        : (x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + x * x * x * 0.044715)))) / 2,
  ],
};

/** Values that a setting or an operation in another file asks for: `entrywise.add(x, y)`. */
const entrywise = {};
const elementwise = {};
for (const [name, [kind, f]] of Object.entries(ENTRYWISE)) {
  entrywise[name] = (...inputs) => computedEntrywise(kind, f, inputs);
  elementwise[name] = (inputs, settings) => {
    const applied = Object.keys(settings).length > 0 ? (x) => f(x, settings) : f;
    return computedEntrywise(kind, applied, inputs);
  };
}
entrywise.where = (condition, a, b) =>
  mapped((c, x, y) => (c ? x : y), [condition, a, b], selectedType(condition, a, b));
elementwise.where = ([condition, a, b]) => entrywise.where(condition, a, b);
elementwise.sum_of_products = (terms) => {
  const n = (terms.length - 1) / 2;
  let total = terms[2 * n];
  for (let k = 0; k < n; k++) total = entrywise.add(total, entrywise.multiply(terms[k], terms[n + k]));
  return total;
};

function computedEntrywise(kind, f, inputs) {
  const common = resultType(inputs);
  let type = common;
  if (kind === "float") type = floatType(type);
  else if (kind === "truth") type = { dtype: "bool", weak: type.weak };
  else if (kind === "whole" && type.weak) type = floatType(type);
  else if (kind === "power" && type.weak && inputs[1].data[0] < 0) type = floatType(type);
  return mapped(f, common.dtype === "float32" ? inputs.map((x) => cast(x, "float32")) : inputs, type);
}

/** A choice has the type of what is chosen from; it is a Python number only where all three are. */
function selectedType(condition, a, b) {
  const { dtype, weak } = resultType([a, b]);
  return weak && !condition.weak
    ? { dtype: isFloating(dtype) ? setup.defaultFloat : dtype, weak: false }
    : { dtype, weak };
}
