"""Simplification as a table: for each operation, the patterns that have a shorter form of the same value.

A rule takes the arguments and returns the shorter form, or None where the pattern does not fit. Rules are
applied while a graph is built, so that what they return is simplified too.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from wengert.numbers.graph import Node
from wengert.ops.arithmetic import (
    add,
    divide,
    multiply,
    negative,
    ones_like,
    ratio,
    reciprocal,
    square,
    subtract,
    where,
    zeros_like,
)
from wengert.ops.kinds import shape
from wengert.ops.op import Op
from wengert.ops.products import matmul, outer
from wengert.ops.reduce import sum
from wengert.ops.shape import broadcast_to, transpose

Rule = Callable[..., Any]


def written_value(x: Any) -> Any:
    """The value of a number that the program writes; None for an array and for what was computed."""
    if type(x) is Node:
        x = x.value if x.role == "constant" else None
    return None if x is None or shape(x) else x


def written_number(x: Any) -> float | None:
    """A written number as a float where that is exactly the same number, else None."""
    x = written_value(x)
    x = getattr(x, "mid", x) if getattr(x, "delta", 0) == 0 else x
    if isinstance(x, complex) and not x.imag:
        x = x.real
    try:
        number = float(x)
        exact = int(number) if number.is_integer() else number  # sympy's 1 does not equal 1.0
        return number if exact == x else None
    except (TypeError, ValueError, OverflowError):
        return None


def is_number(x: Any, value: float) -> bool:
    """Whether an argument is a written number of that value (not a traced one that happens to have it)."""
    return written_number(x) == value


def is_written(x: Any) -> bool:
    """Whether an argument is a written number."""
    return written_value(x) is not None


def came_from(x: Any, op: Op) -> bool:
    """Whether an argument is the result of that operation."""
    return type(x) is Node and x.op is op


def same_shape(kept: Any, *args: Any) -> Any:
    """The kept argument, where dropping the others changes no shape."""
    return kept if type(kept) is Node and all(len(shape(a)) <= len(shape(kept)) for a in args) else None


def _negated(x: Any) -> Any:
    """What stands behind a minus sign; None where there is none."""
    return x.args[0] if came_from(x, negative) else None


def _signs(op: Op) -> Rule:
    """Minus signs move outwards through a product or a quotient."""

    def rule(a: Any, b: Any) -> Any:
        if (x := _negated(a)) is not None:
            return negative(op(x, b))
        if (x := _negated(b)) is not None:
            return negative(op(a, x))
        return None

    return rule


def _over_quotient(a: Any, b: Any) -> Any:
    """A product with 1/n is a quotient."""
    if came_from(b, divide) and is_number(b.args[0], 1):
        return divide(multiply(a, b.args[0]), b.args[1])
    return None


def _scaled(x: Any) -> bool:
    """Whether an argument is a product with a written number in front."""
    return came_from(x, multiply) and is_written(x.args[0])


def _cancelled(a: Any, b: Any) -> Any:
    """``c·n`` times the ratio x/n (0 where n is 0, where x is 0 too) is ``c·x``."""
    if not came_from(b, ratio):
        return None
    x, n = b.args
    if a is n:
        return x
    return multiply(a.args[0], x) if came_from(a, multiply) and a.args[1] is n else None


def _sign_out_of_selection(c: Any, a: Any, b: Any) -> Any:
    """A selection between -x and zeros is minus the selection between x and zeros."""
    x = _negated(a)
    return negative(where(c, x, b)) if x is not None and came_from(b, zeros_like) else None


def _out_of_sum(x: Any, **params: Any) -> Any:
    """Signs and written factors move out of a sum."""
    if (y := _negated(x)) is not None:
        return negative(sum(y, **params))
    if _scaled(x):
        return multiply(x.args[0], sum(x.args[1], **params))
    return None


def _spread_number(a: Any, b: Any) -> Any:
    """A number spread to the shape of its partner is just the number."""
    for x, y in ((a, b), (b, a)):
        if came_from(x, broadcast_to) and not shape(x.args[0]) and shape(y) == shape(x):
            return multiply(x.args[0], y)
    return None


EXACT: dict[str, tuple[Rule, ...]] = {
    "add": (
        lambda a, b: same_shape(a, b) if is_number(b, 0) else None,
        lambda a, b: same_shape(b, a) if is_number(a, 0) else None,
        lambda a, b: multiply(2, a) if a is b else None,
        lambda a, b: subtract(a, _negated(b)) if _negated(b) is not None else None,
        lambda a, b: subtract(b, _negated(a)) if _negated(a) is not None else None,
    ),
    "subtract": (
        lambda a, b: same_shape(a, b) if is_number(b, 0) else None,
        lambda a, b: negative(b) if is_number(a, 0) else None,
        lambda a, b: add(a, _negated(b)) if _negated(b) is not None else None,
    ),
    "multiply": (
        lambda a, b: same_shape(a, b) if is_number(b, 1) else None,
        lambda a, b: same_shape(b, a) if is_number(a, 1) else None,
        lambda a, b: negative(b) if is_number(a, -1) else None,
        lambda a, b: negative(a) if is_number(b, -1) else None,
        lambda a, b: multiply(b, a) if is_written(b) and not is_written(a) else None,
        _signs(multiply),
        _spread_number,
    ),
    "divide": (
        lambda a, b: same_shape(a, b) if is_number(b, 1) else None,
        _signs(divide),
    ),
    "negative": (lambda x: _negated(x),),
    "power": (
        lambda a, b: ones_like(a) if is_number(b, 0) and not shape(a) else None,
        lambda a, b: a if is_number(b, 1) else None,
        lambda a, b: square(a) if is_number(b, 2) else None,
    ),
    "ones_like": (lambda x: x.graph.leaf("constant", ones_like(x.value)) if not shape(x) else None,),
    "zeros_like": (lambda x: x.graph.leaf("constant", zeros_like(x.value)) if not shape(x) else None,),
    "transpose": (lambda x, **axes: x.args[0] if came_from(x, transpose) and x.params == axes else None,),
    "reshape": (lambda x, *, shape: x if tuple(shape) == x.shape else None,),
    "broadcast_to": (lambda x, *, shape: x if tuple(shape) == x.shape else None,),
}
"""The rules that change no bit of a value (but perhaps the sign of a zero), tried in order."""


REORDERING: dict[str, tuple[Rule, ...]] = {
    "multiply": (
        lambda a, b: divide(a, b.args[0]) if came_from(b, reciprocal) else None,
        lambda a, b: divide(b, a.args[0]) if came_from(a, reciprocal) else None,
        _over_quotient,
        lambda a, b: multiply(a * b.args[0], b.args[1]) if is_written(a) and _scaled(b) else None,
        lambda a, b: multiply(b.args[0], multiply(a, b.args[1])) if _scaled(b) else None,
        _cancelled,
    ),
    "matmul": (_signs(matmul),),
    "outer": (_signs(outer),),
    "sum": (_out_of_sum,),
    "where": (_sign_out_of_selection,),
}
"""The rules that may round differently: right for derivatives, whose formulas nobody wrote."""


def tidied(op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
    """The shorter form of the same value to the last bit, or None where no rule fits."""
    return _shorter((EXACT,), op, args, params)


def simplified(op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
    """The shorter form of an operation, or None where no rule fits."""
    return _shorter((EXACT, REORDERING), op, args, params)


def _shorter(
    tables: tuple[dict[str, tuple[Rule, ...]], ...], op: Op, args: tuple[Any, ...], params: Mapping[str, Any]
) -> Any:
    number = _folded(op, args)
    if number is not None:
        return number
    for rule in itertools.chain.from_iterable(table.get(op.name, ()) for table in tables):
        shorter = rule(*args, **params)
        if shorter is not None and shape(shorter) == _result_shape(op, args, shorter):
            return shorter
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
