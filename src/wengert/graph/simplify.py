"""Simplification: the rules of the table applied, in the order in which it has them.

Rules are applied while a graph is built, so that what they return is simplified too. A derivation applies
them one at a time, and names each.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from wengert.graph.patterns import written_number
from wengert.graph.rules import ARITHMETIC, EXACT, REORDERING, Rule, Table
from wengert.numbers.graph import Node
from wengert.ops.arithmetic import add, multiply, subtract
from wengert.ops.kinds import shape
from wengert.ops.op import Op
from wengert.ops.products import matmul

__all__ = ["EXACT", "REORDERING", "Rule", "fitting", "simplified", "tidied"]


def tidied(op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
    """The shorter form of the same value to the last bit, or None where no rule fits."""
    found = _fitting((EXACT,), op, args, params)
    return None if found is None else found[1]


def simplified(op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
    """The shorter form of an operation, or None where no rule fits."""
    found = fitting(op, args, params)
    return None if found is None else found[1]


def fitting(op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> tuple[Rule, Any] | None:
    """The first rule of both tables that fits an operation, with the shorter form; None where none does."""
    return _fitting((EXACT, REORDERING), op, args, params)


def _fitting(
    tables: tuple[Table, ...], op: Op, args: tuple[Any, ...], params: Mapping[str, Any]
) -> tuple[Rule, Any] | None:
    number = _folded(op, args)
    if number is not None:
        return ARITHMETIC, number
    for rule in itertools.chain.from_iterable(table.get(op.name, ()) for table in tables):
        shorter = rule.shorten(*args, **params)
        if shorter is not None and shape(shorter) == _result_shape(op, args, shorter):
            return rule, shorter
    return None


def _folded(op: Op, args: tuple[Any, ...]) -> Any:
    """Arithmetic on written numbers, done where the result is no longer: 3 - 1 is 2, and 0.5·2 is 1."""
    if op not in (add, subtract, multiply):
        return None
    plain = [written_number(a) for a in args]
    if any(p is None for p in plain):
        return None
    value = op.apply(tuple(a.value if type(a) is Node else a for a in args), {})
    number = written_number(value)
    longest = max(len(f"{p:g}") for p in plain)
    if number is None or float(f"{number:g}") != number or len(f"{number:g}") > longest:
        return None
    return next(a.graph for a in args if type(a) is Node).leaf("constant", value)


def _result_shape(op: Op, args: tuple[Any, ...], shorter: Any) -> tuple[int, ...]:
    """What shape the operation itself would give, for elementwise ones; others keep the rule's."""
    if op.infix is None or op is matmul:
        return shape(shorter)
    extents = [shape(a)[::-1] for a in args]
    return tuple(max(column) for column in itertools.zip_longest(*extents, fillvalue=1))[::-1]
