// Numbers as the engine prints them: a double is rounded exactly, halves to the even digit.

const LARGEST_FIXED = 1_000_000;
const SHOWN_ENTRIES = 24;

/** The double as a quotient of two whole numbers, the second a power of two. */
function quotientOf(x) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(x));
  const bits = view.getBigUint64(0);
  const field = Number(bits >> 52n);
  const fraction = bits & ((1n << 52n) - 1n);
  const mantissa = field === 0 ? fraction : fraction | (1n << 52n);
  const exponent = Math.max(field, 1) - 1075;
  return exponent >= 0 ? [mantissa << BigInt(exponent), 1n] : [mantissa, 1n << BigInt(-exponent)];
}

function dividedHalfEven(numerator, denominator) {
  const quotient = numerator / denominator;
  const twice = 2n * (numerator % denominator);
  return twice > denominator || (twice === denominator && quotient % 2n === 1n) ? quotient + 1n : quotient;
}

function withPoint(whole, digits) {
  const text = whole.toString().padStart(digits + 1, "0");
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

function scientific(numerator, denominator, x, digits) {
  const atPower = (k) => {
    const shift = digits - k;
    return shift >= 0
      ? [numerator * 10n ** BigInt(shift), denominator]
      : [numerator, denominator * 10n ** BigInt(-shift)];
  };
  const least = 10n ** BigInt(digits);
  let power = Math.floor(Math.log10(Math.abs(x)));
  for (;;) {
    const [n, d] = atPower(power);
    if (n < least * d) power -= 1;
    else if (n >= 10n * least * d) power += 1;
    else break;
  }
  let whole = dividedHalfEven(...atPower(power));
  if (whole === 10n * least) {
    whole = least;
    power += 1;
  }
  return `${withPoint(whole, digits)}e${power}`;
}

/** A float with so many decimals; in scientific notation where it would be unreadable or zero without. */
function formatFloat(x, digits) {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "-∞";
  const [numerator, denominator] = quotientOf(x);
  const power = 10n ** BigInt(digits);
  const fixed = x === 0 || (numerator * power >= denominator && Math.abs(x) < LARGEST_FIXED);
  const text = fixed
    ? withPoint(dividedHalfEven(numerator * power, denominator), digits)
    : scientific(numerator, denominator, x, digits);
  return x < 0 && x !== 0 ? `-${text}` : text;
}

function formatEntry(x, dtype, digits) {
  if (dtype === "bool") return x ? "True" : "False";
  return isFloating(dtype) ? formatFloat(x, digits) : String(x);
}

/** The sum of many floats without rounding on the way (Shewchuk 1997), as Python's math.fsum. */
function exactSum(entries) {
  let parts = [];
  for (let x of entries) {
    let kept = 0;
    for (let y of parts) {
      if (Math.abs(x) < Math.abs(y)) [x, y] = [y, x];
      const high = x + y;
      const low = y - (high - x);
      if (low !== 0) parts[kept++] = low;
      x = high;
    }
    parts.length = kept;
    parts.push(x);
  }
  return parts.reduceRight((total, part) => total + part, 0);
}

/** Least, mean and greatest of the finite entries, and how many are not finite, as [name, text] pairs. */
function summaryOf(value, digits) {
  const { data, dtype } = value;
  if (dtype === "bool") return [["true", `${data.reduce((n, x) => n + x, 0)} of ${data.length}`]];
  const finite = data.filter(Number.isFinite);
  const found = [];
  if (finite.length > 0) {
    const extremes = finite.reduce(
      ([low, high], x) => [Math.min(low, x), Math.max(high, x)],
      [Infinity, -Infinity],
    );
    const mean = exactSum(finite) / finite.length;
    found.push(["min", extremes[0]], ["mean", mean], ["max", extremes[1]]);
  }
  const shown = found.map(([name, x]) => [name, formatFloat(x, digits)]);
  const notNumbers = data.reduce((n, x) => n + Number.isNaN(x), 0);
  const infinite = data.length - finite.length - notNumbers;
  if (notNumbers) shown.push(["NaN", `${notNumbers} of ${data.length}`]);
  if (infinite) shown.push(["infinite", `${infinite} of ${data.length}`]);
  return shown;
}

function shapeText(shape) {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}

function arrayText(value, digits) {
  const { data, shape, dtype } = value;
  if (data.length === 0) return `${shapeText(shape)} empty`;
  if (data.length > SHOWN_ENTRIES) {
    const facts = summaryOf(value, digits).map(([name, text]) => `${name}=${text}`);
    return `${shapeText(shape)}\n${facts.join("  ")}`;
  }
  const texts = Array.from(data, (x) => formatEntry(x, dtype, digits));
  const width = Math.max(...texts.map((text) => text.length));
  const columns = shape.at(-1);
  const rows = shape.length > 1 ? shape.at(-2) : 1;
  const lines = [shapeText(shape)];
  for (let k = 0; k < texts.length / columns; k++) {
    if (shape.length > 2 && k % rows === 0)
      lines.push(`at ${placeOf(k / rows, shape.slice(0, -2)).join(", ")}`);
    const entries = texts.slice(k * columns, (k + 1) * columns).map((text) => text.padStart(width));
    lines.push(`[${entries.join("  ")}]`);
  }
  return lines.join("\n");
}

/** The index of an entry from its number in order. */
function placeOf(number, shape) {
  const place = new Array(shape.length);
  for (let k = shape.length - 1; k >= 0; k--) {
    place[k] = number % shape[k];
    number = Math.floor(number / shape[k]);
  }
  return place;
}

/** A value of the evaluator as a person reads it. */
function formatValue(value, digits) {
  if (Array.isArray(value)) return `(${value.map((part) => formatValue(part, digits)).join(", ")})`;
  if (value.shape.length > 0) return arrayText(value, digits);
  return formatEntry(value.data[0], value.dtype, digits);
}
