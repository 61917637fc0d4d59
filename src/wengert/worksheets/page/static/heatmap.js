// An array as a picture: every entry a cell, blue below zero and orange above it. The entry under the pointer,
// or at the position typed in, is told in numbers.

const COLOURS = {
  light: { low: [5, 80, 150], zero: [248, 247, 243], high: [196, 75, 0] },
  dark: { low: [110, 190, 255], zero: [32, 35, 41], high: [255, 160, 90] },
};
const NOT_A_NUMBER = [200, 0, 140];
const WIDEST = 420;
const TALLEST = 260;

class HeatMap {
  /** `told(index, x)` says an entry in words; `edit(number, text)` changes it, or is null. */
  constructor(value, name, digits, edit) {
    this.value = value;
    this.name = name;
    this.digits = digits;
    this.edit = edit;
    const { shape } = value;
    this.columns = shape.length === 0 ? 1 : shape.at(-1);
    this.rows = shape.length > 1 ? shape.at(-2) : 1;
    this.outer = shape.slice(0, -2);
    this.layer = 0;
    this.limit = value.data.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0);
    this.node = this.build();
    this.paint();
    this.tell(0);
  }

  build() {
    const squareSide = Math.sqrt(this.columns);
    this.asImages =
      this.rows > 0 && this.columns >= 64 && Number.isInteger(squareSide) && this.value.shape.length <= 2
        ? squareSide
        : null;
    this.picture = html("canvas", {
      role: "img",
      "aria-label": `${this.name}: heat map of ${this.value.data.length} entries`,
    });
    this.picture.addEventListener("pointermove", (event) => this.point(event, false));
    this.picture.addEventListener("click", (event) => this.point(event, true));
    this.output = html("output", { class: "entry" });
    this.position = html("input", {
      type: "text",
      class: "position",
      "aria-label": `Position in ${this.name}`,
      spellcheck: "false",
      onchange: () => this.typed(),
      onkeydown: (event) => this.arrow(event),
    });
    const parts = [html("label", {}, "entry ", this.position), this.output];
    if (this.edit) {
      this.editor = html("input", {
        type: "text",
        inputmode: "decimal",
        class: "number",
        "aria-label": `Value of the entry of ${this.name}`,
        onchange: () => this.edit(this.chosen, this.editor.value),
      });
      parts.push(html("label", {}, "change to ", this.editor));
    }
    const views = [];
    if (this.outer.length > 0) {
      this.chooser = html(
        "select",
        {
          "aria-label": "Which matrix",
          onchange: () => {
            this.layer = this.chooser.selectedIndex;
            this.paint();
          },
        },
        Array.from({ length: Math.min(sizeOf(this.outer), 500) }, (_, k) =>
          html("option", {}, `at ${placeOf(k, this.outer).join(", ")}`),
        ),
      );
      views.push(this.chooser);
    }
    if (this.asImages) {
      views.push(
        html(
          "label",
          {},
          html("input", {
            type: "checkbox",
            onchange: (event) => {
              this.tiling = event.target.checked;
              this.paint();
            },
          }),
          ` rows as ${squareSide} × ${squareSide} images`,
        ),
      );
    }
    return html(
      "figure",
      { class: "heatmap" },
      views.length ? html("div", { class: "views" }, views) : null,
      this.picture,
      html("figcaption", {}, parts),
    );
  }

  /** The size of the picture in cells, and the entry in each cell (or -1). */
  grid() {
    const start = this.layer * this.rows * this.columns;
    if (!this.tiling)
      return { width: this.columns, height: this.rows, entry: (x, y) => start + y * this.columns + x };
    const side = this.asImages + 1;
    const across = Math.ceil(Math.sqrt(this.rows * 1.6));
    return {
      width: across * side - 1,
      height: Math.ceil(this.rows / across) * side - 1,
      entry: (x, y) => {
        const image = Math.floor(y / side) * across + Math.floor(x / side);
        if (x % side === this.asImages || y % side === this.asImages || image >= this.rows) return -1;
        return start + image * this.columns + (y % side) * this.asImages + (x % side);
      },
    };
  }

  paint() {
    const colours = COLOURS[document.documentElement.dataset.theme] ?? COLOURS.light;
    this.cells = this.grid();
    const { width, height, entry } = this.cells;
    const image = new ImageData(Math.max(width, 1), Math.max(height, 1));
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const place = entry(x, y);
        image.data.set(
          place < 0 ? [0, 0, 0, 0] : [...this.colour(this.value.data[place], colours), 255],
          4 * (y * width + x),
        );
      }
    }
    this.picture.width = image.width;
    this.picture.height = image.height;
    this.picture.getContext("2d").putImageData(image, 0, 0);
    const cell = Math.min(26, Math.max(WIDEST / width, 1), Math.max(TALLEST / height, 1));
    this.picture.style.width = `${Math.max(width * cell, 8)}px`;
    this.picture.style.aspectRatio = `${width * cell} / ${Math.max(height * cell, 14)}`;
  }

  colour(x, { low, zero, high }) {
    if (Number.isNaN(x)) return NOT_A_NUMBER;
    const share = this.limit === 0 ? 0 : Math.min(1, Math.abs(x) / this.limit) ** 0.7;
    const end = x < 0 ? low : high;
    return zero.map((c, k) => Math.round(c + (end[k] - c) * share));
  }

  point(event, keep) {
    const box = this.picture.getBoundingClientRect();
    const { width, height, entry } = this.cells;
    const x = Math.min(width - 1, Math.floor(((event.clientX - box.left) / box.width) * width));
    const y = Math.min(height - 1, Math.floor(((event.clientY - box.top) / box.height) * height));
    const place = entry(x, y);
    if (place >= 0 && place < this.value.data.length) this.tell(place);
    if (keep) (this.editor ?? this.position).focus();
  }

  tell(place) {
    if (this.value.data.length === 0) return;
    this.chosen = place;
    const x = formatEntry(this.value.data[place], this.value.dtype, this.digits);
    this.position.value = placeOf(place, this.value.shape).join(", ");
    this.output.textContent = `= ${x}`;
    if (this.editor) this.editor.value = String(this.value.data[place]);
  }

  typed() {
    const place = this.position.value
      .split(/[\s,]+/)
      .filter(Boolean)
      .map(Number);
    const { shape } = this.value;
    const valid =
      place.length === shape.length &&
      place.every((k, axis) => Number.isInteger(k) && k >= -shape[axis] && k < shape[axis]);
    this.position.setAttribute("aria-invalid", String(!valid));
    if (!valid) {
      this.output.textContent = `expected ${shape.length} position${shape.length === 1 ? "" : "s"} within ${shapeText(shape)}`;
      return;
    }
    const strides = stridesOf(shape);
    this.tell(place.reduce((sum, k, axis) => sum + (k < 0 ? k + shape[axis] : k) * strides[axis], 0));
  }

  /** Up and down in the position's field go to the entry before and after. */
  arrow(event) {
    const by = { ArrowDown: this.columns, ArrowUp: -this.columns }[event.key];
    if (!by) return;
    event.preventDefault();
    const place = this.chosen + (this.rows > 1 ? by : Math.sign(by));
    if (place >= 0 && place < this.value.data.length) this.tell(place);
  }
}
