// The table: one row for each line of the list. Of a long table only what is to be seen is in the page.

const ALL_AT_ONCE = 250;
const ROW_HEIGHT = 46;
const BEYOND = 8;
const LONGEST_CELL = 400; // characters of LaTeX

/** What stands for an array in a cell: its least and greatest entry, or its first line. */
function briefly(lines) {
  const [, least, greatest] = /^min=(\S+).*max=(\S+)/.exec(lines[0]) ?? [];
  if (least) return `${least} … ${greatest}`;
  return lines.length > 1 ? `${lines[0]} …` : lines[0];
}

class TableView {
  constructor(model) {
    this.model = model;
    this.frame = find("table-frame");
    this.body = find("table-body");
    this.parts = ["primal", "derivative", ...(model.rows.some((row) => row.update) ? ["update"] : [])];
    this.hasNames = model.rows.some((row) => model.isNamed(row));
    this.isLong = model.rows.length > ALL_AT_ONCE;
    this.rows = model.rows;
    this.drawn = new Map();
    this.head();
    this.frame.classList.toggle("long", this.isLong);
    this.frame.addEventListener(
      "scroll",
      onceAFrame(() => this.draw()),
    );
    this.frame.addEventListener("keydown", (event) => this.key(event));
    this.body.addEventListener("pointerleave", () => model.hover(null));
    new ResizeObserver(onceAFrame(() => this.draw())).observe(this.frame);
    window.addEventListener("beforeprint", () => this.draw(true));
    window.addEventListener("afterprint", () => this.draw());
    model.listen((what) => this.update(what));
    this.draw();
    this.mark();
  }

  head() {
    const names = { primal: "primal", derivative: this.model.word, update: "update" };
    const cells = this.parts.flatMap((part) => [
      html("th", { scope: "col" }, names[part]),
      html("th", { scope: "col", class: "value" }, "value"),
    ]);
    find("table-head").replaceChildren(html("tr", {}, html("th", { scope: "col" }, "row"), cells));
    find("table").setAttribute("aria-rowcount", this.model.rows.length + 1);
  }

  update(what) {
    if (what === "matches") {
      this.rows = this.model.matches
        ? this.model.rows.filter((row) => this.model.matches.has(row.id))
        : this.model.rows;
      this.drawn.clear();
    }
    if (what === "values") this.drawn.clear();
    if (what === "matches" || what === "values") this.draw();
    if (what === "step" || what === "matches") this.show(this.model.current);
    if (what !== "folding") this.mark();
  }

  /** The rows that are to be seen and a few beyond; all of them for paper. */
  draw(all = false) {
    const height = this.frame.clientHeight || 600;
    const [from, to] =
      this.isLong && !all
        ? [
            Math.max(0, Math.floor(this.frame.scrollTop / ROW_HEIGHT) - BEYOND),
            Math.min(this.rows.length, Math.ceil((this.frame.scrollTop + height) / ROW_HEIGHT) + BEYOND),
          ]
        : [0, this.rows.length];
    const focused = this.body.contains(document.activeElement)
      ? document.activeElement.closest("tr")?.dataset.row
      : null;
    const kept = new Map();
    const lines = this.rows.slice(from, to).map((row, k) => {
      const line = this.drawn.get(row.id) ?? this.line(row, from + k);
      kept.set(row.id, line);
      return line;
    });
    this.drawn = kept;
    const space = (count) =>
      count > 0 ? [html("tr", { class: "space", "aria-hidden": "true" }, this.spacer(count))] : [];
    this.body.replaceChildren(...space(from), ...lines, ...space(this.rows.length - to));
    if (focused && this.drawn.has(Number(focused)))
      this.button(Number(focused)).focus({ preventScroll: true });
    this.mark();
  }

  spacer(count) {
    const cell = html("td", { colspan: 1 + 2 * this.parts.length });
    cell.style.height = `${count * ROW_HEIGHT}px`;
    return cell;
  }

  line(row, place) {
    const { model } = this;
    const label = html(
      "button",
      {
        type: "button",
        class: "row-label",
        tabindex: "-1",
        "aria-label": `${model.equation(row)}${model.isNamed(row) ? `, named ${row.name}` : ""}: look at it`,
        onclick: () => model.choose(row.id),
        onfocus: (event) => {
          if (event.target.matches(":focus-visible")) model.hover(row.id);
        },
        onblur: () => model.hover(null),
      },
      math([labelNode(row.id)]),
      model.isNamed(row) && !LEAVES.has(row.op) ? html("span", { class: "row-name" }, row.name) : null,
    );
    const notes = row.notes.length ? html("sup", {}, `[${row.notes.map((n) => n + 1).join(", ")}]`) : null;
    const cells = this.parts.flatMap((part) => this.cells(row, part, part === "primal" ? notes : null));
    return html(
      "tr",
      {
        "data-row": row.id,
        class: LEAVES.has(row.op) ? "leaf" : "",
        "aria-rowindex": place + 2,
        onpointerenter: () => model.hover(row.id),
      },
      html("th", { scope: "row" }, label),
      cells,
    );
  }

  cells(row, part, notes) {
    const told = row[part];
    if (!told) return [html("td"), html("td")];
    const formula =
      part === "primal" || told.latex ? math(this.model.formula(row, told, labelNode, LONGEST_CELL)) : "";
    const shown = html("div", { class: "cell" }, formula, notes);
    const [first, ...rest] = this.model.text(told).split("\n");
    const value = html(
      "div",
      { class: `cell ${rest.length ? "array" : "number"}` },
      rest.length
        ? [html("span", { class: "shape" }, first), html("span", { class: "facts" }, briefly(rest))]
        : first,
    );
    const go = () => this.model.choose(row.id, part);
    return [
      html("td", { onclick: go, "data-part": part }, shown),
      html(
        "td",
        { onclick: go, class: "value", "data-part": part, "data-changed": this.model.isChanged(told) },
        value,
      ),
    ];
  }

  button(id) {
    return this.drawn.get(id).querySelector("button");
  }

  mark() {
    const { model } = this;
    const { current, phase } = model;
    const near = model.hovered === null ? [] : [model.hovered];
    for (const [id, line] of this.drawn) {
      const row = model.byId.get(id);
      line.classList.toggle("hovered", near.includes(id));
      line.classList.toggle("current", id === current);
      for (const name of ["forward", "reverse", "update"])
        line.classList.toggle(name, id === current && phase === name);
      if (id === current) line.setAttribute("aria-current", "step");
      else line.removeAttribute("aria-current");
      for (const cell of line.querySelectorAll("td[data-part]")) {
        const known = model.isKnown(row, cell.dataset.part);
        cell.classList.toggle("unknown", !known);
        const lit =
          id === current &&
          {
            forward: model.accent === "dot" ? ["primal", "derivative"] : ["primal"],
            reverse: ["derivative"],
            update: ["update"],
          }[phase]?.includes(cell.dataset.part);
        cell.classList.toggle("lit", Boolean(lit));
      }
      line.querySelector("button").tabIndex = -1;
    }
    const stop = this.drawn.get(current) ?? this.drawn.values().next().value;
    if (stop) stop.querySelector("button").tabIndex = 0;
  }

  show(id) {
    const place = this.rows.findIndex((row) => row.id === id);
    if (place < 0) return;
    if (this.isLong) {
      const top = place * ROW_HEIGHT;
      const room = this.frame.clientHeight - 2 * ROW_HEIGHT;
      if (top < this.frame.scrollTop || top > this.frame.scrollTop + room)
        this.frame.scrollTop = top - room / 2;
      this.draw();
    }
    const line = this.drawn.get(id);
    const head = find("table-head").offsetHeight;
    const [top, bottom] = [line.offsetTop - head, line.offsetTop + line.offsetHeight];
    if (top < this.frame.scrollTop) this.frame.scrollTop = top;
    else if (bottom > this.frame.scrollTop + this.frame.clientHeight)
      this.frame.scrollTop = bottom - this.frame.clientHeight;
  }

  /** Up and down move from row to row. */
  key(event) {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    const line = document.activeElement?.closest?.("tr[data-row]");
    if (!by || !line) return;
    event.preventDefault();
    const place = this.rows.findIndex((row) => row.id === Number(line.dataset.row));
    const next = this.rows[Math.min(Math.max(place + by, 0), this.rows.length - 1)];
    this.show(next.id);
    this.button(next.id).focus({ preventScroll: true, focusVisible: true });
  }
}
