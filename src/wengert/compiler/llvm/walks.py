"""Walking over all windows of an image, and all offsets within a window, a vector of windows at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import Index, Register, addition
from wengert.compiler.llvm.windows import Placed, Placement, collect, fill, spread, vectors
from wengert.ops.pooling import entry_counts, pooling_margins
from wengert.ops.windows import margins, pair

UNROLLED = 9
"""Windows of so many entries are written out; larger ones are loops."""

State = list[Register]


@dataclass(frozen=True)
class Pooling(Placed):
    """Windows of known images: how many images, each a unit of work, and where the windows lie."""

    images: int
    placement: Placement

    @classmethod
    def of(
        cls, shape: Sequence[int], kernel_size: Any, stride: Any, padding: Any, dilation: Any = 1,
        ceil_mode: bool = False,
    ) -> Pooling:  # fmt: skip
        """From the shape (…, height, width) of the images and the settings of a pooling."""
        around = pooling_margins(shape[-2:], kernel_size, stride, padding, dilation, ceil_mode)
        placement = Placement.of(shape[-2:], kernel_size, stride, around, dilation)
        return cls(math.prod(shape[:-2]), placement)


@dataclass(frozen=True)
class Counts:
    """How many entries the mean of each window is over: a number for its row times one for its column."""

    down: tuple[float, ...]
    right: tuple[float, ...]

    @classmethod
    def of(
        cls, shape: Sequence[int], kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool,
        count_include_pad: bool, counts: Sequence[int],
    ) -> Counts:  # fmt: skip
        """From the settings of an average pooling, and how many windows there are."""
        kernel, steps, around = pair(kernel_size), pair(stride), margins(padding)
        along = []
        for axis in (0, 1):
            ones = np.ones((shape[-2:][axis], 1))
            margin = (around[axis], (0, 0))
            number = entry_counts(
                ones, (kernel[axis], 1), (steps[axis], 1), margin, ceil_mode, count_include_pad
            )
            along.append(tuple(np.broadcast_to(number, (counts[axis], 1)).ravel().tolist()))
        return cls(*along)

    def tables(self, code: Code, element: str) -> tuple[Register, Register]:
        """The numbers in memory."""
        return code.table(self.down, element), code.table(self.right, element)


class Windows:
    """The windows of one kind of image, while a function over them is written."""

    def __init__(self, code: Code, pooling: Pooling, element: str) -> None:
        self.code, self.pooling, self.element = code, pooling, element
        self.placement, self.layout = pooling.placement, pooling.placement.layout
        self.offsets = self.placement.offsets()
        self.table = code.table(self.offsets, "i64")

    @contextmanager
    def opened(self, margin: float) -> Iterator[Any]:
        """With memory for the parts of an image whose margins hold a number."""
        if self.layout.is_plain:
            yield self
            return
        with self.code.borrowed(self.element, self.layout.entries) as self.memory:
            fill(self.code, self.memory, self.layout.entries, margin, self.element)
            yield self

    def parts(self, images: Register, unit: Index) -> Register:
        """The parts of an image."""
        image = self.code.at(images, self.code.multiply(unit, self.pooling.image), self.element)
        if self.layout.is_plain:
            return image
        spread(self.code, self.layout, image, self.memory, self.element)
        return self.memory

    def result(self, results: Register, unit: Index, place: Index) -> Register:
        """Where the result of an image's window lies."""
        start = self.code.multiply(unit, self.pooling.result)
        return self.code.at(results, self.code.add(start, place), self.element)

    def places(self) -> Iterator[tuple[Index, Index, int]]:
        """Loops over all windows, a vector at a time: their number, where they lie in the parts, and how many
        they are."""
        code = self.code
        rows, columns = self.placement.counts
        with code.loop(0, rows) as row:
            for column, width in vectors(code, columns):
                place = code.add(code.multiply(row, columns), column)
                yield place, code.add(code.multiply(row, self.layout.pitch), column), width

    def offset(self, number: Index) -> Index:
        """How far an offset within a window lies behind the place of the window."""
        if isinstance(number, int):
            return self.offsets[number]
        return self.code.load_scalar(self.code.at(self.table, number, "i64"), "i64")

    def over_offsets(self, there: Index, state: State, step: Callable[[Index, Index, State], State]) -> State:
        """What a state becomes, step by step, over all offsets within the window at a place."""
        code = self.code
        if len(self.offsets) <= UNROLLED:
            for number, offset in enumerate(self.offsets):
                state = step(number, code.add(there, offset), state)
            return state
        with code.fold(0, len(self.offsets), state) as (later, current):
            current[:] = step(later, code.add(there, self.offset(later)), list(current))
        return current

    def divisor(self, tables: tuple[Register, Register], place: Index, width: int) -> Register:
        """How many entries the means of some windows are over."""
        code, columns = self.code, self.placement.counts[1]
        row, column = code.divide(place, columns), code.remainder(place, columns)
        down = code.splat(code.load_scalar(code.at(tables[0], row, self.element), self.element))
        right = code.load(code.at(tables[1], column, self.element), self.element)
        return code.binary("fmul", down, right)

    def add_up(
        self, sums: Register, images: Register, unit: Index, share: Callable[[Index, Index, int], Register]
    ) -> None:
        """Write an image of what its windows share out to each of their entries: ``share`` gives it for an
        offset, and for some windows from a place on."""
        code, element = self.code, self.element
        fill(code, sums, self.layout.entries, 0, element)
        with code.loop(0, len(self.offsets)) as number:
            behind = code.at(sums, self.offset(number), element)
            for place, there, width in self.places():
                at = code.at(behind, there, element)
                old = code.load(at, element, width)
                code.store(code.binary(addition(element), old, share(number, place, width)), at, width)
        image = code.at(images, code.multiply(unit, self.pooling.image), element)
        collect(code, self.layout, sums, image, element)
