"""A worksheet: the step table of one evaluation as plain data, and the methods that hand it to its readers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Formula:
    """One formula in the two spellings that the readers need."""

    text: str
    latex: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Row:
    """One line of the Wengert list.

    ``id`` counts inputs up to 0 (``-2, -1, 0`` for three of them, as in Griewank & Walther) and operations from 1.
    ``op`` is the row of the rule table, or ``"input"``, ``"parameter"`` or ``"constant"``. ``args`` are the ids that
    the operation reads. ``label`` is the mathematical name (``v₁``), ``name`` the user's name where there is one.
    In a forward worksheet the tangent fields are set, in a reverse worksheet the adjoint fields. ``update`` is set on
    parameters of a training step: the value after the step. ``notes`` index the worksheet's footnotes.
    """

    id: int
    label: Formula
    name: str
    op: str
    args: tuple[int, ...]
    formula: Formula
    value: Any
    line: str | None = None
    tangent_formula: Formula | None = None
    tangent: Any = None
    adjoint_formula: Formula | None = None
    adjoint: Any = None
    update_formula: Formula | None = None
    update: Any = None
    notes: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value; ``()`` for a number."""
        return tuple(getattr(self.value, "shape", ()))


@dataclass(frozen=True)
class Worksheet:
    """The table of primals with tangents or adjoints of one evaluation."""

    expression: str
    mode: str
    numbers: str
    wrt: tuple[str, ...]
    rows: tuple[Row, ...]
    value: Any
    gradient: dict[str, Any]
    output: int
    digits: int = 4
    footnotes: tuple[str, ...] = field(default=())
