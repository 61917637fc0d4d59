"""What is done with the entries of a product when they are finished."""

from __future__ import annotations

from collections.abc import Sequence
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


UNROLLED = 160
"""An epilogue that takes more instructions for a tile is done in a loop over rows, to keep the code small."""


class Finish:
    """Hands the tiles of a product to its epilogue. A tile has at most so many vectors."""

    def __init__(self, code: Code, epilogue: Epilogue, element: str, vectors: int) -> None:
        self.code, self.epilogue, self.element = code, epilogue, element
        self.memory = code.alloca(element, vectors * code.lanes) if self._is_long(vectors) else None

    def _is_long(self, vectors: int) -> bool:
        return vectors * self.epilogue.cost > UNROLLED

    def columns(self, start: Index, widths: Sequence[int]) -> list[Any]:
        """What the epilogue knows of some vectors of columns."""
        code = self.code
        return [
            self.epilogue.column(code, code.add(start, j * code.lanes), width)
            for j, width in enumerate(widths)
        ]

    def tile(
        self, height: int, row: Index, column: Index, widths: Sequence[int], sums: Sequence[Register],
        states: Sequence[Any],
    ) -> None:  # fmt: skip
        """The epilogue of a tile, whose vectors are given a row after the other."""
        code, across = self.code, len(widths)
        if self.memory is None or height == 1 or not self._is_long(len(sums)):
            for i in range(height):
                self._row(code.add(row, i), column, widths, sums[i * across : (i + 1) * across], states)
            return
        for k, value in enumerate(sums):
            code.store(value, code.at(self.memory, k * code.lanes, self.element))
        with code.loop(0, height) as n:
            start = code.at(self.memory, code.multiply(n, across * code.lanes), self.element)
            places = [code.at(start, j * code.lanes, self.element) for j in range(across)]
            found = [code.load(place, self.element) for place in places]
            self._row(code.add(row, n), column, widths, found, states)

    def _row(
        self, row: Index, column: Index, widths: Sequence[int], sums: Sequence[Register],
        states: Sequence[Any],
    ) -> None:  # fmt: skip
        code = self.code
        state = self.epilogue.row(code, row)
        for j, (width, value) in enumerate(zip(widths, sums, strict=True)):
            at = code.add(column, j * code.lanes)
            self.epilogue.entry(code, row, at, width, value, states[j], state)


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
