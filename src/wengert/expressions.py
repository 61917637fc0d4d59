"""A mathematical expression as a person types it: read into plain data, never executed.

The grammar is Python's arithmetic, with `^` for powers, and with `·`, `×`, `÷`, `−`, `≤`, `≥`, `≠`,
superscripts (`x²`, applied before `**`) and subscripts (`x₁`, the same name as `x1`) for text copied from a
page. Precedence is resolved by the shunting-yard algorithm (Dijkstra 1961), which needs no recursion and
yields the tree in postfix order.

>>> from fractions import Fraction
>>> line = parse("0.1*x + y²", functions=())
>>> line.names
('x', 'y')
>>> line.evaluate({"x": Fraction(1), "y": Fraction(1, 2)}, {}, literal=Fraction, constants={})
Fraction(7, 20)
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from wengert.expression_tree import (
    BINARY,
    MAX_BITS,
    TOO_LARGE,
    Call,
    Expression,
    ExpressionError,
    Literal,
    Name,
    Operation,
    Range,
    Step,
    is_power,
    nearest,
)

__all__ = [
    "CONSTANTS",
    "Call",
    "Expression",
    "ExpressionError",
    "Literal",
    "Name",
    "Operation",
    "Range",
    "parse",
    "parse_assignments",
]

CONSTANTS = ("pi", "e", "tau", "inf")
MAX_CHARACTERS = 10_000
MAX_NESTING = 100
MAX_EXPONENT = 1000
MAX_DIGITS = 1000
MAX_VALUE_BITS = 4000  # of an assigned value: what an expression may make of it stays within MAX_BITS
_BITS_PER_DIGIT = 3.33
_NAME_BITS = 16  # what a variable is taken to hold when the size of a result is estimated

_OPEN, _COMPARISON, _SUM, _PRODUCT, _SIGN, _POWER = 0, 1, 2, 3, 4, 5
_BINDS = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "**": _POWER}


class _Token(NamedTuple):
    kind: str  # number, superscript, name, symbol, refused or end
    text: str
    position: int


_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_TO_DIGITS = str.maketrans(_SUPERSCRIPTS + "⁻" + "₀₁₂₃₄₅₆₇₈₉", "0123456789-0123456789")
_TOKEN = re.compile(
    rf"""(?P<space>\s+)
    |(?P<number>(?:[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<superscript>⁻?[{_SUPERSCRIPTS}]+)
    |(?P<name>[^\W\d{_SUPERSCRIPTS}][^\W{_SUPERSCRIPTS}]*)
    |(?P<symbol>\*\*|//|==|!=|<=|>=|\.\.(?!\.)|[-+*/^()<>=,·×÷−≤≥≠])
    |(?P<refused>\.\.\.+|.)""",
    re.VERBOSE | re.DOTALL,
)
_SPELLINGS = {"^": "**", "·": "*", "×": "*", "÷": "/", "−": "-", "≤": "<=", "≥": ">=", "≠": "!="}
_OPERAND = "expected a number, a name, a function call or '('"
_OPERATOR = "expected an operator (+ - * / ** or a comparison)"
_REFUSALS = {
    "//": "'//' is not an operator here: expected '/', as in floor(a/b)",
    "=": "an expression assigns nothing: expected '==' to compare",
    ":": "':' is not part of an expression: it assigns, slices and defines nothing",
    ".": "attributes are not part of an expression: " + _OPERATOR,
    "..": "a range a..b does not belong here: " + _OPERATOR,
    "...": "'...' is ambiguous: expected '..' between two numbers, as in 1.0..2.0",
    "[": "lists and subscripts are not part of an expression: expected '(' or a name such as x1",
    "{": "sets and dictionaries are not part of an expression: expected '('",
    "'": "strings are not part of an expression: " + _OPERAND,
    '"': "strings are not part of an expression: " + _OPERAND,
    "%": "'%' is not an operator here: expected one of + - * / **",
    "@": "'@' is not an operator here: expected one of + - * / **",
}


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        kind, found = match.lastgroup or "refused", match.group()
        if kind == "symbol":
            found = _SPELLINGS.get(found, found)
        elif kind in ("name", "superscript"):
            found = found.translate(_TO_DIGITS)
        if kind != "space":
            yield _Token(kind, found, match.start())
    yield _Token("end", "", len(text))


class _Size(NamedTuple):
    """What is known of a step before it is computed: where it starts, its bits, its value if constant."""

    position: int
    bits: float
    constant: float | None


@dataclass(slots=True)
class _Pending:
    """An operator, or the open parenthesis of a group or (where `function` is set) of a call, that waits."""

    symbol: str
    binds: int
    position: int
    function: str = ""
    arguments: int = 1
    nesting: int = 0


class _Reader:
    """Reads expressions from one text, left to right."""

    def __init__(self, text: str, functions: Collection[str], constants: Collection[str]) -> None:
        if not isinstance(text, str):
            raise TypeError(f"text: expected a string, got {type(text).__name__}")
        if len(text) > MAX_CHARACTERS:
            problem = f"too long: expected at most {MAX_CHARACTERS:,} characters, got {len(text):,}"
            raise ExpressionError(problem, text, MAX_CHARACTERS)
        self.text = text
        self.functions = functions
        self.constants = constants
        self.tokens = list(_tokens(text))
        self.index = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.index]

    def error(self, problem: str, position: int | None = None) -> ExpressionError:
        return ExpressionError(problem, self.text, self.token.position if position is None else position)

    def unexpected(self, expected: str) -> ExpressionError:
        """The error of the current token where `expected` should stand."""
        kind, text, _ = self.token
        if kind == "end":
            return self.error(f"the text ends too early: {expected}" if self.index else f"empty: {expected}")
        if text[:3] in _REFUSALS:
            return self.error(_REFUSALS[text[:3]])
        shown = repr(text[:40]) if text.isprintable() else f"the character U+{ord(text):04X}"
        if kind == "name" and text.startswith("_"):
            shown += "; digits are written without '_', as in 1000"
        elif expected != _OPERAND and (kind in ("name", "number") or text == "("):
            shown += "; a product is written with '*', as in 2*x"
        return self.error(f"{expected}, got {shown}")

    def expression(self) -> Expression:
        """Read as far as the text is an expression; the token that ends it becomes the current one."""
        self.origin = self.token.position
        self.steps: list[Step] = []
        self.sizes: list[_Size] = []
        self.pending: list[_Pending] = []
        wants_operand: bool | None = True
        while wants_operand is not None:
            wants_operand = self.operand() if wants_operand else self.operator()
        self.reduce(_COMPARISON)
        if self.pending:
            raise self.unexpected("expected ')' or an operator")
        names = dict.fromkeys(step.name for step in self.steps if isinstance(step, Name))
        free = tuple(name for name in names if name not in self.constants)
        return Expression(self.text[self.origin : self.token.position].rstrip(), free, tuple(self.steps))

    def operand(self) -> bool:
        """Read a number, a name, or what stands before an operand. True where one must still follow."""
        kind, text, position = self.token
        if kind == "number":
            self.literal(text, position)
        elif kind == "name":
            name = self.name()
            if self.tokens[self.index + 1].text == "(":
                return self.call(name)
            if name in self.functions:
                raise self.error(f"'{name}' is a function: expected '(' after it", position + len(text))
            self.emit(Name(name, position - self.origin), _Size(position, _NAME_BITS, None))
        elif text in ("+", "-", "("):
            self.push(_Pending(text, _OPEN if text == "(" else _SIGN, position))
        else:
            raise self.unexpected(_OPERAND)
        self.index += 1
        return kind == "symbol"

    def operator(self) -> bool | None:
        """Read what stands after an operand. True where an operand must follow, None at the end."""
        kind, text, position = self.token
        if kind == "superscript":
            self.literal(text.lstrip("-"), position)
            if text.startswith("-"):
                self.apply("-", 1, position)
            self.apply("**", 2, position)
        elif text in BINARY:
            binds = _BINDS.get(text, _COMPARISON)
            self.reduce(binds + (text == "**" or binds == _COMPARISON))  # powers associate to the right
            if self.pending and self.pending[-1].binds == binds == _COMPARISON:
                raise self.error("comparisons are not chained: expected ')' or the end after the first")
            self.push(_Pending(text, binds, position))
        elif text == ")" or text == ",":
            self.reduce(_COMPARISON)
            if not self.pending:
                return None
            self.close() if text == ")" else self.next_argument()
        else:
            return None
        self.index += 1
        return kind == "symbol" and text != ")"

    def name(self) -> str:
        """The name at the current token, which must be one that a variable or a function may bear."""
        word = self.token.text
        if "__" in word or not word.isidentifier():
            raise self.error(f"{word[:40]!r} is not a name: expected letters and digits, such as x1")
        if keyword.iskeyword(word):
            raise self.error(f"'{word}' is a word of Python's, not a name: {_OPERAND}")
        return word

    def call(self, name: str) -> bool:
        if name in self.constants and name not in self.functions:
            end = self.token.position + len(name)
            raise self.error(f"'{name}' is a constant, not a function: {_OPERATOR}", end)
        if name not in self.functions:
            raise self.error(f"unknown function {name[:40]!r}{nearest(name, self.functions)}")
        self.push(_Pending("(", _OPEN, self.token.position, function=name))
        self.index += 2
        return True

    def literal(self, text: str, position: int) -> None:
        digits, _, exponent = text.lower().partition("e")
        scale = float(exponent or 0)
        if len(digits) > MAX_DIGITS or abs(scale) > MAX_EXPONENT:
            limits = f"at most {MAX_DIGITS} digits and an exponent of at most {MAX_EXPONENT}"
            raise self.error(f"the number is too large: expected {limits}", position)
        size = _Size(position, (len(digits) + abs(scale)) * _BITS_PER_DIGIT, float(text))
        self.emit(Literal(text, position - self.origin), size)

    def emit(self, step: Step, size: _Size) -> None:
        self.steps.append(step)
        self.sizes.append(size)

    def push(self, pending: _Pending) -> None:
        outside = self.pending[-1].nesting if self.pending else 0
        pending.nesting = outside + (pending.binds in (_OPEN, _SIGN, _POWER))
        if pending.nesting > MAX_NESTING:
            raise self.error(f"nested too deeply: expected at most {MAX_NESTING} levels", pending.position)
        self.pending.append(pending)

    def reduce(self, binds: int) -> None:
        """Apply the waiting operators that bind at least as tightly as `binds`."""
        while self.pending and self.pending[-1].binds >= binds:
            waiting = self.pending.pop()
            if waiting.binds != _SIGN:
                self.apply(waiting.symbol, 2, waiting.position)
            elif waiting.symbol == "-":
                self.apply("-", 1, waiting.position)

    def next_argument(self) -> None:
        if not self.pending[-1].function:
            raise self.error("a comma separates the arguments of a function: expected ')' or an operator")
        self.pending[-1].arguments += 1

    def close(self) -> None:
        opened = self.pending.pop()
        if opened.function:
            self.apply(opened.function, opened.arguments, opened.position, Call)
        else:
            self.sizes[-1] = self.sizes[-1]._replace(position=opened.position)

    def apply(
        self, symbol: str, operands: int, position: int, kind: type[Call] | type[Operation] = Operation
    ) -> None:
        step = kind(symbol, operands, position - self.origin)
        sizes = self.sizes[-operands:]
        del self.sizes[-operands:]
        bits = sum(size.bits for size in sizes)
        if is_power(step):
            exponent = sizes[1]
            if exponent.constant is not None:
                if not abs(exponent.constant) <= MAX_EXPONENT:
                    problem = f"the exponent is too large: expected at most {MAX_EXPONENT}"
                    raise self.error(problem, exponent.position)
                bits = sizes[0].bits * max(1.0, abs(exponent.constant))
        elif symbol == "square":
            bits *= 2
        if bits > MAX_BITS:
            raise self.error(TOO_LARGE, position)
        start = min(position, sizes[0].position)
        self.emit(step, _Size(start, bits, _constant(step, [size.constant for size in sizes])))


def _constant(step: Call | Operation, operands: list[float | None]) -> float | None:
    """The step's value in floats where all operands are constant: exact enough to judge an exponent by."""
    values = [value for value in operands if value is not None]
    if isinstance(step, Call) or len(values) < len(operands):
        return None
    try:
        result = -values[0] if step.operands == 1 else BINARY[step.symbol](*values)
    except ArithmeticError:
        return float("inf")
    return None if isinstance(result, complex) else float(result)


def parse(text: str, functions: Collection[str], constants: Collection[str] = CONSTANTS) -> Expression:
    """Read `text` as one expression that may call `functions`; names outside `constants` are its variables.

    Raises ExpressionError, with the position marked, for anything else: attributes, subscripts, strings,
    unknown functions, chained comparisons, more than 10,000 characters, 100 levels of nesting, or an exponent
    beyond 1000. Time and memory are bounded by the length of the text.

    >>> parse("(x1*x2*sin(x3) + e^(x1*x2))/x3", functions=["sin"]).names
    ('x1', 'x2', 'x3')
    """
    reader = _Reader(text, functions, constants)
    expression = reader.expression()
    if reader.token.kind != "end":
        raise reader.unexpected(_OPERATOR)
    return expression


def parse_assignments(
    text: str, functions: Collection[str] = (), constants: Collection[str] = CONSTANTS
) -> dict[str, Expression | Range]:
    """Read `name=value` pairs between commas; a value is a constant expression, or a range `a..b` of two.

    Raises ExpressionError for a name given twice, a missing `=` or value, and a value that is not constant.

    >>> values = parse_assignments("x1=1, x2=pi/2, x=1.4..1.6")
    >>> {name: value.text for name, value in values.items() if isinstance(value, Expression)}
    {'x1': '1', 'x2': 'pi/2'}
    >>> values["x"].lower.text, values["x"].upper.text
    ('1.4', '1.6')
    """
    reader = _Reader(text, functions, constants)
    values: dict[str, Expression | Range] = {}
    while values or reader.token.kind != "end":
        if reader.token.kind != "name":
            raise reader.unexpected("expected a name and its value, as in x=1")
        name = reader.name()
        if name in values:
            raise reader.error(f"'{name}' is given twice: expected one value for each name")
        reader.index += 1
        if reader.token.text != "=":
            raise reader.unexpected(f"expected '=' after '{name[:40]}', as in x=1")
        reader.index += 1
        value = values[name] = _value(reader, name)
        if reader.token.text == "..":
            reader.index += 1
            values[name] = Range(value, _value(reader, name))
        if reader.token.kind == "end":
            break
        if reader.token.text != ",":
            raise reader.unexpected("expected an operator, '..' or ','")
        reader.index += 1
    return values


def _value(reader: _Reader, name: str) -> Expression:
    """The constant expression at the reader's current token."""
    value = reader.expression()
    owner = f"the value of '{name[:40]}'"
    for step in value.steps:
        if isinstance(step, Name) and step.name in value.names:
            problem = f"{owner} must be constant: expected a number, got the name '{step.name[:40]}'"
            raise reader.error(problem, reader.origin + step.position)
        if isinstance(step, Operation) and step.symbol not in _BINDS:
            raise reader.error(f"{owner} must be a number, not a comparison", reader.origin + step.position)
    if reader.sizes[-1].bits > MAX_VALUE_BITS:
        raise reader.error(f"{owner} is too large: expected at most {MAX_VALUE_BITS:,} bits", reader.origin)
    return value
