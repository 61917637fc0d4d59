"""Kernels that run along one axis: where an extreme lies, running sums, and entries at positions.

An array is taken as (outer, n, inner), n being the axis, and lies in memory in C order. A unit is one place
of the axes in front. Where there are axes behind, a vector of them is done at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from wengert.compiler.groups import Group
from wengert.compiler.lines import Line, Shape
from wengert.compiler.llvm.emission import Kernel
from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.moves import Move
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import BYTES, MEMORY_TYPES, Index, Register, addition, is_float
from wengert.compiler.llvm.windows import vectors
from wengert.compiler.plans import Plan
from wengert.compiler.positions import is_checked


def axis_kernel(plan: Plan, group: Group, machine: Machine, name: str) -> Kernel:
    """The kernel of a line that runs along an axis."""
    (line,) = group.members
    shape = line.shape if line.name == "put_along_axis" else line.args[0].shape
    outer, n, inner = _parted(shape, line.params["axis"])
    element = MEMORY_TYPES[line.args[0].dtype.name]
    lanes = machine.lanes(BYTES[element]) if inner > 1 else 1
    along = _Along(Move(plan, line, machine, name, lanes), outer, n, inner, element)
    kernel = along.move.kernel(outer)
    _WRITERS[line.name](along)
    return kernel


def is_along_axis(line: Line) -> bool:
    """Whether a line runs along an axis in a way that a kernel knows."""
    x = line.args[0]
    if line.name not in ALONG_AXIS or x.weak or x.is_number or not x.entries or not line.entries:
        return False
    if line.name in ("argmax", "argmin"):
        return x.dtype.name in (*_NUMBERS, "bool")
    if line.name == "cumsum":
        return x.dtype == line.dtype and x.dtype.name in _NUMBERS
    if line.dtype.name not in _NUMBERS or x.dtype != line.dtype:
        return False
    return fits_positions(line) and is_checked(line.args[1])


def fits_positions(line: Line) -> bool:
    """Whether an array and its positions have the same extents but for the axis."""
    x, indices = line.args
    whole = x.shape if line.name == "take_along_axis" else line.shape
    axis = line.params["axis"]
    if axis is None or len(whole) != indices.ndim:
        return False
    axis %= len(whole)
    return all(n == m for k, (n, m) in enumerate(zip(whole, indices.shape, strict=True)) if k != axis)


class _Along:
    """The writing of one kernel."""

    def __init__(self, move: Move, outer: int, n: int, inner: int, element: str) -> None:
        self.move, self.code, self.element = move, move.code, element
        self.outer, self.n, self.inner = outer, n, inner
        self.sources = [move.source(a)[0] for a in move.line.args]
        self.target = move.target()

    @contextmanager
    def units(self) -> Iterator[Index]:
        """The loop over the places of the axes in front."""
        with self.code.loop(self.move.first, self.move.last) as unit:
            yield unit

    def columns(self) -> Iterator[tuple[Index, int]]:
        """Vectors of the axes behind."""
        if self.inner == 1:
            yield 0, 1
        else:
            yield from vectors(self.code, self.inner)

    def entry(self, unit: Index, extent: int, k: Index, column: Index) -> Index:
        """Where an entry of an array with so many entries along the axis lies."""
        row = self.code.add(self.code.multiply(unit, extent), k)
        return self.code.add(self.code.multiply(row, self.inner), column)


def _extreme(along: _Along) -> None:
    """The first place of the largest (or smallest) entry; NaN is both."""
    code, element = along.code, along.element
    greatest = along.move.line.name == "argmax"
    with along.units() as unit:
        for column, width in along.columns():
            first = along.entry(unit, along.n, 0, column)
            best = code.load(code.at(along.sources[0], first, element), element, width)
            place = code.constant(0, "i64")
            if along.n > 1:
                with code.fold(1, along.n, [best, place]) as (k, state):
                    here = along.entry(unit, along.n, k, column)
                    entry = code.load(code.at(along.sources[0], here, element), element, width)
                    takes = _takes(code, entry, state[0], element, greatest)
                    number = code.constant(k, "i64") if isinstance(k, int) else code.splat(k)
                    state[:] = [code.select(takes, entry, state[0]), code.select(takes, number, state[1])]
                place = state[1]
            goal = code.at(along.target, along.entry(unit, 1, 0, column), "i64")
            code.store(place, goal, width)


def _takes(code: Code, entry: Register, best: Register, element: str, greatest: bool) -> Register:
    """Whether an entry is better than the best before it."""
    if is_float(element):
        is_number = code.compare("ord", best, best)
        return code.binary("and", is_number, code.compare("ugt" if greatest else "ult", entry, best))
    sign = "u" if element == "i8" else "s"
    return code.compare(f"{sign}gt" if greatest else f"{sign}lt", entry, best)


def _cumsum(along: _Along) -> None:
    """Every entry plus all before it, added one after the other."""
    code, element = along.code, along.element
    with along.units() as unit:
        for column, width in along.columns():
            place = along.entry(unit, along.n, 0, column)
            total = code.load(code.at(along.sources[0], place, element), element, width)
            code.store(total, code.at(along.target, place, element), width)
            if along.n > 1:
                with code.fold(1, along.n, [total]) as (k, state):
                    place = along.entry(unit, along.n, k, column)
                    entry = code.load(code.at(along.sources[0], place, element), element, width)
                    state[0] = code.binary(addition(element), state[0], entry)
                    code.store(state[0], code.at(along.target, place, element), width)


def _at_positions(along: _Along) -> None:
    """Entries read, or added to zeros, at checked positions along the axis."""
    code, element, line = along.code, along.element, along.move.line
    values, positions = along.sources
    puts = line.name == "put_along_axis"
    count = line.args[1].shape[line.params["axis"]]
    with along.units() as unit:
        if puts:
            size = along.n * along.inner * BYTES[element]
            start = code.at(along.target, along.entry(unit, along.n, 0, 0), element)
            code.clear_bytes(start, size)
        with code.loop(0, count) as k, code.loop(0, along.inner) as column:
            place = along.entry(unit, count, k, column)
            position = code.load_scalar(code.at(positions, place, "i64"), "i64")
            inside = along.entry(unit, along.n, position, column)
            source, goal = (place, inside) if puts else (inside, place)
            along.move.entry(code.at(values, source, element), code.at(along.target, goal, element), add=puts)


def _parted(shape: Shape, axis: int | None) -> tuple[int, int, int]:
    """A shape as the axes in front, the axis, and those behind; without an axis all entries are one row."""
    if axis is None:
        return 1, math.prod(shape), 1
    axis %= len(shape)
    return math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])


_NUMBERS = ("float32", "float64", "int32", "int64")
_WRITERS = {
    "argmax": _extreme,
    "argmin": _extreme,
    "cumsum": _cumsum,
    "take_along_axis": _at_positions,
    "put_along_axis": _at_positions,
}
ALONG_AXIS = frozenset(_WRITERS)
