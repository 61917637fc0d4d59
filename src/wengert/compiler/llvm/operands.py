"""The matrices that a product multiplies: in memory, or taken from images by windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import Index, Register


class Matrix(Protocol):
    """A factor of a product."""

    @property
    def row(self) -> int:
        """How many entries lie between two rows; 0 where that differs."""

    @property
    def column(self) -> int:
        """How many entries lie between two columns."""

    def rows(self, code: Code, element: str, first: Index, column: Index) -> Callable[[Index], Register]:
        """The address of a row's entry in a column, for the rows counted from the first."""

    def columns(
        self, code: Code, element: str, row: Index, height: int, first: Index
    ) -> Callable[[Index], list[Register]]:
        """The addresses of a column's entries in some rows, for the columns counted from the first."""


@dataclass(frozen=True)
class Operand:
    """A matrix in memory: how many entries lie between its rows, and between its columns."""

    pointer: Register
    row: int
    column: int

    def rows(self, code: Code, element: str, first: Index, column: Index) -> Callable[[Index], Register]:
        """See `Matrix`."""
        start = self.address(code, element, first, column)
        return lambda k: code.at(start, code.multiply(k, self.row), element)

    def columns(
        self, code: Code, element: str, row: Index, height: int, first: Index
    ) -> Callable[[Index], list[Register]]:
        """See `Matrix`."""
        start = self.address(code, element, row, first)

        def entries(k: Index) -> list[Register]:
            top = code.at(start, code.multiply(k, self.column), element)
            return [code.at(top, i * self.row, element) for i in range(height)]

        return entries

    def address(self, code: Code, element: str, row: Index, column: Index) -> Register:
        """Where an entry lies."""
        place = code.add(code.multiply(row, self.row), code.multiply(column, self.column))
        return code.at(self.pointer, place, element)


@dataclass(frozen=True)
class Windowed:
    """The entries of images in all windows: a row for every image and every offset within a window, a column
    for every window. A row starts where the table of the offsets says, in an image of ``plane`` entries."""

    pointer: Register
    plane: int
    offsets: Register
    count: int
    row: int = 0
    column: int = 1

    def rows(self, code: Code, element: str, first: Index, column: Index) -> Callable[[Index], Register]:
        """See `Matrix`."""
        start = code.at(self.pointer, column, element)
        return lambda k: code.at(start, self._offset(code, code.add(first, k)), element)

    def columns(
        self, code: Code, element: str, row: Index, height: int, first: Index
    ) -> Callable[[Index], list[Register]]:
        """See `Matrix`."""
        start = code.at(self.pointer, first, element)
        tops = [code.at(start, self._offset(code, code.add(row, i)), element) for i in range(height)]
        return lambda k: [code.at(top, k, element) for top in tops]

    def _offset(self, code: Code, row: Index) -> Index:
        image, number = code.divide(row, self.count), code.remainder(row, self.count)
        offset = code.load_scalar(code.at(self.offsets, number, "i64"), "i64")
        return code.add(code.multiply(image, self.plane), offset)
