// Search by name, formula, operation or module: the rows that match, in the table and in the graph.

class SearchView {
  constructor(model, folding) {
    this.model = model;
    this.folding = folding;
    this.field = find("search");
    this.count = find("search-count");
    this.field.addEventListener("input", () => this.search());
    this.field.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || isTyping(event.target)) return;
      event.preventDefault();
      this.field.focus();
    });
    this.texts = model.rows.map((row) =>
      [
        row.name,
        model.label(row.id),
        `v${row.id}`,
        row.op,
        row.primal.text,
        row.derivative?.text,
        row.update?.text,
        row.module.join("."),
        row.line,
      ]
        .join("\n")
        .toLowerCase(),
    );
  }

  search() {
    const words = this.field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = this.model.rows.filter((_, k) => words.every((word) => this.texts[k].includes(word)));
    this.model.matches = words.length ? new Set(found.map((row) => row.id)) : null;
    this.at = -1;
    this.found = found;
    this.count.textContent = words.length ? `${found.length} of ${this.model.rows.length} rows` : "";
    this.model.changed("matches");
  }

  /** Enter goes from match to match, Escape ends the search. */
  key(event) {
    if (event.key === "Escape") {
      this.field.value = "";
      this.search();
    } else if (event.key === "Enter" && this.found?.length && this.model.matches) {
      this.at = (this.at + (event.shiftKey ? -1 : 1) + this.found.length) % this.found.length;
      const { id } = this.found[this.at];
      if (this.folding.hiding(id)) this.folding.reveal(id);
      this.model.choose(id);
    }
  }
}
