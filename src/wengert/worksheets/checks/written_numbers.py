"""A number as a person writes it, with the digits that it was given with."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import wengert.numbers  # noqa: F401 (the number systems make themselves known there)
from wengert.expressions import CONSTANTS, ExpressionError, parse

ROUNDING = 1e-9
"""How far an exact number may be from a float, for its size."""

SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
SIGNS = str.maketrans({"−": "-", "–": "-", "—": "-", "\u2009": " ", "\u00a0": " ", "\u202f": " "})
BLANK = re.compile(r"[\s_?.…·/-]*")
DECIMAL = re.compile(r"([+-]?)\s*([0-9]*)(?:[.,]([0-9]*))?(?:[eE]([+-]?[0-9]+))?")
TIMES_TEN = re.compile(r"\s*[·×*]\s*10\s*(?:\^|\*\*)?\s*\{?\s*([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|[+-]?[0-9]+)\s*\}?\s*$")
FRACTION = re.compile(r"\\[td]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
ROW = re.compile(r"\[([^][]*)\]")
SPECIAL = {"nan": math.nan, "∞": math.inf, "-∞": -math.inf}
SHAPE = re.compile(r"^\([0-9, ]*\)\s*")


@dataclass(frozen=True)
class WrittenNumber:
    """A number or an array with half a unit of its last digit; that is 0 where it is meant exactly.

    ``whole`` says that a number has no digits behind the point, so that it may be a rounded one or exact.
    """

    text: str
    value: Any
    half: Any
    whole: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an array, ``()`` for a number."""
        return tuple(getattr(self.value, "shape", ()))

    @property
    def decimals(self) -> int:
        """How many decimals it was given with; 0 where it is meant exactly."""
        half = self.half.max() if self.shape else self.half
        return max(0, round(-math.log10(2 * half))) if half > 0 else 0

    def agrees(self, other: Any, slack: Any = 0.0) -> bool:
        """Whether the other value, rounded to these digits, gives this number. ``slack`` is what rounding on
        the way may add."""
        if other is None or tuple(getattr(other, "shape", ())) != self.shape:
            return False
        if self.shape:
            import numpy as np

            other, slack = np.asarray(other, dtype=float), np.abs(slack)
            slack = slack if slack.shape == self.shape else slack.max()
            room = self.half * (1 + 1e-6) + slack + ROUNDING * np.maximum(np.abs(other), np.abs(self.value))
            same = (self.value == other) | (np.isnan(self.value) & np.isnan(other))
            return bool(np.all(same | (np.abs(self.value - other) <= room)))
        number, other = float(self.value), float(other)
        if number == other or (math.isnan(number) and math.isnan(other)):
            return True
        room = self.half * (1 + 1e-6) + float(slack) + ROUNDING * max(abs(other), abs(number))
        return abs(number - other) <= room and math.isfinite(other)

    def distance(self, other: Any) -> float:
        """How far the other value is, in units of the last digit; infinite for an exact number."""
        if not self.shape and not self.half:
            return math.inf
        if tuple(getattr(other, "shape", ())) != self.shape:
            return math.inf
        import numpy as np

        with np.errstate(all="ignore"):
            units = np.abs(np.asarray(self.value - other, dtype=float)) / (2 * np.asarray(self.half))
        return float(np.max(np.nan_to_num(units, nan=math.inf)))


def read_number(text: str) -> WrittenNumber | None:
    """What a person wrote as a number; None for a blank.

    Decimals may have a point or a comma, and a power of ten as ``1.5e-3`` or ``1.5·10⁻³``. A fraction, and
    any expression without names such as ``sqrt(2)/2``, is meant exactly. ``…`` at the end says that digits
    were cut off. An array is written in brackets, row by row. Raises ValueError for anything else.

    >>> read_number("2,6955")
    WrittenNumber(text='2,6955', value=2.6955, half=5e-05, whole=False)
    >>> read_number("1/4").value, read_number(" ___ ")
    (0.25, None)
    """
    shown = " ".join(text.split())
    text = _plain(shown)
    if BLANK.fullmatch(text):
        return None
    if "[" in text:
        return _array(shown, text)
    number = _decimal(shown, text)
    if number is not None:
        return number
    if text.lower() in SPECIAL:
        return WrittenNumber(shown, SPECIAL[text.lower()], 0.0)
    return WrittenNumber(shown, _expression(shown, text), 0.0)


def as_written(value: Any) -> WrittenNumber:
    """A number or an array that a program holds: a float with the digits that it prints with."""
    if isinstance(value, str):
        found = read_number(value)
        if found is None:
            raise ValueError(f"expected a number, got {value!r}")
        return found
    value = value.detach().numpy() if hasattr(value, "detach") else value
    if isinstance(value, (list, tuple)) or getattr(value, "shape", None):
        return _of_array(value)
    number = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(number, bool) or not hasattr(number, "__float__"):
        raise TypeError(f"expected a number, got {value!r:.60}")
    shown = str(value)
    if isinstance(number, float):
        half = max(_half_of_float(number, shown), abs(number) * _coarseness(value))
        return WrittenNumber(shown, number, half, number.is_integer())
    return WrittenNumber(shown, float(number), 0.0, whole=isinstance(number, int))


def _of_array(value: Any) -> WrittenNumber:
    """An array of a program. Its entries have as many decimals as the one that prints with the most."""
    import numpy as np

    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"expected an array of numbers, got one of {array.dtype}")
    halves = [_half_of_float(float(entry), str(entry)) for entry in array.ravel()]
    half = max(min(filter(None, halves), default=0.0), float(np.abs(array).max()) * _coarseness(array))
    return WrittenNumber(str(value), array.astype(float), np.full(array.shape, half))


def _half_of_float(number: float, shown: str) -> float:
    """Half a unit of the last digit of a float; 0 for one that is whole."""
    found = _decimal(shown, shown) if math.isfinite(number) else None
    if found is None or number.is_integer():
        return 0.0
    return float(found.half)


def _coarseness(value: Any) -> float:
    """The error that counts as rounding in results of single or half precision, for their size."""
    return {"float32": 1e-5, "float16": 1e-2}.get(str(getattr(value, "dtype", "")), 0.0)


def _plain(text: str) -> str:
    """The text without Markdown's and LaTeX's marks around a number."""
    text = re.sub(r"\\([][_*#$|~`{}])", r"\1", text.translate(SIGNS))
    text = FRACTION.sub(r"((\1)/(\2))", text).replace(r"\cdot", "·").replace(r"\times", "×")
    text = re.sub(r"<br\s*/?>", " ", text).strip("$`* \t≈~=")
    return re.sub(r"\s+", " ", text)


def _decimal(shown: str, text: str) -> WrittenNumber | None:
    exponent = 0
    cut = re.search(r"\s*(…|\.\.\.)$", text)
    text = text[: cut.start()] if cut else text
    power = TIMES_TEN.search(text)
    if power and power.start():
        text, exponent = text[: power.start()], int(power[1].translate(SUPERSCRIPTS))
    found = DECIMAL.fullmatch(text.strip())
    if found is None or not (found[2] or found[3]):
        return None
    sign, whole, decimals, tens = found.groups()
    exponent += int(tens or 0)
    if abs(exponent) > 300:
        raise ValueError(f"{shown!r}: expected an exponent of at most 300")
    value = float(f"{sign}{whole or 0}.{decimals or 0}e{exponent}")
    unit = 10.0 ** (exponent - len(decimals or ""))
    if decimals is None and not exponent:
        return WrittenNumber(shown, value, unit if cut else 0.0, whole=not cut)
    return WrittenNumber(shown, value, unit if cut else unit / 2)


def _expression(shown: str, text: str) -> float:
    from wengert.worksheets.number_choice import choose, evaluated, functions

    choice = choose("float")
    try:
        expression = parse(text, functions(), CONSTANTS)
        if expression.names:
            raise ValueError(f"{shown!r} is not a number: it names {', '.join(expression.names)}")
        return float(evaluated(expression, {}, choice.system.constant))
    except ExpressionError:
        raise ValueError(f"{shown!r:.60} is not a number such as 2.6955, 1/3 or 2,6955") from None
    except ArithmeticError as error:
        raise ValueError(f"{shown!r:.60} has no value: {error}") from None


def _array(shown: str, text: str) -> WrittenNumber:
    """An array of one or two axes: its rows in brackets."""
    import numpy as np

    rows = ROW.findall(SHAPE.sub("", text))
    cells = [list(_cells(row)) for row in rows]
    if not rows or len({len(row) for row in cells}) != 1:
        raise ValueError(f"{shown!r:.60} is not an array such as [[1, 2], [3, 4]]: its rows differ in length")
    numbers = [[_entry(shown, cell) for cell in row] for row in cells]
    value = np.array([[n.value for n in row] for row in numbers], dtype=float)
    half = np.array([[n.half for n in row] for row in numbers], dtype=float)
    stated = SHAPE.match(text)
    sizes = tuple(int(n) for n in re.findall("[0-9]+", stated[0])) if stated else None
    if sizes is None and len(rows) == 1 and not re.match(r"\[\s*\[", text):
        sizes = (len(cells[0]),)
    if sizes is not None and math.prod(sizes) == value.size:
        value, half = value.reshape(sizes), half.reshape(sizes)
    return WrittenNumber(shown, value, half)


def _cells(row: str) -> Iterator[str]:
    """The entries of a row, which commas, semicolons or spaces separate."""
    row = row.strip()
    if ";" in row:
        return iter(row.split(";"))
    words = row.split()
    if len(words) > 1 and not any(word.endswith(",") for word in words):
        return iter(words)  # a comma within a word is a decimal comma
    return iter(row.split(","))


def _entry(shown: str, cell: str) -> WrittenNumber:
    found = read_number(cell)
    if found is None:
        raise ValueError(f"{shown!r:.60}: an entry is blank")
    return found
