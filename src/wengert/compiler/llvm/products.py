"""Products of matrices whose shapes are known, with whatever is to be done with each entry at the end.

Every tile of the result is a sum of outer products that stays in registers: at each step along the inner
extent, entries of a column of the left matrix multiply vectors of a row of the right one
(Goto & van de Geijn, "Anatomy of high-performance matrix multiplication", 2008).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.compiler.llvm.epilogues import Epilogue
from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.operands import Matrix, Operand
from wengert.compiler.llvm.packing import conflicting, pack
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.tiles import (
    Range,
    Run,
    Tiling,
    count,
    parts,
    pieces,
    start_of,
    tiling,
    vector_widths,
)
from wengert.compiler.llvm.values import BYTES, Index, Register

UNROLLED = 6
"""What costs more instructions an entry than this is done in a loop over rows, to keep the code small."""


def units(machine: Machine, rows: int, columns: int, inner: int, element: str) -> int:
    """Into how many independent pieces a product is cut.

    >>> from wengert.compiler.llvm.machine import Machine
    >>> units(Machine("x86_64-unknown-linux-gnu", "x86-64-v4", "", 512), 64, 256, 784, "float")
    8
    """
    return tiling(machine, rows, columns, inner, element).units


def product(
    code: Code, machine: Machine, rows: int, columns: int, inner: int, a: Matrix, b: Matrix, element: str,
    epilogue: Epilogue, first_unit: Index, last_unit: Index,
) -> None:  # fmt: skip
    """Write the units first_unit … last_unit - 1 of the product of a (rows × inner) and b (inner × columns).

    Every entry is the same sequence of roundings whatever the units of a call are. Raises ValueError where an
    extent is 0, and where the code's vectors are not as long as the machine's for this element.
    """
    if min(rows, columns, inner) < 1:
        raise ValueError(f"a product of {rows} × {inner} and {inner} × {columns} has no entries to compute")
    lanes = machine.lanes(BYTES[element])
    if code.lanes != lanes:
        raise ValueError(f"expected vectors of {lanes} entries, got {code.lanes}")
    if columns == 1 and isinstance(b, Operand):
        b = Operand(b.pointer, b.row, 1)
    cut = tiling(machine, rows, columns, inner, element)
    _Product(code, cut, a, b, element, inner, epilogue).write(first_unit, last_unit)


class _Product:
    """The writing of one product."""

    def __init__(
        self, code: Code, cut: Tiling, a: Matrix, b: Matrix, element: str, inner: int, epilogue: Epilogue
    ) -> None:
        self.code, self.cut, self.a, self.b, self.element = code, cut, a, b, element
        self.inner, self.epilogue = inner, epilogue
        self.blocked = cut.block < inner
        self.spilled = self.blocked or epilogue.cost > UNROLLED
        tiles = count(cut.tiles)
        self.packed_b = b.column != 1 or (tiles >= 4 and conflicting(b.row, element, inner))
        self.packed_a = count(cut.panels) >= 4 and conflicting(max(a.row, a.column), element, inner)
        bounded = self.packed_a or self.packed_b or self.spilled
        self.chunk = min(cut.chunk, tiles) if bounded else tiles
        self.group = cut.group if self.blocked else 1
        self.group_memory = self.chunk * cut.height * cut.panel_memory
        if self.packed_a:
            self.tile_entries = cut.block * -(-cut.height // code.lanes) * code.lanes
        if self.packed_b:
            self.memory_b = code.alloca(element, cut.block * cut.panel_memory)
        if self.spilled:
            self.waiting = code.alloca(element, self.group * self.group_memory)

    def write(self, first: Index, last: Index) -> None:
        """The units of a range."""
        if not self.packed_a:
            self.write_parts(first, last)
            return
        with self.code.borrowed(self.element, self.chunk * self.tile_entries) as self.memory_a:
            self.write_parts(first, last)

    def write_parts(self, first: Index, last: Index) -> None:
        """The units of a range, in an order that suits the cache."""
        cut, code = self.cut, self.code
        tiles, panels = (0, count(cut.tiles)), (0, count(cut.panels))
        down, across = (tiles, (first, last)) if cut.by_panels else ((first, last), panels)
        for chunk in parts(code, down, self.chunk, tiles[1]):
            if self.blocked:
                for group in parts(code, across, self.group, panels[1]):
                    self.blocks(chunk, group)
                continue
            self.pack_a(chunk, 0, self.inner)
            for panel, _, column in pieces(code, cut.panels, *across):
                self.part(chunk, panel, column)

    def columns(self, panel: Run, start: Index) -> list[Any]:
        """What the epilogue knows of the columns of a panel."""
        code = self.code
        vectors = [(code.add(start, j * code.lanes), width) for j, width in enumerate(self.cut.widths(panel))]
        return [self.epilogue.column(code, column, width) for column, width in vectors]

    def part(self, chunk: Range, panel: Run, column: Index) -> None:
        """The tiles of a chunk in one panel, from the first step to the epilogue."""
        code, widths = self.code, self.cut.widths(panel)
        states = self.columns(panel, column)
        if self.spilled:
            self.add_block(chunk, 0, self.inner, 0, panel, column)
            self.finish_waiting(chunk, 0, column, widths, states)
        else:
            self.pack_b(0, self.inner, column, widths)
            for tile, number, row in pieces(code, self.cut.tiles, *chunk):
                left = self.left(chunk, tile, number, row, 0)
                sums = self.sums(tile.size, left, 0, self.inner, column, widths, None)
                self.finish(tile.size, row, column, widths, sums, states)

    def blocks(self, chunk: Range, group: Range) -> None:
        """The tiles of a chunk in a group of panels, block after block of the inner extent."""
        code, panels = self.code, self.cut.panels
        self.clear()
        with code.loop(0, self.inner, self.cut.block) as first:
            length = self.block_length(first)
            self.pack_a(chunk, first, length)
            for panel, number, column in pieces(code, panels, *group):
                self.add_block(chunk, first, length, code.subtract(number, group[0]), panel, column)
        for panel, number, column in pieces(code, panels, *group):
            states = self.columns(panel, column)
            place = code.subtract(number, group[0])
            self.finish_waiting(chunk, place, column, self.cut.widths(panel), states)

    def block_length(self, first: Index) -> Index:
        """How much of the inner extent the block has that starts there."""
        return self.code.smaller(self.cut.block, self.code.subtract(self.inner, first))

    def add_block(
        self, chunk: Range, first: Index, length: Index, place: Index, panel: Run, column: Index
    ) -> None:
        """Add a block's products to the tiles that wait at a place of the group."""
        code, widths = self.code, self.cut.widths(panel)
        self.pack_b(first, length, column, widths)
        top = start_of(code, self.cut.tiles, chunk[0])
        for tile, number, row in pieces(code, self.cut.tiles, *chunk):
            waiting = self.places(place, code.subtract(row, top), tile.size, widths)
            initial = [code.load(at, self.element) for at in waiting] if self.blocked else None
            left = self.left(chunk, tile, number, row, first)
            for value, at in zip(
                self.sums(tile.size, left, first, length, column, widths, initial), waiting, strict=True
            ):
                code.store(value, at)

    # -- the operands
    # ----------------------------------------------------------------------------------------------------

    def pack_a(self, chunk: Range, first: Index, length: Index) -> None:
        """Copy the chunk's rows, tile by tile, where they are read better so."""
        if not self.packed_a or not isinstance(self.a, Operand):
            return
        transpose = Operand(self.a.pointer, self.a.column, self.a.row)
        for tile, number, row in pieces(self.code, self.cut.tiles, *chunk):
            target = self.copied_tile(chunk, tile, number).pointer
            widths = vector_widths(tile.size, self.code.lanes)
            pack(self.code, transpose, self.element, first, length, row, widths, target)

    def copied_tile(self, chunk: Range, tile: Run, number: Index) -> Operand:
        """The copy of a tile's rows."""
        code = self.code
        place = code.multiply(code.subtract(number, chunk[0]), self.tile_entries)
        pitch = -(-tile.size // code.lanes) * code.lanes
        return Operand(code.at(self.memory_a, place, self.element), 1, pitch)

    def pack_b(self, first: Index, length: Index, column: Index, widths: list[int]) -> None:
        """Copy the panel where it is read better so."""
        if self.packed_b:
            pack(self.code, self.b, self.element, first, length, column, widths, self.memory_b)

    def left(
        self, chunk: Range, tile: Run, number: Index, row: Index, first: Index
    ) -> Callable[[Index], list[Register]]:
        """Where the entries of a tile's column lie, counted from a step on."""
        if self.packed_a:
            return self.copied_tile(chunk, tile, number).columns(self.code, self.element, 0, tile.size, 0)
        return self.a.columns(self.code, self.element, row, tile.size, first)

    def sums(
        self, height: int, left: Callable[[Index], list[Register]], first: Index, length: Index,
        column: Index, widths: list[int], initial: Sequence[Register] | None,
    ) -> list[Register]:  # fmt: skip
        """A tile, row after row: what it was, and the outer products of a block of the inner extent."""
        code, element, lanes = self.code, self.element, self.code.lanes
        zero = code.constant(0, element)
        if self.packed_b:
            right = Operand(self.memory_b, len(widths) * lanes, 1).rows(code, element, 0, 0)
            widths = [lanes] * len(widths)
        else:
            right = self.b.rows(code, element, first, column)
        with code.fold(0, length, initial or [zero] * (height * len(widths))) as (k, sums):
            start = right(k)
            vectors = [
                code.load(code.at(start, j * lanes, element), element, width)
                for j, width in enumerate(widths)
            ]
            add_outer_product(code, sums, left(k), vectors)
        return sums

    # -- results
    # ----------------------------------------------------------------------------------------------------

    def finish(
        self, height: int, row: Index, column: Index, widths: list[int], sums: Sequence[Register],
        states: Sequence[Any],
    ) -> None:  # fmt: skip
        """The epilogue of a tile in the registers."""
        code = self.code
        for i in range(height):
            here = code.add(row, i)
            state = self.epilogue.row(code, here)
            for j, width in enumerate(widths):
                value, at = sums[i * len(widths) + j], code.add(column, j * code.lanes)
                self.epilogue.entry(code, here, at, width, value, states[j], state)

    def places(self, place: Index, row: Index, height: int, widths: list[int]) -> list[Register]:
        """Where the vectors of some rows wait; the place in the group and the first row are given."""
        code, lanes = self.code, self.code.lanes
        rows = code.multiply(row, len(widths) * lanes)
        start = code.at(self.waiting, code.add(code.multiply(place, self.group_memory), rows), self.element)
        return [code.at(start, n * lanes, self.element) for n in range(height * len(widths))]

    def clear(self) -> None:
        """Let all rows start from 0 in all panels of a group."""
        code = self.code
        with code.loop(0, self.group * self.group_memory, code.lanes) as n:
            code.store(code.constant(0, self.element), code.at(self.waiting, n, self.element))

    def finish_waiting(
        self, chunk: Range, place: Index, column: Index, widths: list[int], states: Sequence[Any]
    ) -> None:
        """The epilogue of the chunk's rows that wait at a place of the group."""
        code, tiles = self.code, self.cut.tiles
        top = start_of(code, tiles, chunk[0])
        with code.loop(top, start_of(code, tiles, chunk[1])) as row:
            waiting = self.places(place, code.subtract(row, top), 1, widths)
            sums = [code.load(at, self.element) for at in waiting]
            self.finish(1, row, column, widths, sums, states)


def add_outer_product(
    code: Code, sums: list[Register], column: Sequence[Register], row: Sequence[Register]
) -> None:
    """Add to sums, a row after the other, the entries at the addresses of a column times the vectors of a
    row."""
    element = code.element(row[0].type)
    for i, address in enumerate(column):
        factor = code.splat(code.load_scalar(address, element))
        for j, vector in enumerate(row):
            n = i * len(row) + j
            sums[n] = code.intrinsic("fmuladd", factor, vector, sums[n])
