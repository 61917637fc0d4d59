"""The tree of a mathematical expression as plain data, and its value in any number system."""

from __future__ import annotations

import difflib
import inspect
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from numbers import Rational
from typing import Any

MAX_BITS = 200_000  # of an exact value: powers of powers are refused before they fill the memory
TOO_LARGE = f"the value is too large: expected at most {MAX_BITS:,} bits in an exact number"


class ExpressionError(ValueError):
    """Text that is no expression. The message shows the text with a caret under `position` (from 0).

    >>> print(ExpressionError("unknown function 'sinn'; did you mean 'sin'?", "2*sinn(x)", 2))
    unknown function 'sinn'; did you mean 'sin'?
      2*sinn(x)
        ^
    """

    def __init__(self, problem: str, text: str, position: int) -> None:
        super().__init__(problem, text, position)
        self.problem = problem
        self.text = text
        self.position = position

    def __str__(self) -> str:
        return f"{self.problem}\n{_marked(self.text, self.position)}"


def _marked(text: str, position: int) -> str:
    """The part of `text` around `position` on one line, and a caret under it on the next."""
    start = max(0, position - 50) if len(text) > 100 else 0
    end = start + 100
    before, after = "…" if start > 0 else "", "…" if end < len(text) else ""
    shown = "".join(c if c.isprintable() else " " for c in text[start:end])
    return f"  {before}{shown}{after}\n  {' ' * (len(before) + position - start)}^"


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, still as text, so that 0.1 can become exactly 1/10."""

    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Name:
    """A variable or a constant."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function applied to the last `operands` values."""

    function: str
    operands: int
    position: int


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator, in Python's spelling, applied to the last one or two values."""

    symbol: str
    operands: int
    position: int


Step = Literal | Name | Call | Operation

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression: its text, its free names in order of appearance, and its tree in postfix order.

    Postfix order (each step after the steps whose values it takes) keeps a sum of thousands of terms flat.
    """

    text: str
    names: tuple[str, ...]
    steps: tuple[Step, ...]

    def evaluate(
        self,
        environment: Mapping[str, Any],
        functions: Mapping[str, Callable[..., Any]],
        literal: Callable[[str], Any],
        constants: Mapping[str, Any],
    ) -> Any:
        """The value in the number system that the arguments come from.

        `literal` converts the text of a number; a name is looked up in `environment`, then in `constants`.
        Operators are Python's on those values. Raises ExpressionError for a name without a value, a function
        that is missing or takes another number of arguments, and an exact number of more than 200,000 bits.
        What an operation itself raises passes through, with a note that marks its place.

        >>> from fractions import Fraction
        >>> steps = (Literal("0.1", 0), Name("x", 4), Operation("*", 2, 3))
        >>> Expression("0.1*x", ("x",), steps).evaluate({"x": 3}, {}, literal=Fraction, constants={})
        Fraction(3, 10)
        """
        values: list[Any] = []
        for step in self.steps:
            if isinstance(step, Literal):
                values.append(literal(step.text))
            elif isinstance(step, Name):
                values.append(self._look_up(step, environment, constants))
            else:
                first = len(values) - step.operands
                operands = values[first:]
                del values[first:]
                values.append(self._apply(step, operands, functions))
        return values.pop()

    def _look_up(self, step: Name, environment: Mapping[str, Any], constants: Mapping[str, Any]) -> Any:
        for values in (environment, constants):
            if step.name in values:
                return values[step.name]
        hint = nearest(step.name, environment)
        raise ExpressionError(f"no value was given for '{step.name}'{hint}", self.text, step.position)

    def _apply(
        self, step: Call | Operation, operands: list[Any], functions: Mapping[str, Callable[..., Any]]
    ) -> Any:
        if is_power(step) and _bits(operands[0]) * _magnitude(operands[1]) > MAX_BITS:
            raise ExpressionError(TOO_LARGE, self.text, step.position)
        function = self._function(step, functions)
        try:
            result = function(*operands)
        except Exception as error:
            if isinstance(error, TypeError) and not _accepts(function, operands):
                expected = f"expected {inspect.signature(function)}, got {len(operands)}"
                problem = f"the function takes another number of arguments: {expected}"
                raise ExpressionError(problem, self.text, step.position) from error
            error.add_note(f"in the expression\n{_marked(self.text, step.position)}")
            raise
        if _bits(result) > MAX_BITS:
            raise ExpressionError(TOO_LARGE, self.text, step.position)
        return result

    def _function(
        self, step: Call | Operation, functions: Mapping[str, Callable[..., Any]]
    ) -> Callable[..., Any]:
        if isinstance(step, Operation):
            return BINARY[step.symbol] if step.operands == 2 else operator.neg
        if step.function not in functions:
            problem = f"no function '{step.function}' was given{nearest(step.function, functions)}"
            raise ExpressionError(problem, self.text, step.position)
        return functions[step.function]


@dataclass(frozen=True, slots=True)
class Range:
    """The closed interval `lower..upper` of a command line."""

    lower: Expression
    upper: Expression


def is_power(step: Call | Operation) -> bool:
    """Whether the step raises one value to the power of another."""
    spelled = step.function if isinstance(step, Call) else step.symbol
    return spelled in ("**", "power", "pow") and step.operands == 2


def _bits(value: Any) -> int:
    """The size of an exact number; other number systems hold their values in bounded memory."""
    if not isinstance(value, Rational):
        return 0
    size = max(operator.index(value.numerator).bit_length(), operator.index(value.denominator).bit_length())
    return size if size > 1 else 0  # powers of -1, 0 and 1 never grow


def _magnitude(exponent: Any) -> int:
    """How many times an exact exponent multiplies the size of its base."""
    exact = isinstance(exponent, Rational)
    return abs(int(exponent)) if exact else 0


def _accepts(function: Callable[..., Any], operands: list[Any]) -> bool:
    """False only where the signature says that so many arguments cannot be taken."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some built-in functions have none
        return True
    try:
        signature.bind(*operands)
    except TypeError:
        return False
    return True


def nearest(name: str, known: Collection[str]) -> str:
    """The end of a message that names the words of `known` most like `name`."""
    found = difflib.get_close_matches(name, sorted(known), n=3) if len(name) <= 40 else []
    return f"; did you mean {' or '.join(repr(word) for word in found)}?" if found else ""
