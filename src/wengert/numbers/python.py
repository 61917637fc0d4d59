"""Python's float, int, bool and complex, with the standard library alone.

Floats follow IEEE 754: log(-1) is NaN, 1/0 is an infinity, and nothing raises.
"""

from __future__ import annotations

import cmath
import math
import operator
from collections.abc import Callable
from typing import Any

from wengert.ops.constants import resolve
from wengert.ops.op import SYSTEMS, Op, System, UnsupportedOperation

Number = Any
NAN, INF = math.nan, math.inf


class Floats:
    """The operations on real Python numbers."""

    add = operator.add
    subtract = operator.sub
    multiply = operator.mul
    negative = operator.neg
    equal = operator.eq
    not_equal = operator.ne
    less = operator.lt
    less_equal = operator.le
    greater = operator.gt
    greater_equal = operator.ge
    abs = abs
    atan = math.atan
    atan2 = math.atan2
    tanh = math.tanh
    erf = math.erf
    isnan = math.isnan
    isfinite = math.isfinite

    @staticmethod
    def relu(x: Number) -> Number:
        return type(x)(0) if x < 0 else x

    @staticmethod
    def maximum(a: Number, b: Number) -> Number:
        return a if a > b or a != a else b

    @staticmethod
    def minimum(a: Number, b: Number) -> Number:
        return a if a < b or a != a else b

    @staticmethod
    def divide(a: Number, b: Number) -> Number:
        try:
            return a / b
        except ZeroDivisionError:
            if a == 0 or a != a:
                return NAN
            return math.copysign(INF, a) * math.copysign(1.0, b)

    @staticmethod
    def power(a: Number, b: Number) -> Number:
        try:
            y = a**b
        except ZeroDivisionError:
            odd = float(b).is_integer() and b % 2 == 1
            return math.copysign(INF, a) if odd else INF
        except OverflowError:
            return -INF if a < 0 and b % 2 == 1 else INF
        return NAN if type(y) is complex else y

    @staticmethod
    def sqrt(x: Number) -> Number:
        return math.sqrt(x) if x >= 0 else NAN

    @staticmethod
    def exp(x: Number) -> Number:
        try:
            return math.exp(x)
        except OverflowError:
            return INF

    @staticmethod
    def expm1(x: Number) -> Number:
        try:
            return math.expm1(x)
        except OverflowError:
            return INF

    @staticmethod
    def log(x: Number) -> Number:
        return math.log(x) if x > 0 else (-INF if x == 0 else NAN)

    @staticmethod
    def log2(x: Number) -> Number:
        return math.log2(x) if x > 0 else (-INF if x == 0 else NAN)

    @staticmethod
    def log1p(x: Number) -> Number:
        return math.log1p(x) if x > -1 else (-INF if x == -1 else NAN)

    @staticmethod
    def sin(x: Number) -> Number:
        return math.sin(x) if math.isfinite(x) else NAN

    @staticmethod
    def cos(x: Number) -> Number:
        return math.cos(x) if math.isfinite(x) else NAN

    @staticmethod
    def tan(x: Number) -> Number:
        return math.tan(x) if math.isfinite(x) else NAN

    @staticmethod
    def asin(x: Number) -> Number:
        return math.asin(x) if -1 <= x <= 1 else NAN

    @staticmethod
    def acos(x: Number) -> Number:
        return math.acos(x) if -1 <= x <= 1 else NAN

    @staticmethod
    def sinh(x: Number) -> Number:
        try:
            return math.sinh(x)
        except OverflowError:
            return math.copysign(INF, x)

    @staticmethod
    def cosh(x: Number) -> Number:
        try:
            return math.cosh(x)
        except OverflowError:
            return INF

    @staticmethod
    def sign(x: Number) -> Number:
        return x if x != x else type(x)((x > 0) - (x < 0))

    @staticmethod
    def floor(x: Number) -> Number:
        return float(math.floor(x)) if math.isfinite(x) else x

    @staticmethod
    def ceil(x: Number) -> Number:
        return float(math.ceil(x)) if math.isfinite(x) else x

    @staticmethod
    def round(x: Number) -> Number:
        return float(round(x)) if math.isfinite(x) else x


class Scalars:
    """What holds for any number alone: a number is an array without axes."""

    @staticmethod
    def where(c: Any, a: Number, b: Number) -> Number:
        return a if c else b

    @staticmethod
    def logical_and(a: Any, b: Any) -> bool:
        return bool(a) and bool(b)

    @staticmethod
    def logical_or(a: Any, b: Any) -> bool:
        return bool(a) or bool(b)

    @staticmethod
    def logical_not(a: Any) -> bool:
        return not a

    @staticmethod
    def zeros_like(x: Number) -> Number:
        return type(x)(0)

    @staticmethod
    def ones_like(x: Number) -> Number:
        return type(x)(1)

    @staticmethod
    def sum(x: Number, *, axis: Any, keepdims: bool) -> Number:
        return x

    @staticmethod
    def real(x: Number) -> Number:
        return x.real

    @staticmethod
    def imag(x: Number) -> Number:
        return x.imag

    max = min = mean = logsumexp = sum

    @staticmethod
    def component(x: tuple[Number, ...], *, index: int) -> Number:
        return x[index]


class Complexes:
    """The holomorphic operations on complex numbers."""

    add, subtract, multiply, negative = operator.add, operator.sub, operator.mul, operator.neg
    equal, not_equal, abs = operator.eq, operator.ne, abs
    exp, log, sqrt = cmath.exp, cmath.log, cmath.sqrt
    sin, cos, tan, asin, acos, atan = cmath.sin, cmath.cos, cmath.tan, cmath.asin, cmath.acos, cmath.atan
    sinh, cosh, tanh = cmath.sinh, cmath.cosh, cmath.tanh
    isnan, isfinite = cmath.isnan, cmath.isfinite

    @staticmethod
    def divide(a: Number, b: Number) -> Number:
        try:
            return a / b
        except ZeroDivisionError:
            return complex(NAN, NAN)

    @staticmethod
    def power(a: Number, b: Number) -> Number:
        try:
            return a**b
        except (ZeroDivisionError, OverflowError):
            return complex(NAN, NAN)


def _unordered(op: Op) -> Callable[..., Number]:
    """The row's definition on complex numbers, which no comparison can decide."""

    def evaluate(*args: Number, **params: Any) -> Number:
        assert op.definition is not None
        try:
            return op.definition(*args, **params)
        except UnsupportedOperation:
            raise
        except TypeError:
            raise UnsupportedOperation(
                f"complex numbers have no operation {op.name!r}: they are not ordered"
            ) from None

    return evaluate


def _without_exceptions(function: Callable[..., Number]) -> Callable[..., Number]:
    def evaluate(*args: Number) -> Number:
        try:
            return function(*args)
        except (ValueError, OverflowError):
            return complex(NAN, NAN)

    return evaluate


class PythonNumbers(System):
    """Real or complex Python numbers."""

    def implement(self, op: Op) -> Callable[..., Any]:
        implementation = super().implement(op)
        return implementation if self.rank == 0 or implementation is not op.definition else _unordered(op)

    def adapt(self, op: Op, function: Callable[..., Any]) -> Callable[..., Any]:
        guarded = (
            _without_exceptions(function)
            if self.rank and function.__class__.__name__ != "function"
            else function
        )

        def evaluate(*args: Any, **params: Any) -> Any:
            return guarded(*resolve(args, self), **params)

        return evaluate if op.arity != 1 else guarded

    def constant(self, text: str) -> Any:
        return NAMED[text] if text in NAMED else float(text)


NAMED = {"pi": math.pi, "e": math.e, "tau": math.tau, "inf": INF, "ln2": math.log(2)}

REALS = PythonNumbers("float", 0, Floats, Scalars)
COMPLEXES = PythonNumbers("complex", 1, Complexes, Scalars)
SYSTEMS.update({float: REALS, int: REALS, bool: REALS, complex: COMPLEXES, tuple: REALS, type(None): REALS})
