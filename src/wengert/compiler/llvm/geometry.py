"""The shape of a kernel's loops: rows outside, columns inside, and how the work is cut into units.

Rows are read column by column in vectors, in one of these ways:

- short rows stay in registers, whole (``unrolled``);
- many rows of a few columns with sums along them: the vectors lie across the rows (``narrow``), so that a
  row's sum needs no adding up of lanes;
- one long row without anything that waits for its sums is cut into stretches (``flat``).
"""

from __future__ import annotations

import math

from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.terms import Term, Terms

UNROLLED = 4
"""Rows of at most so many vectors stay in registers."""
NARROW = 16
"""Rows of at most so many columns may have their vectors across them."""
ENTRIES_PER_UNIT = 32_768


class Geometry:
    """The loops of a group, from its terms. ``lanes`` is the number of entries in a vector."""

    def __init__(self, terms: Terms, machine: Machine) -> None:
        self.terms = terms
        self.lanes = _lanes(terms, machine)
        self.row_extents = terms.extents[: terms.rows]
        self.column_extents = terms.extents[terms.rows :] or (1,)
        self.rows = math.prod(self.row_extents)
        self.columns = math.prod(self.column_extents)
        self.inner = self.column_extents[-1]
        self.has_one_loop = len(self.column_extents) == 1
        self.flat = self.has_one_loop and not terms.rows and self._can_be_cut()
        if self.flat:
            self._finish_row_late()
        self.sums = [t for t in terms.all if t.adds]
        self.late = [t for t in terms.all if t.late]
        self.stages = max((t.stage for t in terms.all), default=0) + 1
        self.narrow = self._is_narrow()
        self.chunks = self._chunks()
        self.unrolled = self.narrow or (self.has_one_loop and len(self.chunks) <= UNROLLED)
        self.units, self.rows_per_unit = self._units()

    def _can_be_cut(self) -> bool:
        staged = any(t.stage and t.kind == "full" for t in self.terms.all)
        return self.columns > 2 * ENTRIES_PER_UNIT and not staged

    def _finish_row_late(self) -> None:
        """What follows the sums of one long row waits until all its stretches are done."""
        for term in self.terms.all:
            if term.adds == "row":
                term.adds, term.kind, term.late, term.stage = "all", "scalar", True, 0
            elif term.args and any(a.late for a in term.args):
                term.kind, term.late, term.stage = "scalar", True, 0

    def _is_narrow(self) -> bool:
        return (
            self.has_one_loop
            and len(self.row_extents) == 1
            and self.columns <= NARROW
            and self.rows >= self.lanes > 1
            and any(t.adds == "row" for t in self.sums)
            and (self.rows * self.columns <= ENTRIES_PER_UNIT or all(t.adds != "column" for t in self.sums))
        )

    def _chunks(self) -> list[tuple[int, int]]:
        """The vectors of a row, each as its first column and how many it holds; single columns where vectors
        lie across the rows."""
        step = 1 if self.narrow else self.lanes
        return [(start, min(step, self.inner - start)) for start in range(0, self.inner, step)]

    def _units(self) -> tuple[int, int]:
        """How many units there are, and the rows of each."""
        if self.flat:
            return -(-self.columns // ENTRIES_PER_UNIT), 1
        per_unit = max(1, ENTRIES_PER_UNIT // self.columns)
        units = -(-self.rows // per_unit)
        rows = -(-self.rows // units)
        if self.narrow:
            rows = -(-rows // self.lanes) * self.lanes
        return -(-self.rows // rows), rows

    @property
    def padded_columns(self) -> int:
        """The columns of a row of sums that is kept in memory: whole vectors."""
        return -(-self.columns // self.lanes) * self.lanes

    def stores(self, stage: int) -> list[Term]:
        """The terms that are written for every entry, once so many sums of the row are known."""
        return [
            t
            for t in self.terms.all
            if t.targets
            and t.stage == stage
            and not t.late
            and (t.kind == "full" or (t.kind == "column" and self.rows == 1))
        ]


def _lanes(terms: Terms, machine: Machine) -> int:
    """How many entries a vector holds: by the widest floating-point number; one where all is one number."""
    if math.prod(terms.extents) == 1:
        return 1
    wide = [t.line.dtype.itemsize for t in terms.all if t.kind == "full" and t.line.dtype.kind == "f"]
    return machine.lanes(max(wide, default=8))
