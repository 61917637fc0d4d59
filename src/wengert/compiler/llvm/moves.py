"""Kernels that move entries: joining arrays, placing one inside zeros, reading and adding rows by number.

Each is a copy between two walks, an offset and a stride for each axis; where both walks go on entry by entry
along the last axis, vectors are copied.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from wengert.compiler.accesses import access, base_of, contiguous
from wengert.compiler.fusion import Group
from wengert.compiler.lines import Line, Shape
from wengert.compiler.llvm.loops import Kernel
from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.text import BYTES, MEMORY_TYPES, Code, Index, Register
from wengert.compiler.plans import Buffer, Plan
from wengert.ops.indexing import Slot


class _Move:
    """The writing of one kernel."""

    def __init__(self, plan: Plan, line: Line, machine: Machine, name: str) -> None:
        self.plan, self.line = plan, line
        self.element = MEMORY_TYPES[line.dtype.name]
        self.code = Code(name, machine.lanes(BYTES[self.element]))
        self.first, self.last = self.code.parameter("i64"), self.code.parameter("i64")
        self.buffers: list[Buffer] = []
        self.pointers: dict[Buffer, Register] = {}

    def pointer(self, buffer: Buffer) -> Register:
        """The function's parameter for a buffer."""
        if buffer not in self.pointers:
            self.pointers[buffer] = self.code.parameter()
            self.buffers.append(buffer)
        return self.pointers[buffer]

    def source(self, a: Line) -> tuple[Register, Shape]:
        """Where an argument begins, and its strides."""
        walk = access(a)
        start = self.pointer(self.plan.buffer(walk.base))
        return self.code.at(start, walk.offset, MEMORY_TYPES[a.dtype.name]), walk.strides

    def targets(self) -> list[Register]:
        """Every place where the line is written."""
        return [self.pointer(buffer) for buffer in self.plan.stored[self.line.id]]

    def kernel(self) -> Kernel:
        """What was written."""
        return Kernel(self.code, 1, self.buffers)

    @contextmanager
    def each(self, extents: Shape) -> Iterator[list[Index]]:
        """The loops over all entries of these axes."""
        if not extents:
            yield []
            return
        with self.code.loop(0, extents[0]) as index, self.each(extents[1:]) as inner:
            yield [index, *inner]

    def place(self, start: Register, indices: Sequence[Index], strides: Sequence[int]) -> Register:
        """The address of an entry."""
        place: Index = 0
        for index, stride in zip(indices, strides, strict=True):
            place = self.code.add(place, self.code.multiply(index, stride))
        return self.code.at(start, place, self.element)

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
            value = code.binary(self._addition, code.load(target, self.element), value)
        code.store(value, target)

    def entry(self, source: Register, target: Register, add: bool) -> None:
        """Copy or add one entry."""
        code = self.code
        value = code.load_scalar(source, self.element)
        if add:
            present = code.load_scalar(target, self.element)
            value = code.emit(f"{self._addition} {present}, {value.name}", self.element)
        code.store_scalar(value, target)

    @property
    def _addition(self) -> str:
        return "fadd" if self.element in ("float", "double") else "add"

    def clear(self, target: Register) -> None:
        """Zeros everywhere."""
        size = self.line.entries * BYTES[self.element]
        self.code.declarations.add("declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)")
        self.code.do(f"call void @llvm.memset.p0.i64({target}, i8 0, i64 {size}, i1 false)")


def move_kernel(plan: Plan, group: Group, machine: Machine, name: str) -> Kernel:
    """The kernel of a line that moves entries."""
    (line,) = group.members
    move = _Move(plan, line, machine, name)
    _WRITERS[line.name](move, line)
    return move.kernel()


def _concatenate(move: _Move, line: Line) -> None:
    axis, strides = line.params["axis"], contiguous(line.shape)
    for target in move.targets():
        start = 0
        for a in line.args:
            if a.entries:
                source, read = move.source(a)
                goal = move.code.at(target, start * strides[axis], move.element)
                move.copy(a.shape, source, read, goal, strides)
            start += a.shape[axis]


def _place_in_zeros(move: _Move, line: Line) -> None:
    """The transpose of slicing, or of reading rows by number."""
    target = move.targets()[0]
    move.clear(target)
    if len(line.args) == 2:
        _by_number(move, line.args[0], line.args[1], target, line.shape, add=True)
    else:
        offset, strides = basic_walk(line.params["key"], line.shape) or (0, ())
        source, read = move.source(line.args[0])
        move.copy(line.args[0].shape, source, read, move.code.at(target, offset, move.element), strides)
    _repeat(move, line)


def _rows(move: _Move, line: Line) -> None:
    _by_number(move, line.args[0], line.args[1], move.targets()[0], line.args[0].shape, add=False)
    _repeat(move, line)


def _repeat(move: _Move, line: Line) -> None:
    """Further places get a copy of the first."""
    first, *others = move.targets()
    for target in others:
        move.copy((line.entries,), first, (1,), target, (1,))


def _by_number(move: _Move, values: Line, numbers: Line, target: Register, shape: Shape, add: bool) -> None:
    """Rows of an array of the given shape: read into the target, or added to it. Negative numbers count
    from the end. Numbers outside are not looked at: see `is_move`."""
    code, inner = move.code, shape[1:]
    source, read = move.source(values)
    at, steps = move.source(numbers)
    whole = contiguous(shape)
    with move.each(numbers.shape) as outer:
        place: Index = 0
        for index, stride in zip(outer, steps, strict=True):
            place = code.add(place, code.multiply(index, stride))
        number = code.load_scalar(code.at(at, place, "i64"), "i64")
        negative = code.emit(f"icmp slt i64 {number.name}, 0", "i1")
        wrapped = code.emit(f"add i64 {number.name}, {shape[0]}", "i64")
        row = code.emit(f"select {negative}, {wrapped}, {number}", "i64")
        if add:
            start = move.place(source, outer, read[: numbers.ndim])
            goal = code.at(target, code.multiply(row, whole[0]), move.element)
            move.copy(inner, start, read[numbers.ndim :], goal, whole[1:], add=True)
        else:
            start = code.at(source, code.multiply(row, read[0]), move.element)
            strides = contiguous((*numbers.shape, *inner))
            goal = move.place(target, outer, strides[: numbers.ndim])
            move.copy(inner, start, read[1:], goal, strides[numbers.ndim :])


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
    if line.dtype.name not in MEMORY_TYPES or any(a.dtype.name not in MEMORY_TYPES for a in line.args):
        return False
    if any(base_of(a).is_number or a.entries == 0 for a in line.args):
        return False
    if line.name == "concatenate":
        return True
    if line.name == "scatter_add" and len(line.args) == 1:
        return (
            line.dtype.kind != "b"
            and not any(isinstance(e, (list, Slot)) for e in line.params["key"])
            and (basic_walk(line.params["key"], line.shape) is not None)
        )
    return False


_WRITERS = {"concatenate": _concatenate, "scatter_add": _place_in_zeros, "getitem": _rows}
