// What the page says of one row: its formula with numbers put in, the local partials, how the chain rule
// combines them, and its arrays.

const MOST_TERMS = 40;

class DetailsView extends Overview {
  constructor(model, inputs) {
    super(model);
    this.inputs = inputs;
    this.node = find("details-body");
    this.title = find("details-title");
    this.place = find("details-place");
    model.listen((what) => {
      if (what !== "matches" && what !== "folding") this.later();
    });
    this.later = onceAFrame(() => this.draw());
    this.draw();
  }

  draw() {
    const { model } = this;
    const row = model.shown === null ? null : model.byId.get(model.shown);
    this.place.textContent =
      model.hovered !== null && model.hovered !== model.current ? "under the pointer" : this.stopWords();
    this.title.setAttribute("aria-label", row ? `${model.label(row.id)} ${row.name}` : "Overview");
    if (!row) {
      this.title.replaceChildren(model.stop.phase === "given" ? "What is given" : "The result");
      this.node.replaceChildren(...(model.stop.phase === "given" ? this.given() : this.result()));
      return;
    }
    const phase = model.hovered === null ? model.phase : null;
    this.title.replaceChildren(
      math([labelNode(row.id)]),
      ...(model.isNamed(row) || LEAVES.has(row.op)
        ? [" ", html("span", { class: "row-name" }, row.name)]
        : []),
    );
    const facts = [
      html(
        "span",
        {
          class: `kind ${row.id === model.data.output ? "output" : LEAVES.has(row.op) ? row.op : "operation"}`,
        },
        row.op,
      ),
    ];
    if (row.module.length) facts.push(html("span", {}, `in ${row.module.join(".")}`));
    if (row.line) facts.push(html("code", {}, row.line));
    const sections = [
      this.primal(row, phase),
      this.localPartials(row),
      this.chainRule(row, phase),
      this.update(row, phase),
    ].filter(Boolean);
    const isLit = (section) => section.classList.contains("lit");
    this.node.replaceChildren(
      html("p", { class: "facts" }, facts, this.ways(row)),
      ...sections.filter(isLit),
      ...sections.filter((section) => !isLit(section)),
      ...row.notes.map((n) => html("p", { class: "note" }, `[${n + 1}] ${model.data.footnotes[n]}`)),
    );
    this.node.scrollTop = 0;
  }

  /** Buttons to the steps that compute the row. */
  ways(row) {
    const { model } = this;
    const words = { primal: "forward step", derivative: "reverse step", update: "update step" };
    return Object.keys(words)
      .filter((part) => part === "primal" || model.accent === "bar")
      .flatMap((part) => {
        const at = model.stopOf(row.id, part);
        return at === null
          ? []
          : [
              html(
                "button",
                {
                  type: "button",
                  class: "way",
                  "aria-label": `Go to the ${words[part]}, number ${at}`,
                  onclick: () => model.go(at),
                },
                `${words[part]} ${at}`,
              ),
            ];
      });
  }

  stopWords() {
    if (this.model.chosen !== null) return "looked at";
    const { phase } = this.model.stop;
    return {
      given: "before the first step",
      result: "after the last step",
      forward: "forward sweep",
      reverse: "reverse sweep",
      update: "update",
    }[phase];
  }

  primal(row, phase) {
    return html(
      "section",
      { class: phase === "forward" ? "part lit forward" : "part" },
      html("h3", {}, LEAVES.has(row.op) ? "Value" : "Primal"),
      this.equations(this.steps([labelNode(row.id)], row, row.primal), "primal"),
      this.arrayFacts(row, row.primal, "value"),
    );
  }

  /** The entries or statistics of an array, and its picture. */
  arrayFacts(row, part, name) {
    if (part.value?.[0] !== "array") return [];
    const lines = this.model.text(part).split("\n").slice(1);
    return [html("pre", { class: "array-text" }, lines.join("\n")), this.picture(row, part, name)];
  }

  picture(row, part, name) {
    if (sizeOf(part.value[2]) < 2) return null;
    let entries;
    try {
      entries = this.model.entries(part);
    } catch (error) {
      return html(
        "p",
        { class: "note" },
        `The entries are not in this page: it cannot compute ${error.message}.`,
      );
    }
    const isOpen =
      part === row.primal &&
      ["input", "parameter"].includes(row.op) &&
      !this.model.data.readOnly &&
      part.step !== null;
    const edit = isOpen ? (place, text) => this.inputs.changeEntry(row, place, text) : null;
    return new HeatMap(entries, `the ${name} of ${row.name}`, this.model.data.digits, edit).node;
  }

  /** ∂v₃/∂v₁ = v₂ = 0.9093 for each argument. */
  localPartials(row) {
    const { model } = this;
    const found = [];
    const several = row.args.map((arg) => row.args.filter((other) => other === arg).length > 1);
    row.args.forEach((arg, place) => {
      const terms = (model.between.get(`${arg},${row.id}`) ?? []).filter((term) => term.partial);
      const first = row.args.indexOf(arg);
      const term = terms[row.args.slice(first, place).filter((other) => other === arg).length];
      if (term)
        found.push([
          this.fraction(row.id, arg, several[place] ? place + 1 : null),
          this.through(row, term.partial),
        ]);
    });
    if (found.length === 0) return null;
    return html(
      "section",
      { class: "part" },
      html("h3", {}, "Local partials"),
      this.equations(found, "partials"),
    );
  }

  chainRule(row, phase) {
    const { model } = this;
    const { derivative } = row;
    if (!derivative) return null;
    const left = [labelNode(row.id, model.accent)];
    const lit = phase === "reverse" || (phase === "forward" && model.accent === "dot");
    const parts = [html("h3", {}, `Chain rule: the ${model.word}`)];
    if (row.terms.length > 0) parts.push(this.termTable(row));
    else if (row.id === model.data.output)
      parts.push(html("p", {}, "The sweep starts here: the derivative of the output by itself."));
    const lines = this.steps(left, row, derivative);
    if (row.terms.length > 1 && row.terms.length <= MOST_TERMS && !model.isArray(row))
      lines.splice(-1, 0, [[], this.sumOfTerms(row)]);
    parts.push(this.equations(lines, "chain"), this.arrayFacts(row, derivative, model.word));
    return html("section", { class: lit ? "part lit reverse" : "part" }, parts.flat());
  }

  /** The terms in the order in which the formula has them. */
  termsInOrder(row) {
    const place = ({ term }) => row.derivative.latex.indexOf(term.latex.replace(/^-/, ""));
    if (row.terms.length > MOST_TERMS) return row.terms.slice(0, MOST_TERMS);
    return [...row.terms].sort((a, b) => place(a) - place(b));
  }

  sumOfTerms(row) {
    return this.termsInOrder(row).flatMap(({ term }, k) => {
      const text = this.model.text(term);
      const node = k > 0 && text.startsWith("-") ? bracketed(numberNode(text)) : numberNode(text);
      return k === 0 ? [node] : [mathml("mo", {}, "+"), node];
    });
  }

  /** One line for each way in which the value moves the output (or is moved). */
  termTable(row) {
    const { model } = this;
    const hasPartials = row.terms.some(({ partial }) => partial);
    const heads = [
      model.accent === "bar" ? "through" : "from",
      ...(hasPartials ? ["local partial"] : []),
      "term",
      "value",
    ];
    const lines = this.termsInOrder(row).map(({ row: other, term, partial }) => {
      const text = model.text(term);
      return html(
        "tr",
        {},
        html(
          "th",
          { scope: "row" },
          html(
            "button",
            {
              type: "button",
              class: "row-label",
              onclick: () => model.choose(other),
              "aria-label": `look at ${model.label(other)}`,
            },
            math([labelNode(other)]),
          ),
        ),
        hasPartials ? html("td", {}, partial ? math(this.through(row, partial)) : "") : null,
        html("td", {}, math(mathNodes(term.latex))),
        html("td", { class: "value" }, text.split("\n")[0]),
      );
    });
    const more = row.terms.length - lines.length;
    if (more > 0) lines.push(html("tr", {}, html("td", { colspan: heads.length }, `and ${more} more terms`)));
    return html(
      "table",
      { class: "terms" },
      html(
        "thead",
        {},
        html(
          "tr",
          {},
          heads.map((head) => html("th", { scope: "col" }, head)),
        ),
      ),
      html("tbody", {}, lines),
    );
  }

  update(row, phase) {
    if (!row.update) return null;
    return html(
      "section",
      { class: phase === "update" ? "part lit update" : "part" },
      html("h3", {}, "Update"),
      this.equations(this.steps([mathml("mtext", {}, "new "), labelNode(row.id)], row, row.update), "update"),
      this.arrayFacts(row, row.update, "updated value"),
    );
  }
}
