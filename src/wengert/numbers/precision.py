"""mpmath: real numbers to any number of digits, and intervals that are sure to hold the value."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath

from wengert.numbers.fractions import exactly
from wengert.numbers.python import Floats, Scalars
from wengert.ops.constants import resolve
from wengert.ops.op import Op, System

LARGEST_EXPONENT = 2**20
"""A number beyond 2^(2^20), or about 10^315652, counts as infinite: mpmath would work on it for ever."""


def _within_range(value: Any) -> Any:
    if (
        isinstance(value, mpmath.mpf)
        and mpmath.isfinite(value)
        and value
        and mpmath.mag(value) > LARGEST_EXPONENT
    ):
        return mpmath.inf if value > 0 else -mpmath.inf
    return value


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """An exponential function that takes an argument of more than a million to its limit."""

    def evaluate(x: Any) -> Any:
        if isinstance(x, mpmath.mpf) and abs(x) > LARGEST_EXPONENT:
            x = mpmath.inf if x > 0 else -mpmath.inf
        return function(x)

    return evaluate


class Decimals:
    """The operations on mpmath's numbers that differ from mpmath's functions of the same name."""

    add, subtract, multiply, negative = Floats.add, Floats.subtract, Floats.multiply, Floats.negative
    equal, not_equal, less, less_equal = Floats.equal, Floats.not_equal, Floats.less, Floats.less_equal
    greater, greater_equal, abs = Floats.greater, Floats.greater_equal, abs

    exp, expm1, sinh, cosh = (
        staticmethod(_bounded(f)) for f in (mpmath.exp, mpmath.expm1, mpmath.sinh, mpmath.cosh)
    )

    @staticmethod
    def divide(a: Any, b: Any) -> Any:
        if b == 0:
            return mpmath.nan if a == 0 or a != a else mpmath.sign(a) * mpmath.inf
        return a / b

    @staticmethod
    def power(a: Any, b: Any) -> Any:
        if a == 0:
            return mpmath.inf if b < 0 else mpmath.power(a, b)
        if abs(mpmath.mag(a) * b) > LARGEST_EXPONENT and mpmath.mag(a) not in (0, 1):
            return mpmath.inf if (mpmath.mag(a) > 1) == (b > 0) else mpmath.mpf(0)
        return mpmath.power(a, b)

    @staticmethod
    def log(x: Any) -> Any:
        return -mpmath.inf if x == 0 else mpmath.log(x)

    @staticmethod
    def log1p(x: Any) -> Any:
        return -mpmath.inf if x == -1 else mpmath.log1p(x)

    @staticmethod
    def square(x: Any) -> Any:
        return x * x

    @staticmethod
    def round(x: Any) -> Any:
        return mpmath.nint(x)

    @staticmethod
    def isfinite(x: Any) -> bool:
        return bool(mpmath.isfinite(x))

    where, zeros_like, ones_like = Scalars.where, Scalars.zeros_like, Scalars.ones_like


def _is_interval(kind: type) -> bool:
    return kind.__name__ in ("ivmpf", "ivmpc")


class DecimalNumbers(System):
    """mpmath's mpf and mpc, at the working precision of `mpmath.mp`."""

    lift = staticmethod(lambda x: mpmath.mpf(decimal(x)))

    def adapt(self, op: Op, function: Callable[..., Any]) -> Callable[..., Any]:
        def evaluate(*args: Any, **params: Any) -> Any:
            numbers = [decimal(a) for a in resolve(args, self)]
            value = _within_range(function(*numbers, **params))
            left_the_reals = isinstance(value, mpmath.mpc) and not any(
                isinstance(n, mpmath.mpc) for n in numbers
            )
            return mpmath.nan if left_the_reals else value

        return evaluate

    def constant(self, text: str) -> Any:
        named = {"pi": mpmath.pi, "e": mpmath.e, "tau": 2 * mpmath.pi, "inf": mpmath.inf, "ln2": mpmath.ln2}
        return +named[text] if text in named else decimal(Fraction(text))


def decimal(x: Any) -> Any:
    """A number at mpmath's working precision; a float counts as the decimal that it prints as."""
    if isinstance(x, float) and mpmath.isfinite(x):
        x = exactly(x)
    return mpmath.mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else x


def _exp_of_interval(x: Any) -> Any:
    if max(abs(x.a), abs(x.b)) > LARGEST_EXPONENT:
        return mpmath.iv.mpf([0, "inf"])
    return mpmath.iv.exp(x)


class Intervals:
    """The operations on intervals that mpmath lacks. A comparison that is not settled answers None, and
    `where` on it gives the hull of both branches: the result is still sure to hold the value."""

    add, subtract, multiply, negative, abs = (
        Floats.add,
        Floats.subtract,
        Floats.multiply,
        Floats.negative,
        abs,
    )
    less, less_equal, greater, greater_equal = (
        Floats.less,
        Floats.less_equal,
        Floats.greater,
        Floats.greater_equal,
    )

    @staticmethod
    def divide(a: Any, b: Any) -> Any:
        return a / b

    @staticmethod
    def power(a: Any, b: Any) -> Any:
        exponent = mpmath.iv.mpf(b)
        if exponent.a == exponent.b and exponent.a == int(exponent.a):
            return mpmath.iv.mpf(a) ** int(exponent.a)
        return mpmath.iv.exp(exponent * mpmath.iv.log(a))

    @staticmethod
    def square(x: Any) -> Any:
        return x**2

    @staticmethod
    def log(x: Any) -> Any:
        return (
            mpmath.iv.log(x) if x > 0 else mpmath.iv.mpf(["-inf", x.b if x.b <= 0 else mpmath.iv.log(x.b).b])
        )

    @staticmethod
    def equal(a: Any, b: Any) -> bool | None:
        a, b = mpmath.iv.mpf(a), mpmath.iv.mpf(b)
        if a.a == a.b == b.a == b.b:
            return True
        return None if a.a <= b.b and b.a <= a.b else False

    @staticmethod
    def not_equal(a: Any, b: Any) -> bool | None:
        same = Intervals.equal(a, b)
        return None if same is None else not same

    @staticmethod
    def logical_and(a: Any, b: Any) -> bool | None:
        return False if a is False or b is False else (True if a and b else None)

    @staticmethod
    def logical_or(a: Any, b: Any) -> bool | None:
        return True if a or b else (False if a is False and b is False else None)

    @staticmethod
    def logical_not(a: Any) -> bool | None:
        return None if a is None else not a

    @staticmethod
    def where(c: Any, a: Any, b: Any) -> Any:
        if c is None:
            a, b = mpmath.iv.mpf(a), mpmath.iv.mpf(b)
            return mpmath.iv.mpf([min(a.a, b.a), max(a.b, b.b)])
        return a if c else b

    @staticmethod
    def maximum(a: Any, b: Any) -> Any:
        a, b = mpmath.iv.mpf(a), mpmath.iv.mpf(b)
        return mpmath.iv.mpf([max(a.a, b.a), max(a.b, b.b)])

    @staticmethod
    def minimum(a: Any, b: Any) -> Any:
        a, b = mpmath.iv.mpf(a), mpmath.iv.mpf(b)
        return mpmath.iv.mpf([min(a.a, b.a), min(a.b, b.b)])

    @staticmethod
    def zeros_like(x: Any) -> Any:
        return mpmath.iv.mpf(0)

    @staticmethod
    def ones_like(x: Any) -> Any:
        return mpmath.iv.mpf(1)

    @staticmethod
    def isnan(x: Any) -> bool:
        return bool(x.a != x.a)

    @staticmethod
    def isfinite(x: Any) -> bool:
        return bool(abs(x.a) < mpmath.inf and abs(x.b) < mpmath.inf)


class IntervalNumbers(System):
    """mpmath's intervals, with bounds rounded outwards."""

    lift = staticmethod(lambda x: mpmath.iv.mpf(interval(x)))

    def adapt(self, op: Op, function: Callable[..., Any]) -> Callable[..., Any]:
        def evaluate(*args: Any, **params: Any) -> Any:
            return function(
                *(a if isinstance(a, bool) else interval(a) for a in resolve(args, self)), **params
            )

        return evaluate

    def constant(self, text: str) -> Any:
        named = {"pi": mpmath.iv.pi, "e": mpmath.iv.e, "tau": 2 * mpmath.iv.pi, "ln2": mpmath.iv.log(2)}
        return +named[text] if text in named else interval(Fraction(text))


_INTERVAL_FUNCTIONS = ("sqrt", "sin", "cos", "tan")


def interval(x: Any) -> Any:
    """A number as the narrowest interval around it; a float counts as the decimal that it prints as."""
    if isinstance(x, float) and mpmath.isfinite(x):
        x = exactly(x)
    if isinstance(x, Fraction):
        return mpmath.iv.mpf(x.numerator) / mpmath.iv.mpf(x.denominator)
    return x


class _IntervalLibrary:
    exp = staticmethod(_exp_of_interval)
    sqrt, sin, cos, tan = (staticmethod(getattr(mpmath.iv, name)) for name in _INTERVAL_FUNCTIONS)


DECIMALS = DecimalNumbers("mpmath", 3, Decimals, mpmath, Scalars)
INTERVALS = IntervalNumbers("interval", 4, Intervals, _IntervalLibrary, Scalars)


def system_for(kind: type) -> System | None:
    """The number system of an mpmath type."""
    return INTERVALS if _is_interval(kind) else DECIMALS
