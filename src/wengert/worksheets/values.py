"""One value of a worksheet: for people, to a number of decimals; for machines, to the last digit."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

SHOWN_ENTRIES = 24
LARGEST_FIXED = 1_000_000
LARGEST_EXACT_INTEGER = 2**53  # beyond this, a reader of JSON that knows only doubles loses digits
INTERVAL_DIGITS = 17  # enough to tell any two doubles apart
SYMPY_WORDS = {"zoo": "undefined", "nan": "NaN", "oo": "∞", "-oo": "-∞"}
EXACT_EXPONENT = 20_000  # powers of two beyond this are too long to write out only to round them


def format_value(value: Any, digits: int = 4, numbers: str = "float") -> str:
    """The value as a person reads it.

    A float has ``digits`` decimals, and is in scientific notation where it would be unreadable or zero
    without. Exact numbers and formulas are written out. Numbers of ``mpmath`` show every digit that was
    worked with where ``numbers`` begins with ``"mp"``. Intervals are rounded outwards, so that what is
    printed still holds the true value. An array is its shape and its entries, one row a line; beyond 24
    entries it is its shape with the least, the mean and the greatest of the finite ones.

    >>> format_value(2.92282)
    '2.9228'
    >>> format_value(1.5e-7, digits=2)
    '1.50e-7'
    >>> format_value(Fraction(1, 3))
    '1/3'
    """
    if value is None:
        return ""
    listed = as_lists(value)
    if listed is not None:
        return _array_text(shape_of(value, listed), listed, digits, numbers)
    value = scalar_of(value)
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(format_value(entry, digits, numbers) for entry in value) + ")"
    if isinstance(value, (bool, int, Fraction)):
        return str(value) if isinstance(value, bool) else _rational_text(value)
    if isinstance(value, (float, Decimal)):
        return _decimal_text(Decimal(value), digits)
    if is_complex(value):
        return _complex_text(
            format_value(value.real, digits, numbers), format_value(value.imag, digits, numbers)
        )
    if hasattr(value, "_mpi_"):
        low, high = interval_texts(value, digits)
        return f"[{low}, {high}]"
    if hasattr(value, "_mpf_"):
        _, mantissa, exponent, _ = value._mpf_
        if numbers.startswith("mp") and (mantissa or not exponent):  # else it is infinite or not a number
            return _mp_text(value, numbers)
        return _decimal_text(_decimal(value._mpf_, ROUND_HALF_EVEN, digits + 30), digits)
    return SYMPY_WORDS.get(str(value), printable(str(value)))


def exact_value(value: Any, numbers: str = "float") -> Json:
    """The value with every digit, in what JSON can hold.

    Floats stay floats, but NaN and the infinities are ``"nan"``, ``"inf"`` and ``"-inf"``. Fractions,
    formulas, numbers of ``mpmath`` and integers beyond 2**53 are strings, an interval is ``[low, high]`` of
    two strings (rounded outwards), a complex number is ``{"re": ..., "im": ...}``, an array is nested lists
    of the same.

    >>> exact_value(float("nan")), exact_value(Fraction(1, 3)), exact_value(1 + 2j)
    ('nan', '1/3', {'re': 1.0, 'im': 2.0})
    """
    listed = as_lists(value)
    if listed is None:
        value = scalar_of(value)
        listed = list(value) if isinstance(value, (list, tuple)) else None
    if listed is not None:
        return [exact_value(entry, numbers) for entry in listed]
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) <= LARGEST_EXACT_INTEGER else _rational_text(value)
    if isinstance(value, Fraction):
        return _rational_text(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if is_complex(value):
        return {"re": exact_value(value.real, numbers), "im": exact_value(value.imag, numbers)}
    if hasattr(value, "_mpi_"):
        return list(_interval_bounds(value))
    if hasattr(value, "_mpf_"):
        return _mp_text(value, numbers)
    return str(value)


def printable(text: str) -> str:
    r"""The text with control characters and invisible directions spelled out: a name cannot steer a terminal.

    >>> print(printable("a\x1b[2Jb"))
    a\x1b[2Jb
    """
    return "".join(_spelled(character) for character in text)


def as_lists(value: Any) -> list[Any] | None:
    """The nested lists of an array of one axis or more; None for anything else."""
    listed = value.tolist() if hasattr(value, "tolist") else None
    return listed if isinstance(listed, list) else None


def scalar_of(value: Any) -> Any:
    """The Python number in a NumPy scalar or an array without axes; anything else as it is."""
    if not hasattr(value, "tolist"):
        return value
    number = value.tolist()
    return float(number) if hasattr(number, "tolist") else number  # a long double lists itself


def shape_of(value: Any, listed: list[Any]) -> tuple[int, ...]:
    """The array's shape, read off its nested lists where it states none."""
    stated = getattr(value, "shape", None)
    if stated is not None:
        return tuple(int(length) for length in stated)
    inner = listed[0] if listed else None
    return (len(listed), *(shape_of(None, inner) if isinstance(inner, list) else ()))


def is_complex(value: Any) -> bool:
    """Whether the value is a complex number of Python, mpmath or mpmath's intervals."""
    if hasattr(value, "_mpi_"):  # mpmath's real intervals answer to the complex name too
        return False
    return isinstance(value, complex) or hasattr(value, "_mpc_") or hasattr(value, "_mpci_")


def entries_of(listed: list[Any]) -> Iterator[Any]:
    """The numbers in nested lists, in order."""
    for entry in listed:
        if isinstance(entry, list):
            yield from entries_of(entry)
        else:
            yield entry


def interval_texts(value: Any, digits: int) -> tuple[str, str]:
    """The bounds of an mpmath interval to ``digits`` decimals: the lower rounded down, the upper up."""
    low, high = value._mpi_
    return (
        _decimal_text(_decimal(low, ROUND_FLOOR, digits + 30), digits, ROUND_FLOOR),
        _decimal_text(_decimal(high, ROUND_CEILING, digits + 30), digits, ROUND_CEILING),
    )


def summary(entries: list[Any], digits: int, numbers: str) -> list[tuple[str, str]]:
    """What stands for the entries of a large array: least, mean and greatest, and how many are not finite."""
    if all(isinstance(entry, bool) for entry in entries):
        return [("true", f"{sum(entries)} of {len(entries)}")]
    try:
        floats = [float(entry) for entry in entries]
    except (TypeError, ValueError, OverflowError):  # symbols, intervals, complex numbers: they have no order
        return [("entries", str(len(entries)))]
    finite = [entry for entry in floats if math.isfinite(entry)]
    shown = []
    if finite:
        statistics = {"min": min(finite), "mean": math.fsum(finite) / len(finite), "max": max(finite)}
        shown = [(name, format_value(number, digits, numbers)) for name, number in statistics.items()]
    not_numbers = sum(map(math.isnan, floats))
    counts = {"NaN": not_numbers, "infinite": len(floats) - len(finite) - not_numbers}
    return shown + [(name, f"{count} of {len(floats)}") for name, count in counts.items() if count]


def _array_text(shape: tuple[int, ...], listed: list[Any], digits: int, numbers: str) -> str:
    entries = list(entries_of(listed))
    if not entries:
        return f"{shape} empty"
    if len(entries) > SHOWN_ENTRIES:
        return f"{shape}\n" + "  ".join(f"{name}={text}" for name, text in summary(entries, digits, numbers))
    width = max(len(format_value(entry, digits, numbers)) for entry in entries)

    def lines(part: list[Any], index: str) -> Iterator[str]:
        if not isinstance(part[0], list):
            yield "[" + "  ".join(format_value(entry, digits, numbers).rjust(width) for entry in part) + "]"
            return
        is_matrix = not isinstance(part[0][0], list)
        if is_matrix and index:
            yield f"at {index}"
        for position, inner in enumerate(part):
            yield from lines(inner, index if is_matrix else ", ".join(filter(None, (index, str(position)))))

    return "\n".join([str(shape), *lines(listed, "")])


def _decimal_text(number: Decimal, digits: int, rounding: str = ROUND_HALF_EVEN) -> str:
    if number.is_nan():
        return "NaN"
    if number.is_infinite():
        return "∞" if number > 0 else "-∞"
    step = Decimal(1).scaleb(-digits)
    if number and not step <= number.copy_abs() < LARGEST_FIXED:
        rounded = _context(digits + 1, rounding).plus(number)
        return f"{rounded:.{digits}e}".replace("e+", "e")
    fixed = _context(digits + 10, rounding).quantize(number, step)
    return f"{fixed:f}" if fixed else f"{fixed.copy_abs():f}"


def _decimal(raw: Any, rounding: str, precision: int) -> Decimal:
    """mpmath's (sign, mantissa, exponent, bits) as a decimal, rounded in the stated direction."""
    sign, mantissa, exponent, _ = raw
    context = _context(precision, rounding)
    if not mantissa:
        from mpmath.libmp import finf, fninf, fzero

        special = {fzero: "0", finf: "inf", fninf: "-inf"}
        return Decimal(special.get(raw, "nan"))
    signed = -int(mantissa) if sign else int(mantissa)
    if 0 <= exponent <= EXACT_EXPONENT:
        return context.create_decimal(signed << exponent)
    if -EXACT_EXPONENT <= exponent < 0:
        return context.divide(Decimal(signed), Decimal(1 << -exponent))
    from mpmath.libmp import to_str

    nearest = context.create_decimal(to_str(raw, precision))
    if rounding == ROUND_FLOOR:
        return context.next_minus(nearest)
    return context.next_plus(nearest) if rounding == ROUND_CEILING else nearest


def _interval_bounds(value: Any) -> tuple[str, str]:
    def bound(raw: Any, rounding: str) -> str:
        precision = max(INTERVAL_DIGITS, math.ceil(int(raw[1]).bit_length() * math.log10(2)) + 1)
        number = _decimal(raw, rounding, precision)
        if not number.is_finite():
            return str(float(number))
        return str(number.normalize(_context(precision, rounding))).replace("E+", "e").replace("E", "e")

    low, high = value._mpi_
    return bound(low, ROUND_FLOOR), bound(high, ROUND_CEILING)


def _context(precision: int, rounding: str) -> Context:
    return Context(prec=precision, rounding=rounding, Emin=MIN_EMIN, Emax=MAX_EMAX)


def _mp_text(value: Any, numbers: str) -> str:
    """Every digit that was worked with: as many as ``mp:50`` states, else enough to tell the number apart."""
    from mpmath.libmp import repr_dps, to_str

    stated = numbers.partition(":")[2] if numbers.startswith("mp") else ""
    digits = int(stated) if stated.isdecimal() else repr_dps(max(53, value._mpf_[3], value.context.prec))
    return str(to_str(value._mpf_, digits)).replace("+inf", "inf").replace("e+", "e")


def _rational_text(value: int | Fraction) -> str:
    # through Decimal, because Python refuses to print integers of more than 4300 digits
    numerator, denominator = f"{Decimal(value.numerator):f}", value.denominator
    return numerator if denominator == 1 else f"{numerator}/{Decimal(denominator):f}"


def _complex_text(real: str, imaginary: str) -> str:
    return f"{real}{imaginary}i" if imaginary.startswith("-") else f"{real}+{imaginary}i"


def _spelled(character: str) -> str:
    joins = character in "\u200c\u200d"  # scripts and emoji are written with these
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and not joins:
        return character.encode("unicode_escape").decode("ascii")
    return character
