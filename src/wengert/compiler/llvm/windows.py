"""Images laid out for windows: with their margins, and apart by strides.

The windows of an image that are s entries apart meet every s-th entry only. So the image is copied into s · s
parts, one for each remainder of the row and of the column, with the margins around it. Then the entries that
neighbouring windows have in the same place lie side by side, whatever the stride, padding and dilation are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.transposes import shuffled
from wengert.compiler.llvm.values import Index, Register
from wengert.ops.windows import Pair, margins, pair, window_counts


@dataclass(frozen=True)
class Layout:
    """How an image lies in memory in parts: entry (y, x) of part (p, q) is the image's entry
    (y · stride + p - above, x · stride + q - left)."""

    extents: Pair
    stride: Pair
    before: Pair
    rows: int
    columns: int
    pitch: int
    """The entries from one row of a part to the next."""

    @property
    def part(self) -> int:
        """The entries of a part."""
        return self.rows * self.pitch

    @property
    def entries(self) -> int:
        """The entries of all parts of one image."""
        return math.prod(self.stride) * self.part

    @property
    def is_plain(self) -> bool:
        """Whether the image itself lies so."""
        return (
            self.stride == (1, 1)
            and self.before == (0, 0)
            and (self.rows, self.columns, self.pitch) == (*self.extents, self.extents[1])
        )

    def covered(self, axis: int, phase: int) -> Pair:
        """Which rows or columns of the parts with this remainder hold entries of the image."""
        step, shift = self.stride[axis], self.before[axis] - phase
        most = (self.rows, self.columns)[axis]
        first = max(0, -(-shift // step))
        return first, max(first, min(most, (self.extents[axis] - 1 + shift) // step + 1))

    def held(self, axis: int) -> int:
        """How many of the image's rows or columns the parts hold."""
        spans = (self.covered(axis, phase) for phase in range(self.stride[axis]))
        return sum(last - first for first, last in spans)

    @property
    def has_margins(self) -> bool:
        """Whether some entries of the parts are not of the image."""
        return self.held(0) * self.held(1) < self.entries

    @property
    def is_whole(self) -> bool:
        """Whether the parts hold all entries of the image."""
        return (self.held(0), self.held(1)) == self.extents


@dataclass(frozen=True)
class Placement:
    """Where the windows of an image lie: the settings of a row of windows, for an image of known extents."""

    extents: Pair
    kernel: Pair
    stride: Pair
    before: Pair
    dilation: Pair
    counts: Pair

    @classmethod
    def of(
        cls, extents: Sequence[int], kernel_size: Any, stride: Any, padding: Any, dilation: Any = 1
    ) -> Placement:
        """The settings as pairs. Raises ValueError where a window does not fit."""
        counts = window_counts(extents, kernel_size, stride, padding, dilation)
        (above, _), (left, _) = margins(padding)
        height, width = extents
        return cls((height, width), pair(kernel_size), pair(stride), (above, left), pair(dilation), counts)

    @property
    def reach(self) -> Pair:
        """How many rows and columns of a part a window spans beyond its first."""
        down, right = (
            gap * (n - 1) // step
            for n, gap, step in zip(self.kernel, self.dilation, self.stride, strict=True)
        )
        return down, right

    @property
    def layout(self) -> Layout:
        """The image in parts that hold all the windows."""
        rows, columns = (n + more for n, more in zip(self.counts, self.reach, strict=True))
        return Layout(self.extents, self.stride, self.before, rows, columns, columns)

    def offsets(self) -> list[int]:
        """How far each offset within a window lies behind the place of the window, in the parts."""
        layout, offsets = self.layout, []
        for (y, p), (x, q) in self.taps():
            part = p * self.stride[1] + q
            offsets.append(part * layout.part + y * layout.pitch + x)
        return offsets

    def taps(self) -> list[tuple[Pair, Pair]]:
        """Every offset within a window as quotient and remainder by the stride, down and to the right."""
        down, right = (
            [divmod(k * gap, step) for k in range(n)]
            for n, gap, step in zip(self.kernel, self.dilation, self.stride, strict=True)
        )
        return [(i, j) for i in down for j in right]


class Placed:
    """What is done with placed windows, and how many entries that concerns."""

    placement: Placement

    @property
    def image(self) -> int:
        """The entries of an image."""
        return math.prod(self.placement.extents)

    @property
    def result(self) -> int:
        """The windows of an image."""
        return math.prod(self.placement.counts)

    @property
    def area(self) -> int:
        """The entries of a window."""
        return math.prod(self.placement.kernel)


def vectors(code: Code, extent: int) -> Iterator[tuple[Index, int]]:
    """Loops over consecutive entries, a vector at a time: where each starts, and its width."""
    whole = extent // code.lanes * code.lanes
    if whole:
        with code.loop(0, whole, code.lanes) as start:
            yield start, code.lanes
    if whole < extent:
        yield whole, extent - whole


def fill(code: Code, target: Register, count: int, number: float, element: str) -> None:
    """Write one number everywhere."""
    for start, width in vectors(code, count):
        code.store(code.constant(number, element), code.at(target, start, element), width)


def spread(code: Code, layout: Layout, image: Register, parts: Register, element: str) -> None:
    """Copy an image into its parts. What is not of the image stays as it is."""
    step = layout.stride[1]
    for row, part in _rows(code, layout):
        source = code.at(image, code.multiply(row, layout.extents[1]), element)
        target = code.at(parts, part, element)
        for q, first, last in _columns(layout):
            there = code.at(source, first * step + q - layout.before[1], element)
            here = code.at(target, q * layout.part + first, element)
            for start, width in vectors(code, last - first):
                place = code.at(there, code.multiply(start, step), element)
                code.store(
                    _load_apart(code, place, step, element, width), code.at(here, start, element), width
                )


def collect(code: Code, layout: Layout, parts: Register, image: Register, element: str) -> None:
    """Copy an image out of its parts, with zeros for what they do not hold."""
    if not layout.is_whole:
        fill(code, image, math.prod(layout.extents), 0, element)
    step = layout.stride[1]
    columns = list(_columns(layout))
    together = (max((first for _, first, _ in columns), default=0), min((n for *_, n in columns), default=0))
    is_joined = step <= 2 and len(columns) == step and together[0] < together[1]
    for row, part in _rows(code, layout):
        target = code.at(image, code.multiply(row, layout.extents[1]), element)
        source = code.at(parts, part, element)
        if is_joined:
            _store_together(code, layout, source, target, *together, element)
        for q, first, last in columns:
            alone = ((first, together[0]), (together[1], last)) if is_joined else ((first, last),)
            for start, stop in alone:
                if start < stop:
                    _store_apart(code, layout, source, target, q, start, stop, element)


def _rows(code: Code, layout: Layout) -> Iterator[tuple[Index, Index]]:
    """A loop over the image's rows that the parts hold: the row, and where it starts in the parts."""
    step, above = layout.stride[0], layout.before[0]
    first, last = max(0, -above), min(layout.extents[0], layout.rows * step - above)
    if first < last:
        with code.loop(first, last) as row:
            down = code.add(row, above)
            part = code.multiply(code.remainder(down, step), layout.stride[1] * layout.part)
            yield row, code.add(part, code.multiply(code.divide(down, step), layout.pitch))


def _columns(layout: Layout) -> Iterator[tuple[int, int, int]]:
    """The remainders of columns, each with the columns of its parts that hold entries of the image."""
    for q in range(layout.stride[1]):
        first, last = layout.covered(1, q)
        if first < last:
            yield q, first, last


def _load_apart(code: Code, pointer: Register, step: int, element: str, width: int) -> Register:
    """Every step-th entry, ``width`` of them."""
    lanes = code.lanes
    if step == 1:
        return code.load(pointer, element, width)
    if step > 2:
        places = ", ".join(f"i64 {k * step}" for k in range(lanes))
        return code.gather(pointer, Register(f"<{places}>", code.vector("i64")), element, width)
    span = 2 * width - 1
    low = code.load(pointer, element, min(lanes, span))
    if span <= lanes:
        return shuffled(code, low, low, [2 * k % lanes for k in range(lanes)])
    high = code.load(code.at(pointer, lanes, element), element, span - lanes)
    return shuffled(code, low, high, [2 * k for k in range(lanes)])


def _store_together(
    code: Code, layout: Layout, source: Register, target: Register, first: int, last: int, element: str
) -> None:
    """The entries of one or two parts side by side."""
    step, lanes = layout.stride[1], code.lanes
    for start, width in vectors(code, last - first):
        x = code.add(start, first)
        here = code.at(target, code.add(code.multiply(x, step), -layout.before[1]), element)
        loaded = [
            code.load(code.at(source, code.add(x, q * layout.part), element), element, width)
            for q in range(step)
        ]
        for n in range(step):
            if n * lanes < step * width:
                places = [(n * lanes + k) // step + (n * lanes + k) % step * lanes for k in range(lanes)]
                vector = shuffled(code, loaded[0], loaded[1], places) if step == 2 else loaded[0]
                code.store(vector, code.at(here, n * lanes, element), min(lanes, step * width - n * lanes))


def _store_apart(
    code: Code, layout: Layout, source: Register, target: Register, q: int, first: int, last: int,
    element: str,
) -> None:  # fmt: skip
    """Entries of one part, each where it belongs."""
    with code.loop(first, last) as x:
        entry = code.load_scalar(code.at(source, code.add(x, q * layout.part), element), element)
        place = code.add(code.multiply(x, layout.stride[1]), q - layout.before[1])
        code.store_scalar(entry, code.at(target, place, element))
