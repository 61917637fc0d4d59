// Where the values come from: the lines of the function, or the whole formula, with the current step lit.

const LONGEST_FORMULA = 40; // operations
const LONGEST_HEADLINE = 90; // characters

class SourceView {
  constructor(model) {
    this.model = model;
    this.lines = new Map();
    this.parts = new Map();
    this.headline();
    this.listing();
    model.listen((what) => {
      if (what === "step" || what === "hover") this.mark();
    });
    this.mark();
  }

  /** The output written out in the names of the inputs, where that is short: every part can be lit. */
  headline() {
    const { model } = this;
    const node = find("headline");
    const written =
      this.length(model.data.output) <= LONGEST_FORMULA
        ? math(equated([mathml("mi", {}, "f")], [this.written(model.data.output)]))
        : null;
    if (written && written.textContent.length > LONGEST_HEADLINE) this.parts.clear();
    node.setAttribute("aria-label", `f = ${model.data.expression}`);
    node.replaceChildren(
      this.parts.size > 0 ? written : html("span", {}, model.data.source?.name ?? model.data.expression),
    );
  }

  /** How many operations the written-out formula has; beyond the longest it is not counted further. */
  length(id) {
    let count = 0;
    const waiting = [id];
    while (waiting.length > 0 && count <= LONGEST_FORMULA) {
      const row = this.model.byId.get(waiting.pop());
      count += 1;
      if (!LEAVES.has(row.op)) waiting.push(...row.args);
    }
    return count;
  }

  written(id) {
    const { model } = this;
    const row = model.byId.get(id);
    const label = (other, accent, demand) => {
      const node = this.written(other);
      return model.byId.get(other).precedence[0] < demand ? bracketed(node) : node;
    };
    const nodes = LEAVES.has(row.op)
      ? [this.leaf(row)]
      : mathNodes(row.primal.latex, label, row.precedence.slice(1));
    const part = mathml("mrow", { class: "written", "data-row": id }, nodes);
    part.addEventListener("click", (event) => {
      event.stopPropagation();
      model.choose(id);
    });
    part.addEventListener("pointerover", (event) => {
      event.stopPropagation();
      model.hover(id);
    });
    part.addEventListener("pointerout", () => model.hover(null));
    this.parts.set(id, [...(this.parts.get(id) ?? []), part]);
    return part;
  }

  leaf(row) {
    return row.op === "constant" && row.name.startsWith("v") ? labelNode(row.id) : nameNode(row.name);
  }

  listing() {
    const { source } = this.model.data;
    const rowsAt = new Map();
    for (const row of this.model.rows)
      if (row.lineNumber !== null) rowsAt.set(row.lineNumber, [...(rowsAt.get(row.lineNumber) ?? []), row]);
    if (!source || rowsAt.size === 0) {
      find("source").hidden = true;
      return;
    }
    find("source-place").textContent = `${source.file}, from line ${source.first}`;
    find("source-body").replaceChildren(
      ...source.lines.map((text, k) => {
        const number = source.first + k;
        const rows = rowsAt.get(number) ?? [];
        const code = html("code", {}, text || " ");
        const line = html(
          "li",
          { "data-line": number },
          html("span", { class: "line-number", "aria-hidden": "true" }, String(number)),
          rows.length
            ? html(
                "button",
                {
                  type: "button",
                  onclick: () => this.model.choose(rows[0].id),
                  "aria-label": `line ${number}: ${text.trim()}; ${rows.length} rows`,
                },
                code,
              )
            : code,
        );
        this.lines.set(number, line);
        return line;
      }),
    );
  }

  mark() {
    const { model } = this;
    const current = model.current === null ? null : model.byId.get(model.current);
    const hovered = model.hovered === null ? null : model.byId.get(model.hovered);
    for (const [number, line] of this.lines) {
      line.classList.toggle("current", current?.lineNumber === number);
      line.classList.toggle("hovered", hovered !== null && hovered.lineNumber === number);
      if (current?.lineNumber === number) line.setAttribute("aria-current", "step");
      else line.removeAttribute("aria-current");
    }
    for (const [id, parts] of this.parts) {
      for (const part of parts) {
        part.classList.toggle("current", id === current?.id);
        part.classList.toggle("hovered", id === hovered?.id);
        for (const phase of ["forward", "reverse", "update"])
          part.classList.toggle(phase, id === current?.id && model.phase === phase);
      }
    }
  }
}
