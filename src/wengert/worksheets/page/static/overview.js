// What the page says before the first and after the last step.

class Overview extends Equations {
  given() {
    const { model } = this;
    const leaves = model.rows.filter((row) => LEAVES.has(row.op));
    const count = (kind, word) => {
      const n = leaves.filter((row) => row.op === kind).length;
      return n ? `${n} ${word}${n === 1 ? "" : "s"}` : null;
    };
    const words = [count("input", "input"), count("parameter", "parameter"), count("constant", "constant")]
      .filter(Boolean)
      .join(", ");
    return [
      html("p", {}, `Given: ${words}. The next steps compute one value after the other.`),
      this.legend(),
    ];
  }

  result() {
    const { model } = this;
    const output = model.byId.get(model.data.output);
    const lines = [[[mathml("mi", {}, "f")], this.valueNodes(output.primal)]];
    const inputs = model.rows.filter((row) => model.data.wrt.includes(row.name) && LEAVES.has(row.op));
    for (const row of inputs.slice(0, 30)) {
      const part = model.accent === "bar" ? row.derivative : output.derivative;
      if (part)
        lines.push([
          [
            mathml(
              "mfrac",
              {},
              mathml("mrow", {}, mathml("mo", { form: "prefix" }, "∂"), mathml("mi", {}, "f")),
              mathml("mrow", {}, mathml("mo", { form: "prefix" }, "∂"), nameNode(row.name)),
            ),
          ],
          this.valueNodes(part),
        ]);
    }
    const more =
      inputs.length > 30
        ? [html("p", { class: "note" }, `and ${inputs.length - 30} more, in the table`)]
        : [];
    return [this.equations(lines, "result"), ...more, this.legend()];
  }

  legend() {
    const adjoint =
      this.model.accent === "bar"
        ? "A bar marks an adjoint: the derivative of the output with respect to the value."
        : `A dot marks a tangent: the derivative of the value with respect to ${this.model.data.wrt[0]}.`;
    return html(
      "p",
      { class: "note" },
      `${adjoint} Numbers beside the arrows are local partials. Press → for the next step, ← for the one before.`,
    );
  }
}
