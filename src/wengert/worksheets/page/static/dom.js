// Elements of the page, always built one by one: no text is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";
const MATHML = "http://www.w3.org/1998/Math/MathML";

function built(node, attributes, children) {
  for (const [name, setting] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), setting);
    else if (setting === true) node.setAttribute(name, "");
    else if (setting !== false && setting !== null && setting !== undefined) node.setAttribute(name, setting);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

const html = (tag, attributes, ...children) => built(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) => built(document.createElementNS(SVG, tag), attributes, children);
const mathml = (tag, attributes, ...children) =>
  built(document.createElementNS(MATHML, tag), attributes, children);
const find = (id) => document.getElementById(id);

/** Runs once before the next frame, however often it is asked for. */
function onceAFrame(f) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      f();
    });
  };
}

const isTyping = (target) => target instanceof HTMLElement && target.matches("input, textarea, select");
