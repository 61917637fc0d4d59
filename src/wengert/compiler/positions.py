"""Positions that are checked before anything is read or written at them.

A *checked* line holds the positions of an integer array along an axis, counted from the front, and every one
of them lies on the axis: native code that uses them needs no further look. Where the array has a position
outside, the run ends at the check, and `bad_position` says what was wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wengert.compiler.lines import Line
from wengert.ops.op import Op


class _Checked(Op):
    """The row of checked positions, which no user writes: it is not in the rule table."""

    def __init__(self) -> None:
        self.name = "positions"
        self.parameters = {"extent": 0, "axis": 0, "of": ""}


CHECKED = _Checked()


FIRST = 2
"""Of the words of the checks, the first says which check failed, as its number + 1, and the second at which
position. Then every check has one of its own, which is 1 where it failed."""


@dataclass(frozen=True)
class Check:
    """What positions are for: the operation, the axis of so many entries, and the user's name for them."""

    operation: str
    axis: int
    extent: int
    name: str

    def bad_position(self, position: int) -> str:
        """What is wrong with a position outside."""
        of = f" ({self.name} of {self.operation})" if self.name else f" ({self.operation})"
        return f"index {position} is out of bounds for axis {self.axis} with size {self.extent}{of}"


def can_be_checked(indices: Line) -> bool:
    """Whether native code knows the dtype of positions."""
    return indices.dtype.name in ("int32", "int64") and not indices.weak and bool(indices.entries)


def checked(indices: Line, extent: int, axis: int, operation: str) -> Line:
    """The positions along an axis of so many entries, from the front."""
    params = {"extent": extent, "axis": axis, "of": operation}
    return indices.lines.line(CHECKED, (indices,), params, indices.shape, np.dtype(np.int64))


def is_checked(line: Line) -> bool:
    """Whether positions are known to lie on their axis."""
    return line.op is CHECKED
