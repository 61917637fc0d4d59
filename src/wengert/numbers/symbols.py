"""sympy: symbols, and exact irrational numbers such as sin(2) and pi/2."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy

from wengert.numbers.fractions import exactly, require_writable
from wengert.numbers.python import Scalars
from wengert.ops.constants import resolve
from wengert.ops.op import Op, System, UnsupportedOperation, lookup


class Symbols:
    """The operations whose sympy function has another name, or a form that reads better than the
    definition."""

    abs, ceil = sympy.Abs, sympy.ceiling
    maximum, minimum = sympy.Max, sympy.Min
    equal, not_equal, less, less_equal = sympy.Eq, sympy.Ne, sympy.Lt, sympy.Le
    greater, greater_equal = sympy.Gt, sympy.Ge

    @staticmethod
    def add(a: Any, b: Any) -> Any:
        return a + b

    @staticmethod
    def subtract(a: Any, b: Any) -> Any:
        return a - b

    @staticmethod
    def multiply(a: Any, b: Any) -> Any:
        return a * b

    @staticmethod
    def divide(a: Any, b: Any) -> Any:
        return a / b

    @staticmethod
    def negative(x: Any) -> Any:
        return -x

    @staticmethod
    def power(a: Any, b: Any) -> Any:
        if a.is_Rational and b.is_Integer:
            require_writable(a, b)
        return a**b

    @staticmethod
    def square(x: Any) -> Any:
        return x**2

    @staticmethod
    def xlogy(x: Any, y: Any) -> Any:
        return x * sympy.log(y)

    @staticmethod
    def ratio(a: Any, b: Any) -> Any:
        return a / b

    @staticmethod
    def softplus(x: Any) -> Any:
        return sympy.log(1 + sympy.exp(x))

    @staticmethod
    def where(c: Any, a: Any, b: Any) -> Any:
        return sympy.Piecewise((a, c), (b, True))

    @staticmethod
    def round(x: Any) -> Any:
        if not x.is_number:
            raise UnsupportedOperation("sympy numbers have no operation 'round' where they hold a symbol")
        return (
            sympy.Integer(round(Fraction(x.p, x.q)))
            if x.is_Rational
            else sympy.floor(x + sympy.Rational(1, 2))
        )

    @staticmethod
    def isnan(x: Any) -> Any:
        return x is sympy.nan

    @staticmethod
    def isfinite(x: Any) -> Any:
        return x.is_finite is not False

    @staticmethod
    def zeros_like(x: Any) -> Any:
        return sympy.Integer(0)

    @staticmethod
    def ones_like(x: Any) -> Any:
        return sympy.Integer(1)

    logical_and, logical_or, logical_not = sympy.And, sympy.Or, sympy.Not


def symbolic(x: Any) -> Any:
    """Any exact number as a sympy one; a float counts as the decimal that it prints as."""
    x = exactly(x)
    return sympy.Rational(x.numerator, x.denominator) if isinstance(x, Fraction) else sympy.sympify(x)


class SymbolicNumbers(System):
    """sympy expressions."""

    lift = staticmethod(symbolic)

    def adapt(self, op: Op, function: Callable[..., Any]) -> Callable[..., Any]:
        def evaluate(*args: Any, **params: Any) -> Any:
            return function(
                *(a if isinstance(a, bool) else symbolic(a) for a in resolve(args, self)), **params
            )

        return evaluate

    def implement(self, op: Op) -> Callable[..., Any]:
        implementation = super().implement(op)
        if implementation is op.definition:
            return self.adapt(op, implementation)
        return implementation

    def constant(self, text: str) -> Any:
        named = {"pi": sympy.pi, "e": sympy.E, "tau": 2 * sympy.pi, "inf": sympy.oo, "ln2": sympy.log(2)}
        return named.get(text) if text in named else symbolic(Fraction(text))


SYMBOLS = SymbolicNumbers("sympy", 4, Symbols, sympy, Scalars)


def exact_value(name: str, args: tuple[Any, ...]) -> Any:
    """An operation (or a named constant) on exact numbers: a Fraction where the value is rational."""
    if not args:
        return SYMBOLS.constant(name)
    value = SYMBOLS.implement(lookup(name))(*args)
    return Fraction(int(value.p), int(value.q)) if getattr(value, "is_Rational", False) else value


def system_for(kind: type) -> System | None:
    """The number system of a sympy type."""
    return SYMBOLS
