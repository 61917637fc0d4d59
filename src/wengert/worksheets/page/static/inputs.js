// The inputs to change, and what every change does to the output and its derivatives.

const NAMED_NUMBERS = {
  pi: Math.PI,
  π: Math.PI,
  e: Math.E,
  tau: 2 * Math.PI,
  inf: Infinity,
  "∞": Infinity,
  nan: NaN,
};
const MOST_INPUTS = 200;

/** A number as a person types it: 1.5, -2e-3, 1/3, pi/2, 2*pi. Null for anything else. */
function typedNumber(text) {
  const parts = text
    .trim()
    .toLowerCase()
    .replaceAll("−", "-")
    .split(/([*/])/);
  let total = null;
  for (let k = 0; k < parts.length; k += 2) {
    const [, sign, word] = /^\s*([-+]?)\s*(\S+)\s*$/.exec(parts[k]) ?? [];
    if (word === undefined) return null;
    const size = Object.hasOwn(NAMED_NUMBERS, word)
      ? NAMED_NUMBERS[word]
      : /^(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/.test(word)
        ? Number(word)
        : null;
    if (size === null) return null;
    const x = sign === "-" ? -size : size;
    total = k === 0 ? x : parts[k - 1] === "*" ? total * x : total / x;
  }
  return total;
}

/** Class indices and the like, which have no derivative. */
const isArrayOfIntegers = (row) => row.primal.value?.[0] === "array" && !isFloating(row.primal.value[1]);

class InputsView {
  constructor(model) {
    this.model = model;
    this.node = find("inputs-body");
    this.note = find("inputs-note");
    find("inputs-reset").addEventListener("click", () => {
      model.reset();
      this.say("All values are the engine's again.");
    });
    this.lines = [];
    this.build();
    model.listen((what) => {
      if (what === "values") this.fill();
    });
    this.fill();
    const missing = model.data.readOnly ? [] : model.evaluator.missing();
    if (model.data.readOnly) this.say(model.data.readOnly);
    else if (missing.length)
      this.say(
        `This page cannot compute ${missing.join(", ")}: after a change, what depends on it is not computed anew.`,
      );
  }

  say(text) {
    this.note.textContent = text;
  }

  build() {
    const { model } = this;
    const leaves = model.rows.filter((row) => ["input", "parameter"].includes(row.op));
    const symbol =
      model.accent === "bar" ? (row) => `∂f/∂${row.name}` : (row) => model.derivativeLabel(row.id);
    const lines = leaves.slice(0, MOST_INPUTS).map((row) => {
      const field = this.field(row);
      const derivative = html("output", { "aria-label": symbol(row) });
      this.lines.push({ row, field, derivative });
      const choose = html(
        "button",
        {
          type: "button",
          class: "row-label",
          onclick: () => model.choose(row.id),
          "aria-label": `look at ${row.name}`,
        },
        math([nameNode(row.name)]),
      );
      return html(
        "tr",
        {},
        html("th", { scope: "row" }, choose),
        html("td", {}, field),
        html("td", { class: "value" }, derivative),
      );
    });
    if (leaves.length > MOST_INPUTS)
      lines.push(
        html("tr", {}, html("td", { colspan: 3 }, `and ${leaves.length - MOST_INPUTS} more, in the table`)),
      );
    const head = model.accent === "bar" ? "∂f/∂ input" : "tangent";
    this.node.replaceChildren(
      html(
        "thead",
        {},
        html(
          "tr",
          {},
          ["input", "value", head].map((word) => html("th", { scope: "col" }, word)),
        ),
      ),
      html("tbody", {}, lines),
    );
    find("inputs-reset").hidden = Boolean(model.data.readOnly);
  }

  /** A field for a number; an array is changed entry by entry, beside its heat map. */
  field(row) {
    const { model } = this;
    if (model.isArray(row)) return html("span", { class: "shape" }, shapeText(model.shape(row)));
    if (model.data.readOnly || row.primal.step === null) return html("span", {}, model.text(row.primal));
    const field = html("input", {
      type: "text",
      inputmode: "decimal",
      class: "number",
      "aria-label": `Value of ${row.name}`,
      spellcheck: "false",
      autocomplete: "off",
    });
    field.addEventListener("change", () => this.changeNumber(row, field));
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.changeNumber(row, field);
    });
    return field;
  }

  fill() {
    const { model } = this;
    for (const { row, field, derivative } of this.lines) {
      if (field.tagName === "INPUT") {
        const [x] = model.evaluator.value(row.primal.step).data;
        field.value = String(x);
        field.removeAttribute("aria-invalid");
        field.classList.toggle("changed", model.isChanged(row.primal));
      } else if (model.isArray(row)) field.classList.toggle("changed", model.isChanged(row.primal));
      const text =
        row.derivative && (row.terms.length || !isArrayOfIntegers(row)) ? model.text(row.derivative) : "";
      derivative.textContent = text.includes("\n") ? text.split("\n")[0] : text;
    }
    find("inputs-result").replaceChildren(math(equated([mathml("mi", {}, "f")], this.resultNodes())));
  }

  resultNodes() {
    const text = this.model.text(this.model.byId.get(this.model.data.output).primal);
    return /^[-\d.e]+$/.test(text) ? [numberNode(text)] : [mathml("mtext", {}, text.replaceAll("\n", " "))];
  }

  /** The number typed in, or null with the reason said. Whole numbers stay whole. */
  read(text, dtype, field) {
    const x = typedNumber(text);
    const wrong =
      x === null
        ? "Expected a number such as 1.5, -2e-3, 1/3 or pi/2."
        : !isFloating(dtype) && !Number.isInteger(x)
          ? "Expected a whole number."
          : null;
    field?.setAttribute("aria-invalid", String(wrong !== null));
    if (wrong) this.say(`${wrong} Got ${text.trim() || "nothing"}.`);
    return wrong ? null : x;
  }

  changeNumber(row, field) {
    const { model } = this;
    const before = model.evaluator.value(row.primal.step);
    const x = this.read(field.value, before.dtype, field);
    if (x === null || Object.is(x, before.data[0])) return;
    const value = { ...before, data: before.data.slice() };
    value.data[0] = x;
    this.apply(row, value);
  }

  changeEntry(row, place, text) {
    const before = this.model.evaluator.value(row.primal.step);
    const x = this.read(text, before.dtype, null);
    if (x === null) return;
    const value = { ...before, data: before.data.slice() };
    value.data[place] = x;
    this.apply(row, value);
  }

  apply(row, value) {
    this.model.change(row, value);
    const failed = this.failures();
    const output = this.model.text(this.model.byId.get(this.model.data.output).primal);
    this.say(
      failed.length
        ? `This page could not compute ${failed.join(", ")}; what depends on it is not computed anew.`
        : `Computed anew: f = ${output}.`,
    );
  }

  failures() {
    const found = [...this.model.evaluator.anew.values()].filter((value) => value instanceof Unsupported);
    return [...new Set(found.map((error) => error.message))].slice(0, 3);
  }
}
