// What happens on the graph: the current step, the pointer, the keys, the size.

class GraphView extends GraphDrawing {
  constructor(model, folding) {
    super(model, folding);
    this.connect();
    model.listen((what) => {
      if (what === "folding") this.build();
      else if (what === "values") this.fillTexts();
      this.mark(what === "step");
    });
    this.mark(false);
  }

  connect() {
    find("graph-in").addEventListener("click", () => this.zoom(this.scale * 1.25));
    find("graph-out").addEventListener("click", () => this.zoom(this.scale / 1.25));
    find("graph-fit").addEventListener("click", () => this.fit());
    find("graph-fold").addEventListener("click", () => this.folding.setAll(false));
    find("graph-unfold").addEventListener("click", () => this.folding.setAll(true));
    new ResizeObserver(
      onceAFrame(() => {
        if (this.isFitted) this.fit();
      }),
    ).observe(this.frame);
    this.frame.addEventListener("keydown", (event) => this.key(event));
    this.frame.addEventListener("pointerleave", () => this.model.hover(null));
  }

  // -- marking -----------------------------------------------------------------------------------------------

  mark(scroll) {
    const { model } = this;
    const { current, phase } = model;
    const active = model.shown;
    const near = new Set(
      active === null
        ? []
        : [active, ...(model.byId.get(active)?.args ?? []), ...(model.readers.get(active) ?? [])],
    );
    for (const box of this.boxes) {
      const rows = box.group ? null : model.byId.get(box.id);
      const holds =
        current !== null && (box.group ? this.folding.hiding(current) === box.group : box.id === current);
      const { classList } = box.node;
      classList.toggle("current", holds);
      for (const name of ["forward", "reverse", "update"]) classList.toggle(name, holds && phase === name);
      classList.toggle("near", !box.group && near.has(box.id) && box.id !== current);
      classList.toggle(
        "match",
        model.matches !== null &&
          (box.group
            ? this.rowsIn(box.group).some((row) => model.matches.has(row.id))
            : model.matches.has(box.id)),
      );
      classList.toggle("pending", rows !== null && !model.isKnown(rows, "primal"));
      if (rows) {
        box.lines[1].classList.toggle("hidden", !model.isKnown(rows, "primal"));
        box.lines[2].classList.toggle("hidden", !model.isKnown(rows, "derivative"));
      }
      if (holds) box.node.setAttribute("aria-current", "step");
      else box.node.removeAttribute("aria-current");
    }
    this.markEdges(active, model.stop.phase);
    this.setTabStop(current);
    if (scroll) this.scrollTo(current);
  }

  markEdges(active, phase) {
    const backwards = phase === "reverse" || phase === "update";
    this.labels.replaceChildren();
    for (const edge of this.edges) {
      const pairs =
        active === null
          ? []
          : edge.pairs.filter(([from, to]) => (backwards ? from === active : to === active));
      edge.node.classList.toggle("used", pairs.length > 0);
      edge.node.classList.toggle("backwards", pairs.length > 0 && backwards);
      if (pairs.length === 0) continue;
      edge.node.parentNode.append(edge.node);
      const texts = pairs.flatMap(([from, to]) => this.partials(from, to));
      if (texts.length > 0) this.labels.append(this.edgeLabel(edge, texts, backwards));
    }
  }

  /** The local partials along an arrow, where they are single numbers. */
  partials(from, to) {
    const terms = this.model.between.get(`${from},${to}`) ?? [];
    return terms
      .filter(({ partial }) => partial && partial.value?.[0] !== "array")
      .map(({ partial }) => `×${this.model.text(partial)}`);
  }

  edgeLabel(edge, texts, backwards) {
    const [a, b] = edge.way.points.slice(-3, -1);
    return svg(
      "text",
      { x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2 - 5, class: backwards ? "backwards" : "" },
      texts.join(" + "),
    );
  }

  // -- moving about ------------------------------------------------------------------------------------------

  choose(box) {
    if (box.group) this.folding.toggle(box.group);
    else this.model.choose(box.id);
    this.picture.querySelector(`[data-key="${box.key}"]`)?.focus({ preventScroll: true });
  }

  setTabStop(current) {
    const targets = [...this.picture.querySelectorAll("[role=button]")];
    const group = current === null ? null : this.folding.hiding(current);
    const key = group ? `g${group.number}` : `r${current}`;
    const stop = targets.find((node) => node.dataset.key === key) ?? targets[0];
    for (const node of targets) node.setAttribute("tabindex", node === stop ? "0" : "-1");
  }

  key(event) {
    const targets = [...this.picture.querySelectorAll("[role=button]")];
    const at = targets.indexOf(document.activeElement);
    if (event.key === "+" || event.key === "=") this.zoom(this.scale * 1.25);
    else if (event.key === "-") this.zoom(this.scale / 1.25);
    else if (event.key === "0") this.fit();
    else if (at >= 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const next = targets[at + (event.key === "ArrowDown" ? 1 : -1)];
      next?.focus();
    } else if (at >= 0 && (event.key === "Enter" || event.key === " "))
      targets[at].dispatchEvent(new MouseEvent("click"));
    else return;
    event.preventDefault();
  }

  scrollTo(current) {
    const group = current === null ? null : this.folding.hiding(current);
    const box = this.boxes.find((one) => (group ? one.group === group : one.id === current));
    if (!box) return;
    const [x, y] = [(box.x + MARGIN) * this.scale, (box.y + MARGIN + this.headroom(this.boxes)) * this.scale];
    const { clientWidth: w, clientHeight: h, scrollLeft, scrollTop } = this.frame;
    const [dx, dy] = [(box.width / 2) * this.scale, (box.height / 2) * this.scale];
    if (x - dx < scrollLeft || x + dx > scrollLeft + w) this.frame.scrollLeft = x - w / 2;
    if (y - dy < scrollTop || y + dy > scrollTop + h) this.frame.scrollTop = y - h / 2;
  }
}
