"""Packing: the part of a product's right matrix that a panel needs, in consecutive memory.

It is laid out in the order in which it is read, a row after the other, with zeros beyond the last column.
"""

from __future__ import annotations

from collections.abc import Callable

from wengert.compiler.llvm.operands import Matrix
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.transposes import transposed_block
from wengert.compiler.llvm.values import BYTES, Index, Register

CONFLICT_BYTES = 2048
"""Entries that are a multiple of so many bytes apart meet in the same few places of a cache."""


Rows = Callable[[Index], Register]


def conflicting(stride: int, element: str, inner: int) -> bool:
    """Whether rows so far apart push each other out of the cache before a tile is done."""
    return inner > 512 and stride > 0 and stride * BYTES[element] % CONFLICT_BYTES == 0


def pack(
    code: Code, b: Matrix, element: str, first: Index, length: Index, column: Index, widths: list[int],
    target: Register,
) -> None:  # fmt: skip
    """Copy the rows first … first + length - 1 of a panel that starts at a column."""
    rows = b.rows(code, element, first, column)
    if b.column == 1:
        _copy(code, rows, element, length, widths, target)
    elif b.row == 1:
        _transpose(code, rows(0), b.column, element, length, widths, target)
    else:
        _collect(code, rows, b.column, element, length, widths, target)


def _copy(code: Code, rows: Rows, element: str, length: Index, widths: list[int], target: Register) -> None:
    with code.loop(0, length) as k:
        source = rows(k)
        place = code.at(target, code.multiply(k, len(widths) * code.lanes), element)
        for j, width in enumerate(widths):
            vector = code.load(code.at(source, j * code.lanes, element), element, width)
            code.store(vector, code.at(place, j * code.lanes, element))


def _collect(
    code: Code, rows: Rows, column: int, element: str, length: Index, widths: list[int], target: Register
) -> None:
    lanes = code.lanes
    places = ", ".join(f"i64 {k * column}" for k in range(lanes))
    steps = Register(f"<{places}>", code.vector("i64"))
    with code.loop(0, length) as k:
        source = rows(k)
        place = code.at(target, code.multiply(k, len(widths) * lanes), element)
        for j, width in enumerate(widths):
            vector = code.gather(code.at(source, j * lanes * column, element), steps, element, width)
            code.store(vector, code.at(place, j * lanes, element))


def _transpose(
    code: Code,
    corner: Register,
    column: int,
    element: str,
    length: Index,
    widths: list[int],
    target: Register,
) -> None:
    """Square blocks through the registers. The last block overlaps the one before."""
    lanes, pitch = code.lanes, len(widths) * code.lanes
    depth = min(lanes, length) if isinstance(length, int) else lanes
    whole = sum(width == lanes for width in widths)
    with code.loop(0, length, lanes) as start:
        k = code.smaller(start, code.subtract(length, depth))
        for first, last, rows in ((0, whole, lanes), (whole, len(widths), widths[-1])):
            if first == last:
                continue
            with code.loop(first, last) as j:
                source = code.at(corner, code.add(code.multiply(j, lanes * column), k), element)
                place = code.add(code.multiply(k, pitch), code.multiply(j, lanes))
                block = [code.load(code.at(source, n * column, element), element, depth) for n in range(rows)]
                block += [code.constant(0, element)] * (lanes - rows)
                for q, vector in enumerate(transposed_block(code, block)[:depth]):
                    code.store(vector, code.at(target, code.add(place, q * pitch), element))
