"""What the rules of simplification look for in the arguments of an operation."""

from __future__ import annotations

from typing import Any

from wengert.numbers.graph import Node
from wengert.ops.arithmetic import divide, multiply, negative
from wengert.ops.kinds import shape
from wengert.ops.op import Op


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


def negated(x: Any) -> Any:
    """What stands behind a minus sign; None where there is none."""
    return x.args[0] if came_from(x, negative) else None


def is_scaled(x: Any) -> bool:
    """Whether an argument is a product with a written number in front."""
    return came_from(x, multiply) and is_written(x.args[0])


def is_divided(x: Any) -> bool:
    """Whether an argument is a quotient with a written number below."""
    return came_from(x, divide) and is_written(x.args[1])


def is_matrix(x: Any) -> bool:
    """Whether an argument is an array of two axes."""
    return len(shape(x)) == 2
