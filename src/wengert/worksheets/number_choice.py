"""The number system of a worksheet, chosen by name: float, exact, symbolic, interval, mp:50."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from wengert.expressions import CONSTANTS, Expression, Name, Range
from wengert.ops.kinds import shape
from wengert.ops.op import System, rows, system_of

CHOICES = ("float", "exact", "symbolic", "interval", "mp:DIGITS")


@dataclass(frozen=True)
class NumberChoice:
    """How values enter the chosen system: ``system`` reads constants, ``convert`` takes Python numbers."""

    name: str
    system: System
    convert: Callable[[Any], Any]
    digits: int | None = None

    def value(self, given: Any, name: str) -> Any:
        """An argument (a number, an array, a parsed expression, a range) as a value of this system."""
        if isinstance(given, Range):
            return self._range(given)
        if isinstance(given, Expression):
            given = evaluated(given, {}, self.system.constant)
        if hasattr(given, "detach"):
            given = given.detach().data
        return self._symbols(shape(given), name) if self.name == "symbolic" else self._entered(given)

    def literal(self, given: Any) -> Any:
        """A number or an array that the function itself holds, as a value of this system."""
        kind = getattr(getattr(given, "dtype", None), "kind", "f")
        return given if self.name == "float" or kind not in "fc" else self._entered(given)

    def _entered(self, given: Any) -> Any:
        if not shape(given):
            return self.convert(given)
        if self.name == "float":
            return given
        import numpy as np

        return np.frompyfunc(self.convert, 1, 1)(given)

    @staticmethod
    def _symbols(extents: tuple[int, ...], name: str) -> Any:
        """A symbol, or an array of symbols that bear the indices of their places."""
        import sympy

        if not extents:
            return sympy.Symbol(name, real=True)
        import numpy as np

        array = np.empty(extents, dtype=object)
        for place in np.ndindex(*extents):
            array[place] = sympy.Symbol(f"{name}[{', '.join(map(str, place))}]", real=True)
        return array

    def _range(self, given: Range) -> Any:
        if self.name != "interval":
            raise ValueError(f"a range such as 1.4..1.6 needs --numbers interval, not {self.name}")
        import mpmath

        lower, upper = (evaluated(end, {}, self.system.constant) for end in (given.lower, given.upper))
        if not lower.a <= upper.b:
            raise ValueError(
                f"a range runs from its lower to its upper end, got {given.lower.text}..{given.upper.text}"
            )
        return mpmath.iv.mpf([lower.a, upper.b])

    @contextmanager
    def working(self) -> Iterator[None]:
        """The working precision of the system."""
        if self.digits is None:
            yield
            return
        import mpmath

        with mpmath.workdps(self.digits):
            yield


def choose(numbers: str) -> NumberChoice:
    """The number system of that name. Raises ValueError for another, ImportError without its library."""
    if numbers == "float":
        return NumberChoice(numbers, system_of(0.0), _as_float)
    kind, _, digits = numbers.partition(":")
    if kind == "mp" and digits.isdigit() and 1 <= int(digits) <= 10_000:
        precision = _load("precision")
        return NumberChoice(numbers, precision.DECIMALS, precision.decimal, int(digits))
    if numbers == "interval":
        precision = _load("precision")
        return NumberChoice(numbers, precision.INTERVALS, precision.interval)
    if numbers in ("exact", "symbolic"):
        symbols = _load("symbols")
        return NumberChoice(numbers, symbols.SYMBOLS, symbols.symbolic)
    raise ValueError(f"numbers: expected one of {', '.join(CHOICES)}, got {numbers!r}")


def _load(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(f"wengert.numbers.{module}")
    except ImportError as missing:
        raise ImportError(
            "this number system needs sympy and mpmath: pip install 'wengert[exact]'"
        ) from missing


def _as_float(x: Any) -> Any:
    return float(x) if isinstance(x, (int, Fraction)) and not isinstance(x, bool) else x


def functions() -> dict[str, Callable[..., Any]]:
    """The operations that an expression may name: those of plain numbers, by name and alias."""
    found: dict[str, Callable[..., Any]] = {}
    for op in rows():
        if op.arity and op.sample and all(isinstance(a, (int, float)) for a in op.sample[0].args):
            found.update(dict.fromkeys((op.name, *op.aliases), op))
    return found


def evaluated(expression: Expression, environment: dict[str, Any], constant: Callable[[str], Any]) -> Any:
    """An expression in a number system, its literals read from their text."""
    mentioned = {step.name for step in expression.steps if isinstance(step, Name)}
    constants = {name: constant(name) for name in CONSTANTS if name in mentioned}
    return expression.evaluate(environment, functions(), constant, constants)


__all__ = ["CHOICES", "NumberChoice", "choose", "evaluated", "functions"]
