"""Kernels of fused loops: elementwise lines and reductions over one space.

The work is parted into *units*, whole rows or stretches of one long row, by the shape alone: whoever carries
out a unit computes the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from wengert.compiler.groups import Group
from wengert.compiler.llvm.emission import Emission, Kernel, Position, Values
from wengert.compiler.llvm.geometry import ENTRIES_PER_UNIT, Geometry
from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.sums import BLOCK, ROWS_IN_BLOCK, Layout, Sums
from wengert.compiler.llvm.terms import Term, Terms
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import Index, Register, memory_type
from wengert.compiler.plans import Plan


class LoopKernel:
    """The kernel of one group."""

    def __init__(self, plan: Plan, group: Group, machine: Machine, name: str) -> None:
        self.name = name
        self.terms = Terms(plan, group)
        self.shape = Geometry(self.terms, machine)
        self.layout = Layout(self.shape)
        self._begin(Code(name, self.shape.lanes))

    def _begin(self, code: Code) -> None:
        """Write into a function from now on."""
        self.code = code
        self.out = Emission(code, self.terms, self.shape.narrow)
        self.sums = Sums(self.shape, self.layout, self.out)

    def kernel(self) -> Kernel:
        """Write everything."""
        code, out, shape = self.code, self.out, self.shape
        first, last = code.parameter("i64"), code.parameter("i64")
        scalars = self._scalars(first)
        columns = self._column_values(scalars)
        with code.loop(first, last) if shape.units > 1 else _once() as unit:
            self.sums.begin(unit)
            self._unit(unit, scalars, columns)
            self.sums.keep(unit)
        kernel = Kernel(code, shape.units, out.buffers, scratch=self.layout.bytes)
        if not shape.late:
            return kernel
        if shape.units > 1:
            self._begin(Code(f"{self.name}_finish", shape.lanes))
            kernel.finish, scalars = self.code, {}
        self._finish(scalars)
        if shape.units > 1:
            kernel.finish_buffers = self.out.buffers
        return kernel

    def _scalars(self, first: Register) -> Values:
        """What is the same everywhere, before all loops; it is stored by whoever does the first unit."""
        values: Values = {}
        scalars = [t for t in self.terms.all if t.kind == "scalar" and not t.late]
        for term in scalars:
            self.out.value(term, values, Position())
        for term in scalars:
            if term.targets and self.shape.units > 1:
                with self.code.when(self.code.emit(f"icmp eq i64 {first.name}, 0", "i1")):
                    self.out.store(term, values[id(term)], Position())
            elif term.targets:
                self.out.store(term, values[id(term)], Position())
        return values

    def _column_values(self, scalars: Values) -> list[Values]:
        """For short rows, what depends on the columns alone stays in registers."""
        found = []
        for start, width in self.shape.chunks if self.shape.unrolled else ():
            values = dict(scalars)
            if self.shape.rows > 1:
                for term in self.terms.all:
                    if term.kind == "column" and not term.late:
                        self.out.value(term, values, Position(columns=(start,), width=width))
            found.append(values)
        return found

    # -- one unit
    # ----------------------------------------------------------------------------------------------------

    def _unit(self, unit: Index, scalars: Values, columns: list[Values]) -> None:
        code, shape = self.code, self.shape
        if shape.flat:
            self._stretch(unit, scalars)
            return
        if shape.rows == 1:
            self._row(Position(rows=(0,) * len(shape.row_extents)), scalars, columns)
            return
        step = shape.lanes if shape.narrow else 1
        main = shape.rows // step * step
        start = code.multiply(unit, shape.rows_per_unit)
        stop: Index = main
        if shape.units > 1:
            stop = code.smaller(code.add(start, shape.rows_per_unit), main)
        blocked = [t for t in shape.sums if t.adds != "row" and self.sums.is_blocked(t)]
        if blocked and main:
            with code.loop(start, stop, ROWS_IN_BLOCK) as block:
                end = code.smaller(code.add(block, ROWS_IN_BLOCK), stop)
                self._rows(block, end, step, scalars, columns)
                self.sums.join(blocked)
        elif main:
            self._rows(start, stop, step, scalars, columns)
        if main < shape.rows:
            with self._last(unit):
                self._row(Position(rows=(main,), width=shape.rows - main), scalars, columns)

    def _rows(self, start: Index, stop: Index, step: int, scalars: Values, columns: list[Values]) -> None:
        with self.code.loop(start, stop, step) as row:
            self._row(Position(rows=self._row_indices(row), width=step), scalars, columns)

    @contextmanager
    def _last(self, unit: Index) -> Iterator[None]:
        """Only in the last unit."""
        if not isinstance(unit, Register):
            yield
            return
        with self.code.when(self.code.emit(f"icmp eq i64 {unit.name}, {self.shape.units - 1}", "i1")):
            yield

    def _row_indices(self, row: Index) -> list[Index]:
        """The index along each loop over rows."""
        return self.code.parted(row, self.shape.row_extents)

    def _stretch(self, unit: Index, scalars: Values) -> None:
        """A part of one long row."""
        code, shape = self.code, self.shape
        stores = shape.stores(0)
        start = code.multiply(unit, ENTRIES_PER_UNIT)
        main = shape.columns // shape.lanes * shape.lanes
        stop = code.smaller(code.add(start, ENTRIES_PER_UNIT), main)
        pointers: dict[int, Register] = {}
        self._find_rows(Position(pointers=pointers))
        blocked = [t for t in shape.sums if self.sums.is_blocked(t)]
        with code.loop(start, stop, BLOCK) as block:
            end = code.smaller(code.add(block, BLOCK), stop)
            with code.loop(block, end, shape.lanes) as column:
                at = Position((), (column,), shape.lanes, pointers)
                self._entries(stores, shape.sums, at, dict(scalars), None)
            self.sums.join(blocked)
        if main < shape.columns:
            with self._last(unit):
                at = Position((), (main,), shape.columns - main, pointers)
                self._entries(stores, shape.sums, at, dict(scalars), None)

    # -- one row
    # ----------------------------------------------------------------------------------------------------

    def _row(self, position: Position, scalars: Values, columns: list[Values]) -> None:
        """Stage after stage: what the row's sums so far allow, then the sums that these allow."""
        out, shape = self.out, self.shape
        values: Values = dict(scalars)
        chunks = [dict(v) for v in columns]
        self._find_rows(position)
        for stage in range(shape.stages):
            rows = [t for t in self.terms.all if t.kind == "row" and t.stage == stage and not t.late]
            for term in rows:
                if term.adds:
                    values[id(term)] = self.sums.total(term)
                out.value(term, values, position)
            for term in rows:
                out.store(term, values[id(term)], position)
            for term in shape.sums:
                if term.adds == "rows" and term.args[0].stage == stage:
                    self.sums.add_row(term, out.value(term.args[0], values, position), position.width)
            stores = shape.stores(stage)
            sums = [t for t in shape.sums if t.adds != "rows" and t.args[0].stage == stage]
            if stores or sums:
                self._columns(stores, sums, position, values, chunks)

    def _find_rows(self, position: Position) -> None:
        """Where the row starts in every array: the same for all its columns."""
        for term in self.terms.all:
            if term.kind != "scalar" and not (term.late and term.adds):
                for memory in (*([term.memory] if term.memory else []), *term.targets):
                    element = memory_type(term.line.dtype)
                    self.out.address(memory, element, position, False)

    def _columns(
        self, stores: list[Term], sums: list[Term], position: Position, values: Values, chunks: list[Values]
    ) -> None:
        """All columns of a row."""
        shape = self.shape
        for term in sums:
            if term.adds == "row":
                self.sums.clear(term)
        if shape.unrolled:
            for k, (start, width) in enumerate(shape.chunks):
                chunks[k].update(values)
                lanes = position.width if shape.narrow else width
                at = Position(position.rows, (start,), lanes, position.pointers)
                self._entries(stores, sums, at, chunks[k], k)
            return
        with self._outer_columns() as before:
            self._inner_columns(stores, sums, before, position, values)

    def _inner_columns(
        self, stores: list[Term], sums: list[Term], before: list[Index], position: Position, values: Values
    ) -> None:
        """The innermost loop, in blocks where long sums need them."""
        code, shape = self.code, self.shape
        blocked = [t for t in sums if t.adds in ("row", "all") and self.sums.is_blocked(t)]
        main = shape.inner // shape.lanes * shape.lanes
        step = BLOCK if blocked else shape.inner
        if main:
            with code.loop(0, main, step) as block:
                stop = main if step >= main else code.smaller(code.add(block, step), main)
                with code.loop(block, stop, shape.lanes) as column:
                    at = Position(position.rows, (*before, column), shape.lanes, position.pointers)
                    self._entries(stores, sums, at, dict(values), None)
                self.sums.join(blocked)
        if main < shape.inner:
            at = Position(position.rows, (*before, main), shape.inner - main, position.pointers)
            self._entries(stores, sums, at, dict(values), None)
            self.sums.join(blocked)

    @contextmanager
    def _outer_columns(self) -> Iterator[list[Index]]:
        """All loops over columns but the innermost."""
        extents = self.shape.column_extents[:-1]
        if not extents:
            yield []
            return
        with self.code.loop(0, math.prod(extents)) as joint:
            yield self.code.parted(joint, extents)

    def _entries(
        self, stores: list[Term], sums: list[Term], at: Position, values: Values, chunk: int | None
    ) -> None:
        """One vector of entries: all is read before anything is written, which may be where it was read."""
        found = [self.out.value(term, values, at) for term in stores]
        for term in sums:
            self.sums.add_entries(term, self.out.value(term.args[0], values, at), at, chunk)
        for term, value in zip(stores, found, strict=True):
            self.out.store(term, value, at)

    # -- the finish
    # ----------------------------------------------------------------------------------------------------

    def _finish(self, scalars: Values) -> None:
        """Add up what the units kept, and compute what follows from it."""
        code, out, shape = self.code, self.out, self.shape
        numbers = [t for t in shape.late if t.kind == "scalar"]
        for term in numbers:
            if term.adds:
                scalars[id(term)] = self.sums.number(term)
            out.value(term, scalars, Position())
        for term in numbers:
            out.store(term, scalars[id(term)], Position())
        late = [t for t in shape.late if t.kind in ("column", "full") and (t.targets or t.adds)]
        if not late:
            return
        if shape.unrolled:
            for k, (start, width) in enumerate(shape.chunks):
                self._late_entries(late, Position((), (start,), width), dict(scalars), k)
            return
        with self._outer_columns() as before:
            main = shape.inner // shape.lanes * shape.lanes
            if main:
                with code.loop(0, main, shape.lanes) as column:
                    self._late_entries(
                        late, Position((), (*before, column), shape.lanes), dict(scalars), None
                    )
            if main < shape.inner:
                at = Position((), (*before, main), shape.inner - main)
                self._late_entries(late, at, dict(scalars), None)

    def _late_entries(self, late: list[Term], at: Position, values: Values, chunk: int | None) -> None:
        for term in late:
            if term.adds:
                values[id(term)] = self.sums.column(term, at, chunk)
        found = [self.out.value(term, values, at) for term in late]
        for term, value in zip(late, found, strict=True):
            self.out.store(term, value, at)


@contextmanager
def _once() -> Iterator[Index]:
    """The only unit."""
    yield 0
