"""In which order the statements of a program stand, and what kind of statement each line is.

- ``slot``: an argument of the step; ``number``: written where it is used;
- ``spread``: repeated entries, which NumPy's broadcasting repeats by itself;
- ``folded``: a reduction whose kept axes the next line drops at once;
- ``scalar``: a number, computed by an expression;
- ``constant``: an array that is filled once; ``view``: another arrangement of memory that is there;
- ``array``: written to memory of its own, or over an array that nobody reads again;
- ``fresh``: a new array that a function returns.
"""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wengert.compiler.accesses import VIEWS
from wengert.compiler.canonical import PRIMITIVES
from wengert.compiler.lines import Line
from wengert.compiler.numpy_blocks import Group, grouped
from wengert.compiler.programs import Program

REDUCTIONS: Mapping[str, str] = {
    "sum": "np.add.reduce",
    "max": "np.maximum.reduce",
    "min": "np.minimum.reduce",
    "any": "np.logical_or.reduce",
    "all": "np.logical_and.reduce",
}
"""The ufunc behind each reduction: without the detour of NumPy's method."""

ENTRYWISE = PRIMITIVES | {"astype"}


def reading_order(program: Program) -> list[Line]:
    """The lines that are needed in the order of the user's program, as far as the passes left it."""
    needed = program.lines()
    waiting = {line.id: len({a.id for a in line.args}) for line in needed}
    readers: dict[int, list[Line]] = {}
    for line in needed:
        for number in {a.id for a in line.args}:
            readers.setdefault(number, []).append(line)
    ready = [(_place(line), line.id, line) for line in needed if not waiting[line.id]]
    heapq.heapify(ready)
    order: list[Line] = []
    while ready:
        line = heapq.heappop(ready)[2]
        order.append(line)
        for reader in readers.get(line.id, ()):
            waiting[reader.id] -= 1
            if not waiting[reader.id]:
                heapq.heappush(ready, (_place(reader), reader.id, reader))
    return order


def _place(line: Line) -> int:
    return -1 if line.origin is None else line.origin


def readers_of(order: Sequence[Line]) -> dict[int, list[Line]]:
    """For each line those that use it."""
    found: dict[int, list[Line]] = {line.id: [] for line in order}
    for line in order:
        for number in {a.id for a in line.args}:
            found[number].append(line)
    return found


def is_entrywise(line: Line) -> bool:
    """Whether this is an elementwise row on real numbers, or a cast."""
    return line.name in ENTRYWISE and all(a.is_real for a in (line, *line.args))


def is_known(line: Line) -> bool:
    """Whether the line is canonical: not a row that only NumPy's own function carries out."""
    if not line.is_real or any(not a.is_real for a in line.args):
        return False
    if line.name in REDUCTIONS:
        return isinstance(line.params["axis"], tuple) and line.params["keepdims"] is True
    if line.name == "getitem":
        return len(line.args) == 1 and all(
            isinstance(entry, tuple) and len(entry) == 3 for entry in line.params["key"]
        )
    if line.name == "matmul":
        return line.dtype.kind == "f" and all(a.ndim > 1 for a in line.args)
    return line.name in ENTRYWISE or line.name in VIEWS or line.name == "concatenate"


class Kinds:
    """What kind of statement each line of a program is; see the module."""

    def __init__(self, program: Program) -> None:
        self.firsts = [first for _, first in program.sections]
        self.order = reading_order(program)
        self.readers = readers_of(self.order)
        self.outcomes = {line.id for line in program.outcomes()}
        self.of: dict[int, str] = {}
        self.samples: dict[int, Any] = {}
        for line in self.order:
            self.of[line.id] = self._kind(line)
        self._fold_reductions()
        self.order, groups = grouped(self.order, self._fits, self.section)
        self.group: dict[int, Group] = {line.id: group for group in groups for line in group.lines}

    def section(self, line: Line) -> int:
        """The number of the section that the line belongs to; -1 before the first."""
        return -1 if line.origin is None else bisect.bisect_right(self.firsts, line.origin) - 1

    def _fits(self, line: Line) -> bool:
        return self.of[line.id] == "array" and is_entrywise(line) and line.name != "erf"

    def __getitem__(self, line: Line) -> str:
        return self.of[line.id]

    def source(self, line: Line) -> Line:
        """The line whose entries are read where this one is an operand of an elementwise row."""
        while self.of[line.id] == "spread":
            line = line.args[0]
        return line

    def operands(self, line: Line) -> tuple[Line, ...]:
        """The lines that the statement of this one reads."""
        if line.op is None:
            return ()
        if line.args and self.of[line.args[0].id] == "folded":
            return line.args[0].args
        return tuple(map(self.source, line.args)) if is_entrywise(line) else line.args

    def _kind(self, line: Line) -> str:
        if line.op is None:
            return "slot" if line.slot is not None else "number"
        if not is_known(line):
            return "fresh" if line.shape or line.dtype.kind == "O" else "scalar"
        if not line.shape:
            return "scalar"
        if line.name == "broadcast_to" and self._only_entrywise(line):
            return "spread"
        if line.name not in VIEWS or not line.args[0].shape:
            return "constant" if line.name == "broadcast_to" and line.args[0].is_number else "array"
        return "view" if self._is_view(line) else "array"

    def _only_entrywise(self, line: Line) -> bool:
        readers = self.readers[line.id]
        return line.id not in self.outcomes and all(is_entrywise(r) and bool(r.shape) for r in readers)

    def _is_view(self, line: Line) -> bool:
        """Whether NumPy needs no copy for it, tried on memory that is never touched."""
        x = self._sample(line.args[0])
        if x is None:
            return True
        sample = arranged(line, x)
        if line.entries and not np.may_share_memory(sample, x):
            return False
        self.samples[line.id] = sample
        return True

    def _sample(self, line: Line) -> Any:
        """An array laid out like the line; None where that is not known."""
        if self.of[line.id] == "fresh" or (self.of[line.id] == "view" and line.id not in self.samples):
            return None
        if line.id not in self.samples:
            self.samples[line.id] = np.empty(line.shape, line.dtype)
        return self.samples[line.id]

    def is_compact(self, line: Line) -> bool:
        """Whether a matrix lies row by row, or column by column, without gaps."""
        sample = self._sample(line) if self.of[line.id] != "constant" else np.empty(line.shape, line.dtype)
        return sample is not None and bool(sample.flags.c_contiguous or sample.flags.f_contiguous)

    def _fold_reductions(self) -> None:
        for line in self.order:
            readers = self.readers[line.id]
            if line.name not in REDUCTIONS or not is_known(line) or line.id in self.outcomes:
                continue
            if len(readers) != 1 or readers[0].name != "reshape":
                continue
            left = tuple(n for k, n in enumerate(line.args[0].shape) if k not in line.params["axis"])
            if readers[0].shape == left or not readers[0].shape:
                self.of[line.id] = "folded"
                self.of[readers[0].id] = "array" if readers[0].shape else "scalar"


def arranged(line: Line, x: Any) -> Any:
    """A view's line on an array."""
    if line.name == "reshape":
        return x.reshape(line.shape)
    if line.name == "permute":
        return x.transpose(line.params["axes"])
    if line.name == "broadcast_to":
        return np.broadcast_to(x, line.shape)
    return x[tuple(slice_of(*entry) for entry in line.params["key"])]


def slice_of(start: int, count: int, step: int) -> slice:
    """A slice of so many entries; one that runs to the front ends nowhere."""
    stop = start + count * step
    return slice(start, None if stop < 0 else stop, step)
