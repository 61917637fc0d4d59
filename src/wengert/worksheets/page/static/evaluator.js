// The program behind the worksheet, computed anew from changed inputs.

const OPERATIONS = { ...elementwise, ...reductions, ...moving, ...products, ...windowed, ...losses };
const LEAVES = new Set(["input", "parameter", "constant"]);
const STORED = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u1: Uint8Array };

const readNumber = (x) => ({ nan: NaN, inf: Infinity, "-inf": -Infinity })[x] ?? Number(x);

/** A value of the page's JSON as one of the evaluator; `arrays` is the pool of entries. */
function decoded(told, arrays) {
  const [kind, ...rest] = told ?? ["text"];
  if (kind === "tuple") return rest[0].map((part) => decoded(part, arrays));
  if (kind === "array") {
    const [dtype, shape, place] = rest;
    if (place === null) throw new Unsupported("what is too large to be kept in it");
    return { dtype, shape, weak: false, data: storedEntries(arrays[place], dtype) };
  }
  if (kind === "text") throw new Unsupported("numbers of another system");
  const weak = { float: "float64", int: "int64", bool: "bool" }[kind];
  return { ...number(readNumber(rest[0]), weak ?? kind), weak: weak !== undefined };
}

function storedEntries([kind, text], dtype) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const entries = entriesOf(dtype, bytes.length / STORED[kind].BYTES_PER_ELEMENT);
  entries.set(new STORED[kind](bytes.buffer));
  return entries;
}

/** A setting of an operation with infinities as numbers. */
function readSetting(x) {
  if (x && typeof x === "object" && !Array.isArray(x)) {
    if ("float" in x) return readNumber(x.float);
    if ("unknown" in x) throw new Unsupported(`the setting ${x.unknown}`);
  }
  return Array.isArray(x) ? x.map(readSetting) : x;
}

class Evaluator {
  /** `known` holds what the engine computed, by the number of the step. */
  constructor(steps, arrays, known) {
    this.steps = steps;
    this.arrays = arrays;
    this.known = known;
    this.changes = new Map(); // leaves that were changed
    this.anew = new Map(); // what follows from the changes
    this.kept = new Map(); // decoded or computed once from the engine's values
  }

  /** The operations that the page cannot compute, by name. */
  missing() {
    return [...new Set(this.steps.map(([op]) => op).filter((op) => !LEAVES.has(op) && !(op in OPERATIONS)))];
  }

  /** The value of a step: computed anew where it follows from a change. Raises Unsupported. */
  value(step) {
    const value = this.anew.get(step) ?? this.changes.get(step) ?? this.unchanged(step);
    if (value instanceof Unsupported) throw value;
    return value;
  }

  isChanged(step) {
    return step !== null && (this.anew.has(step) || this.changes.has(step));
  }

  change(step, value) {
    if (value === null) this.changes.delete(step);
    else this.changes.set(step, value);
    this.compute();
  }

  reset() {
    this.changes.clear();
    this.anew.clear();
  }

  /** Compute all that follows from the changes; where an operation is missing, what follows from it too. */
  compute() {
    this.anew.clear();
    const moved = new Uint8Array(this.steps.length);
    for (const step of this.changes.keys()) moved[step] = 1;
    this.steps.forEach(([op, args], step) => {
      if (LEAVES.has(op) || moved[step]) return;
      if (!args.some((a) => moved[a])) return;
      moved[step] = 1;
      this.anew.set(step, this.attempt(step));
    });
  }

  attempt(step) {
    try {
      return this.applied(
        step,
        this.steps[step][1].map((a) => this.value(a)),
      );
    } catch (error) {
      if (error instanceof Unsupported) return error;
      return new Unsupported(`${this.steps[step][0]}: ${error.message}`);
    }
  }

  applied(step, args) {
    const [op, , settings] = this.steps[step];
    const operation = OPERATIONS[op];
    if (operation === undefined) throw new Unsupported(op);
    const read = Object.fromEntries(Object.entries(settings).map(([name, x]) => [name, readSetting(x)]));
    return operation(args, read);
  }

  /** The value before any change: the engine's where the page holds it, else computed from those. */
  unchanged(step) {
    if (!this.kept.has(step)) {
      const waiting = [step];
      while (waiting.length > 0) {
        const next = waiting.at(-1);
        const open = this.isHeld(next) ? [] : this.steps[next][1].filter((a) => !this.kept.has(a));
        if (open.length > 0) waiting.push(...open);
        else {
          waiting.pop();
          if (!this.kept.has(next)) this.kept.set(next, this.original(next));
        }
      }
    }
    return this.kept.get(step);
  }

  isHeld(step) {
    const told = LEAVES.has(this.steps[step][0]) ? this.steps[step][1] : this.known.get(step);
    return (
      LEAVES.has(this.steps[step][0]) ||
      (told !== undefined && told !== null && !(told[0] === "array" && told[3] === null))
    );
  }

  original(step) {
    try {
      if (this.isHeld(step)) {
        const told = LEAVES.has(this.steps[step][0]) ? this.steps[step][1] : this.known.get(step);
        return decoded(told, this.arrays);
      }
      return this.applied(
        step,
        this.steps[step][1].map((a) => {
          const value = this.kept.get(a);
          if (value instanceof Unsupported) throw value;
          return value;
        }),
      );
    } catch (error) {
      return error instanceof Unsupported
        ? error
        : new Unsupported(`${this.steps[step][0]}: ${error.message}`);
    }
  }
}
