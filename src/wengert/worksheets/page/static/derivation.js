// The symbolic derivation, beside the table: every line with the names of the rules that it follows.

class DerivationView {
  constructor(model) {
    const steps = model.data.derivation;
    find("table-views").hidden = !steps;
    if (!steps) return;
    find("derivation-frame").replaceChildren(...this.parts(steps));
    this.views = { table: find("view-table"), derivation: find("view-derivation") };
    for (const [name, button] of Object.entries(this.views))
      button.addEventListener("click", () => this.show(name));
  }

  show(name) {
    for (const [other, button] of Object.entries(this.views)) {
      button.setAttribute("aria-pressed", String(other === name));
      find(`${other}-frame`).hidden = other !== name;
    }
  }

  /** A heading for each part, and its lines below. */
  parts(steps) {
    const nodes = [];
    let part = null;
    let before = null;
    for (const step of steps) {
      if (step.part !== part) {
        nodes.push(html("h3", {}, step.part), html("dl", { class: "derivation" }));
        [part, before] = [step.part, null];
      }
      nodes.at(-1).append(...this.line(step, step.left === before));
      before = step.left;
    }
    return nodes;
  }

  /** One line; one that goes on with the line before begins with its equals sign. */
  line(step, goesOn) {
    const left = goesOn ? [] : mathNodes(step.left);
    const sides = [...left, mathml("mo", { form: "infix" }, "="), ...mathNodes(step.right)];
    const reasons = step.reasons.map(([rule, law]) =>
      html("span", { class: "reason" }, law ? [`${rule}: `, math(mathNodes(law))] : rule),
    );
    return [html("dt", goesOn ? { class: "goes-on" } : {}, math(sides, true)), html("dd", {}, reasons)];
  }
}
