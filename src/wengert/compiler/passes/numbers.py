"""Arithmetic on written numbers, done once and for all, in the dtype that the line has."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from wengert.compiler.canonical import PRIMITIVES
from wengert.compiler.lines import Line
from wengert.compiler.passes.forms import Rule, made, spread
from wengert.ops.op import Op, lookup


def _folded(op: Op) -> Rule:
    """An elementwise row of written numbers is a number. Warnings are for the numbers of the user's data."""

    def rule(*args: Line) -> Line | None:
        for a in args:
            if a.op is not None or a.slot is not None:
                return None
        plain = tuple(np.asarray(a.number, a.dtype)[()] for a in args)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            value = np.asarray(op.apply(plain, {}))
        line = args[-1].lines
        weak = all(a.weak for a in args)
        return line.number(value[()], value.dtype, weak)

    return rule


def _strengthened(op: Op) -> Rule:
    """Beside arrays a Python number is a number of their dtype: so equal numbers are one line."""

    def rule(*args: Line) -> Line | None:
        if all(a.weak for a in args) or not any(a.weak and a.is_number for a in args):
            return None
        strong = (a.lines.number(a.number, a.dtype) if a.weak and a.is_number else a for a in args)
        return made(op, *strong)

    return rule


def _converted(x: Line, *, dtype: str) -> Line | None:
    if not x.is_number:
        return None
    with np.errstate(all="ignore"):
        value = np.asarray(x.number, x.dtype).astype(dtype)
    return x.lines.number(value[()], value.dtype)


def _spread(x: Line, *, shape: tuple[int, ...]) -> Line | None:
    """A number in a shape is that number spread."""
    return spread(x, shape) if x.is_number and shape else None


NUMBERS: Mapping[str, tuple[Rule, ...]] = {
    **{name: (_folded(lookup(name)), _strengthened(lookup(name))) for name in sorted(PRIMITIVES)},
    "astype": (_converted,),
    "reshape": (_spread,),
}
"""Rules that change no bit of a value."""
