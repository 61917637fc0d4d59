// The graph: boxes told apart by shape and colour, arrows from arguments to readers, groups that fold.

const LINE_HEIGHT = 15;
const PADDING = 9;
const LONGEST_TEXT = 26;
const MARGIN = 26;
const [SMALLEST_FIT, LARGEST_FIT] = [0.6, 1.15];
const FONT = "13px system-ui, sans-serif";

const shortened = (text) => {
  const characters = [...text];
  return characters.length <= LONGEST_TEXT ? text : `${characters.slice(0, LONGEST_TEXT - 1).join("")}…`;
};

/** `3 operations`; nothing for none. */
const counted = (n, word) => (n === 0 ? "" : `${n} ${word}${n === 1 ? "" : "s"}`);

class GraphDrawing {
  constructor(model, folding) {
    this.model = model;
    this.folding = folding;
    this.frame = find("graph-frame");
    this.canvas = document.createElement("canvas").getContext("2d");
    this.canvas.font = FONT;
    this.scale = null;
    this.build();
  }

  build() {
    const { boxes, edges } = this.folding.visible();
    for (const box of boxes) this.measure(box);
    const number = new Map(boxes.map((box, k) => [box, k]));
    const layout = arrange(
      boxes,
      edges.map(({ from, to }) => [number.get(from), number.get(to)]),
    );
    boxes.forEach((box, k) => {
      [box.x, box.y] = layout.centres[k];
    });
    edges.forEach((edge, k) => {
      edge.way = layout.ways[k];
    });
    this.boxes = boxes;
    this.edges = edges;
    this.size = [layout.width + 2 * MARGIN, layout.height + 2 * MARGIN + this.headroom(boxes)];
    this.picture = svg(
      "svg",
      {
        role: "group",
        "aria-label": "Graph: boxes are values, arrows lead to the operations that read them",
      },
      svg(
        "defs",
        {},
        ["plain", "forward", "reverse"].map((kind) => arrowHead(kind)),
      ),
      svg("g", {}, this.frames()),
      svg(
        "g",
        {},
        edges.map((edge) => this.edge(edge)),
      ),
      svg(
        "g",
        {},
        boxes.map((box) => this.box(box)),
      ),
      svg("g", { class: "edge-labels", "aria-hidden": "true" }),
    );
    this.labels = this.picture.lastChild;
    const top = MARGIN + this.headroom(boxes);
    this.picture.setAttribute("viewBox", `${-MARGIN} ${-top} ${this.size[0]} ${this.size[1]}`);
    this.frame.replaceChildren(this.picture);
    this.fillTexts();
    this.tellGroups();
    const kinds = new Set(boxes.map((box) => this.kind(box)));
    for (const item of find("graph-legend").children) item.hidden = !kinds.has(item.className);
    if (this.scale === null || this.isFitted) this.fit();
    else this.zoom(this.scale);
  }

  headroom(boxes) {
    return 18 * Math.max(0, ...boxes.map((box) => box.path.length));
  }

  /** The lines of text of a box: what it is, its value, its derivative. */
  texts(box) {
    if (box.group) {
      const kinds = this.rowsIn(box.group).map((row) => (LEAVES.has(row.op) ? row.op : "operation"));
      const counts = ["operation", "parameter", "input", "constant"].map((kind) =>
        counted(kinds.filter((k) => k === kind).length, kind),
      );
      return [shortened(box.group.title), shortened(counts.filter(Boolean).join(", ")), ""];
    }
    const row = this.model.byId.get(box.id);
    const right = LEAVES.has(row.op) ? row.name : row.primal.text;
    const label = this.model.label(row.id);
    const first = right === label || right === "" ? label : `${label} = ${right}`;
    const shape = this.model.isArray(row) ? shapeText(this.model.shape(row)) : null;
    const value = shape ?? this.model.text(row.primal).split("\n")[0];
    const moved = row.derivative
      ? `${this.model.derivativeLabel(row.id)} = ${shape ? "▦ " + shape : this.model.text(row.derivative)}`
      : "";
    return [shortened(first), shortened(value), shortened(moved)];
  }

  rowsIn(group) {
    const found = [];
    const add = (one) => {
      found.push(...one.rows.map((id) => this.model.byId.get(id)));
      one.inside.forEach(add);
    };
    add(group);
    return found;
  }

  measure(box) {
    const lines = this.texts(box);
    const widest = Math.max(...lines.map((line) => this.canvas.measureText(line).width));
    box.width = Math.max(
      76,
      widest + (box.id !== null && LEAVES.has(this.model.byId.get(box.id).op) ? 40 : 28),
    );
    box.height = 3 * LINE_HEIGHT + 2 * PADDING;
  }

  kind(box) {
    if (box.group) return "group";
    const row = this.model.byId.get(box.id);
    if (LEAVES.has(row.op)) return row.op;
    return row.id === this.model.data.output ? "output" : "operation";
  }

  box(box) {
    const kind = this.kind(box);
    const row = box.group ? null : this.model.byId.get(box.id);
    box.lines = [0, 1, 2].map((k) =>
      svg("text", { x: box.x, y: box.y + (k - 1) * LINE_HEIGHT + 4.5, class: `line-${k}` }),
    );
    box.node = svg(
      "g",
      {
        class: `box ${kind}`,
        role: "button",
        tabindex: "-1",
        "data-key": box.key,
        "data-row": row ? row.id : null,
        "aria-expanded": box.group ? "false" : null,
        "aria-label": box.group
          ? `${box.group.title}, folded: open it`
          : `${this.model.equation(row)}, ${kind}`,
        onclick: () => this.choose(box),
        onpointerenter: () => {
          if (row) this.model.hover(row.id);
        },
        onpointerleave: () => this.model.hover(null),
        onfocus: () => {
          if (row && box.node.matches(":focus-visible")) this.model.hover(row.id);
        },
        onblur: () => this.model.hover(null),
      },
      svg(
        "title",
        {},
        row
          ? `${this.model.equation(row)}${this.model.isNamed(row) ? `, named ${row.name}` : ""}`
          : `${box.group.title}: click to open`,
      ),
      outlines(box, kind),
      box.lines,
    );
    return box.node;
  }

  edge(edge) {
    edge.node = svg("path", {
      class: "edge",
      d: pathOf(edge.way),
      "data-from": edge.from.key,
      "data-to": edge.to.key,
    });
    return edge.node;
  }

  /** Behind the members of every open group an area, with its name and a button that folds it. */
  frames() {
    return this.folding.groups
      .filter((group) => group.isOpen && !this.folding.hiding(group.rows[0] ?? this.rowsIn(group)[0].id))
      .map((group) => {
        const { points, left, top, isOdd } = areaOf(group, this.boxes);
        const title = svg(
          "g",
          {
            class: "fold",
            role: "button",
            tabindex: "-1",
            "data-key": `g${group.number}`,
            "aria-expanded": "true",
            "aria-label": `${group.title}: fold it`,
            onclick: () => this.folding.toggle(group),
          },
          svg("text", { x: left + 6, y: top - 5 }, `▾ ${group.title}`),
        );
        return svg("g", { class: isOdd ? "frame odd" : "frame" }, svg("polygon", { points }), title);
      });
  }

  fillTexts() {
    for (const box of this.boxes) {
      const room = box.width - 14;
      this.texts(box).forEach((text, k) => {
        const line = box.lines[k];
        line.textContent = text;
        if (this.canvas.measureText(text).width > room)
          line.setAttribute("textLength", room); // a new value can be longer
        else line.removeAttribute("textLength");
        line.setAttribute("lengthAdjust", "spacingAndGlyphs");
      });
    }
  }

  /** What is hidden, in words, and what can be opened. */
  tellGroups() {
    const { folding } = this;
    const hidden = this.model.rows.length - this.boxes.filter((box) => !box.group).length;
    const folded = this.boxes.filter((box) => box.group).length;
    find("graph-note").textContent =
      hidden > 0
        ? `${hidden} of ${this.model.rows.length} rows are folded into ${folded === 1 ? "one box" : `${folded} boxes`}.`
        : "";
    find("graph-fold").hidden = find("graph-unfold").hidden = folding.groups.length === 0;
    find("graph-unfold").disabled = !folding.canOpenAll;
    find("graph-unfold").title = folding.canOpenAll
      ? ""
      : `A graph of ${this.model.rows.length} boxes is too large to draw at once`;
  }

  zoom(scale) {
    this.isFitted = false;
    this.resize(Math.min(Math.max(scale, 0.15), 3));
  }

  fit() {
    const [width, height] = this.size;
    const room = [this.frame.clientWidth / width, this.frame.clientHeight / height];
    this.isFitted = true;
    this.resize(Math.min(LARGEST_FIT, Math.max(Math.min(...room), SMALLEST_FIT)));
  }

  resize(scale) {
    this.scale = scale;
    this.picture.setAttribute("width", this.size[0] * scale);
    this.picture.setAttribute("height", this.size[1] * scale);
  }
}
