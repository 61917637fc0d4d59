"""Formulas of nodes: what a node computes, written with the labels of others, as text and as LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from string import Formatter
from typing import Any

from wengert.graph.simplify import written_number
from wengert.numbers.graph import Node
from wengert.ops.arithmetic import divide, multiply, power, subtract, where, zeros_like
from wengert.ops.constants import Constant
from wengert.ops.indexing import Slot
from wengert.ops.kinds import shape
from wengert.ops.op import Op
from wengert.ops.shape import transpose
from wengert.worksheets.worksheet import Formula

Label = Callable[[Node], Formula | None]
ATOM = 100
NEGATIVE = 15  # what begins with a minus sign
FUNCTION = 50
ENCLOSING = ("{", "(", "[", "|")
LATEX_NAMES = {"π": r"\pi", "τ": r"\tau", "∞": r"\infty", "inf": r"\infty", "nan": r"\mathrm{nan}"}
SUBSCRIPTS = str.maketrans("-0123456789", "₋₀₁₂₃₄₅₆₇₈₉")
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Written:
    """A formula with the precedence of its outermost operation, so that no needless brackets stand."""

    __slots__ = ("formula", "precedence", "sign")

    def __init__(self, text: str, latex: str, precedence: int = ATOM, sign: str = "") -> None:
        self.formula = Formula(text, latex)
        self.precedence = precedence
        self.sign = sign

    def within(self, precedence: int) -> Formula:
        """The formula as an operand of an operation of that precedence."""
        if self.precedence >= precedence:
            return self.formula
        return Formula(f"({self.formula.text})", rf"\left({self.formula.latex}\right)")


def write(node: Node, label: Label) -> Formula:
    """What the node computes, in the labels of other nodes. An operand without a label is written out."""
    done: dict[int, Written] = {}
    for part in _written_out(node, label):
        done[part.id] = _computed(part, label, done)
    return done[node.id].formula


def length(node: Node, label: Label) -> int:
    """How many operations stand in what `write` gives; a shared one counts wherever it is written."""
    counts: dict[int, int] = {}
    for part in _written_out(node, label):
        counts[part.id] = 1 + sum(counts.get(a.id, 0) for a in part.args if type(a) is Node)
    return counts[node.id]


def _written_out(node: Node, label: Label) -> list[Node]:
    """The node and all behind it, up to those that have a label, in order; without recursion."""
    found = {node.id: node}
    waiting = [node]
    while waiting:
        for a in waiting.pop().args:
            if type(a) is Node and a.id not in found and label(a) is None:
                found[a.id] = a
                waiting.append(a)
    return [found[number] for number in sorted(found)]


def _operand(x: Any, label: Label, done: Mapping[int, Written]) -> Written:
    if type(x) is not Node:
        return number(x)
    found = label(x)
    return done[x.id] if found is None else Written(found.text, found.latex)


def _computed(node: Node, label: Label, done: Mapping[int, Written]) -> Written:
    if node.op is None:
        if node.name and node.role == "constant":
            return written_text(node.name)
        return _operand(node.args[0], label, done) if node.args else number(node.value)
    args = [_operand(a, label, done) for a in node.args]
    special = SPECIAL.get(node.op.name)
    written = special(node, args) if special else None
    if written is not None:
        return written
    if node.op.infix is not None and len(args) == 2:
        return _infix(node, args)
    return _call(node, args)


def _infix(node: Node, args: list[Written]) -> Written:
    op = node.op
    assert op is not None and op.infix is not None
    arrays = op is multiply and all(shape(a) for a in node.args)
    sign = "⊙" if arrays else op.infix
    tighter = op in (subtract, divide)
    negated = args[0].precedence == NEGATIVE < op.precedence < power.precedence  # -x·y is (-x)·y
    left = args[0].formula if negated else _beside(args[0], sign, op.precedence)
    right = _beside(args[1], sign, op.precedence + tighter)
    precedence = NEGATIVE if negated else op.precedence
    spaced = op.precedence <= 10 or sign in ("@", "⊙")
    text = f"{left.text} {sign} {right.text}" if spaced else f"{left.text}{sign}{right.text}"
    if arrays:
        return Written(text, rf"{left.latex} \odot {right.latex}", precedence, sign)
    return Written(text, _filled(op.tex or op.infix, [left, right], args), precedence, sign)


def _beside(operand: Written, sign: str, precedence: int) -> Formula:
    """An operand beside a sign: matrix and entrywise products are never mixed without brackets."""
    mixed = operand.precedence == precedence and operand.sign != sign and {"@", "⊙"} & {operand.sign, sign}
    return operand.within(precedence + bool(mixed))


def _call(node: Node, args: list[Written]) -> Written:
    op = node.op
    assert op is not None
    settings = [f"{k}={v}" for k, v in changed(op, node.params).items()]
    outer = op.precedence if op.text or (op.tex and not op.tex.startswith("\\")) else FUNCTION
    operands = [a.within(outer + 1) for a in args]
    if op.arity is None:
        joined = Formula(", ".join(a.formula.text for a in args), ", ".join(a.formula.latex for a in args))
        operands, args = [joined], [Written(joined.text, joined.latex)]
    written_out = f"{op.name}({', '.join([a.formula.text for a in args] + settings)})"
    spelled = _spelled_out(op.name, [a.formula.latex for a in args], settings)
    if settings:
        return Written(written_out, spelled, FUNCTION)
    text = written_out
    if op.text:
        text = "".join(_pieces(op.text, [a.text for a in operands], [a.formula.text for a in args]))
    return Written(text, _filled(op.tex, operands, args) if op.tex else spelled, outer)


def _spelled_out(name: str, args: list[str], settings: list[str]) -> str:
    """A call in LaTeX as a program has it, for what has no form of its own there."""
    escaped = [re.sub("([_{}])", r"\\\1", setting) for setting in settings]
    words = ", ".join([*args, *(rf"\texttt{{{setting}}}" for setting in escaped)])
    name = name.replace("_", r"\_")
    return rf"\operatorname{{{name}}}\left({words}\right)"


def changed(op: Op, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that differ from the operation's defaults."""
    return {k: v for k, v in params.items() if not _same(v, op.parameters.get(k))}


def _same(a: Any, b: Any) -> bool:
    return a is b or (type(a) is type(b) and bool(a == b))


def _filled(template: str, operands: list[Formula], args: list[Written]) -> str:
    return "".join(_pieces(template, [a.latex for a in operands], [a.formula.latex for a in args]))


def _pieces(template: str, bracketed: list[str], bare: list[str]) -> Iterator[str]:
    """The template filled; an operand that it encloses already, in braces or bars, needs no brackets."""
    before = ""
    for literal, place, _, _ in Formatter().parse(template):
        yield literal
        before = literal or before  # a doubled brace comes as a literal of its own
        if place is not None:
            yield (bare if before.endswith(ENCLOSING) else bracketed)[int(place)]
            before = ""


def number(x: Any) -> Written:
    """A number that is written in the program."""
    if isinstance(x, Constant):
        named = {"pi": ("π", r"\pi"), "tau": ("τ", r"\tau"), "ln2": ("ln 2", r"\ln 2")}
        return Written(*named.get(x.text, (x.text, x.text)))
    if shape(x):
        extents = "×".join(map(str, shape(x)))
        return Written(f"[{extents} array]", rf"\mathrm{{array}}_{{{extents}}}".replace("×", r"\times "))
    plain = written_number(x)
    if plain is not None:
        x = int(plain) if plain.is_integer() and abs(plain) < 1e15 else plain
    return written_text(str(x))


def written_text(text: str) -> Written:
    """A number's or a constant's text as a formula: ``-2``, ``1/3``, ``1e-05``, ``π``."""
    precedence = NEGATIVE if text.startswith("-") else 20 if "/" in text else ATOM
    over, slash, under = text.partition("/")
    if slash:
        sign = "-" if over.startswith("-") else ""
        return Written(text, rf"{sign}\frac{{{over.removeprefix('-')}}}{{{under}}}", precedence)
    mantissa, power_of_ten, exponent = text.partition("e")
    if power_of_ten and mantissa and exponent.lstrip("+-").isdigit():
        return Written(text, rf"{mantissa} \times 10^{{{int(exponent)}}}", min(precedence, 20))
    return Written(text, LATEX_NAMES.get(text, text), precedence)


def _power(node: Node, args: list[Written]) -> Written | None:
    base, exponent = args[0].within(power.precedence + 1), args[1].formula
    digits = exponent.text.lstrip("-").isdigit()
    text = exponent.text.translate(SUPERSCRIPTS) if digits else f"^{args[1].within(ATOM).text}"
    return Written(f"{base.text}{text}", f"{{{base.latex}}}^{{{exponent.latex}}}", power.precedence)


def _where(node: Node, args: list[Written]) -> Written | None:
    """``where(c, g, 0)`` is g times the truth value of c, in Iverson's brackets."""
    other = node.args[2]
    if not (
        type(other) is Node and (other.op is zeros_like or (other.role == "constant" and not other.value))
    ):
        return None
    sign, latex_sign = ("⊙", r"\odot") if shape(node) else ("·", r"\cdot")
    g, c = _beside(args[1], sign, multiply.precedence), args[0].formula
    space = " " if shape(node) else ""
    return Written(
        f"{g.text}{space}{sign}{space}[{c.text}]",
        rf"{g.latex} {latex_sign} [{c.latex}]",
        multiply.precedence,
        sign,
    )


def _getitem(node: Node, args: list[Written]) -> Written:
    x, index = args[0].within(transpose.precedence), _index(node, args[1:])
    return Written(f"{x.text}[{index.text}]", f"{{{x.latex}}}_{{[{index.latex}]}}")


def _scatter_add(node: Node, args: list[Written]) -> Written:
    g, index = args[0].formula, _index(node, args[1:])
    latex = rf"\operatorname{{scatter\_add}}\left({g.latex}, [{index.latex}]\right)"
    return Written(f"scatter_add({g.text}, [{index.text}])", latex, FUNCTION)


def _broadcast_to(node: Node, args: list[Written]) -> Written:
    x, extents = args[0].formula, str(tuple(node.params["shape"]))
    latex = rf"\operatorname{{broadcast\_to}}\left({x.latex}, {extents}\right)"
    return Written(f"broadcast_to({x.text}, {extents})", latex, FUNCTION)


def _index(node: Node, arrays: list[Written]) -> Formula:
    """What stands in the brackets behind an array: numbers, slices, and other arrays."""
    entries = [_index_entry(entry, arrays) for entry in node.params["key"]]
    return Formula(", ".join(e.text for e in entries), ", ".join(e.latex for e in entries))


def _index_entry(entry: Any, arrays: list[Written]) -> Formula:
    if isinstance(entry, Slot):
        return arrays[entry.number].formula
    if entry is Ellipsis:
        return Formula("...", r"\ldots")
    if isinstance(entry, slice):
        bounds = [entry.start, entry.stop] + ([entry.step] if entry.step is not None else [])
        text = ":".join("" if b is None else str(b) for b in bounds)
        return Formula(text, text)
    return Formula(str(entry), str(entry))


def _sum_of_products(node: Node, args: list[Written]) -> Written:
    n = len(args) // 2
    pairs = [(a.within(20), b.within(20)) for a, b in zip(args[:n], args[n : 2 * n], strict=True)]
    text = " + ".join(f"{a.text}·{b.text}" for a, b in pairs)
    latex = " + ".join(rf"{a.latex} \cdot {b.latex}" for a, b in pairs)
    bias = args[-1].within(10)
    if bias.text == "0":
        return Written(text, latex, 10)
    return Written(f"{text} + {bias.text}", f"{latex} + {bias.latex}", 10)


SPECIAL: dict[str, Callable[[Node, list[Written]], Written | None]] = {
    power.name: _power,
    where.name: _where,
    "getitem": _getitem,
    "scatter_add": _scatter_add,
    "broadcast_to": _broadcast_to,
    "sum_of_products": _sum_of_products,
}
"""The operations whose written form depends on more than its arguments' forms."""
