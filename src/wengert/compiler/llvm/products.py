"""Products of matrices whose shapes are known, with whatever is to be done with each entry at the end.

Every tile of the result is a sum of outer products that stays in registers: at each step along the inner
extent, entries of a column of the left matrix multiply vectors of a row of the right one
(Goto & van de Geijn, "Anatomy of high-performance matrix multiplication", 2008).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.compiler.llvm.epilogues import Epilogue, Finish
from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.operands import Matrix, Operand
from wengert.compiler.llvm.packing import conflicting, pack
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.tiles import (
    Range,
    Run,
    Tiling,
    count,
    near_bytes,
    parts,
    pieces,
    start_of,
    tiling,
    vector_widths,
)
from wengert.compiler.llvm.values import BYTES, Index, Register


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
    OuterProducts(code, cut, a, b, element, epilogue).write(first_unit, last_unit)


class OuterProducts:
    """The writing of one product as sums of outer products."""

    def __init__(
        self, code: Code, cut: Tiling, a: Matrix, b: Matrix, element: str, epilogue: Epilogue
    ) -> None:
        self.code, self.cut, self.a, self.b, self.element = code, cut, a, b, element
        self.inner = cut.inner
        self.blocked = cut.block < cut.inner
        tiles, panels = count(cut.tiles), count(cut.panels)
        self.packed_b = b.column != 1 or (tiles >= 4 and conflicting(b.row, element, cut.inner))
        self.packed_a = panels >= 4 and conflicting(max(a.row, a.column), element, cut.inner)
        whole = panels * cut.panel_memory * cut.inner * BYTES[element]
        self.by_tiles = min(tiles, panels) > 1 and whole <= near_bytes(self.packed_b)
        bounded = self.blocked or self.packed_a or (self.packed_b and not self.by_tiles)
        self.chunk = min(cut.chunk, tiles) if bounded else tiles
        self.group = cut.group if self.blocked else 1
        self.group_memory = self.chunk * cut.height * cut.panel_memory
        if self.packed_a:
            self.tile_entries = cut.block * -(-cut.height // code.lanes) * code.lanes
        if self.packed_b:
            kept = panels if self.by_tiles else 1
            self.panel_entries = cut.block * cut.panel_memory
            self.memory_b = code.alloca(element, kept * self.panel_entries)
        if self.blocked:
            self.waiting = code.alloca(element, self.group * self.group_memory)
        self.finished = Finish(code, epilogue, element, self.tile_vectors())

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
            if self.by_tiles:
                self.tile_by_tile(chunk, across)
            else:
                self.panel_by_panel(chunk, across)

    def tile_by_tile(self, chunk: Range, across: Range) -> None:
        """Each tile in all panels, which together are small: so whole rows are read and written at a time."""
        code, cut = self.code, self.cut
        if self.packed_b:
            for panel, number, column in pieces(code, cut.panels, *across):
                self.pack_b(0, self.inner, number, panel, column)
        for tile, number, row in pieces(code, cut.tiles, *chunk):
            left = self.left(chunk, tile, number, row, 0)
            for panel, place, column in pieces(code, cut.panels, *across):
                self.tile(tile.size, row, left, place, panel, column, self.columns(panel, column))

    def panel_by_panel(self, chunk: Range, across: Range) -> None:
        """Each panel in all tiles of a chunk."""
        code, cut = self.code, self.cut
        for panel, _, column in pieces(code, cut.panels, *across):
            states = self.columns(panel, column)
            self.pack_b(0, self.inner, 0, panel, column)
            for tile, number, row in pieces(code, cut.tiles, *chunk):
                left = self.left(chunk, tile, number, row, 0)
                self.tile(tile.size, row, left, 0, panel, column, states)

    def tile(
        self, height: int, row: Index, left: Callable[[Index], list[Register]], place: Index, panel: Run,
        column: Index, states: Sequence[Any],
    ) -> None:  # fmt: skip
        """A tile in one panel, from the first step to the epilogue."""
        sums = self.sums(height, left, 0, self.inner, place, panel, column, None)
        self.finish(height, row, column, self.cut.widths(panel), sums, states)

    def blocks(self, chunk: Range, group: Range) -> None:
        """The tiles of a chunk in a group of panels, block after block of the inner extent."""
        code, cut = self.code, self.cut
        self.clear()
        with code.loop(0, self.inner, cut.block) as first:
            length = code.smaller(cut.block, code.subtract(self.inner, first))
            self.pack_a(chunk, first, length)
            for panel, number, column in pieces(code, cut.panels, *group):
                self.add_block(chunk, first, length, code.subtract(number, group[0]), panel, column)
        for panel, number, column in pieces(code, cut.panels, *group):
            self.finish_waiting(chunk, code.subtract(number, group[0]), panel, column)

    def add_block(
        self, chunk: Range, first: Index, length: Index, place: Index, panel: Run, column: Index
    ) -> None:
        """Add a block's products to the tiles that wait at a place of the group."""
        code, widths = self.code, self.cut.widths(panel)
        self.pack_b(first, length, 0, panel, column)
        for tile, number, row in pieces(code, self.cut.tiles, *chunk):
            waiting = self.places(chunk, place, row, tile.size, widths)
            left = self.left(chunk, tile, number, row, first)
            initial = [code.load(at, self.element) for at in waiting]
            sums = self.sums(tile.size, left, first, length, 0, panel, column, initial)
            for value, at in zip(sums, waiting, strict=True):
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

    def left(
        self, chunk: Range, tile: Run, number: Index, row: Index, first: Index
    ) -> Callable[[Index], list[Register]]:
        """Where the entries of a tile's column lie, counted from a step on."""
        if self.packed_a:
            return self.copied_tile(chunk, tile, number).columns(self.code, self.element, 0, tile.size, 0)
        return self.a.columns(self.code, self.element, row, tile.size, first)

    def pack_b(self, first: Index, length: Index, place: Index, panel: Run, column: Index) -> None:
        """Copy a panel to its place, where it is read better so."""
        if self.packed_b:
            widths, target = self.cut.widths(panel), self.copied_panel(place)
            pack(self.code, self.b, self.element, first, length, column, widths, target)

    def copied_panel(self, place: Index) -> Register:
        """Where the copy of a panel begins."""
        return self.code.at(self.memory_b, self.code.multiply(place, self.panel_entries), self.element)

    def sums(
        self, height: int, left: Callable[[Index], list[Register]], first: Index, length: Index, place: Index,
        panel: Run, column: Index, initial: Sequence[Register] | None,
    ) -> list[Register]:  # fmt: skip
        """A tile, row after row: what it was, and the outer products of a block of the inner extent."""
        code, element, lanes = self.code, self.element, self.code.lanes
        widths = self.cut.widths(panel)
        zero = code.constant(0, element)
        if self.packed_b:
            copied = Operand(self.copied_panel(place), len(widths) * lanes, 1)
            right = copied.rows(code, element, 0, 0)
            widths = [lanes] * len(widths)
        else:
            right = self.b.rows(code, element, first, column)
        with code.fold(0, length, initial or [zero] * (height * len(widths))) as (k, sums):
            add_outer_product(code, sums, element, left(k), right(k), widths)
        return sums

    # -- results
    # ----------------------------------------------------------------------------------------------------

    def tile_vectors(self) -> int:
        """How many vectors a tile of the result has."""
        return self.cut.height * self.cut.panel_memory // self.code.lanes

    def columns(self, panel: Run, start: Index) -> list[Any]:
        """What the epilogue knows of the columns of a panel."""
        return self.finished.columns(start, self.cut.widths(panel))

    def finish(
        self, height: int, row: Index, column: Index, widths: list[int], sums: Sequence[Register],
        states: Sequence[Any],
    ) -> None:  # fmt: skip
        """The epilogue of a tile in the registers."""
        self.finished.tile(height, row, column, widths, sums, states)

    def places(
        self, chunk: Range, place: Index, row: Index, height: int, widths: list[int]
    ) -> list[Register]:
        """Where the vectors of some rows of a chunk wait, at a place in the group."""
        code, lanes = self.code, self.code.lanes
        top = start_of(code, self.cut.tiles, chunk[0])
        rows = code.multiply(code.subtract(row, top), len(widths) * lanes)
        start = code.at(self.waiting, code.add(code.multiply(place, self.group_memory), rows), self.element)
        return [code.at(start, n * lanes, self.element) for n in range(height * len(widths))]

    def clear(self) -> None:
        """Let all rows start from 0 in all panels of a group."""
        code = self.code
        with code.loop(0, self.group * self.group_memory, code.lanes) as n:
            code.store(code.constant(0, self.element), code.at(self.waiting, n, self.element))

    def finish_waiting(self, chunk: Range, place: Index, panel: Run, column: Index) -> None:
        """The epilogue of the chunk's rows that wait at a place of the group."""
        code, tiles, widths = self.code, self.cut.tiles, self.cut.widths(panel)
        states = self.columns(panel, column)
        with code.loop(start_of(code, tiles, chunk[0]), start_of(code, tiles, chunk[1])) as row:
            sums = [code.load(at, self.element) for at in self.places(chunk, place, row, 1, widths)]
            self.finish(1, row, column, widths, sums, states)


def add_outer_product(
    code: Code, sums: list[Register], element: str, column: Sequence[Register], row: Register,
    widths: Sequence[int],
) -> None:  # fmt: skip
    """Add to sums, a row after the other, the entries at the addresses of a column times the vectors of a
    row. The fewer ones stay in registers while the others are read one by one."""
    across = len(widths)

    def factor(i: int) -> Register:
        return code.splat(code.load_scalar(column[i], element))

    def vector(j: int) -> Register:
        return code.load(code.at(row, j * code.lanes, element), element, widths[j])

    def add(i: int, j: int, left: Register, right: Register) -> None:
        sums[i * across + j] = code.intrinsic("fmuladd", left, right, sums[i * across + j])

    if len(column) < across:
        factors = [factor(i) for i in range(len(column))]
        for j in range(across):
            right = vector(j)
            for i, left in enumerate(factors):
                add(i, j, left, right)
    else:
        vectors = [vector(j) for j in range(across)]
        for i in range(len(column)):
            left = factor(i)
            for j, right in enumerate(vectors):
                add(i, j, left, right)
