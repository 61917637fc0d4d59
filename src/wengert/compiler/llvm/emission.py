"""Writing the terms of a kernel into a function: loads, arithmetic and stores at a position of the loops.

Vectors lie along the innermost loop over columns, or, where rows are many and short, along the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from wengert.compiler.accesses import base_of
from wengert.compiler.llvm.arithmetic import computed
from wengert.compiler.llvm.terms import Memory, Term, Terms
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import Index, Register, element_type, memory_type
from wengert.compiler.plans import Buffer


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
    failed: list[tuple[Buffer, int]] = field(default_factory=list)
    """Words of a buffer: the run ends behind the kernel where one of them is not 0."""


@dataclass
class Position:
    """Where the loops stand: an index for each loop over rows and over columns, and the lanes in use."""

    rows: Sequence[Index] = ()
    columns: Sequence[Index] = ()
    width: int = 1
    pointers: dict[int, Register] = field(default_factory=dict)
    """Where the row of an array starts."""


Values = dict[int, Register]


class Pointers:
    """The parameters of a function that point to buffers, in the order in which it first asks for them."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.buffers: list[Buffer] = []
        self._parameters: dict[Buffer, Register] = {}

    def pointer(self, buffer: Buffer) -> Register:
        """The function's parameter for a buffer."""
        if buffer not in self._parameters:
            self._parameters[buffer] = self.code.parameter()
            self.buffers.append(buffer)
        return self._parameters[buffer]


class Emission(Pointers):
    """Writing terms into a function: loads, arithmetic, stores."""

    def __init__(self, code: Code, terms: Terms, across_rows: bool = False) -> None:
        super().__init__(code)
        self.terms, self.across_rows = terms, across_rows

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
        base = base_of(line)
        if base.is_number:
            return code.constant(base.number, element_type(line.dtype))
        assert term.memory is not None, term
        element = memory_type(line.dtype)
        address = self.address(term.memory, element, position, self._has_columns(term))
        step = self._step(term, term.memory)
        if step == 0:
            value = code.splat(code.load_scalar(address, element))
        elif step == 1:
            value = code.load(address, element, position.width)
        else:
            places = code.binary("mul", code.lane_numbers(), code.constant(step, "i64"))
            value = code.gather(address, places, element, position.width)
        if line.dtype.kind == "b":
            return code.compare("ne", value, Register("zeroinitializer", value.type))
        return value

    @staticmethod
    def _has_columns(term: Term) -> bool:
        return term.kind in ("full", "column")

    def _step(self, term: Term, memory: Memory) -> int:
        """How many entries lie between two lanes; 0 where all lanes are the same."""
        if self.across_rows:
            return memory.strides[self.terms.rows - 1] if term.kind in ("full", "row") else 0
        inner = memory.strides[self.terms.rows :]
        return inner[-1] if inner and self._has_columns(term) else 0

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
            element = memory_type(term.line.dtype)
            address = self.address(memory, element, position, self._has_columns(term))
            step = self._step(term, memory)
            if step == 0:
                code.store_scalar(code.lane(value), address)
            elif step == 1 or position.width == 1:
                code.store(value, address, position.width)
            elif self.across_rows and code.lanes > 1:
                places = code.binary("mul", code.lane_numbers(), code.constant(step, "i64"))
                code.scatter(value, address, places, position.width)
            else:
                for k in range(position.width):
                    code.store_scalar(code.lane(value, k), code.at(address, k * step, element))
