"""Passes: a program made simpler, step by step, each step with a name and to be looked at.

A pass is a table of rules under which the program is built anew; each has the tables of those before it, so
that a form once reached stays. Shared results and the removal of what nobody needs come with the building.
"""

from __future__ import annotations

from dataclasses import dataclass

from wengert.compiler.passes.arrangements import ARRANGEMENTS
from wengert.compiler.passes.numbers import NUMBERS
from wengert.compiler.passes.products import (
    PRODUCTS,
    swaps_folded,
    vector_products_summed,
    with_identities,
)
from wengert.compiler.passes.regrouping import REGROUPING
from wengert.compiler.passes.rolling import rolled_up
from wengert.compiler.passes.sharing import shared
from wengert.compiler.passes.simplification import SIMPLIFICATION
from wengert.compiler.programs import Pass, Program, Table, rebuilt, rules

__all__ = ["PASSES", "PassResult", "optimized", "vector_products_summed"]


@dataclass(frozen=True)
class PassResult:
    """The program before and after a pass."""

    name: str
    before: Program
    after: Program

    def __repr__(self) -> str:
        before, after = (len(program.lines()) for program in (self.before, self.after))
        return f"<{self.name}: {before} lines become {after}>"

    def __str__(self) -> str:
        return f"{repr(self)[1:-1]}\n{self.after.listing()}"


def _together(*tables: Table) -> Table:
    """The rules of all tables for each operation, in order."""
    names = dict.fromkeys(name for table in tables for name in table)
    return {name: tuple(rule for table in tables for rule in table.get(name, ())) for name in names}


def _by(*tables: Table) -> Pass:
    rewrite = rules(_together(*tables))
    return lambda program: rebuilt(program, rewrite)


def _by_products(*tables: Table) -> Pass:
    """With the rule of the identities that this one program knows."""
    table = _together(*tables)
    return lambda program: rebuilt(program, rules(with_identities(program, table)))


PASSES: list[tuple[str, Pass]] = [
    ("numbers", _by(NUMBERS)),
    ("simplification", _by(NUMBERS, SIMPLIFICATION)),
    ("rolling", rolled_up),
    ("products", _by_products(NUMBERS, SIMPLIFICATION, PRODUCTS)),
    ("arrangements", _by_products(NUMBERS, SIMPLIFICATION, PRODUCTS, ARRANGEMENTS)),
    ("transposed products", swaps_folded),
    ("regrouping", _by_products(NUMBERS, SIMPLIFICATION, PRODUCTS, ARRANGEMENTS, REGROUPING)),
    ("sharing", shared),
]
"""The passes in order. All but ``rolling`` (long sums), ``products`` (of infinities with identity matrices)
and ``regrouping`` keep every value to the last bit, except perhaps the sign of a zero."""


def optimized(program: Program, keep_steps: bool = False) -> tuple[Program, list[PassResult]]:
    """The program after all passes, and with ``keep_steps`` what each of them did."""
    steps = []
    for name, improve in PASSES:
        after = improve(program)
        if keep_steps:
            steps.append(PassResult(name, program, after))
        program = after
    return program, steps
