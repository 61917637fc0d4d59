"""Transposing: a matrix into memory, and a square block of vectors in the registers."""

from __future__ import annotations

from collections.abc import Sequence

from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.operands import Operand
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import BYTES, Index, Register


def transposed_block(code: Code, vectors: Sequence[Register]) -> list[Register]:
    """As many vectors as they have lanes, with lanes and vectors exchanged: smaller and smaller halves."""
    block = list(vectors)
    distance = len(block) // 2
    while distance:
        for i in range(len(block)):
            if not i & distance:
                block[i], block[i + distance] = _exchanged(code, block[i], block[i + distance], distance)
        distance //= 2
    return block


def _exchanged(code: Code, a: Register, b: Register, distance: int) -> tuple[Register, Register]:
    """Two vectors that exchange the upper half of every group of lanes of the first for the lower half of the
    second's."""
    lanes = range(code.lanes)
    low = [k if not k & distance else code.lanes + k - distance for k in lanes]
    high = [k + distance if not k & distance else code.lanes + k for k in lanes]
    return shuffled(code, a, b, low), shuffled(code, a, b, high)


def shuffled(code: Code, a: Register, b: Register, places: Sequence[int]) -> Register:
    """A vector of lanes of two others, those of the second counted on from those of the first."""
    mask = ", ".join(f"i32 {place}" for place in places)
    element = code.element(a.type)
    return code.emit(
        f"shufflevector {a}, {b}, <{len(places)} x i32> <{mask}>", f"<{len(places)} x {element}>"
    )


def units(machine: Machine, columns: int, element: str) -> int:
    """Into how many independent pieces the transposing of a matrix is cut."""
    return -(-columns // machine.lanes(BYTES[element]))


def transpose(
    code: Code, rows: int, columns: int, source: Operand, target: Register, target_row: int, element: str,
    first_unit: Index, last_unit: Index,
) -> None:  # fmt: skip
    """Copy the transpose of a matrix (rows × columns): ``target_row`` entries lie between its rows.

    A unit is as many columns as a vector has lanes. Entries have 1, 4 or 8 bytes.
    """
    lanes = code.lanes
    with code.loop(first_unit, last_unit) as unit:
        width = min(lanes, columns)
        column = code.smaller(code.multiply(unit, lanes), columns - width)
        corner = Operand(
            code.at(source.pointer, code.multiply(column, source.column), element), source.row, source.column
        )
        start = code.at(target, code.multiply(column, target_row), element)
        if source.column == 1:
            _through_registers(code, rows, width, corner, start, target_row, element)
        else:
            _row_by_row(code, rows, width, corner, start, target_row, element)


def _through_registers(
    code: Code, rows: int, width: int, source: Operand, target: Register, target_row: int, element: str
) -> None:
    """Square blocks; the last one overlaps the one before."""
    height = min(code.lanes, rows)
    with code.loop(0, rows, code.lanes) as start:
        row = code.smaller(start, rows - height)
        corner = code.at(source.pointer, code.multiply(row, source.row), element)
        block = [code.load(code.at(corner, i * source.row, element), element, width) for i in range(height)]
        block += [code.constant(0, element)] * (code.lanes - height)
        for j, vector in enumerate(transposed_block(code, block)[:width]):
            code.store(vector, code.at(target, code.add(row, j * target_row), element), height)


def _row_by_row(
    code: Code, rows: int, width: int, source: Operand, target: Register, target_row: int, element: str
) -> None:
    """Each column of the source becomes a row: by vectors where it is consecutive, else entry by entry."""
    height = min(code.lanes, rows) if source.row == 1 else 1
    with code.loop(0, width) as j, code.loop(0, rows, height) as start:
        row = code.smaller(start, rows - height)
        place = code.add(code.multiply(j, source.column), code.multiply(row, source.row))
        there = code.at(source.pointer, place, element)
        here = code.at(target, code.add(code.multiply(j, target_row), row), element)
        if source.row == 1:
            code.store(code.load(there, element, height), here, height)
        else:
            code.store_scalar(code.load_scalar(there, element), here)
