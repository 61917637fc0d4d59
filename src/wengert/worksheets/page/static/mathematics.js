// The smallest pieces of a formula as MathML: labels, names, numbers.

const ACCENTS = { bar: "¯", dot: "˙", hat: "^", tilde: "~" };

/** A row's label: v with its number, with a bar or a dot where it is a derivative. */
function labelNode(id, accent) {
  const letter = mathml("mi", {}, "v");
  const base = accent
    ? mathml("mover", { accent: "true" }, letter, mathml("mo", { stretchy: "false" }, ACCENTS[accent]))
    : letter;
  return mathml("msub", { class: "label" }, base, mathml("mn", {}, String(id).replace("-", "−")));
}

/** A user's name: x1 has a subscript, one letter is in italics. */
function nameNode(name) {
  const [, letter, digits] = /^(\p{L})_?(\d+)$/u.exec(name) ?? [];
  if (letter) return mathml("msub", {}, mathml("mi", {}, letter), mathml("mn", {}, digits));
  return /^\p{L}$/u.test(name) ? mathml("mi", {}, name) : mathml("mtext", { class: "name" }, name);
}

/** A printed number; powers of ten are written out. */
function numberNode(text) {
  const [, mantissa, power] = /^([-\d.]+)e(-?\d+)$/.exec(text) ?? [];
  if (!mantissa) return mathml("mn", {}, text.replace("-", "−"));
  const ten = mathml("msup", {}, mathml("mn", {}, "10"), mathml("mn", {}, power.replace("-", "−")));
  return mathml("mrow", {}, mathml("mn", {}, mantissa.replace("-", "−")), mathml("mo", {}, "×"), ten);
}

const bracketed = (node) => mathml("mrow", {}, mathml("mo", {}, "("), node, mathml("mo", {}, ")"));

/** A formula as an element of the page. `block` sets it in display size. */
function math(nodes, block = false) {
  return mathml("math", block ? { display: "block" } : {}, nodes);
}

/** Nodes with an equals sign between them. */
function equated(...sides) {
  return sides.flatMap((side, place) => (place === 0 ? side : [mathml("mo", {}, "="), ...[side].flat()]));
}
