"""The formula of a line in the comment beside its statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from string import Formatter
from typing import Any

import numpy as np

from wengert.compiler.lines import DType, Line, without_ones
from wengert.compiler.numpy_order import REDUCTIONS, Kinds, is_known, slice_of

ATOM, FUNCTION, PRODUCT, SUM = 100, 50, 20, 10
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
Written = tuple[str, int]
"""A formula and the precedence of its outermost operation."""


class Formulas:
    """Writes lines in the names of others; arrangements are written out."""

    def __init__(self, kinds: Kinds, names: Mapping[int, str]) -> None:
        self.kinds, self.names = kinds, names

    def of(self, line: Line) -> str:
        """What the line computes."""
        return self._written(line)[0]

    def _operand(self, line: Line) -> Written:
        if line.is_number:
            return number(line.number, line.dtype)
        if self.kinds[line] in ("folded", "spread", "constant", "view"):
            return self._written(line)
        return self.names[line.id], ATOM

    def _written(self, line: Line) -> Written:
        args = [self._operand(a) for a in line.args]
        writer = _SPECIAL.get(line.name)
        if writer is not None and is_known(line):
            return writer(line, args)
        op = line.op
        assert op is not None
        if op.infix is not None and len(args) == 2:
            return _infix(line, args)
        if op.text is not None and len(args) == op.arity:
            return _filled(op.text, [_within(a, op.precedence + 1) for a in args]), op.precedence
        return _call(line, args)


def number(value: Any, dtype: DType) -> Written:
    """A number as a person writes it."""
    if dtype == np.float32:
        value = float(str(np.float32(value)))
    text = (
        str(int(value))
        if isinstance(value, float) and value.is_integer() and abs(value) < 1e15
        else str(value)
    )
    return text, (15 if text.startswith("-") else ATOM)


def _within(written: Written, precedence: int) -> str:
    text, own = written
    return text if own >= precedence else f"({text})"


def _filled(template: str, operands: Sequence[str]) -> str:
    pieces = Formatter().parse(template)
    return "".join(
        literal + (operands[int(place)] if place is not None else "") for literal, place, _, _ in pieces
    )


def _infix(line: Line, args: Sequence[Written]) -> Written:
    op = line.op
    assert op is not None and op.infix is not None
    arrays = op.name == "multiply" and all(a.shape for a in line.args)
    sign = "⊙" if arrays else op.infix
    left = _within(args[0], op.precedence)
    right = _within(args[1], op.precedence + (op.name in ("subtract", "divide", "multiply", "matmul")))
    spaced = op.precedence <= SUM or sign in ("@", "⊙")
    return (f"{left} {sign} {right}" if spaced else f"{left}{sign}{right}"), op.precedence


def _power(line: Line, args: Sequence[Written]) -> Written:
    base, exponent = _within(args[0], 31), args[1][0]
    raised = (
        exponent.translate(SUPERSCRIPTS) if exponent.lstrip("-").isdigit() else f"^{_within(args[1], ATOM)}"
    )
    return f"{base}{raised}", 30


def _where(line: Line, args: Sequence[Written]) -> Written:
    """``where(c, g, 0)`` is g times the truth value of c, in Iverson's brackets."""
    if args[2][0] == "0" and line.shape:
        return f"{_within(args[1], PRODUCT)} ⊙ [{args[0][0]}]", PRODUCT
    return _call(line, args)


def _permute(line: Line, args: Sequence[Written]) -> Written:
    if line.params["axes"] == (*range(line.ndim - 2), line.ndim - 1, line.ndim - 2):
        return f"{_within(args[0], 40)}ᵀ", 40
    return _call(line, args)


def _reduction(line: Line, args: Sequence[Written]) -> Written:
    axes = line.params["axis"]
    if len(axes) == line.args[0].ndim or line.entries == 1:
        return f"{line.name}({args[0][0]})", FUNCTION
    return f"{line.name}({args[0][0]}, axis={axes[0] if len(axes) == 1 else axes})", FUNCTION


def _reshape(line: Line, args: Sequence[Written]) -> Written:
    """Axes of one entry are nothing that a formula mentions."""
    if without_ones(line.shape) == without_ones(line.args[0].shape):
        return args[0]
    return f"reshape({args[0][0]}, {line.shape})", FUNCTION


def _slice(line: Line, args: Sequence[Written]) -> Written:
    entries = []
    for (start, count, step), extent in zip(line.params["key"], line.args[0].shape, strict=True):
        entries.append(slice_text(start, count, step, extent))
    return f"{_within(args[0], 40)}[{', '.join(entries)}]", 40


def slice_text(start: int, count: int, step: int, extent: int) -> str:
    """A slice as a person writes it: only the bounds that are no ends."""
    bounds = slice_of(start, count, step)
    first = "" if start == (0 if step > 0 else extent - 1) else str(start)
    stop = "" if bounds.stop is None or (step > 0 and bounds.stop >= extent) else str(bounds.stop)
    return f"{first}:{stop}" + (f":{step}" if step != 1 else "")


def _call(line: Line, args: Sequence[Written]) -> Written:
    settings = [f"{k}={v}" for k, v in line.params.items() if k not in ("parts", "shape")]
    return f"{line.name}({', '.join([*(text for text, _ in args), *settings])})", FUNCTION


_SPECIAL: dict[str, Callable[[Line, Sequence[Written]], Written]] = {
    "power": _power,
    "astype": lambda line, args: (f"{line.dtype}({args[0][0]})", FUNCTION),
    "maximum": lambda line, args: (f"max({args[0][0]}, {args[1][0]})", FUNCTION),
    "minimum": lambda line, args: (f"min({args[0][0]}, {args[1][0]})", FUNCTION),
    "where": _where,
    "permute": _permute,
    "reshape": _reshape,
    "broadcast_to": lambda line, args: args[0],
    "getitem": _slice,
    **dict.fromkeys(REDUCTIONS, _reduction),
}
