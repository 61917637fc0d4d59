"""Kernels of fused loops: elementwise lines and reductions over one space.

The work is parted into *units*, whole rows or stretches of one long row, by the shape alone: whoever carries
out a unit computes the same numbers. Sums over columns end with their row. Sums over rows are kept for every
unit apart and added at the finish, in float64.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from wengert.compiler.fusion import Group
from wengert.compiler.llvm.arithmetic import computed, converted, extreme
from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.terms import Key, Memory, Term, Terms
from wengert.compiler.llvm.text import BYTES, MEMORY_TYPES, Code, Index, Register, element_type, literal
from wengert.compiler.plans import Buffer, Plan

UNROLLED = 4
"""Rows of at most so many vectors stay in registers."""
ENTRIES_PER_UNIT = 32_768
BLOCK = 8192
"""So many entries are added in float32 before they join a float64."""


@dataclass
class Kernel:
    """One function, or two: ``finish`` is called once when all units are done. ``buffers`` are their
    parameters in order, each function having its own."""

    code: Code
    units: int
    buffers: list[Buffer]
    finish: Code | None = None
    finish_buffers: list[Buffer] = field(default_factory=list)
    scratch: int = 0
    """Bytes of the buffer ``scratch``."""
    shared: bool = False
    """Whether several threads share the units."""


@dataclass
class Position:
    """Where the loops stand: an index for each loop over rows and over columns, and the lanes in use."""

    rows: Sequence[Index] = ()
    columns: Sequence[Index] = ()
    width: int = 1
    pointers: dict[int, Register] = field(default_factory=dict)
    """Where the row of an array starts."""


Values = dict[int, Register]


class Emission:
    """Writing terms into a function: loads, arithmetic, stores."""

    def __init__(self, code: Code, terms: Terms) -> None:
        self.code, self.terms = code, terms
        self.buffers: list[Buffer] = []
        self._parameters: dict[Buffer, Register] = {}

    def pointer(self, buffer: Buffer) -> Register:
        """The function's parameter for a buffer."""
        if buffer not in self._parameters:
            self._parameters[buffer] = self.code.parameter()
            self.buffers.append(buffer)
        return self._parameters[buffer]

    def address(self, memory: Memory, element: str, position: Position, columns: bool = True) -> Register:
        """The address of the entry at a position."""
        code, rows = self.code, self.terms.rows
        start = position.pointers.get(id(memory))
        if start is None:
            index: Index = memory.offset
            for at, stride in zip(position.rows, memory.strides[:rows], strict=False):
                index = code.add(index, code.multiply(at, stride))
            start = position.pointers[id(memory)] = code.at(self.pointer(memory.buffer), index, element)
        if not columns:
            return start
        index = 0
        for at, stride in zip(position.columns, memory.strides[rows:], strict=False):
            index = code.add(index, code.multiply(at, stride))
        return code.at(start, index, element)

    def loaded(self, term: Term, position: Position) -> Register:
        """A term read from memory, or a written number."""
        code, line = self.code, term.line
        base = line
        while base.args and base.name in ("broadcast_to", "reshape", "permute", "getitem"):
            base = base.args[0]
        if base.is_number:
            return code.constant(base.number, element_type(line.dtype))
        assert term.memory is not None, term
        element = MEMORY_TYPES[line.dtype.name]
        last = (
            term.memory.strides[-1]
            if term.memory.strides and len(term.memory.strides) > self.terms.rows
            else 0
        )
        across = term.kind in ("full", "column")
        address = self.address(term.memory, element, position, across)
        if not across or last == 0:
            value = code.splat(code.load_scalar(address, element))
        elif last == 1:
            value = code.load(address, element, position.width)
        else:
            places = code.binary("mul", code.lane_numbers(), code.constant(last, "i64"))
            value = code.gather(address, places, element, position.width)
        if line.dtype.kind == "b":
            return code.compare("ne", value, Register("zeroinitializer", value.type))
        return value

    def value(self, term: Term, values: Values, position: Position) -> Register:
        """A term at a position, computed from what is known there."""
        known = values.get(id(term))
        if known is None:
            if term.args and not term.adds:
                arguments = [self.value(a, values, position) for a in term.args]
                known = computed(self.code, term.line, arguments)
            else:
                known = self.loaded(term, position)
            values[id(term)] = known
        return known

    def store(self, term: Term, value: Register, position: Position) -> None:
        """Write a term to all its targets."""
        code = self.code
        if term.targets and term.line.dtype.kind == "b":
            value = code.convert("zext", value, "i8")
        for memory in term.targets:
            element = MEMORY_TYPES[term.line.dtype.name]
            across = term.kind in ("full", "column")
            address = self.address(memory, element, position, across)
            if not across:
                code.store_scalar(code.lane(value), address)
            elif memory.strides[-1] == 1 or position.width == 1:
                code.store(value, address, position.width)
            else:
                for k in range(position.width):
                    place = code.at(address, k * memory.strides[-1], element)
                    code.store_scalar(code.lane(value, k), place)


class LoopKernel:
    """The kernel of one group."""

    def __init__(self, plan: Plan, group: Group, machine: Machine, name: str) -> None:
        self.plan, self.group, self.name = plan, group, name
        self.terms = terms = Terms(plan, group)
        self.lanes = _lanes(terms, machine)
        self.row_extents = terms.extents[: terms.rows]
        self.column_extents = terms.extents[terms.rows :] or (1,)
        self.rows = math.prod(self.row_extents)
        self.columns = math.prod(self.column_extents)
        self.inner = self.column_extents[-1]
        self.sums = [t for t in terms.all if t.adds]
        self.late = [t for t in terms.all if t.late]
        self.stages = max((t.stage for t in terms.all), default=0) + 1
        self.chunks = [
            (start, min(self.lanes, self.inner - start)) for start in range(0, self.inner, self.lanes)
        ]
        self.unrolled = len(self.column_extents) == 1 and len(self.chunks) <= UNROLLED
        self.flat = (
            not terms.rows
            and len(self.column_extents) == 1
            and self.columns > 2 * ENTRIES_PER_UNIT
            and not any(t.stage and t.kind == "full" for t in terms.all)
        )
        if self.flat:
            self._finish_rows_late()
        self.units, self.rows_per_unit = self._split()
        self.scratch: dict[int, int] = {}
        self.scratch_bytes = 0
        self._reserve()

    # -- the plan of the loops
    # ----------------------------------------------------------------------------------------------------

    def _finish_rows_late(self) -> None:
        """One long row is added up in stretches: what follows its sums waits for the finish."""
        for term in self.terms.all:
            if term.adds == "row":
                term.adds, term.kind, term.late, term.stage = "all", "scalar", True, 0
            elif term.args and any(a.late for a in term.args):
                term.kind, term.late, term.stage = "scalar", True, 0
        self.sums = [t for t in self.terms.all if t.adds]
        self.late = [t for t in self.terms.all if t.late]
        self.stages = 1

    def _split(self) -> tuple[int, int]:
        if self.flat:
            return -(-self.columns // ENTRIES_PER_UNIT), 1
        per_unit = max(1, ENTRIES_PER_UNIT // self.columns)
        units = -(-self.rows // per_unit)
        return units, -(-self.rows // units)

    def _reserve(self) -> None:
        """Room for the sums of every unit: numbers for sums of everything, rows for sums over rows."""
        for term in self.sums:
            if term.adds in ("all", "rows"):
                size = self.units * 8
            elif term.adds == "column" and (self.units > 1 or not self.unrolled):
                size = self.units * self._padded(term) * self._bytes(term)
            else:
                continue
            self.scratch[id(term)] = self.scratch_bytes
            self.scratch_bytes += -(-size // 64) * 64

    def _padded(self, term: Term) -> int:
        return -(-self.columns // self.lanes) * self.lanes

    @staticmethod
    def _bytes(term: Term) -> int:
        return BYTES[_memory_element(term)]

    # -- writing
    # ----------------------------------------------------------------------------------------------------

    def kernel(self) -> Kernel:
        """Write everything."""
        code = Code(self.name, self.lanes)
        out = Emission(code, self.terms)
        self.out, self.code = out, code
        first, last = code.parameter("i64"), code.parameter("i64")
        scalars: Values = {}
        for term in self.terms.all:
            if term.kind == "scalar" and not term.late:
                value = out.value(term, scalars, Position())
                if term.targets:
                    with self._once(first):
                        out.store(term, value, Position())
        columns = self._column_values(scalars)
        split = self.units > 1
        with code.loop(first, last) if split else _nothing() as unit:
            self.accumulators = self._fresh_accumulators(unit)
            if self.flat:
                self._stretch(unit, scalars)
            elif self.rows == 1:
                self._row(Position(rows=(0,) * len(self.row_extents)), scalars, columns, unit)
            else:
                start = code.multiply(unit, self.rows_per_unit)
                stop: Index = self.rows
                if split:
                    stop = code.smaller(code.add(start, self.rows_per_unit), self.rows)
                with code.loop(start, stop) as row:
                    self._row(Position(rows=self._row_indices(row)), scalars, columns, unit)
            self._keep_sums(unit)
        kernel = Kernel(code, self.units, out.buffers, scratch=self.scratch_bytes)
        if not self.late:
            return kernel
        if split:
            self.code = kernel.finish = Code(f"{self.name}_finish", self.lanes)
            self.out = Emission(self.code, self.terms)
            scalars = {}
        self._finish(scalars)
        if split:
            kernel.finish_buffers = self.out.buffers
        return kernel

    @contextmanager
    def _once(self, first: Register) -> Iterator[None]:
        """Only in the call that begins with the first unit."""
        if self.units == 1:
            yield
            return
        with self.code.when(self.code.emit(f"icmp eq i64 {first.name}, 0", "i1")):
            yield

    def _column_values(self, scalars: Values) -> list[Values]:
        """For short rows, what depends on the columns alone stays in registers."""
        if not self.unrolled:
            return []
        found = []
        for start, width in self.chunks:
            values = dict(scalars)
            if self.rows > 1:
                for term in self.terms.all:
                    if term.kind == "column" and not term.late:
                        self.out.value(term, values, Position(columns=(start,), width=width))
            found.append(values)
        return found

    def _row_indices(self, row: Index) -> list[Index]:
        """The index along each loop over rows."""
        indices: list[Index] = []
        for extent in reversed(self.row_extents[1:]):
            if isinstance(row, int):
                row, index = row // extent, row % extent
                indices.append(index)
            else:
                indices.append(self.code.emit(f"urem i64 {row.name}, {extent}", "i64"))
                row = self.code.emit(f"udiv i64 {row.name}, {extent}", "i64")
        return [row, *reversed(indices)]

    # -- one row
    # ----------------------------------------------------------------------------------------------------

    def _row(self, position: Position, scalars: Values, columns: list[Values], unit: Index) -> None:
        """Stage after stage: what the row's sums so far allow, then the sums that these allow."""
        code, out = self.code, self.out
        values: Values = dict(scalars)
        chunks = [dict(v) for v in columns]
        self._find_rows(position)
        for stage in range(self.stages):
            for term in self.terms.all:
                if term.kind == "row" and term.stage == stage and not term.late:
                    if term.adds:
                        values[id(term)] = self._total(term)
                    value = out.value(term, values, position)
                    out.store(term, value, position)
            for term in self.sums:
                if term.adds == "rows" and term.args[0].stage == stage:
                    self._accumulate(term, out.value(term.args[0], values, position), 1, None, whole=True)
            stores = [
                t
                for t in self.terms.all
                if t.targets
                and t.stage == stage
                and not t.late
                and (t.kind == "full" or (t.kind == "column" and self.rows == 1))
            ]
            sums = [t for t in self.sums if t.adds != "rows" and t.args[0].stage == stage]
            if stores or sums:
                self._columns(stores, sums, position, values, chunks)

    def _find_rows(self, position: Position) -> None:
        """Where the row starts in every array: the same for all its columns."""
        for term in self.terms.all:
            if term.kind != "scalar" and not (term.late and term.adds):
                for memory in (*([term.memory] if term.memory else []), *term.targets):
                    element = MEMORY_TYPES[term.line.dtype.name]
                    self.out.address(memory, element, position, False)

    def _columns(
        self, stores: list[Term], sums: list[Term], position: Position, values: Values, chunks: list[Values]
    ) -> None:
        code = self.code
        for term in sums:
            if term.adds == "row":
                self._start(term, self.accumulators[id(term)])
        if self.unrolled:
            for k, (start, width) in enumerate(self.chunks):
                chunks[k].update(values)
                at = Position(position.rows, (start,), width, position.pointers)
                self._entries(stores, sums, at, chunks[k], k)
            return
        blocked = [t for t in sums if self._is_blocked(t)]
        with self._outer_columns() as before:
            step = BLOCK if blocked else self.inner
            main = self.inner // self.lanes * self.lanes
            if main:
                with code.loop(0, main, step) as block:
                    for term in blocked:
                        self._start(term, self.accumulators[id(term)])
                    stop = main if step >= main else code.smaller(code.add(block, step), main)
                    with code.loop(block, stop, self.lanes) as column:
                        at = Position(position.rows, (*before, column), self.lanes, position.pointers)
                        self._entries(stores, sums, at, dict(values), None)
                    for term in blocked:
                        self._add_block(term)
            if self.inner % self.lanes:
                at = Position(position.rows, (*before, main), self.inner % self.lanes, position.pointers)
                for term in blocked:
                    self._start(term, self.accumulators[id(term)])
                self._entries(stores, sums, at, dict(values), None)
                for term in blocked:
                    self._add_block(term)

    @contextmanager
    def _outer_columns(self) -> Iterator[list[Index]]:
        """All loops over columns but the innermost."""
        extents = self.column_extents[:-1]
        if not extents:
            yield []
            return
        with self.code.loop(0, math.prod(extents)) as joint:
            indices: list[Index] = []
            for extent in reversed(extents[1:]):
                if isinstance(joint, int):
                    joint, index = joint // extent, joint % extent
                    indices.append(index)
                else:
                    indices.append(self.code.emit(f"urem i64 {joint.name}, {extent}", "i64"))
                    joint = self.code.emit(f"udiv i64 {joint.name}, {extent}", "i64")
            yield [joint, *reversed(indices)]

    def _entries(
        self, stores: list[Term], sums: list[Term], at: Position, values: Values, chunk: int | None
    ) -> None:
        """One vector of entries."""
        for term in stores:
            self.out.store(term, self.out.value(term, values, at), at)
        for term in sums:
            self._accumulate(term, self.out.value(term.args[0], values, at), at.width, chunk, at=at)

    def _stretch(self, unit: Index, scalars: Values) -> None:
        """One unit of one long row."""
        code, terms = self.code, self.terms
        stores = [t for t in terms.all if t.targets and t.kind == "full" and not t.late]
        start = code.multiply(unit, ENTRIES_PER_UNIT)
        main = self.columns // self.lanes * self.lanes
        stop = code.smaller(code.add(start, ENTRIES_PER_UNIT), main)
        pointers: dict[int, Register] = {}
        self._find_rows(Position(pointers=pointers))
        with code.loop(start, stop, self.lanes) as column:
            at = Position((), (column,), self.lanes, pointers)
            self._entries(stores, self.sums, at, dict(scalars), None)
        if self.columns % self.lanes:
            assert isinstance(unit, Register)
            with code.when(code.emit(f"icmp eq i64 {unit.name}, {self.units - 1}", "i1")):
                at = Position((), (main,), self.columns % self.lanes, pointers)
                self._entries(stores, self.sums, at, dict(scalars), None)

    # -- sums
    # ----------------------------------------------------------------------------------------------------

    def _fresh_accumulators(self, unit: Index) -> dict[int, Register | list[Register]]:
        """Where the sums of a unit are kept, with nothing in them yet."""
        code, found = self.code, {}
        for term in self.sums:
            element = _memory_element(term)
            type = code.vector(element)
            if term.adds == "column" and not self.unrolled:
                start = code.multiply(unit, self._padded(term) * self._bytes(term))
                row = code.at(self._scratch(term), start, "i8")
                with code.loop(0, self._padded(term), self.lanes) as column:
                    code.store(self._neutral(term), code.at(row, column, element))
                found[id(term)] = row
            elif term.adds == "column":
                slots = [code.alloca(type) for _ in self.chunks]
                for slot in slots:
                    code.do(f"store {self._neutral(term)}, {slot}, align 64")
                found[id(term)] = slots
            else:
                found[id(term)] = code.alloca(type)
                self._start(term, found[id(term)])
                if self._is_blocked(term):
                    total = code.alloca("double", align=8)
                    found[-id(term)] = total
                    if term.adds != "row":
                        code.do(f"store double 0.0, {total}, align 8")
        return found

    def _scratch(self, term: Term) -> Register:
        return self.code.at(self.out.pointer(Buffer("scratch", 0)), self.scratch[id(term)], "i8")

    def _is_blocked(self, term: Term) -> bool:
        """Whether a row is so long that blocks of it are added in float64."""
        return (
            term.line.name == "sum"
            and term.adds in ("row", "all")
            and not self.flat
            and not self.unrolled
            and term.line.dtype == np.float32
            and self.inner > BLOCK
        )

    def _start(self, term: Term, slot: Register | list[Register]) -> None:
        assert isinstance(slot, Register)
        self.code.do(f"store {self._neutral(term)}, {slot}, align 64")

    def _neutral(self, term: Term) -> Register:
        """What changes nothing when it is added."""
        code, element = self.code, _memory_element(term)
        name, floats = term.line.name, term.line.dtype.kind == "f"
        if name in ("sum", "any"):
            return code.constant(0, element)
        if name == "all":
            return code.constant(1, element)
        if floats:
            return code.constant(-math.inf if name == "max" else math.inf, element)
        limits = np.iinfo(term.line.dtype)
        return code.constant(limits.min if name == "max" else limits.max, element)

    def _accumulate(
        self,
        term: Term,
        value: Register,
        width: int,
        chunk: int | None,
        at: Position | None = None,
        whole: bool = False,
    ) -> None:
        code, element = self.code, _memory_element(term)
        value = _summand(code, term, value)
        slot = self.accumulators[id(term)]
        if term.adds == "column" and chunk is None:
            assert isinstance(slot, Register) and at is not None
            index: Index = 0
            for i, (column, extent) in enumerate(zip(at.columns, self.column_extents, strict=True)):
                index = column if i == 0 else code.add(code.multiply(index, extent), column)
            place = code.at(slot, index, element)
            code.store(self._joined(term, code.load(place, element, width), value), place, width)
            return
        if isinstance(slot, list):
            assert chunk is not None
            slot = slot[chunk]
        elif width < self.lanes and not whole:
            value = code.select(code.first_lanes(width), value, self._neutral(term))
        present = code.emit(f"load {value.type}, {slot}, align 64", value.type)
        code.do(f"store {self._joined(term, present, value)}, {slot}, align 64")

    def _joined(self, term: Term, a: Register, b: Register) -> Register:
        code, name, floats = self.code, term.line.name, term.line.dtype.kind == "f"
        if name == "sum":
            return code.binary("fadd" if floats else "add", a, b)
        if name in ("any", "all"):
            return code.binary("or" if name == "any" else "and", a, b)
        return extreme(code, b, a, name == "max", floats)

    def _horizontal(self, term: Term, vector: Register) -> Register:
        """All lanes of an accumulator in one scalar."""
        code, name, element = self.code, term.line.name, _memory_element(term)
        if self.lanes == 1:
            return code.lane(vector)
        if name == "sum" and element in ("float", "double"):
            return code.total(vector)
        kind = {"sum": "add", "any": "or", "all": "and"}.get(name)
        if kind is None:
            floats = element in ("float", "double")
            kind = f"{'f' if floats else 's'}{name}{'imum' if floats else ''}"
        return code.call(f"llvm.vector.reduce.{kind}.{code.suffix(vector.type)}", element, vector)

    def _add_block(self, term: Term) -> None:
        """A finished block joins the row's float64."""
        code = self.code
        slot, total = self.accumulators[id(term)], self.accumulators[-id(term)]
        assert isinstance(slot, Register) and isinstance(total, Register)
        part = self._horizontal(term, code.emit(f"load {code.vector('float')}, {slot}", code.vector("float")))
        so_far = code.load_scalar(total, "double")
        wide = code.convert("fpext", part, "double")
        code.store_scalar(code.emit(f"fadd {so_far}, {wide.name}", "double"), total)

    def _total(self, term: Term) -> Register:
        """A finished sum over the columns, in all lanes."""
        code, element = self.code, _memory_element(term)
        slot = self.accumulators[id(term)]
        assert isinstance(slot, Register)
        if self._is_blocked(term):
            total = self.accumulators[-id(term)]
            assert isinstance(total, Register)
            scalar = code.convert("fptrunc", code.load_scalar(total, "double"), "float")
            code.do(f"store double 0.0, {total}, align 8")
        else:
            type = code.vector(element)
            scalar = self._horizontal(term, code.emit(f"load {type}, {slot}, align 64", type))
        return _as_result(code, term, code.splat(scalar))

    def _keep_sums(self, unit: Index) -> None:
        """Write the unit's sums where the finish finds them."""
        code = self.code
        for term in self.sums:
            slot, element = self.accumulators[id(term)], _memory_element(term)
            if term.adds in ("all", "rows"):
                assert isinstance(slot, Register)
                type = code.vector(element)
                if self._is_blocked(term):
                    total = self.accumulators[-id(term)]
                    assert isinstance(total, Register)
                    scalar = code.load_scalar(total, "double")
                else:
                    vector = code.emit(f"load {type}, {slot}, align 64", type)
                    scalar = code.lane(vector) if term.adds == "rows" else self._horizontal(term, vector)
                    scalar = _widened(code, scalar)
                place = code.at(self._scratch(term), unit, scalar.type)
                code.store_scalar(scalar, place)
            elif term.adds == "column" and isinstance(slot, list) and self.units > 1:
                start = code.multiply(unit, self._padded(term) * self._bytes(term))
                row = code.at(self._scratch(term), start, "i8")
                for k, (column, _) in enumerate(self.chunks):
                    vector = code.emit(
                        f"load {code.vector(element)}, {slot[k]}, align 64", code.vector(element)
                    )
                    code.store(vector, code.at(row, column, element))

    # -- the finish
    # ----------------------------------------------------------------------------------------------------

    def _finish(self, scalars: Values) -> None:
        """Add up what the units kept, and compute what follows from it."""
        code, out = self.code, self.out
        for term in self.sums:
            if term.adds in ("all", "rows"):
                scalars[id(term)] = self._sum_of_units(term)
                out.store(term, scalars[id(term)], Position())
        for term in self.late:
            if term.kind == "scalar" and not term.adds:
                out.store(term, out.value(term, scalars, Position()), Position())
        late = [t for t in self.late if t.kind in ("column", "full") and (t.targets or t.adds)]
        if not late:
            return
        if self.unrolled:
            for k, (start, width) in enumerate(self.chunks):
                self._late_entries(late, Position((), (start,), width), dict(scalars), k)
            return
        with self._outer_columns() as before:
            main = self.inner // self.lanes * self.lanes
            if main:
                with code.loop(0, main, self.lanes) as column:
                    at = Position((), (*before, column), self.lanes)
                    self._late_entries(late, at, dict(scalars), None)
            if self.inner % self.lanes:
                at = Position((), (*before, main), self.inner % self.lanes)
                self._late_entries(late, at, dict(scalars), None)

    def _late_entries(self, late: list[Term], at: Position, values: Values, chunk: int | None) -> None:
        for term in late:
            if term.adds:
                values[id(term)] = self._column_sum(term, at, chunk)
        for term in late:
            self.out.store(term, self.out.value(term, values, at), at)

    def _sum_of_units(self, term: Term) -> Register:
        code, element = self.code, _memory_element(term)
        wide = "double" if element == "float" else element
        kept = self._scratch(term)
        lanes = code.lanes
        single = Code.element(code.vector(wide))
        total = code.load_scalar(kept, single)
        if self.units > 1:
            slot = code.alloca(wide, align=8)
            code.store_scalar(total, slot)
            with code.loop(1, self.units) as unit:
                part = code.load_scalar(code.at(kept, unit, wide), wide)
                present = code.load_scalar(slot, wide)
                joined = self._joined_scalars(term, present, part)
                code.store_scalar(joined, slot)
            total = code.load_scalar(slot, wide)
        if wide != element:
            total = code.convert("fptrunc", total, element)
        assert lanes == code.lanes
        return _as_result(code, term, code.splat(total))

    def _joined_scalars(self, term: Term, a: Register, b: Register) -> Register:
        code = self.code
        joined = self._joined(term, code.splat(a), code.splat(b)) if term.line.name != "sum" else None
        if joined is not None:
            return code.lane(joined)
        return code.emit(f"{'fadd' if a.type in ('float', 'double') else 'add'} {a}, {b.name}", a.type)

    def _column_sum(self, term: Term, at: Position, chunk: int | None) -> Register:
        code, element = self.code, _memory_element(term)
        type = code.vector(element)
        slot = self.accumulators[id(term)]
        if chunk is not None and isinstance(slot, list) and self.units == 1:
            return _as_result(code, term, code.emit(f"load {type}, {slot[chunk]}, align 64", type))
        index: Index = 0
        for i, (column, extent) in enumerate(zip(at.columns, self.column_extents, strict=True)):
            index = column if i == 0 else code.add(code.multiply(index, extent), column)
        start = code.at(self._scratch(term), index, element)
        total = code.load(start, element)
        if self.units > 1:
            accumulator = code.alloca(type)
            code.do(f"store {total}, {accumulator}, align 64")
            with code.loop(1, self.units) as unit:
                place = code.at(start, code.multiply(unit, self._padded(term)), element)
                present = code.emit(f"load {type}, {accumulator}, align 64", type)
                code.do(
                    f"store {self._joined(term, present, code.load(place, element))}, {accumulator}, align 64"
                )
            total = code.emit(f"load {type}, {accumulator}, align 64", type)
        return _as_result(code, term, total)


@contextmanager
def _nothing() -> Iterator[Index]:
    yield 0


def _memory_element(term: Term) -> str:
    """The type in which a reduction is kept."""
    return MEMORY_TYPES[term.line.dtype.name]


def _summand(code: Code, term: Term, value: Register) -> Register:
    """An entry in the type in which the reduction is kept."""
    source, target = term.args[0].line.dtype, term.line.dtype
    if target.kind == "b":
        truth = converted(code, value, source, target)
        return code.convert("zext", truth, "i8")
    return converted(code, value, source, target)


def _as_result(code: Code, term: Term, value: Register) -> Register:
    if term.line.dtype.kind == "b":
        return code.compare("ne", value, Register("zeroinitializer", value.type))
    return value


def _widened(code: Code, scalar: Register) -> Register:
    return code.convert("fpext", scalar, "double") if scalar.type == "float" else scalar


def _lanes(terms: Terms, machine: Machine) -> int:
    """How many entries a vector holds: by the widest floating-point number; one where all is one number."""
    if math.prod(terms.extents) == 1:
        return 1
    wide = [t.line.dtype.itemsize for t in terms.all if t.kind == "full" and t.line.dtype.kind == "f"]
    return machine.lanes(max(wide, default=8))


__all__ = ["Kernel", "LoopKernel", "Key", "literal"]
