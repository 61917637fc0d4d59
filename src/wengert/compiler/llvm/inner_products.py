"""Products of matrices entry by entry: each is an inner product, whose vectors lie along the inner extent.

So no lane is idle where the columns do not fill whole vectors. In exchange the lanes of every entry must be
added up in the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wengert.compiler.llvm.epilogues import Epilogue, Finish
from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.operands import Operand
from wengert.compiler.llvm.packing import pack
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.tiles import (
    HEIGHTS,
    LONGEST_BYTES,
    NEAR_BYTES,
    Run,
    balanced,
    count,
    pieces,
    vector_widths,
    work,
)
from wengert.compiler.llvm.transposes import shuffled
from wengert.compiler.llvm.values import BYTES, Index, Register

ADDED = 2
"""What it costs to add two vectors whose lanes change places, in multiply-adds."""

FAR = 3
"""What it costs to read a vector that has not stayed in the cache next to the processor."""

PART_BYTES = 16
"""Lanes within so many bytes change places at no more cost than an addition."""


@dataclass(frozen=True)
class InnerTiling:
    """The cut of a product into tiles of some rows and some columns."""

    lanes: int
    inner: int
    reading: int
    """What it costs to read a vector of the right matrix."""
    tiles: tuple[Run, ...]
    panels: tuple[Run, ...]

    @property
    def by_panels(self) -> bool:
        """Whether the units are panels; else they are tiles."""
        return count(self.tiles) < 16 and count(self.panels) > 1

    @property
    def units(self) -> int:
        """How many independent pieces there are."""
        return count(self.panels if self.by_panels else self.tiles)

    @property
    def row_vectors(self) -> int:
        """How many vectors a row of the result is handed over in."""
        return sum(run.pieces * len(vector_widths(run.size, self.lanes)) for run in self.panels)

    @property
    def cost(self) -> int:
        """What the product costs, counted in multiply-adds."""
        steps, total = -(-self.inner // self.lanes), 0
        for tile in self.tiles:
            for panel in self.panels:
                once = steps * work(panel.size, tile.size, self.reading)
                once += ADDED * _additions(tile.size * panel.size, self.lanes)
                total += tile.pieces * panel.pieces * once
        return total


def inner_tiling(
    machine: Machine, rows: int, columns: int, inner: int, element: str, packed: bool, following: int
) -> InnerTiling | None:
    """The cheapest cut of a product of (rows × inner) and (inner × columns).

    So many instructions follow for each vector of the result. None where the right matrix is too large to be
    packed, or to be read for every tile.
    """
    lanes = machine.lanes(BYTES[element])
    size = columns * -(-inner // lanes) * lanes * BYTES[element]
    reading = 1 if size <= NEAR_BYTES else FAR
    cuts = [
        InnerTiling(lanes, inner, reading, balanced(rows, height), balanced(columns, across))
        for across, height in HEIGHTS[machine.registers].items()
        if size <= LONGEST_BYTES or (rows <= height and not packed)
    ]

    def cost(cut: InnerTiling) -> tuple[int, int]:
        return cut.cost + following * rows * cut.row_vectors, count(cut.panels)

    return min(cuts, key=cost, default=None)


class InnerProducts:
    """The writing of one product as inner products. The entries of a row of the left matrix are consecutive;
    so are those of a column of the right one, in a copy where they do not lie so."""

    def __init__(
        self, code: Code, cut: InnerTiling, a: Operand, b: Operand, element: str, epilogue: Epilogue
    ) -> None:
        self.code, self.cut, self.a, self.b, self.element = code, cut, a, b, element
        self.tail = cut.inner % cut.lanes
        sizes = [run.size for run in cut.panels]
        vectors = cut.tiles[0].size * len(vector_widths(max(sizes), cut.lanes))
        self.finished = Finish(code, epilogue, element, vectors)

    def write(self, first: Index, last: Index) -> None:
        """The units of a range."""
        code, cut = self.code, self.cut
        columns = self._packed() if self.b.row != 1 else self.b
        tiles, panels = (0, count(cut.tiles)), (0, count(cut.panels))
        down, across = (tiles, (first, last)) if cut.by_panels else ((first, last), panels)
        for tile, _, row in pieces(code, cut.tiles, *down):
            for panel, _, column in pieces(code, cut.panels, *across):
                widths = vector_widths(panel.size, cut.lanes)
                states = self.finished.columns(column, widths)
                sums = self._sums(columns, row, tile.size, column, panel.size)
                entries = [lane_sums(code, sums[k : k + cut.lanes]) for k in range(0, len(sums), cut.lanes)]
                rows = _rows(code, entries, tile.size, panel.size)
                self.finished.tile(tile.size, row, column, widths, rows, states)

    def _packed(self) -> Operand:
        """A copy of the right matrix, a column after the other, with zeros up to a whole vector."""
        code, cut, b = self.code, self.cut, self.b
        columns = sum(run.pieces * run.size for run in cut.panels)
        widths = vector_widths(cut.inner, cut.lanes)
        length = len(widths) * cut.lanes
        memory = code.alloca(self.element, columns * length)
        transpose = Operand(b.pointer, b.column, b.row)
        pack(code, transpose, self.element, 0, columns, 0, widths, memory)
        return Operand(memory, 1, length)

    def _sums(self, b: Operand, row: Index, height: int, column: Index, across: int) -> list[Register]:
        """The sums of a tile, a row after the other, lane by lane."""
        code, element, lanes = self.code, self.element, self.cut.lanes
        left = self.a.address(code, element, row, 0)
        right = b.address(code, element, 0, column)
        whole = self.cut.inner - self.tail
        sums = [code.constant(0, element)] * (height * across)

        def step(k: Index, width: int, sums: list[Register]) -> None:
            rows = [code.at(left, code.add(k, i * self.a.row), element) for i in range(height)]
            columns = [code.at(right, code.add(k, j * b.column), element) for j in range(across)]
            _add_products(code, sums, element, rows, columns, width)

        if whole:
            with code.fold(0, whole, sums, lanes) as (k, sums):
                step(k, lanes, sums)
        if self.tail:
            step(whole, self.tail, sums)
        return sums


def _add_products(
    code: Code, sums: list[Register], element: str, rows: Sequence[Register], columns: Sequence[Register],
    width: int,
) -> None:  # fmt: skip
    """Add to sums, a row after the other, the vector at each row's address times the one at each column's.
    The fewer ones stay in registers while the others are read one by one."""
    by_columns = len(rows) <= len(columns)
    kept = [code.load(at, element, width) for at in (rows if by_columns else columns)]
    for m, at in enumerate(columns if by_columns else rows):
        vector = code.load(at, element, width)
        for n, other in enumerate(kept):
            place = n * len(columns) + m if by_columns else m * len(columns) + n
            sums[place] = code.intrinsic("fmuladd", other, vector, sums[place])


def _additions(number: int, lanes: int) -> int:
    """How many additions of two vectors it takes to add up the lanes of so many."""
    total = 0
    for start in range(0, number, lanes):
        left = min(lanes, number - start)
        for _ in range(lanes.bit_length() - 1):
            left = -(-left // 2)
            total += left
    return total


def lane_sums(code: Code, vectors: Sequence[Register]) -> Register:
    """The sum over the lanes of each of some vectors, at most as many as there are lanes, in one vector."""
    element = code.element(vectors[0].type)
    part = min(PART_BYTES // BYTES[element], code.lanes)
    found, unit, number = list(vectors), 1, code.lanes
    while number > 1:
        if number == code.lanes // part:
            unit = part
        even, odd = _alternate(code.lanes, part if unit == 1 else code.lanes, unit)
        pairs = [(found[k], found[min(k + 1, len(found) - 1)]) for k in range(0, len(found), 2)]
        found = [_added(code, a, b, even, odd) for a, b in pairs]
        number //= 2
    return found[0]


def _added(code: Code, a: Register, b: Register, even: Sequence[int], odd: Sequence[int]) -> Register:
    return code.binary("fadd", shuffled(code, a, b, even), shuffled(code, a, b, odd))


def _alternate(lanes: int, span: int, unit: int) -> tuple[list[int], list[int]]:
    """In each span of lanes, every other unit of one vector's, then of the other's: the even and odd ones."""
    even = [
        operand + start + k + n
        for start in range(0, lanes, span)
        for operand in (0, lanes)
        for k in range(0, span, 2 * unit)
        for n in range(unit)
    ]
    return even, [place + unit for place in even]


def _rows(code: Code, entries: Sequence[Register], height: int, across: int) -> list[Register]:
    """Rows of so many entries, each from a new vector on, out of vectors that hold one after the other."""
    lanes, found = code.lanes, []
    for i in range(height):
        for start in range(i * across, (i + 1) * across, lanes):
            n, shift = divmod(start, lanes)
            following = entries[min(n + 1, len(entries) - 1)]
            places = range(shift, shift + lanes)
            found.append(shuffled(code, entries[n], following, places) if shift else entries[n])
    return found
