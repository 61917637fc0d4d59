"""The reductions of a kernel: accumulators while the loops run, and what is left at the finish.

A sum over the columns ends with its row. Sums over rows are kept for every unit apart and added at the
finish in the order of the units, numbers in float64. Where so many entries follow one another that rounding
would show, they are added in blocks, and the blocks in float64.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from wengert.compiler.alignment import aligned
from wengert.compiler.llvm.arithmetic import converted, extreme
from wengert.compiler.llvm.emission import Emission, Position
from wengert.compiler.llvm.geometry import Geometry
from wengert.compiler.llvm.terms import Term
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import BYTES, Index, Register, addition, is_float, memory_type
from wengert.compiler.plans import Buffer

BLOCK = 2048
"""So many entries of a row are added before they join the sum of the blocks."""
ROWS_IN_BLOCK = 128
"""So many rows, where entries of many rows are added."""


class Layout:
    """Where the sums of all units lie in the kernel's scratch memory."""

    def __init__(self, shape: Geometry) -> None:
        self.places: dict[int, int] = {}
        self.bytes = 0
        for term in shape.sums:
            if term.adds in ("all", "rows"):
                size = shape.units * 8
            elif term.adds == "column" and (shape.units > 1 or not shape.unrolled):
                size = shape.units * shape.padded_columns * BYTES[kept_element(term)]
            else:
                continue
            self.places[id(term)] = self.bytes
            self.bytes += aligned(size)


class Sums:
    """The reductions in one function of a kernel."""

    def __init__(self, shape: Geometry, layout: Layout, out: Emission) -> None:
        self.shape, self.layout, self.out, self.code = shape, layout, out, out.code
        self.single: dict[int, Register] = {}
        self.by_chunk: dict[int, list[Register]] = {}
        self.wide: dict[int, list[Register]] = {}

    # -- while the loops run
    # ----------------------------------------------------------------------------------------------------

    def begin(self, unit: Index) -> None:
        """Accumulators for a unit, with nothing in them yet."""
        code, shape = self.code, self.shape
        for term in shape.sums:
            element = kept_element(term)
            if term.adds != "column":
                self.single[id(term)] = code.alloca(code.vector(element))
                self.clear(term)
                if self.is_blocked(term):
                    self.wide[id(term)] = [self._wide_zeros()]
            elif shape.unrolled:
                self.by_chunk[id(term)] = [code.alloca(code.vector(element)) for _ in shape.chunks]
                for slot in self.by_chunk[id(term)]:
                    code.do(f"store {self._neutral(term)}, {slot}, align 64")
                if self.is_blocked(term):
                    self.wide[id(term)] = [self._wide_zeros() for _ in shape.chunks]
            else:
                row = self.single[id(term)] = self._unit_row(term, unit)
                with code.loop(0, shape.padded_columns, shape.lanes) as column:
                    code.store(self._neutral(term), code.at(row, column, element))

    def clear(self, term: Term) -> None:
        """Nothing in an accumulator."""
        self.code.do(f"store {self._neutral(term)}, {self.single[id(term)]}, align 64")

    def is_blocked(self, term: Term) -> bool:
        """Whether so many entries are added that they are added in blocks."""
        if term.line.name != "sum" or term.line.dtype.kind != "f":
            return False
        shape = self.shape
        long_rows = shape.flat or (not shape.unrolled and shape.columns > BLOCK)
        many_rows = shape.rows > ROWS_IN_BLOCK and (term.adds != "column" or shape.unrolled)
        return {"row": long_rows, "all": long_rows or many_rows}.get(term.adds, many_rows)

    def _wide_zeros(self) -> Register:
        code = self.code
        slot = code.alloca(code.vector("double"))
        code.do(f"store {code.constant(0, 'double')}, {slot}, align 64")
        return slot

    def join(self, terms: Iterable[Term]) -> None:
        """Finished blocks join the sums of the blocks."""
        code = self.code
        for term in terms:
            slots = self.by_chunk[id(term)] if term.adds == "column" else [self.single[id(term)]]
            for slot, wide in zip(slots, self.wide[id(term)], strict=True):
                code.do(f"store {self._whole(term, slot, wide)}, {wide}, align 64")
                code.do(f"store {self._neutral(term)}, {slot}, align 64")

    def _whole(self, term: Term, slot: Register, wide: Register) -> Register:
        """The sum of the blocks and what has not joined it yet, in float64."""
        code, element = self.code, kept_element(term)
        part = code.emit(f"load {code.vector(element)}, {slot}, align 64", code.vector(element))
        part = code.convert("fpext", part, "double") if element == "float" else part
        so_far = code.emit(f"load {code.vector('double')}, {wide}, align 64", code.vector("double"))
        return code.binary("fadd", so_far, part)

    def add_entries(self, term: Term, value: Register, at: Position, chunk: int | None) -> None:
        """A vector of entries joins its sum."""
        code, element = self.code, kept_element(term)
        value = _summand(code, term, value)
        if term.adds == "column" and chunk is None:
            place = code.at(self.single[id(term)], self._column(at), element)
            code.store(self._joined(term, code.load(place, element, at.width), value), place, at.width)
            return
        mixed = ("column", "all") if self.out.across_rows else ("row", "all")  # lanes that are added up
        if at.width < code.lanes and term.adds in mixed:
            value = code.select(code.first_lanes(at.width), value, self._neutral(term))
        slot = self.by_chunk[id(term)][chunk or 0] if term.adds == "column" else self.single[id(term)]
        self._join(term, slot, value)

    def add_row(self, term: Term, value: Register, width: int) -> None:
        """A row's single value joins its sum; across rows, those of several rows."""
        value = _summand(self.code, term, value)
        if self.out.across_rows and width < self.code.lanes:
            value = self.code.select(self.code.first_lanes(width), value, self._neutral(term))
        self._join(term, self.single[id(term)], value)

    def _join(self, term: Term, slot: Register, value: Register) -> None:
        code = self.code
        present = code.emit(f"load {value.type}, {slot}, align 64", value.type)
        code.do(f"store {self._joined(term, present, value)}, {slot}, align 64")

    def total(self, term: Term) -> Register:
        """A finished sum over the columns, in all lanes; across rows, one sum in each."""
        code = self.code
        if self.out.across_rows:
            return _as_result(code, term, self._accumulated(term))
        if not self.is_blocked(term):
            return _as_result(code, term, code.splat(self._horizontal(term, self._accumulated(term))))
        (wide,) = self.wide[id(term)]
        scalar = code.total(self._whole(term, self.single[id(term)], wide))
        code.do(f"store {code.constant(0, 'double')}, {wide}, align 64")
        if term.line.dtype.itemsize == 4:
            scalar = code.convert("fptrunc", scalar, "float")
        return code.splat(scalar)

    def keep(self, unit: Index) -> None:
        """Write the unit's sums where the finish finds them."""
        code, shape = self.code, self.shape
        for term in shape.sums:
            element = kept_element(term)
            if term.adds in ("all", "rows"):
                scalar = self._unit_sum(term)
                code.store_scalar(scalar, code.at(self._memory(term), unit, scalar.type))
            elif term.adds == "column" and shape.unrolled and shape.units > 1:
                row = self._unit_row(term, unit)
                for k, (column, _) in enumerate(shape.chunks):
                    code.store(self._chunk(term, k), code.at(row, column, element))

    def _chunk(self, term: Term, k: int) -> Register:
        """The unit's sums for the columns of a chunk."""
        code, element, slot = self.code, kept_element(term), self.by_chunk[id(term)][k]
        if not self.is_blocked(term):
            return code.emit(f"load {code.vector(element)}, {slot}, align 64", code.vector(element))
        whole = self._whole(term, slot, self.wide[id(term)][k])
        return code.convert("fptrunc", whole, "float") if element == "float" else whole

    def _unit_sum(self, term: Term) -> Register:
        code = self.code
        same = term.adds == "rows" and not self.out.across_rows  # every lane holds the row's value
        if self.is_blocked(term):
            vector = self._whole(term, self.single[id(term)], self.wide[id(term)][0])
            return code.lane(vector) if same else code.total(vector)
        vector = self._accumulated(term)
        scalar = code.lane(vector) if same else self._horizontal(term, vector)
        return code.convert("fpext", scalar, "double") if scalar.type == "float" else scalar

    # -- at the finish
    # ----------------------------------------------------------------------------------------------------

    def number(self, term: Term) -> Register:
        """The sum of all units, in all lanes."""
        code, element = self.code, kept_element(term)
        wide = "double" if element == "float" else element
        kept = self._memory(term)
        total = code.load_scalar(kept, wide)
        if self.shape.units > 1:
            slot = code.alloca(wide, align=8)
            code.store_scalar(total, slot)
            with code.loop(1, self.shape.units) as unit:
                part = code.load_scalar(code.at(kept, unit, wide), wide)
                joined = self._joined(term, code.splat(code.load_scalar(slot, wide)), code.splat(part))
                code.store_scalar(code.lane(joined), slot)
            total = code.load_scalar(slot, wide)
        if wide != element:
            total = code.convert("fptrunc", total, element)
        return _as_result(code, term, code.splat(total))

    def column(self, term: Term, at: Position, chunk: int | None) -> Register:
        """The sums over all rows, for a vector of columns."""
        code, shape, element = self.code, self.shape, kept_element(term)
        type = code.vector(element)
        if chunk is not None and shape.units == 1:
            vector = self._chunk(term, chunk)
            if self.out.across_rows:
                vector = code.splat(self._horizontal(term, vector))
            return _as_result(code, term, vector)
        start = code.at(self._memory(term), self._column(at), element)
        total = code.load(start, element)
        if shape.units > 1:
            slot = code.alloca(type)
            code.do(f"store {total}, {slot}, align 64")
            with code.loop(1, shape.units) as unit:
                place = code.at(start, code.multiply(unit, shape.padded_columns), element)
                self._join(term, slot, code.load(place, element))
            total = code.emit(f"load {type}, {slot}, align 64", type)
        return _as_result(code, term, total)

    # -- pieces
    # ----------------------------------------------------------------------------------------------------

    def _column(self, at: Position) -> Index:
        """The number of a column among all columns."""
        place: Index = 0
        for column, extent in zip(at.columns, self.shape.column_extents, strict=True):
            place = self.code.add(self.code.multiply(place, extent), column)
        return place

    def _memory(self, term: Term) -> Register:
        return self.code.at(self.out.pointer(Buffer("scratch", 0)), self.layout.places[id(term)], "i8")

    def _unit_row(self, term: Term, unit: Index) -> Register:
        size = self.shape.padded_columns * BYTES[kept_element(term)]
        return self.code.at(self._memory(term), self.code.multiply(unit, size), "i8")

    def _accumulated(self, term: Term) -> Register:
        type = self.code.vector(kept_element(term))
        return self.code.emit(f"load {type}, {self.single[id(term)]}, align 64", type)

    def _neutral(self, term: Term) -> Register:
        """What changes nothing when it is added."""
        code, element, name = self.code, kept_element(term), term.line.name
        if name in ("sum", "any"):
            return code.constant(0, element)
        if name == "all":
            return code.constant(1, element)
        if term.line.dtype.kind == "f":
            return code.constant(-math.inf if name == "max" else math.inf, element)
        limits = np.iinfo(term.line.dtype)
        return code.constant(limits.min if name == "max" else limits.max, element)

    def _joined(self, term: Term, a: Register, b: Register) -> Register:
        code, name, floats = self.code, term.line.name, term.line.dtype.kind == "f"
        if name == "sum":
            return code.binary(addition(code.element(a.type)), a, b)
        if name in ("any", "all"):
            return code.binary("or" if name == "any" else "and", a, b)
        return extreme(code, b, a, name == "max", floats)

    def _horizontal(self, term: Term, vector: Register) -> Register:
        """All lanes of an accumulator in one scalar."""
        code, name, element = self.code, term.line.name, kept_element(term)
        if code.lanes == 1:
            return code.lane(vector)
        if name == "sum" and is_float(element):
            return code.total(vector)
        kind = {"sum": "add", "any": "or", "all": "and"}.get(name)
        if kind is None:
            floats = is_float(element)
            kind = f"{'f' if floats else 's'}{name}{'imum' if floats else ''}"
        return code.call(f"llvm.vector.reduce.{kind}.{code.suffix(vector.type)}", element, vector)


def kept_element(term: Term) -> str:
    """The type in which a reduction is kept."""
    return memory_type(term.line.dtype)


def _summand(code: Code, term: Term, value: Register) -> Register:
    """An entry in the type in which the reduction is kept."""
    source, target = term.args[0].line.dtype, term.line.dtype
    truth = converted(code, value, source, target)
    return code.convert("zext", truth, "i8") if target.kind == "b" else truth


def _as_result(code: Code, term: Term, value: Register) -> Register:
    if term.line.dtype.kind == "b":
        return code.compare("ne", value, Register("zeroinitializer", value.type))
    return value
