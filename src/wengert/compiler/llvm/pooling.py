"""Pooling, and windows by themselves: what is made of every window of an image, and its transposes.

All windows of a row are done a vector at a time, offset after offset within the window, on an image laid out
as `wengert.compiler.llvm.windows` says. A unit is one image of one channel, counted by `Pooling.images`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import Index, Register, is_float
from wengert.compiler.llvm.walks import Counts, Pooling, State, Windows
from wengert.compiler.llvm.windows import fill, spread


def emit_max_pool2d(
    code: Code, pooling: Pooling, x: Register, result: Register, element: str, first_unit: Index,
    last_unit: Index,
) -> None:  # fmt: skip
    """The largest entry of every window; NaN where there is one."""
    windows = Windows(code, pooling, element)
    with windows.opened(_lowest(element)), code.loop(first_unit, last_unit) as unit:
        parts = windows.parts(x, unit)
        for place, there, width in windows.places():

            def larger(_: Index, behind: Index, state: State, width: int = width) -> State:
                entry = code.load(code.at(parts, behind, element), element, width)
                return [code.select(_exceeds(code, entry, state[0]), entry, state[0])]

            (largest,) = windows.over_offsets(there, [code.constant(_lowest(element), element)], larger)
            code.store(largest, windows.result(result, unit, place), width)


def emit_pool_at_maxima(
    code: Code, pooling: Pooling, v: Register, x: Register, result: Register, element: str,
    first_unit: Index, last_unit: Index,
) -> None:  # fmt: skip
    """From every window of v the entry where x has the window's first maximum."""
    values, maxima = Windows(code, pooling, element), _Maxima(code, pooling, element)
    with values.opened(0), maxima.opened(_lowest(element)), code.loop(first_unit, last_unit) as unit:
        taken, parts = values.parts(v, unit), maxima.parts(x, unit)
        for place, there, width in values.places():

            def first(number: Index, behind: Index, state: State, width: int = width) -> State:
                value = code.load(code.at(taken, behind, element), element, width)
                takes, *found = maxima.step(parts, number, behind, state[1:], width)
                return [code.select(takes, value, state[0]), *found]

            state = values.over_offsets(there, [code.constant(0, element), *maxima.start()], first)
            code.store(state[0], values.result(result, unit, place), width)


def emit_unpool_at_maxima(
    code: Code, pooling: Pooling, g: Register, x: Register, result: Register, element: str,
    first_unit: Index, last_unit: Index,
) -> None:  # fmt: skip
    """Every entry of g added in the place where x has the first maximum of its window."""
    maxima = _Maxima(code, pooling, element)
    with (
        maxima.opened(_lowest(element)),
        code.borrowed(element, pooling.result) as numbers,
        code.borrowed(element, maxima.layout.entries) as sums,
        code.loop(first_unit, last_unit) as unit,
    ):
        parts = maxima.parts(x, unit)
        for place, there, width in maxima.places():

            def first(number: Index, behind: Index, state: State, width: int = width) -> State:
                return maxima.step(parts, number, behind, state, width)[1:]

            _, number = maxima.over_offsets(there, maxima.start(), first)
            code.store(number, code.at(numbers, place, element), width)

        def share(number: Index, place: Index, width: int) -> Register:
            entry = code.load(maxima.result(g, unit, place), element, width)
            chosen = code.load(code.at(numbers, place, element), element, width)
            here = code.compare(_equal(element), chosen, _number(code, number, element))
            return code.select(here, entry, code.constant(0, element))

        maxima.add_up(sums, result, unit, share)


def emit_avg_pool2d(
    code: Code, pooling: Pooling, counts: Counts, x: Register, result: Register, element: str,
    first_unit: Index, last_unit: Index,
) -> None:  # fmt: skip
    """The mean of every window."""
    windows = Windows(code, pooling, element)
    divisors = counts.tables(code, element)
    with windows.opened(0), code.loop(first_unit, last_unit) as unit:
        parts = windows.parts(x, unit)
        for place, there, width in windows.places():

            def total(_: Index, behind: Index, state: State, width: int = width) -> State:
                entry = code.load(code.at(parts, behind, element), element, width)
                return [code.binary("fadd", state[0], entry)]

            (sum,) = windows.over_offsets(there, [code.constant(0, element)], total)
            mean = code.binary("fdiv", sum, windows.divisor(divisors, place, width))
            code.store(mean, windows.result(result, unit, place), width)


def emit_windows(
    code: Code, pooling: Pooling, x: Register, result: Register, element: str, first_unit: Index,
    last_unit: Index,
) -> None:  # fmt: skip
    """All windows, (images, rows, columns, kernel height, kernel width); what lies outside is 0."""
    area = pooling.area
    windows = Windows(code, pooling, element)
    with windows.opened(0), code.loop(first_unit, last_unit) as unit:
        parts, start = windows.parts(x, unit), code.multiply(unit, pooling.result)
        rows, columns = pooling.placement.counts
        with code.loop(0, rows) as row, code.loop(0, columns) as column, code.loop(0, area) as number:
            place = code.add(code.multiply(row, columns), column)
            there = code.add(code.multiply(row, windows.layout.pitch), column)
            entry = code.load_scalar(
                code.at(parts, code.add(there, windows.offset(number)), element), element
            )
            here = code.add(code.multiply(code.add(start, place), area), number)
            code.store_scalar(entry, code.at(result, here, element))


def emit_overlap_add(
    code: Code, pooling: Pooling, g: Register, result: Register, element: str, first_unit: Index,
    last_unit: Index,
) -> None:  # fmt: skip
    """All windows added up in their places: the transpose of windows."""
    windows, area = Windows(code, pooling, element), pooling.area
    steps = ", ".join(f"i64 {k * area}" for k in range(code.lanes))
    apart = Register(f"<{steps}>", code.vector("i64"))
    with code.borrowed(element, windows.layout.entries) as sums, code.loop(first_unit, last_unit) as unit:

        def share(number: Index, place: Index, width: int) -> Register:
            window = code.add(code.multiply(unit, pooling.result), place)
            first = code.add(code.multiply(window, area), number)
            return code.gather(code.at(g, first, element), apart, element, width)

        windows.add_up(sums, result, unit, share)


class _Maxima(Windows):
    """Windows whose first maximum is sought. Padding is no entry, and NaN is a maximum."""

    @contextmanager
    def opened(self, margin: float) -> Iterator[Any]:
        """With memory, too, for where the parts hold entries of the image."""
        code, element, layout = self.code, self.element, self.layout
        with super().opened(margin):
            if not layout.has_margins:
                yield self
                return
            with (
                code.borrowed(element, layout.entries) as self.inside,
                code.borrowed(element, self.pooling.image) as ones,
            ):
                fill(code, ones, self.pooling.image, 1, element)
                fill(code, self.inside, layout.entries, 0, element)
                spread(code, layout, ones, self.inside, element)
                yield self

    def start(self) -> State:
        """The largest entry so far, and the number of its offset; -1 before any."""
        return [self.code.constant(n, self.element) for n in (_lowest(self.element), -1)]

    def step(self, parts: Register, number: Index, behind: Index, state: State, width: int) -> State:
        """Whether the entry at one more offset is the first maximum so far, and the state with it."""
        code, element = self.code, self.element
        largest, best = state
        entry = code.load(code.at(parts, behind, element), element, width)
        is_open = code.compare(_below(element), best, code.constant(0, element))
        takes = code.binary("or", is_open, _exceeds(code, entry, largest))
        if self.layout.has_margins:
            held = code.load(code.at(self.inside, behind, element), element, width)
            inside = code.compare(_below(element), code.constant(0, element), held)
            takes = code.binary("and", takes, inside)
        here = _number(code, number, element)
        return [takes, code.select(takes, entry, largest), code.select(takes, here, best)]


def _lowest(element: str) -> float:
    if is_float(element):
        return -math.inf
    return 0 if element == "i8" else -(1 << (31 if element == "i32" else 63))


def _below(element: str) -> str:
    return "olt" if is_float(element) else "slt"


def _equal(element: str) -> str:
    return "oeq" if is_float(element) else "eq"


def _number(code: Code, number: Index, element: str) -> Register:
    """A whole number in all lanes."""
    if isinstance(number, int):
        return code.constant(number, element)
    if element == "i64":
        return code.splat(number)
    return code.splat(code.convert("sitofp" if is_float(element) else "trunc", number, element))


def _exceeds(code: Code, entry: Register, largest: Register) -> Register:
    """Whether an entry is larger than the largest so far, or the first NaN."""
    element = code.element(entry.type)
    if not is_float(element):
        return code.compare("ugt" if element == "i8" else "sgt", entry, largest)
    is_number = code.compare("ord", largest, largest)
    return code.binary("and", is_number, code.compare("ugt", entry, largest))
