// The worksheet: rows, values as they are now, the stops of the walk, and what the page is looking at.

const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";
const subscript = (id) => String(id).replace(/[-\d]/g, (c) => (c === "-" ? "₋" : SUBSCRIPTS[c]));

const LONGEST_READ = 2500; // characters of LaTeX

class Model {
  constructor(data) {
    this.data = data;
    this.rows = data.rows;
    this.byId = new Map(data.rows.map((row) => [row.id, row]));
    this.accent = data.mode === "reverse" ? "bar" : "dot";
    this.mark = data.mode === "reverse" ? "\u0304" : "\u0307";
    this.word = data.mode === "reverse" ? "adjoint" : "tangent";
    setup.defaultFloat = data.defaultFloat;
    this.evaluator = new Evaluator(data.steps, data.arrays, this.knownValues());
    this.readers = new Map();
    for (const row of this.rows)
      for (const arg of row.args) this.readers.set(arg, [...(this.readers.get(arg) ?? []), row.id]);
    this.between = this.termsBetween();
    this.stops = this.walk();
    this.at = this.stops.length - 1;
    this.hovered = null; // the row that the pointer or the focus is on
    this.chosen = null; // a row to look at without moving to its step
    this.matches = null;
    this.listeners = [];
  }

  knownValues() {
    const known = new Map();
    const keep = (part) => {
      if (part && part.step !== null && !known.has(part.step)) known.set(part.step, part.value);
    };
    for (const row of this.rows) {
      [row.primal, row.derivative, row.update].forEach(keep);
      for (const { term, partial } of row.terms) [term, partial].forEach(keep);
    }
    return known;
  }

  /** The terms by "argument,operation": in reverse mode the argument holds them, in forward mode the reader. */
  termsBetween() {
    const found = new Map();
    for (const row of this.rows) {
      for (const term of row.terms) {
        const [from, to] = this.accent === "bar" ? [row.id, term.row] : [term.row, row.id];
        found.set(`${from},${to}`, [...(found.get(`${from},${to}`) ?? []), term]);
      }
    }
    return found;
  }

  // -- the walk ----------------------------------------------------------------------------------------------

  /** Every stop: what is given, the operations in order, the reverse sweep, the updates, and the result. */
  walk() {
    const stops = [{ phase: "given" }];
    this.since = { primal: new Map(), derivative: new Map(), update: new Map() };
    const operations = this.rows.filter((row) => !LEAVES.has(row.op));
    for (const row of this.rows) if (LEAVES.has(row.op)) this.since.primal.set(row.id, 0);
    for (const row of operations) {
      this.since.primal.set(row.id, stops.length);
      stops.push({ phase: "forward", row: row.id });
    }
    if (this.accent === "dot") this.since.derivative = this.since.primal;
    else this.addReverse(stops);
    for (const row of this.rows.filter((r) => r.update)) {
      this.since.update.set(row.id, stops.length);
      stops.push({ phase: "update", row: row.id });
    }
    stops.push({ phase: "result" });
    return stops;
  }

  addReverse(stops) {
    for (const row of [...this.rows].reverse()) {
      if (!row.derivative) continue;
      const moves = row.terms.length > 0 || row.id === this.data.output;
      this.since.derivative.set(row.id, moves ? stops.length : stops.length - 1);
      if (moves) stops.push({ phase: "reverse", row: row.id });
    }
  }

  get stop() {
    return this.stops[this.at];
  }

  /** The row of the current step, or the one chosen instead. */
  get current() {
    return this.chosen ?? this.stop.row ?? null;
  }

  /** The part of the walk that the current row is lit for; null where it is only looked at. */
  get phase() {
    return this.chosen === null ? this.stop.phase : null;
  }

  /** What the page shows in detail: what the pointer or the focus is on, else the current row. */
  get shown() {
    return this.hovered ?? this.current;
  }

  isKnown(row, part) {
    return (this.since[part].get(row.id) ?? Infinity) <= this.at;
  }

  /** The step that computes a part of a row, or null. */
  stopOf(id, part) {
    const at = this.since[part].get(id);
    return at !== undefined && this.stops[at].row === id ? at : null;
  }

  /** Go to the step that computes a row in the sweep that the page is in. Before the first and after the last
   * step, and for what has no step, only look at the row. */
  choose(id, part = null) {
    const reverse = ["reverse", "update"].includes(this.stop.phase) && this.stopOf(id, "derivative") !== null;
    const at = this.stopOf(id, part ?? (reverse ? "derivative" : "primal"));
    if (at === null || this.stop.row === undefined) {
      this.chosen = id;
      this.hovered = null;
      this.changed("step");
    } else this.go(at);
  }

  go(at) {
    this.at = Math.min(Math.max(at, 0), this.stops.length - 1);
    this.hovered = null;
    this.chosen = null;
    this.changed("step");
  }

  hover(id) {
    if (this.hovered === id) return;
    this.hovered = id;
    this.changed("hover");
  }

  listen(listener) {
    this.listeners.push(listener);
  }

  /** Tell every view what changed: "step", "hover", "values", "matches" or "folding". */
  changed(what) {
    for (const listener of this.listeners) listener(what);
  }

  // -- values ------------------------------------------------------------------------------------------------

  /** The value of a part (a primal, a derivative, a term) as the page's text. */
  text(part) {
    if (!part) return "";
    if (!this.evaluator.isChanged(part.step)) return toldText(part.value, this.data.digits);
    try {
      return formatValue(this.evaluator.value(part.step), this.data.digits);
    } catch (error) {
      return `not computed (${error.message})`;
    }
  }

  isChanged(part) {
    return Boolean(part) && this.evaluator.isChanged(part.step);
  }

  /** The entries of a part. Raises Unsupported where the page does not have them. */
  entries(part) {
    return part.step !== null ? this.evaluator.value(part.step) : decoded(part.value, this.data.arrays);
  }

  shape(row) {
    return row.primal.value?.[0] === "array" ? row.primal.value[2] : [];
  }

  isArray(row) {
    return row.primal.value?.[0] === "array";
  }

  change(row, value) {
    this.evaluator.change(row.primal.step, value);
    this.changed("values");
  }

  reset() {
    this.evaluator.reset();
    this.changed("values");
  }

  // -- words -------------------------------------------------------------------------------------------------

  label(id) {
    return `v${subscript(id)}`;
  }

  /** The plain text of a row: `v₃ = v₁·v₂`. */
  equation(row) {
    const right = row.primal.text;
    return right && right !== this.label(row.id) ? `${this.label(row.id)} = ${right}` : this.label(row.id);
  }

  derivativeLabel(id) {
    return `v${this.mark}${subscript(id)}`;
  }

  isNamed(row) {
    return ![this.label(row.id), row.primal.text].includes(row.name) && row.name !== "";
  }

  /** The formula of a part as MathML; a leaf is its name. One that is longer than anyone reads is cut. */
  formula(row, part, label = labelNode, longest = LONGEST_READ) {
    if (LEAVES.has(row.op) && part === row.primal)
      return [row.name === this.label(row.id) ? mathml("mtext", {}, row.op) : nameNode(row.name)];
    if (part.latex.length > longest)
      return [mathml("mtext", {}, `${[...part.text].slice(0, longest / 5).join("")} …`)];
    return mathNodes(part.latex, label, row.precedence.slice(1));
  }

  /** Stands for labels in a formula: the numbers that belong there, where they are single numbers. */
  withNumbers() {
    return (id, accent, demand, first) => {
      const row = this.byId.get(id);
      const part = row && (accent ? row.derivative : row.primal);
      if (!part || this.isArray(row) || part.value?.[0] === "tuple") return labelNode(id, accent);
      const text = this.text(part);
      if (text.includes("\n") || text.length > 24) return labelNode(id, accent);
      const node = numberNode(text);
      return demand > 0 && (!first || demand >= 100) && /^-|e/.test(text) ? bracketed(node) : node;
    };
  }

  /** Whether putting numbers in says anything: some label stands for a single number. */
  hasNumbers(latex) {
    return [...latex.matchAll(/v\}?_\{(-?\d+)\}/g)].some(([, id]) => {
      const row = this.byId.get(Number(id));
      return row && !this.isArray(row);
    });
  }
}

/** A value of the page's JSON as the engine prints it. */
function toldText(told, digits) {
  if (!told) return "";
  const [kind, ...rest] = told;
  if (kind === "tuple") return `(${rest[0].map((part) => toldText(part, digits)).join(", ")})`;
  if (kind === "array") return rest[3];
  if (kind === "text") return rest[0];
  return formatEntry(readNumber(rest[0]), { float: "float64", int: "int64" }[kind] ?? kind, digits);
}
