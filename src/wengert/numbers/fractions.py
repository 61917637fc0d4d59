"""Exact fractions. Arithmetic stays in `fractions.Fraction`; an irrational value becomes a sympy number."""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from wengert.numbers.python import Scalars
from wengert.ops.constants import resolve
from wengert.ops.op import SYSTEMS, Op, System


def exactly(x: Any) -> Any:
    """A Python number as a fraction: a float counts as the decimal that it prints as."""
    if isinstance(x, float):
        if x != x or x in (float("inf"), float("-inf")):
            raise ValueError(f"{x} is not a fraction; use floats where infinities or NaN occur")
        return Fraction(repr(x))
    return Fraction(x) if type(x) is int else x


MOST_BITS = 200_000
"""An exact power longer than this is refused: it would fill the memory long before anyone could read it."""


def require_writable(base: Any, exponent: Any) -> None:
    """Raise ValueError where a rational power has more than 200,000 bits."""
    bits = max(abs(int(base.numerator)).bit_length(), int(base.denominator).bit_length())
    if bits > 1 and abs(int(exponent)) * bits > MOST_BITS:
        raise ValueError(
            f"power: an exact result of more than {MOST_BITS:,} bits is refused; use floats or mp:50"
        )


class Fractions:
    """The operations that take fractions to fractions."""

    add, subtract, multiply, negative = operator.add, operator.sub, operator.mul, operator.neg
    equal, not_equal, less, less_equal = operator.eq, operator.ne, operator.lt, operator.le
    greater, greater_equal, abs = operator.gt, operator.ge, abs

    @staticmethod
    def divide(a: Any, b: Any) -> Any:
        if b == 0:
            raise ZeroDivisionError(
                f"divide: {a}/0 has no exact value; use floats where infinities or NaN occur"
            )
        return a / b

    @staticmethod
    def power(a: Any, b: Any) -> Any:
        if isinstance(b, int) or b.denominator == 1:
            require_writable(a, b)
            if a == 0 and b < 0:
                raise ZeroDivisionError(f"power: 0 to the {b} has no exact value")
            return a ** int(b)
        return _symbolically("power", a, b)

    @staticmethod
    def sign(x: Any) -> Any:
        return Fraction((x > 0) - (x < 0))

    @staticmethod
    def floor(x: Any) -> Any:
        return Fraction(x.__floor__())

    @staticmethod
    def ceil(x: Any) -> Any:
        return Fraction(x.__ceil__())

    @staticmethod
    def round(x: Any) -> Any:
        return Fraction(round(x))

    @staticmethod
    def isnan(x: Any) -> bool:
        return False

    @staticmethod
    def isfinite(x: Any) -> bool:
        return True


def _symbolically(name: str, *args: Any) -> Any:
    try:
        from wengert.numbers import symbols
    except ImportError as missing:
        raise ImportError(
            f"{name} of a fraction is irrational in general: pip install 'wengert[exact]'"
        ) from missing
    return symbols.exact_value(name, args)


class ExactNumbers(System):
    """Fractions, and sympy numbers where a value is irrational."""

    lift = staticmethod(exactly)

    def implement(self, op: Op) -> Callable[..., Any]:
        try:
            return super().implement(op)
        except TypeError:
            return lambda *args, **params: _symbolically(op.name, *resolve(args, self), **params)

    def adapt(self, op: Op, function: Callable[..., Any]) -> Callable[..., Any]:
        def evaluate(*args: Any, **params: Any) -> Any:
            return function(*map(exactly, resolve(args, self)), **params)

        return evaluate

    def constant(self, text: str) -> Any:
        return _symbolically(text) if text.isalnum() and not text.isdigit() else Fraction(text)


SYSTEMS[Fraction] = ExactNumbers("fraction", 2, Fractions, Scalars)
