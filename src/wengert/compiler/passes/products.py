"""Products of matrices: transposes as operands, stacks as one matrix, and what is no product at all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wengert.autodiff.transforms import UNIT_VECTORS
from wengert.compiler.canonical import matrix_product
from wengert.compiler.lines import Line, Shape, without_ones
from wengert.compiler.passes.forms import Rule, is_swap, multiply, negated, reduced, swapped
from wengert.compiler.programs import Program, Slot, Table, rebuilt, rules
from wengert.compiler.views import reshaped
from wengert.ops.op import later


def of_matrices(rule: Rule) -> Rule:
    """The rule for products of floats; one of integers is none of the canonical lines."""

    def checked(a: Line, b: Line) -> Line | None:
        return rule(a, b) if a.dtype.kind == "f" else None

    return checked


def _single_column(a: Line, b: Line) -> Line | None:
    """A column times a row needs no sums."""
    return multiply(a, b) if a.shape[-1] == 1 else None


def _signs(a: Line, b: Line) -> Line | None:
    x, y = negated(a), negated(b)
    return matrix_product(x, y) if x is not None and y is not None else None


def _one_stack(a: Line, b: Line) -> Line | None:
    """A stack of matrices times one matrix is a product of two matrices, with the same sums."""
    if a.ndim > 2 and b.entries == b.shape[-2] * b.shape[-1] and a.name != "permute":
        rows = a.entries // a.shape[-1] if a.shape[-1] else 0
        if a.entries:
            product = matrix_product(reshaped(a, (rows, a.shape[-1])), reshaped(b, b.shape[-2:]))
            return _in_stack(product, a, b)
    return None


def _in_stack(product: Line, a: Line, b: Line) -> Line:
    before = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return reshaped(product, (*before, a.shape[-2], b.shape[-1]))


def _stack_of_columns(a: Line, b: Line) -> Line | None:
    """One matrix times a stack of columns: their transposes are the rows of one matrix."""
    if b.ndim < 3 or b.shape[-1] != 1 or b.name == "permute" or not b.entries:
        return None
    if a.entries != a.shape[-2] * a.shape[-1]:
        return None
    rows = reshaped(b, (b.entries // b.shape[-2], b.shape[-2]))
    return _in_stack(matrix_product(rows, swapped(reshaped(a, a.shape[-2:]))), a, b)


PRODUCTS: Mapping[str, tuple[Rule, ...]] = {
    "matmul": tuple(map(of_matrices, (_signs, _one_stack, _stack_of_columns, _single_column))),
}
"""Rules that leave every sum as it is."""


def with_identities(program: Program, table: Table) -> Table:
    """The table with one rule more: a product with an identity matrix is the other operand.

    Such constants are the unit vectors that seed Jacobians and Hessians. An infinite entry stays what it is,
    where the sum of its products with zeros would be NaN.
    """
    known = frozenset(place for place, slot in enumerate(program.slots) if _is_identity(slot))
    if not known:
        return table

    def rule(a: Line, b: Line) -> Line | None:
        if a.ndim == b.ndim == 2:
            if _source(a).slot in known and a.shape[0] == a.shape[1]:
                return b
            if _source(b).slot in known and b.shape[0] == b.shape[1]:
                return a
        return None

    return {**table, "matmul": (of_matrices(rule), *table.get("matmul", ()))}


def _source(line: Line) -> Line:
    """What a line is but for axes of extent 1; an identity is its own transpose."""
    while line.name in ("reshape", "permute") and without_ones(line.shape) == without_ones(
        line.args[0].shape
    ):
        line = line.args[0]
    return line


def _is_identity(slot: Slot) -> bool:
    extents = without_ones(slot.shape)
    if slot.name != UNIT_VECTORS or len(extents) != 2 or extents[0] != extents[1]:
        return False
    return bool(np.array_equal(slot.array.reshape(extents), np.eye(extents[0])))


def swaps_folded(program: Program) -> Program:
    """(AB)ᵀ is BᵀAᵀ, where the product is wanted in no other form and one transpose less is left over.

    A product reads a transposed operand as it lies, so the transposes of operands cost nothing.
    """
    users = uses(program)

    def instead(old: Line, args: tuple[Line, ...]) -> Line | None:
        if not is_swap(old) or old.dtype.kind != "f":
            return None
        if old.args[0].name != "matmul" or args[0].name != "matmul":
            return None
        if not all(user is not None and is_swap(user) for user in users[old.args[0].id]):
            return None
        a, b = args[0].args
        wanted = any(user is None or user.name != "matmul" for user in users[old.id])
        return matrix_product(swapped(b), swapped(a)) if wanted or is_swap(a) or is_swap(b) else None

    return rebuilt(program, rules({"permute": (_permuted_twice,)}), instead)


def _permuted_twice(x: Line, *, axes: Shape) -> Line | None:
    return (
        x.args[0]
        if x.name == "permute" and tuple(x.params["axes"][k] for k in axes) == tuple(range(x.ndim))
        else None
    )


def uses(program: Program) -> dict[int, list[Line | None]]:
    """For each line those that use it; None stands for the one who runs the program."""
    users: dict[int, list[Line | None]] = {line.id: [] for line in program.lines()}
    for line in program.lines():
        for a in line.args:
            users[a.id].append(line)
    for line in program.outcomes():
        users[line.id].append(None)
    return users


def vector_products_summed(program: Program) -> Program:
    """A product with one row or one column is a sum of products, which joins its neighbours' loops.

    For loops that are fused only: computed one array after the other, a product needs no array of its terms.
    """
    return rebuilt(program, rules({"matmul": (of_matrices(_summed),)}))


def _summed(a: Line, b: Line) -> Line | None:
    if b.shape[-1] == 1:
        terms, axis = multiply(a, swapped(b)), -1
    elif a.shape[-2] == 1:
        terms, axis = multiply(swapped(a), b), -2
    else:
        return None
    return reduced(later.sum, terms, (terms.ndim + axis,), terms.dtype)
