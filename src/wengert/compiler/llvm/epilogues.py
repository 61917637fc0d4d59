"""What is done with the entries of a product when they are finished."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import Index, Register


class Epilogue(Protocol):
    """What is done with the entries of a product."""

    @property
    def cost(self) -> int:
        """About how many instructions an entry takes; 0 for a plain store."""

    def column(self, code: Code, column: Index, width: int) -> Any:
        """What depends on the columns alone. Called once for every vector of columns, before its rows."""

    def row(self, code: Code, row: Index) -> Any:
        """What depends on the row alone."""

    def entry(
        self, code: Code, row: Index, column: Index, width: int, value: Register, column_state: Any,
        row_state: Any,
    ) -> None:  # fmt: skip
        """Take ``width`` finished entries of a row, from a column on; lanes beyond hold anything."""


@dataclass(frozen=True)
class Store:
    """The plain epilogue: entries go to memory, a row every ``row`` entries."""

    pointer: Register
    row_stride: int
    element: str
    cost: int = 0

    def column(self, code: Code, column: Index, width: int) -> None:
        """Nothing depends on the columns alone."""

    def row(self, code: Code, row: Index) -> Register:
        """Where the row starts."""
        return code.at(self.pointer, code.multiply(row, self.row_stride), self.element)

    def entry(
        self, code: Code, row: Index, column: Index, width: int, value: Register, column_state: None,
        row_state: Register,
    ) -> None:  # fmt: skip
        """Write the entries."""
        code.store(value, code.at(row_state, column, self.element), width)


class Addition(Store):
    """The epilogue that adds the entries to those in memory."""

    def entry(
        self, code: Code, row: Index, column: Index, width: int, value: Register, column_state: None,
        row_state: Register,
    ) -> None:  # fmt: skip
        """Add the entries."""
        place = code.at(row_state, column, self.element)
        code.store(code.binary("fadd", code.load(place, self.element, width), value), place, width)
