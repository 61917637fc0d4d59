"""Elementwise lines without the axes of one entry in front, which broadcasting supplies by itself.

A reduction keeps its axes in a program; a person who writes NumPy lets them go, and what has one entry is a
number.
"""

from __future__ import annotations

import numpy as np

from wengert.compiler.canonical import PRIMITIVES
from wengert.compiler.lines import Line, Shape, without_leading_ones
from wengert.compiler.programs import Program, rebuilt
from wengert.compiler.views import reshaped, spread


def plain_shapes(program: Program) -> Program:
    """The program with its elementwise lines in plain shapes."""
    return rebuilt(program, None, _plain)


def _plain(line: Line, args: tuple[Line, ...]) -> Line | None:
    if line.name == "reshape":
        return _reshaped(args[0], line.shape)
    if line.name not in PRIMITIVES and line.name != "astype":
        return None
    if all(a.shape[:1] != (1,) for a in args) or any(not a.is_real for a in args):
        return None
    plain = tuple(_reshaped(a, without_leading_ones(a.shape)) for a in args)
    return reshaped(line.again(plain, np.broadcast_shapes(*(a.shape for a in plain))), line.shape)


def _reshaped(line: Line, shape: Shape) -> Line:
    """The line in another shape, as a part of the row that it was made for."""
    lines = line.lines
    row, lines.origin = lines.origin, line.origin
    found = _arranged(line, shape)
    lines.origin = row
    return found


def _arranged(line: Line, shape: Shape) -> Line:
    if line.name == "reshape":
        line = line.args[0]
    if line.name == "broadcast_to" and not line.args[0].shape:
        return spread(line.args[0], shape)
    return reshaped(line, shape)
