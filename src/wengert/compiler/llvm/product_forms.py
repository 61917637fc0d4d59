"""How a product is best computed: as a sum of outer products, so its transpose, or entry by entry.

Vectors lie along the columns, along the rows, or along the inner extent. Where they lie along few columns the
last one leaves lanes idle, and what it costs to let them lie otherwise depends on how the factors lie in
memory. The choice depends on the extents and on that alone, so every entry is computed the same way by
whatever thread.
"""

from __future__ import annotations

from dataclasses import dataclass

from wengert.compiler.llvm.epilogues import Epilogue
from wengert.compiler.llvm.inner_products import InnerProducts, InnerTiling, inner_tiling
from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.operands import Matrix, Operand
from wengert.compiler.llvm.products import OuterProducts
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.tiles import Tiling, tiling
from wengert.compiler.llvm.turned_products import TurnedProducts
from wengert.compiler.llvm.values import BYTES, Index

BETTER = 0.9
"""Another way than outer products is taken where it costs at most so much of theirs."""

EXCHANGED = 2
"""What it costs a vector to exchange half of its lanes with another one's, in multiply-adds."""


@dataclass(frozen=True)
class Form:
    """A way to compute a product: ``outer``, ``turned`` or ``inner``, and its cut."""

    name: str
    cut: Tiling | InnerTiling

    @property
    def units(self) -> int:
        """Into how many independent pieces the product is cut."""
        return self.cut.units

    def write(
        self, code: Code, a: Operand, b: Operand, element: str, epilogue: Epilogue, first_unit: Index,
        last_unit: Index,
    ) -> None:  # fmt: skip
        """Write the units first_unit … last_unit - 1 of the product of a and b.

        Every entry is the same sequence of roundings whatever the units of a call are. Raises ValueError
        where the code's vectors are not as long as the machine's for this element.
        """
        if code.lanes != self.cut.lanes:
            raise ValueError(f"expected vectors of {self.cut.lanes} entries, got {code.lanes}")
        if isinstance(self.cut, InnerTiling):
            InnerProducts(code, self.cut, a, b, element, epilogue).write(first_unit, last_unit)
        elif self.name == "turned":
            a, b = Operand(b.pointer, b.column, b.row), Operand(a.pointer, a.column, a.row)
            TurnedProducts(code, self.cut, a, b, element, epilogue).write(first_unit, last_unit)
        else:
            OuterProducts(code, self.cut, a, b, element, epilogue).write(first_unit, last_unit)


def cheapest(
    machine: Machine, rows: int, columns: int, inner: int, element: str, a: Matrix, b: Matrix, following: int
) -> Form:
    """The way to multiply a (rows × inner) and b (inner × columns) that costs least, in multiply-adds.

    So many instructions follow for each vector of the result. Raises ValueError where an extent is 0.

    >>> from wengert.compiler.llvm.machine import Machine
    >>> from wengert.compiler.llvm.values import Register
    >>> machine = Machine("x86_64-unknown-linux-gnu", "x86-64-v4", "", 512)
    >>> x, weight = (Operand(Register("%p", "ptr"), row, 1) for row in (100, 10))
    >>> cheapest(machine, 500, 10, 100, "double", x, weight, 1).name
    'inner'
    """
    if min(rows, columns, inner) < 1:
        raise ValueError(f"a product of {rows} × {inner} and {inner} × {columns} has no entries to compute")
    lanes = machine.lanes(BYTES[element])
    turning = EXCHANGED * (lanes.bit_length() - 1)

    def vectors(extent: int) -> int:
        return -(-extent // lanes)

    cut = tiling(machine, rows, columns, inner, element, b.column != 1)
    cost = cut.cost + following * rows * cut.row_vectors
    cost += 0 if b.column == 1 else turning * inner * vectors(columns)
    forms: list[tuple[float, Form]] = [(BETTER * cost, Form("outer", cut))]

    cut = tiling(machine, columns, rows, inner, element, a.row != 1)
    across = sum(tile.pieces * vectors(tile.size) for tile in cut.tiles)
    cost = cut.cost + (turning + following) * vectors(rows) * lanes * across
    cost += 0 if a.row == 1 else turning * inner * vectors(rows)
    forms.append((cost, Form("turned", cut)))

    entries = inner_tiling(machine, rows, columns, inner, element, b.row != 1, following)
    if a.column == 1 and entries is not None:
        cost = entries.cost + following * rows * entries.row_vectors
        cost += 0 if b.row == 1 else turning * columns * vectors(inner)
        forms.append((cost, Form("inner", entries)))
    return min(forms, key=lambda choice: choice[0])[1]
