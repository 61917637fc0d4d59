"""Kernels that move entries: joining arrays, placing one inside zeros, reading and adding rows by number.

Each is a copy between two walks, an offset and a stride for each axis; where both walks go on entry by entry
along the last axis, vectors are copied.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from wengert.compiler.accesses import access, contiguous
from wengert.compiler.groups import Group
from wengert.compiler.lines import Line, Shape
from wengert.compiler.llvm.emission import Kernel, Pointers
from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import BYTES, MEMORY_TYPES, Index, Register, addition
from wengert.compiler.plans import Plan
from wengert.compiler.positions import is_checked
from wengert.ops.indexing import Slot


class Move(Pointers):
    """The writing of one kernel that stands alone. Every entry of the line is written in its first place;
    further places get a copy in the end."""

    def __init__(self, plan: Plan, line: Line, machine: Machine, name: str, lanes: int = 0) -> None:
        self.plan, self.line = plan, line
        self.element = MEMORY_TYPES[line.dtype.name]
        super().__init__(Code(name, lanes or machine.lanes(BYTES[self.element])))
        self.first, self.last = self.code.parameter("i64"), self.code.parameter("i64")

    def source(self, a: Line) -> tuple[Register, Shape]:
        """Where an argument begins, and its strides."""
        walk = access(a)
        start = self.pointer(self.plan.buffer(walk.base))
        return self.code.at(start, walk.offset, MEMORY_TYPES[a.dtype.name]), walk.strides

    def target(self) -> Register:
        """Where the line is written."""
        return self.pointer(self.plan.stored[self.line.id][0])

    def kernel(self, units: int = 1) -> Kernel:
        """What is written: so many units, and copies in the end."""
        kernel = Kernel(self.code, units, self.buffers)
        places = self.plan.stored[self.line.id]
        if len(places) > 1:
            finish = Code(f"{self.code.name}_finish", self.code.lanes)
            source, *targets = [finish.parameter() for _ in places]
            for target in targets:
                finish.copy_bytes(target, source, self.line.entries * BYTES[self.element])
            kernel.finish, kernel.finish_buffers = finish, list(places)
        return kernel

    @contextmanager
    def each(self, extents: Shape) -> Iterator[list[Index]]:
        """The loops over all entries of these axes."""
        if not extents:
            yield []
            return
        with self.code.loop(0, extents[0]) as index, self.each(extents[1:]) as inner:
            yield [index, *inner]

    def offset(self, indices: Sequence[Index], strides: Sequence[int]) -> Index:
        """How far an entry lies behind the first."""
        place: Index = 0
        for index, stride in zip(indices, strides, strict=True):
            place = self.code.add(place, self.code.multiply(index, stride))
        return place

    def place(self, start: Register, indices: Sequence[Index], strides: Sequence[int]) -> Register:
        """The address of an entry."""
        return self.code.at(start, self.offset(indices, strides), self.element)

    def copy(
        self, shape: Shape, source: Register, read: Shape, target: Register, written: Shape, add: bool = False
    ) -> None:
        """Copy, or add, the entries of one walk to another."""
        code = self.code
        if not shape or math.prod(shape) == 0:
            if not shape:
                self.entry(source, target, add)
            return
        along = read[-1] == written[-1] == 1
        with self.each(shape[:-1]) as outer:
            start, goal = self.place(source, outer, read[:-1]), self.place(target, outer, written[:-1])
            main = shape[-1] // code.lanes * code.lanes if along else 0
            if main:
                with code.loop(0, main, code.lanes) as column:
                    self.vector(
                        code.at(start, column, self.element), code.at(goal, column, self.element), add
                    )
            if main < shape[-1]:
                with code.loop(main, shape[-1]) as column:
                    self.entry(
                        code.at(start, code.multiply(column, read[-1]), self.element),
                        code.at(goal, code.multiply(column, written[-1]), self.element),
                        add,
                    )

    def vector(self, source: Register, target: Register, add: bool) -> None:
        """Copy or add a vector."""
        code = self.code
        value = code.load(source, self.element)
        if add:
            value = code.binary(addition(self.element), code.load(target, self.element), value)
        code.store(value, target)

    def entry(self, source: Register, target: Register, add: bool) -> None:
        """Copy or add one entry."""
        code = self.code
        value = code.load_scalar(source, self.element)
        if add:
            present = code.load_scalar(target, self.element)
            value = code.emit(f"{addition(self.element)} {present}, {value.name}", self.element)
        code.store_scalar(value, target)

    def clear(self, target: Register) -> None:
        """Zeros everywhere."""
        self.code.clear_bytes(target, self.line.entries * BYTES[self.element])


def move_kernel(plan: Plan, group: Group, machine: Machine, name: str) -> Kernel:
    """The kernel of a line that moves entries."""
    (line,) = group.members
    move = Move(plan, line, machine, name)
    _WRITERS[line.name](move, line)
    return move.kernel()


def _concatenate(move: Move, line: Line) -> None:
    axis, strides = line.params["axis"], contiguous(line.shape)
    target = move.target()
    start = 0
    for a in line.args:
        if a.entries:
            source, read = move.source(a)
            goal = move.code.at(target, start * strides[axis], move.element)
            move.copy(a.shape, source, read, goal, strides)
        start += a.shape[axis]


def _place_in_zeros(move: Move, line: Line) -> None:
    """The transpose of slicing, or of reading by number."""
    target = move.target()
    move.clear(target)
    if len(line.args) > 1:
        _by_number(move, line.args[0], line.args[1:], target, line.shape, add=True)
        return
    offset, strides = basic_walk(line.params["key"], line.shape) or (0, ())
    source, read = move.source(line.args[0])
    move.copy(line.args[0].shape, source, read, move.code.at(target, offset, move.element), strides)


def _rows(move: Move, line: Line) -> None:
    x, *numbers = line.args
    _by_number(move, x, numbers, move.target(), x.shape, add=False)


def _by_number(
    move: Move, values: Line, numbers: Sequence[Line], target: Register, shape: Shape, add: bool
) -> None:
    """Entries of an array of the given shape, read into the target or added to it, at checked positions
    along some of its axes."""
    code, key = move.code, move.line.params["key"]
    first = numbered_axis(key)
    last = first + len(numbers)
    together = np.broadcast_shapes(*(n.shape for n in numbers))
    source, read = move.source(values)
    tables = [move.source(n) for n in numbers]
    whole = contiguous(shape)
    apart = contiguous((*shape[:first], *together, *shape[last:]))
    inside, rest = (read, apart) if not add else (whole, read)
    with move.each(shape[:first]) as outer, move.each(together) as places:
        start = move.offset(outer, inside[:first])
        for (table, strides), number, stride in zip(tables, numbers, inside[first:last], strict=True):
            own = places[len(places) - number.ndim :]
            steps = [0 if n == 1 else s for n, s in zip(number.shape, strides, strict=True)]
            position = code.load_scalar(code.at(table, move.offset(own, steps), "i64"), "i64")
            start = code.add(start, code.multiply(position, stride))
        other = move.offset([*outer, *places], rest[: first + len(together)])
        here, behind = inside[last:], rest[first + len(together) :]
        if add:
            goal = code.at(target, start, move.element)
            move.copy(shape[last:], code.at(source, other, move.element), behind, goal, here, add=True)
        else:
            goal = code.at(target, other, move.element)
            move.copy(shape[last:], code.at(source, start, move.element), here, goal, behind)


def numbered_axis(key: Sequence[Any]) -> int:
    """The axis that the first array of an index stands for, behind whole axes."""
    return next(k for k, entry in enumerate(key) if type(entry) is Slot)


def is_by_number(line: Line) -> bool:
    """Whether a line reads, or adds, at positions along neighbouring axes and takes the other axes whole."""
    key, numbers = line.params["key"], line.args[1:]
    array = line.args[0] if line.name == "getitem" else line
    if not numbers or any(n.dtype.name not in ("int32", "int64") or n.weak for n in numbers):
        return False
    arrays = [k for k, entry in enumerate(key) if type(entry) is Slot]
    side_by_side = arrays == list(range(arrays[0], arrays[0] + len(numbers)))
    others = [entry for k, entry in enumerate(key) if k not in arrays]
    whole = all(isinstance(entry, slice) and entry == slice(None) for entry in others)
    in_order = [key[k].number for k in arrays] == list(range(len(numbers)))
    return side_by_side and whole and in_order and len(key) <= array.ndim


def basic_walk(key: Sequence[Any], shape: Shape) -> tuple[int, Shape] | None:
    """Where the entries that an index of slices, numbers, None and an ellipsis names lie in an array: an
    offset, and a stride for each axis of what is read; None for any other index."""
    used = sum(entry is not None and entry is not Ellipsis for entry in key)
    full: list[Any] = []
    for entry in key:
        full += [slice(None)] * (len(shape) - used) if entry is Ellipsis else [entry]
    if Ellipsis not in key:
        full += [slice(None)] * (len(shape) - used)
    offset, strides, axis = 0, [], 0
    whole = contiguous(shape)
    for entry in full:
        if entry is None:
            strides.append(0)
            continue
        if isinstance(entry, slice):
            start, _, step = entry.indices(shape[axis])
            offset += start * whole[axis]
            strides.append(step * whole[axis])
        elif type(entry) is int:
            offset += (entry % shape[axis] if shape[axis] else 0) * whole[axis]
        else:
            return None
        axis += 1
    return offset, tuple(strides)


def is_move(line: Line) -> bool:
    """Whether a line moves entries in a way that a kernel knows."""
    if line.name not in _WRITERS:
        return False
    if line.dtype.name not in MEMORY_TYPES or any(a.dtype.name not in MEMORY_TYPES for a in line.args):
        return False
    if any(a.is_number or a.entries == 0 for a in line.args):
        return False
    if line.name == "concatenate":
        return True
    if line.name == "scatter_add" and (line.dtype.kind == "b" or line.dtype != line.args[0].dtype):
        return False
    if len(line.args) > 1:
        return is_by_number(line) and all(is_checked(n) for n in line.args[1:])
    return line.name == "scatter_add" and (
        not any(isinstance(e, (list, Slot)) for e in line.params["key"])
        and basic_walk(line.params["key"], line.shape) is not None
    )


_WRITERS = {"concatenate": _concatenate, "scatter_add": _place_in_zeros, "getitem": _rows}
