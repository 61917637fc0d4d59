"""Kernels of products: a matrix product and the elementwise lines that follow it, entry by entry."""

from __future__ import annotations

import math

from wengert.compiler.accesses import access
from wengert.compiler.groups import HEAVY, Group
from wengert.compiler.lines import Line
from wengert.compiler.llvm.emission import Emission, Kernel, Position, Values
from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.operands import Operand
from wengert.compiler.llvm.product_forms import cheapest
from wengert.compiler.llvm.terms import Term, Terms
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import MEMORY_TYPES, Index, Register
from wengert.compiler.plans import Plan

SEVERAL = 8
"""A stack of products is cut into at least so many pieces for threads to share. More would copy a factor more
often, which each piece does for itself."""


class Following:
    """What is done with the entries of a product: the group's other lines."""

    def __init__(self, out: Emission, product: Term, before: list[Index], scalars: Values) -> None:
        self.out, self.product, self.before, self.scalars = out, product, before, scalars
        self.terms = [t for t in out.terms.all if t is not product]
        computed = [t for t in self.terms if t.args]
        self.cost = sum(12 if t.line.name in HEAVY else 1 for t in computed)
        self.stored = [t for t in out.terms.all if t.targets]

    def column(self, code: Code, column: Index, width: int) -> Values:
        """The terms that depend on the columns alone."""
        values = dict(self.scalars)
        for term in self.terms:
            if term.kind == "column":
                at = Position((*self.before, 0), (column,), width)
                self.out.value(term, values, at)
        return values

    def row(self, code: Code, row: Index) -> tuple[Values, dict[int, Register]]:
        """The terms that depend on the row alone, and where the row starts in every array."""
        at = Position((*self.before, row))
        values = dict(self.scalars)
        for term in self.terms:
            if term.kind == "row":
                self.out.value(term, values, at)
        for term in self.out.terms.all:
            if term.kind == "full":
                for memory in (*([term.memory] if term.memory else []), *term.targets):
                    self.out.address(memory, MEMORY_TYPES[term.line.dtype.name], at, False)
        return values, at.pointers

    def entry(
        self, code: Code, row: Index, column: Index, width: int, value: Register, column_state: Values,
        row_state: tuple[Values, dict[int, Register]],
    ) -> None:  # fmt: skip
        """Compute what follows, and store it."""
        values, pointers = row_state
        values = {**column_state, **values, id(self.product): value}
        at = Position((*self.before, row), (column,), width, pointers)
        found = [self.out.value(term, values, at) for term in self.stored]
        for term, result in zip(self.stored, found, strict=True):
            self.out.store(term, result, at)


def product_kernel(plan: Plan, group: Group, machine: Machine, name: str) -> Kernel:
    """The kernel of a product's group."""
    line = group.members[0]
    terms = Terms(plan, group)
    element = MEMORY_TYPES[line.dtype.name]
    code = Code(name, machine.lanes(line.dtype.itemsize))
    out = Emission(code, terms)
    first, last = code.parameter("i64"), code.parameter("i64")
    scalars: Values = {}
    for term in terms.all:
        if term.kind == "scalar":
            out.value(term, scalars, Position())
    (*batch, rows, columns), inner = line.shape, line.args[0].shape[-1]
    count = math.prod(batch)
    anchor = terms.by_key[line.id, group.places[line.id]]
    walks = [_matrix(out, plan, a, len(batch)) for a in line.args]
    a, b = (Operand(pointer, row, column) for pointer, _, _, row, column in walks)
    instructions = 2 + Following(out, anchor, [], scalars).cost
    form = cheapest(machine, rows, columns, inner, element, a, b, instructions)
    if count == 1:
        a, b = (Operand(code.at(p, offset, element), row, column) for p, offset, _, row, column in walks)
        following = Following(out, anchor, [0] * len(batch), scalars)
        form.write(code, a, b, element, following, first, last)
        return Kernel(code, form.units, out.buffers)
    pieces = min(form.units, -(-SEVERAL // count))
    with code.loop(first, last) as unit:
        piece = code.remainder(unit, pieces)
        before = code.parted(code.divide(unit, pieces), batch)
        operands = []
        for pointer, offset, strides, row, column in walks:
            place: Index = offset
            for index, stride in zip(before, strides, strict=True):
                place = code.add(place, code.multiply(index, stride))
            operands.append(Operand(code.at(pointer, place, element), row, column))
        a, b = operands
        following = Following(out, anchor, before, scalars)
        start, stop = (code.divide(code.multiply(code.add(piece, k), form.units), pieces) for k in (0, 1))
        form.write(code, a, b, element, following, start, stop)
    return Kernel(code, pieces * count, out.buffers)


def _matrix(out: Emission, plan: Plan, a: Line, batch: int) -> tuple[Register, int, list[int], int, int]:
    """A factor in memory: its array, where it starts, its strides along the leading axes, and along its rows
    and columns."""
    walk = access(a)
    *leading, row, column = (1 if n == 1 else stride for n, stride in zip(a.shape, walk.strides, strict=True))
    padded = [0] * (batch - len(leading)) + [
        0 if n == 1 else stride for n, stride in zip(a.shape[:-2], leading, strict=True)
    ]
    return out.pointer(plan.buffer(walk.base)), walk.offset, padded, row, column
