"""The operations whose written form depends on more than the forms of their arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wengert.numbers.graph import Node
from wengert.ops.arithmetic import multiply, negative, power, square, where, zeros_like
from wengert.ops.indexing import Slot
from wengert.ops.kinds import shape
from wengert.ops.op import Op
from wengert.ops.shape import transpose
from wengert.worksheets.worksheet import Formula
from wengert.worksheets.written import (
    ATOM,
    FUNCTION,
    NEGATIVE,
    Written,
    base_of,
    beside,
    repeated,
    transposed,
)

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def changed(op: Op, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that differ from the operation's defaults."""
    return {k: v for k, v in params.items() if not _same(v, op.parameters.get(k))}


def _same(a: Any, b: Any) -> bool:
    return a is b or (type(a) is type(b) and bool(a == b))


def _negative(node: Node, args: list[Written]) -> Written:
    x = args[0].within(NEGATIVE + 1)
    return Written(f"-{x.text}", f"-{x.latex}", NEGATIVE, args[0].sign)


def _square(node: Node, args: list[Written]) -> Written:
    base = base_of(args[0], power.precedence + 1)
    entrywise = r"\odot " if shape(node) else ""  # not the product of a matrix with itself
    return Written(f"{base.text}²", f"{base.latex}^{{{entrywise}2}}", power.precedence)


def _power(node: Node, args: list[Written]) -> Written | None:
    base, exponent = base_of(args[0], power.precedence + 1), args[1].formula
    digits = exponent.text.lstrip("-").isdigit()
    text = exponent.text.translate(SUPERSCRIPTS) if digits else f"^{args[1].within(ATOM).text}"
    entrywise = r"\odot " if shape(node) else ""
    return Written(
        f"{base.text}{text}", f"{{{base.latex}}}^{{{entrywise}{exponent.latex}}}", power.precedence
    )


def _transpose(node: Node, args: list[Written]) -> Written | None:
    assert node.op is not None
    return None if changed(node.op, node.params) else transposed(args[0])


def _where(node: Node, args: list[Written]) -> Written | None:
    """``where(c, g, 0)`` is g times the truth value of c, in Iverson's brackets; all others are two cases."""
    other = node.args[2]
    if not (
        type(other) is Node and (other.op is zeros_like or (other.role == "constant" and not other.value))
    ):
        c, a, b = (arg.formula for arg in args)
        cases = rf"{a.latex} & \text{{if }} {c.latex} \\ {b.latex} & \text{{otherwise}}"
        text = f"where({c.text}, {a.text}, {b.text})"
        return Written(text, rf"\begin{{cases}}{cases}\end{{cases}}", FUNCTION)
    sign, latex_sign = ("⊙", r"\odot") if shape(node) else ("·", r"\cdot")
    g, c = beside(args[1], sign, multiply.precedence), args[0].formula
    space = " " if shape(node) else ""
    return Written(
        f"{g.text}{space}{sign}{space}[{c.text}]",
        rf"{g.latex} {latex_sign} [{c.latex}]",
        multiply.precedence,
        sign,
    )


def _getitem(node: Node, args: list[Written]) -> Written:
    x, index = args[0].within(transpose.precedence), _index(node, args[1:])
    # the empty group keeps TeX from moving the index of an accented letter out of its braces
    return Written(f"{x.text}[{index.text}]", f"{{{x.latex}{{}}}}_{{[{index.latex}]}}")


def _scatter_add(node: Node, args: list[Written]) -> Written:
    g, index = args[0].formula, _index(node, args[1:])
    latex = rf"\operatorname{{scatter\_add}}\left({g.latex}, [{index.latex}]\right)"
    return Written(f"scatter_add({g.text}, [{index.text}])", latex, FUNCTION)


def _broadcast_to(node: Node, args: list[Written]) -> Written:
    x, extents = args[0].formula, tuple(node.params["shape"])
    if not shape(node.args[0]):
        return repeated(args[0], extents)
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
    negative.name: _negative,
    power.name: _power,
    square.name: _square,
    transpose.name: _transpose,
    where.name: _where,
    "getitem": _getitem,
    "scatter_add": _scatter_add,
    "broadcast_to": _broadcast_to,
    "sum_of_products": _sum_of_products,
}
"""The operations whose written form depends on more than its arguments' forms."""
