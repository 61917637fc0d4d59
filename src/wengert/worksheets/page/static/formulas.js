// The LaTeX of the worksheet's formulas as MathML: the part of LaTeX that the engine writes.

const SYMBOLS = {
  cdot: "·",
  odot: "⊙",
  times: "×",
  star: "⋆",
  otimes: "⊗",
  le: "≤",
  leq: "≤",
  ge: "≥",
  geq: "≥",
  ne: "≠",
  neq: "≠",
  leftarrow: "←",
  to: "→",
  partial: "∂",
  nabla: "∇",
  ldots: "…",
  sum: "∑",
  prod: "∏",
  land: "∧",
  lor: "∨",
  in: "∈",
  langle: "⟨",
  rangle: "⟩",
  lfloor: "⌊",
  rfloor: "⌋",
  lceil: "⌈",
  rceil: "⌉",
  lVert: "‖",
  rVert: "‖",
  "|": "‖",
  top: "⊤",
  pm: "±",
  approx: "≈",
  surd: "√",
  neg: "¬",
};
const LETTERS = {
  pi: "π",
  tau: "τ",
  sigma: "σ",
  infty: "∞",
  Phi: "Φ",
  Sigma: "Σ",
  alpha: "α",
  beta: "β",
  delta: "δ",
  ell: "ℓ",
};
const FUNCTION_NAMES = new Set(
  "sin cos tan arcsin arccos arctan sinh cosh tanh ln log exp max min det lim".split(" "),
);
const SPACES = { quad: "1em", ",": "0.1667em", ";": "0.2778em", " ": "0.25em", ":": "0.2222em", "!": "0em" };
const FENCES = "()[]|‖⟨⟩⌊⌋⌈⌉,";
const TOKEN = /\\(?:[a-zA-Z]+|[^])|\d+(?:\.\d+)?(?:e[-+]?\d+)?|\s+|[^]/gu;

/** `label(id, accent, demand, first)` gives what stands for a row's label; `demand` is how tightly that must
 * bind in its place: 0 where it is enclosed already. `binds` has the demands on the left and the right. */
function mathNodes(latex, label = labelNode, binds = [20, 20]) {
  const reader = new LatexReader(latex, label, binds);
  return reader.nodes(() => false);
}

/** A space between two operands sets them apart, as in a product of matrices; any other says nothing. */
function spaced(items) {
  const isOperand = (item) => item !== undefined && !item.isSpace && item.text === undefined;
  return items.flatMap((item, place) => {
    if (!item.isSpace) return [item];
    const isGap = isOperand(items[place - 1]) && isOperand(items[place + 1]) && !items[place - 1].isFunction;
    return isGap ? [{ node: mathml("mspace", { width: "0.22em" }) }] : [];
  });
}

class LatexReader {
  constructor(latex, label, binds) {
    this.tokens = latex.match(TOKEN) ?? [];
    this.at = 0;
    this.label = label;
    this.binds = binds;
  }

  get token() {
    return this.tokens[this.at];
  }

  /** All up to a token that ends it, with labels put in. */
  nodes(ends) {
    const items = [];
    while (this.at < this.tokens.length && !ends(this.token)) {
      const item = this.item();
      if (item) items.push(item);
    }
    return spaced(items).map((item, place, items) => {
      if (!item.reference) return item.node;
      const beside = (other) => other === undefined || FENCES.includes(other.text || " ");
      const enclosed = beside(items[place - 1]) && beside(items[place + 1]);
      const demand = enclosed ? 0 : this.binds[place === 0 ? 0 : 1];
      return this.label(item.reference.id, item.reference.accent, demand, place === 0 || enclosed);
    });
  }

  /** One thing with its subscript and superscript. */
  item() {
    let item = this.atom();
    while (this.token === "_" || this.token === "^") {
      const tag = this.token === "_" ? "msub" : "msup";
      this.at += 1;
      if (tag === "msub" && item?.letter === "v") {
        const number = this.wholeNumber();
        if (number !== null) {
          item = { reference: { id: number, accent: item.accent } };
          continue;
        }
      }
      const script = this.row(this.argument());
      const base = item?.reference
        ? this.label(item.reference.id, item.reference.accent, 100, false)
        : (item?.node ?? mathml("mrow"));
      item = { node: mathml(tag, {}, base, script) };
    }
    return item;
  }

  /** The number in braces that makes a label, or null. */
  wholeNumber() {
    const group = /^\{\s*(-?)\s*(\d+)\s*\}$/.exec(
      this.tokens
        .slice(this.at, this.at + 4)
        .join("")
        .replace(/\}.*$/, "}"),
    );
    if (!group) return null;
    this.at = this.tokens.indexOf("}", this.at) + 1;
    return Number(group[1] + group[2]);
  }

  row(nodes) {
    return nodes.length === 1 ? nodes[0] : mathml("mrow", {}, nodes);
  }

  /** What stands in braces, or the next thing. */
  argument() {
    while (/^\s/.test(this.token ?? "")) this.at += 1;
    if (this.token !== "{") {
      const item = this.atom();
      return item ? [item.node] : [];
    }
    this.at += 1;
    const nodes = this.nodes((token) => token === "}");
    this.at += 1;
    return nodes;
  }

  /** What stands in braces as plain text. */
  words() {
    while (/^\s/.test(this.token ?? "")) this.at += 1;
    if (this.token !== "{") return this.tokens[this.at++] ?? "";
    let depth = 0;
    let text = "";
    for (; this.at < this.tokens.length; this.at++) {
      const token = this.token;
      if (token === "{") depth += 1;
      else if (token === "}") depth -= 1;
      else text += token.replace(/^\\(?=[^a-zA-Z])/, "").replace(/^\\[a-zA-Z]+$/, " ");
      if (depth === 0) break;
    }
    this.at += 1;
    return text;
  }

  atom() {
    const token = this.token;
    this.at += 1;
    if (token === undefined || token === "}" || token === "&") return null;
    if (/^\s/.test(token)) return { isSpace: true };
    if (token === "{") {
      this.at -= 1;
      return this.enclosed();
    }
    if (token.startsWith("\\")) return this.command(token.slice(1));
    if (/^\d/.test(token)) return { node: numberNode(token) };
    if (/^\p{L}$/u.test(token)) return { node: mathml("mi", {}, token), letter: token };
    const sign = { "-": "−", "'": "′", "*": "∗" }[token] ?? token;
    return { node: mathml("mo", FENCES.includes(sign) ? { stretchy: "false" } : {}, sign), text: sign };
  }

  /** Braces that only hold together: a label in them stays one. */
  enclosed() {
    const start = this.at;
    this.at += 1;
    const item = this.item();
    if (item && (item.letter || item.reference) && this.token === "}") {
      this.at += 1;
      return item;
    }
    this.at = start;
    return { node: this.row(this.argument()) };
  }

  command(name) {
    if (name in SYMBOLS)
      return {
        node: mathml("mo", "∑∏".includes(SYMBOLS[name]) ? { largeop: "false" } : {}, SYMBOLS[name]),
        text: SYMBOLS[name],
      };
    if (name in LETTERS) return { node: mathml("mi", {}, LETTERS[name]) };
    if (name in SPACES) return { node: mathml("mspace", { width: SPACES[name] }) };
    if (FUNCTION_NAMES.has(name)) return this.named(name);
    if (name in ACCENTS) return this.accented(name);
    if (["operatorname", "mathrm"].includes(name)) return this.named(this.words());
    if (["text", "texttt", "mathsf", "mathbf", "textbf"].includes(name))
      return { node: mathml("mtext", { class: name }, this.words()) };
    if (["frac", "tfrac", "dfrac"].includes(name))
      return { node: mathml("mfrac", {}, this.row(this.argument()), this.row(this.argument())) };
    if (name === "sqrt") return { node: mathml("msqrt", {}, this.argument()) };
    if (name === "left") return this.delimited();
    if (name === "begin") return this.environment();
    if (/^[^a-zA-Z]$/.test(name)) return { node: mathml("mo", {}, name) };
    return { node: mathml("mi", {}, name) };
  }

  /** A function's name, with a little space before what has no brackets. */
  named(name) {
    const next = this.tokens.slice(this.at).find((token) => !/^\s/.test(token));
    const node = mathml("mi", { mathvariant: "normal" }, name);
    const close = next === undefined || "([^_".includes(next) || next === "\\left";
    return {
      node: close ? node : mathml("mrow", {}, node, mathml("mspace", { width: "0.1667em" })),
      isFunction: true,
    };
  }

  accented(name) {
    const nodes = this.argument();
    if (nodes.length === 1 && nodes[0].textContent === "v")
      return { node: nodes[0], letter: "v", accent: name };
    return {
      node: mathml(
        "mover",
        { accent: "true" },
        this.row(nodes),
        mathml("mo", { stretchy: "false" }, ACCENTS[name]),
      ),
    };
  }

  delimiter() {
    const token = this.token ?? "";
    this.at += 1;
    const sign = token.startsWith("\\") ? (SYMBOLS[token.slice(1)] ?? token.slice(1)) : token;
    return sign === "." ? null : mathml("mo", { fence: "true", lspace: "0em", rspace: "0em" }, sign);
  }

  delimited() {
    const open = this.delimiter();
    const nodes = this.nodes((token) => token === "\\right");
    this.at += 1;
    return { node: mathml("mrow", {}, open, ...nodes, this.delimiter()) };
  }

  environment() {
    const kind = this.words();
    const lines = [[]];
    while (this.at < this.tokens.length && this.token !== "\\end") {
      lines.at(-1).push(
        mathml(
          "mtd",
          {},
          this.nodes((token) => ["&", "\\\\", "\\end"].includes(token)),
        ),
      );
      if (this.token === "\\\\") lines.push([]);
      if (this.token !== "\\end") this.at += 1;
    }
    this.at += 1;
    this.words();
    const table = mathml(
      "mtable",
      {},
      lines.map((cells) => mathml("mtr", {}, cells)),
    );
    const open = mathml("mo", { fence: "true" }, { cases: "{", bmatrix: "[", pmatrix: "(" }[kind] ?? "");
    const close = { bmatrix: "]", pmatrix: ")" }[kind];
    return { node: mathml("mrow", {}, open, table, close ? mathml("mo", { fence: "true" }, close) : null) };
  }
}
