"""Convolutions as products of matrices, whose one factor is taken from images by their windows.

The windows of an image are counted as if they were as many in a row as the image's parts have entries
(see `wengert.compiler.llvm.windows`): then every row of the matrix of windows is consecutive memory, and
nothing must be copied to make it. The few results between two rows of windows are thrown away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from wengert.compiler.llvm import products
from wengert.compiler.llvm.epilogues import Addition, Epilogue, Store
from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.operands import Operand, Windowed
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.tiles import Range, count, pieces, tiling
from wengert.compiler.llvm.values import Index, Register
from wengert.compiler.llvm.windows import Layout, Placed, Placement, collect, fill, spread


@dataclass(frozen=True)
class Convolution(Placed):
    """The extents of a convolution: images (n, channels, height, width) to results (n, outputs, rows,
    columns)."""

    images: int
    channels: int
    outputs: int
    groups: int
    placement: Placement

    @classmethod
    def of(
        cls, image: Sequence[int], outputs: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
        groups: int,
    ) -> Convolution:  # fmt: skip
        """From the shape (…, channels, height, width) of the images and the settings."""
        placement = Placement.of(image[-2:], kernel_size, stride, padding, dilation)
        return cls(math.prod(image[:-3]), image[-3], outputs, groups, placement)

    @property
    def inner(self) -> int:
        """The channels of a group."""
        return self.channels // self.groups

    @property
    def outer(self) -> int:
        """The outputs of a group."""
        return self.outputs // self.groups

    @property
    def places(self) -> int:
        """How many windows are computed, with those between the rows."""
        rows, columns = self.placement.counts
        return (rows - 1) * self.placement.layout.pitch + columns


def units(convolution: Convolution) -> int:
    """Into how many independent pieces conv2d and conv_transpose2d are cut: an image's group each."""
    return convolution.images * convolution.groups


def emit_conv2d(
    code: Code, machine: Machine, convolution: Convolution, x: Register, weight: Register, result: Register,
    element: str, first_unit: Index, last_unit: Index,
) -> None:  # fmt: skip
    """Every window times every kernel: images x, a weight (outputs, channels / groups, height, width)."""
    c, layout = convolution, convolution.placement.layout
    inner = c.inner * c.area
    counted = Layout(c.placement.counts, (1, 1), (0, 0), *c.placement.counts, layout.pitch)
    with ExitStack() as memory:
        parts = _borrowed_parts(memory, code, layout, c.inner, element)
        sums = None
        if not counted.is_plain:
            sums = memory.enter_context(code.borrowed(element, c.outer * counted.part))
        offsets = code.table(c.placement.offsets(), "i64")
        with code.loop(first_unit, last_unit) as unit:
            image = code.at(x, code.multiply(unit, c.inner * c.image), element)
            kernels = code.multiply(code.remainder(unit, c.groups), c.outer * inner)
            place = code.at(result, code.multiply(unit, c.outer * c.result), element)
            taken = _taken(code, layout, c.inner, image, parts, offsets, c.area, element)
            factor = Operand(code.at(weight, kernels, element), inner, 1)
            target = sums or place
            epilogue = Store(target, counted.part, element)
            _product(code, machine, (c.outer, c.places, inner), factor, taken, element, epilogue)
            if sums is not None:
                _collect_all(code, counted, c.outer, sums, place, element)


def emit_conv_transpose2d(
    code: Code, machine: Machine, convolution: Convolution, a: Register, weight: Register, image: Register,
    element: str, first_unit: Index, last_unit: Index,
) -> None:  # fmt: skip
    """The transpose of conv2d in its images: from results a to images, every entry of which is written."""
    c, layout = convolution, convolution.placement.layout
    held, wanted = _held(layout), c.placement.reach
    (top, bottom), (start, stop) = held
    rows, columns, pitch = bottom - top, stop - start, stop - start + wanted[1]
    before = tuple(
        margin - first * step
        for margin, first, step in zip(layout.before, (top, start), layout.stride, strict=True)
    )
    found = Layout(layout.extents, layout.stride, (before[0], before[1]), rows, columns, pitch)
    given = Layout(
        c.placement.counts, (1, 1), (wanted[0] - top, wanted[1] - start), rows + wanted[0], pitch, pitch
    )
    with ExitStack() as memory:
        parts = _borrowed_parts(memory, code, given, c.outer, element)
        sums = memory.enter_context(code.borrowed(element, c.inner * found.entries))
        turned = memory.enter_context(code.borrowed(element, c.channels * c.outer * c.area))
        fill(code, sums, c.inner * found.entries, 0, element)
        phases = _phases(c.placement, pitch)
        _turn(code, c, weight, turned, [numbers for _, numbers, _ in phases], element)
        tables = [code.table(offsets, "i64") for _, _, offsets in phases]
        with code.loop(first_unit, last_unit) as unit:
            group = code.remainder(unit, c.groups)
            result = code.at(a, code.multiply(unit, c.outer * c.result), element)
            source = _parts_of(code, given, c.outer, result, parts, element)
            done = 0
            for (phase, numbers, _), table in zip(phases, tables, strict=True):
                inner = c.outer * len(numbers)
                first = code.add(done, code.multiply(group, c.inner * c.outer * c.area))
                factor = Operand(code.at(turned, first, element), inner, 1)
                taken = Windowed(source, given.entries, table, len(numbers))
                target = code.at(sums, phase * found.part, element)
                epilogue = Store(target, found.entries, element)
                extents = (c.inner, (rows - 1) * pitch + columns, inner)
                _product(code, machine, extents, factor, taken, element, epilogue)
                done += c.inner * inner
            place = code.at(image, code.multiply(unit, c.inner * c.image), element)
            _collect_all(code, found, c.inner, sums, place, element)


def weight_units(machine: Machine, convolution: Convolution, element: str) -> int:
    """Into how many independent pieces conv2d_weight is cut: the groups, or pieces of the only one."""
    c = convolution
    if c.groups > 1:
        return c.groups
    return products.units(machine, c.inner * c.area, c.outer, c.places, element)


def emit_conv2d_weight(
    code: Code, machine: Machine, convolution: Convolution, x: Register, a: Register, weight: Register,
    element: str, first_unit: Index, last_unit: Index,
) -> None:  # fmt: skip
    """The transpose of conv2d in its weight: from images x and results a, added up image after image."""
    c, layout = convolution, convolution.placement.layout
    counted = Layout(c.placement.counts, (1, 1), (0, 0), *c.placement.counts, layout.pitch)
    rows = c.inner * c.area
    only = c.groups == 1
    with ExitStack() as memory:
        parts = _borrowed_parts(memory, code, layout, c.inner, element)
        results = _borrowed_parts(memory, code, counted, c.outer, element)
        total = memory.enter_context(code.borrowed(element, rows * c.outer))
        offsets = code.table(c.placement.offsets(), "i64")
        with code.loop(*((0, 1) if only else (first_unit, last_unit))) as group:
            fill(code, total, rows * c.outer, 0, element)
            with code.loop(0, c.images) as n:
                number = code.add(code.multiply(n, c.groups), group)
                image = code.at(x, code.multiply(number, c.inner * c.image), element)
                result = code.at(a, code.multiply(number, c.outer * c.result), element)
                taken = _taken(code, layout, c.inner, image, parts, offsets, c.area, element)
                factor = Operand(_parts_of(code, counted, c.outer, result, results, element), 1, counted.part)
                span = (first_unit, last_unit) if only else None
                extents = (rows, c.outer, c.places)
                epilogue = Addition(total, c.outer, element)
                _product(code, machine, extents, taken, factor, element, epilogue, span)
            place = code.at(weight, code.multiply(group, c.outer * rows), element)
            span = (first_unit, last_unit) if only else None
            _write_transposed(code, machine, c, total, place, element, span)


def _product(
    code: Code, machine: Machine, extents: tuple[int, int, int], a: Any, b: Any, element: str,
    epilogue: Epilogue, span: Range | None = None,
) -> None:  # fmt: skip
    first, last = span or (0, products.units(machine, *extents, element))
    products.product(code, machine, *extents, a, b, element, epilogue, first, last)


def _borrowed_parts(
    memory: ExitStack, code: Code, layout: Layout, number: int, element: str
) -> Register | None:
    """Memory for the parts of some images, with zeros in their margins; none where the images lie so."""
    if layout.is_plain:
        return None
    parts = memory.enter_context(code.borrowed(element, number * layout.entries))
    if layout.has_margins:
        fill(code, parts, number * layout.entries, 0, element)
    return parts


def _parts_of(
    code: Code, layout: Layout, number: int, images: Register, parts: Register | None, element: str
) -> Register:
    """The parts of some images; the images themselves where they lie so."""
    if parts is None:
        return images
    with code.loop(0, number) as n:
        image = code.at(images, code.multiply(n, math.prod(layout.extents)), element)
        spread(code, layout, image, code.at(parts, code.multiply(n, layout.entries), element), element)
    return parts


def _taken(
    code: Code, layout: Layout, number: int, images: Register, parts: Register | None, offsets: Register,
    area: int, element: str,
) -> Windowed:  # fmt: skip
    """The matrix of all windows of some images."""
    source = _parts_of(code, layout, number, images, parts, element)
    return Windowed(source, layout.entries, offsets, area)


def _collect_all(
    code: Code, layout: Layout, number: int, parts: Register, images: Register, element: str
) -> None:
    """Some images out of their parts."""
    with code.loop(0, number) as n:
        source = code.at(parts, code.multiply(n, layout.entries), element)
        image = code.at(images, code.multiply(n, math.prod(layout.extents)), element)
        collect(code, layout, source, image, element)


def _held(layout: Layout) -> tuple[tuple[int, int], tuple[int, int]]:
    """The rows and the columns of the parts between which all entries of the image lie."""
    spans = []
    for axis in (0, 1):
        covered = [layout.covered(axis, phase) for phase in range(layout.stride[axis])]
        filled = [span for span in covered if span[0] < span[1]]
        spans.append((min((a for a, _ in filled), default=0), max((b for _, b in filled), default=1)))
    return spans[0], spans[1]


def _phases(placement: Placement, pitch: int) -> list[tuple[int, list[int], list[int]]]:
    """For each part of the image the offsets within a window that meet it: their numbers, and how far behind
    its place the results lie that they come from."""
    found: dict[int, tuple[list[int], list[int]]] = {}
    for number, ((y, p), (x, q)) in enumerate(placement.taps()):
        numbers, offsets = found.setdefault(p * placement.stride[1] + q, ([], []))
        numbers.append(number)
        offsets.append((placement.reach[0] - y) * pitch + placement.reach[1] - x)
    return [(phase, *lists) for phase, lists in found.items()]


def _turn(
    code: Code, c: Convolution, weight: Register, turned: Register, numbers: list[list[int]], element: str
) -> None:
    """The weight as matrices (channels, outputs · offsets), one for each part of the image."""
    order = [number for part in numbers for number in part]
    table = code.table(order, "i64")
    with code.loop(0, c.groups) as group:
        start = code.multiply(group, c.inner * c.outer * c.area)
        done = 0
        for part in numbers:
            with code.loop(0, c.inner) as i, code.loop(0, c.outer) as o, code.loop(0, len(part)) as t:
                number = code.load_scalar(code.at(table, code.add(t, done), "i64"), "i64")
                kernel = code.add(code.multiply(o, c.inner), i)
                source = code.add(start, code.add(code.multiply(kernel, c.area), number))
                row = code.add(code.multiply(i, c.outer * len(part)), code.multiply(o, len(part)))
                place = code.add(start, code.add(c.inner * c.outer * done, code.add(row, t)))
                entry = code.load_scalar(code.at(weight, source, element), element)
                code.store_scalar(entry, code.at(turned, place, element))
            done += len(part)


def _write_transposed(
    code: Code, machine: Machine, c: Convolution, total: Register, weight: Register, element: str,
    span: Range | None,
) -> None:  # fmt: skip
    """The transpose of the entries that the units of a span have added up."""
    rows = c.inner * c.area
    cut = tiling(machine, rows, c.outer, c.places, element)
    down: Range = (0, count(cut.tiles))
    across: Range = (0, count(cut.panels))
    if span is not None:
        down, across = (down, span) if cut.by_panels else (span, across)
    for tile, _, top in pieces(code, cut.tiles, *down):
        for panel, _, left in pieces(code, cut.panels, *across):
            with code.loop(0, tile.size) as i, code.loop(0, panel.size) as j:
                row, column = code.add(top, i), code.add(left, j)
                source = code.add(code.multiply(row, c.outer), column)
                entry = code.load_scalar(code.at(total, source, element), element)
                target = code.add(code.multiply(column, rows), row)
                code.store_scalar(entry, code.at(weight, target, element))
