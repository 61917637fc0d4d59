// Formulas set one below the other: with symbols, with numbers put in, and what they come to.

class Equations {
  constructor(model) {
    this.model = model;
  }

  /** Equations one below the other, aligned at their equals signs: [left, right] each. */
  equations(sides, kind) {
    const lines = sides.flatMap(([left, right]) => [
      html("span", { class: "left" }, left.length ? math(left, true) : null),
      html("span", {}, math([mathml("mo", { form: "infix" }, "="), ...right], true)),
    ]);
    return html("div", { class: `equations ${kind}` }, lines);
  }

  /** What a formula comes to: with symbols, with numbers put in, and its value. */
  steps(left, row, part) {
    const { model } = this;
    const value = this.valueNodes(part);
    const lines = [];
    const isLeaf = LEAVES.has(row.op) && part === row.primal;
    if (part.latex && !isLeaf) {
      lines.push([left, model.formula(row, part)]);
      if (model.hasNumbers(part.latex)) lines.push([[], model.formula(row, part, model.withNumbers())]);
    }
    const last = lines.at(-1);
    const told =
      lines.length > 0 &&
      last[1].map((node) => node.textContent).join("") === value.map((node) => node.textContent).join("");
    if (!told) lines.push([lines.length ? [] : left, value]);
    return lines;
  }

  valueNodes(part) {
    const text = this.model.text(part);
    const [first, ...rest] = text.split("\n");
    if (part.value?.[0] === "array") return [mathml("mtext", { class: "shape" }, `array of shape ${first}`)];
    if (rest.length || !/^[-\d.e∞]+$/.test(first)) return [mathml("mtext", {}, text.replaceAll("\n", "; "))];
    return [numberNode(first)];
  }

  /** A formula, then its value where that says more. */
  through(row, part) {
    const value = this.valueNodes(part);
    const formula = mathNodes(part.latex);
    const alike =
      formula.map((node) => node.textContent).join("") === value.map((node) => node.textContent).join("");
    return alike || part.value?.[0] === "array" ? formula : [...formula, mathml("mo", {}, "="), ...value];
  }

  fraction(upper, lower, place) {
    const below = [mathml("mo", { form: "prefix" }, "∂"), labelNode(lower)];
    if (place) below.push(mathml("mtext", { class: "which" }, ` (argument ${place})`));
    return [
      mathml(
        "mfrac",
        {},
        mathml("mrow", {}, mathml("mo", { form: "prefix" }, "∂"), labelNode(upper)),
        mathml("mrow", {}, below),
      ),
    ];
  }
}
