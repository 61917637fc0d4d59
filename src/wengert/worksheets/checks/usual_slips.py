"""The usual slips in a line of a worksheet, and the number that each of them gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from wengert.ops.arithmetic import add, divide, multiply, power, subtract
from wengert.ops.kinds import Elementwise, Select, shape
from wengert.ops.products import matmul
from wengert.worksheets.checks.lines import FAILURES, Lines, Numbers, Piece, Place, plain
from wengert.worksheets.checks.slips import Candidate, Slip
from wengert.worksheets.columns import barred, dotted
from wengert.worksheets.values import format_value

FACTORS = tuple(
    found
    for n in (2, 3, 4)
    for found in ((n, f"a factor of {n} too much"), (1 / n, f"a factor of {n} is missing"))
)
DEGREES = ("sin", "cos", "tan")


def candidates(lines: Lines, place: Place, numbers: Numbers) -> list[Candidate]:
    """What each usual slip in one line gives on the numbers of the other lines, the likeliest first."""
    right = lines.rule(place, numbers)
    find: dict[str, Callable[[Lines, int, Numbers, Any], Iterator[tuple[str, str, Any]]]]
    find = {"primal": _of_value, "update": _of_update}
    found: list[Candidate] = []
    try:
        for kind, words, value in find.get(place[0], _of_derivative)(lines, place[1], numbers, right):
            found.append(Candidate(Slip(kind, words), plain(value)))
    except FAILURES:  # what cannot be computed, as a division by zero, is no explanation either
        pass
    return found


# -- a value -------------------------------------------------------------------------------------------------


def _of_value(lines: Lines, key: int, numbers: Numbers, right: Any) -> Iterator[tuple[str, str, Any]]:
    operation = lines.operations.get(key)
    yield "sign", "the sign is wrong", -right
    if operation is None:
        return
    args, name = lines.arguments(operation, numbers), operation.op.name
    if name == "matmul":
        yield from _products(args[0], args[1], right, "")
    if name in DEGREES:
        yield (
            "operation",
            f"{name} is taken of degrees, not of radians",
            operation.op(args[0] * 0.017453292519943295),
        )
    if name == "log":
        yield (
            "operation",
            "the logarithm is taken to base 10, not to base e",
            divide(right, 2.302585092994046),
        )
    if len(args) == 2 and isinstance(operation.op, Elementwise):
        words = {add: "added", subtract: "subtracted", multiply: "multiplied", divide: "divided"}
        for other in (add, subtract, multiply, divide):
            if other is not operation.op:
                yield "operation", f"the two numbers are {words[other]}", other(*args)
        if operation.op is add:
            yield "operation", "the two numbers are subtracted", subtract(args[1], args[0])
        if operation.op is multiply:
            yield "operation", "the two numbers are divided", divide(args[1], args[0])
        if operation.op in (divide, power):
            yield "operation", "the two numbers are taken in the wrong order", operation.op(args[1], args[0])
    elif len(args) == 1 and shape(args[0]) == shape(right):
        yield "operation", f"{name} is left out", args[0]
    yield from multiples(right)


# -- a derivative --------------------------------------------------------------------------------------------


def _of_derivative(lines: Lines, key: int, numbers: Numbers, right: Any) -> Iterator[tuple[str, str, Any]]:
    pieces = [] if lines.is_given((lines.part, key)) else lines.pieces(key, numbers)
    told = [_Told(lines, key, piece, k, len(pieces)) for k, piece in enumerate(pieces)]
    yield "sign", "the sign is wrong", -right
    for piece, words in zip(pieces, told, strict=True):
        if len(pieces) > 1:
            yield "missing term", words.missing, right - piece.value
    if len(pieces) > 2:
        for piece, words in zip(pieces, told, strict=True):
            yield "missing term", f"only the term {words.term} is there", piece.value
    for piece, words in zip(pieces, told, strict=True):
        for kind, what, value in _of_piece(piece, words):
            if shape(value) == shape(right):
                yield kind, what, right - piece.value + value
    yield from multiples(right)
    for piece, words in zip(pieces, told, strict=True):
        if len(pieces) > 1:
            yield "sign", f"the sign of the term {words.term} is wrong", right - 2 * piece.value
    for piece, words in zip(pieces, told, strict=True):
        for kind, what, value in _wrong_partials(piece, words):
            yield kind, what, right - piece.value + value
        if len(pieces) > 1:
            for factor, text in FACTORS[:2]:
                what = f"the term {words.term}: {text}"
                yield "factor", what, right + (factor - 1) * piece.value
    for piece in pieces:
        if piece.operation.op is matmul:
            yield from _other_order(piece, right)
    if len(shape(right)) == 2:
        yield "transpose", "the result is transposed", right.T


class _Told:
    """One term of a derivative in words."""

    def __init__(self, lines: Lines, key: int, piece: Piece, index: int, count: int) -> None:
        row, reader = lines.row.get(key), lines.row.get(piece.key)
        accent = barred if lines.part == "adjoint" else dotted
        terms = row.terms if row is not None and len(row.terms) == count else ()
        self.upstream = accent(reader.label).text if reader is not None else "what comes before"
        self.label = "the value" if row is None else row.label.text
        self.term = terms[index].formula.text if terms else f"from {reader.label if reader else 'one use'}"
        partial = terms[index].partial if terms else None
        self.partial = partial.text if partial is not None else None
        number = format_value(piece.value, lines.sheet.digits) if not shape(piece.value) else ""
        equation = f"{self.term} = {number}" if number and self.term != number else self.term
        if lines.part == "adjoint":
            uses = [lines.row[k].label.text for k in _uses(lines, key) if k in lines.row]
            used = f"{self.label} is used {_times(count)}"
            where = f", in {_listed(uses)}" if uses else ""
            self.missing = f"{used}{where}; the term {equation} is left out"
        else:
            self.missing = f"the term {equation} is left out"


def _uses(lines: Lines, key: int) -> list[int]:
    return list(dict.fromkeys(operation.key for operation, _ in lines.readers.get(key, ())))


def _of_piece(piece: Piece, words: _Told) -> Iterator[tuple[str, str, Any]]:
    """A factor left out of one term: the local derivative, or what it is multiplied by."""
    if piece.partial is not None:
        shown = words.partial or f"the derivative of {piece.operation.op.name}"
        yield "dropped factor", f"the factor {shown} is left out", _spread(piece.upstream, piece)
        yield "dropped factor", f"the factor {words.upstream} is left out", _spread(piece.partial, piece)
    elif isinstance(piece.operation.op, Select):
        what = f"the derivative of {piece.operation.op.name}, which is 1 or 0, is left out"
        yield "dropped factor", what, piece.upstream
    elif piece.operation.op is matmul:
        yield from _products_of(piece)


def _spread(value: Any, piece: Piece) -> Any:
    """A factor in the shape of the term."""
    return value + 0 * piece.value if shape(value) in ((), shape(piece.value)) else value


def _wrong_partials(piece: Piece, words: _Told) -> Iterator[tuple[str, str, Any]]:
    """Local derivatives that are easily taken for the right one."""
    operation, args = piece.operation, piece.args
    if piece.partial is None or any(shape(a) not in ((), shape(piece.value)) for a in args):
        return
    name, up = operation.op.name, piece.upstream
    value = operation.op.apply(args, operation.params)
    if len(args) == 1:
        yield "wrong partial", f"{name} itself stands where its derivative should be", up * value
        yield (
            "wrong partial",
            "the derivative is divided by where it is multiplied by",
            divide(up, piece.partial),
        )
        return
    if operation.op in (add, subtract) or len(args) != 2:
        return
    other = args[1 - piece.place]
    yield "wrong partial", "the value itself stands where the other factor should be", up * args[piece.place]
    if operation.op is divide:
        yield "wrong partial", "the square of the denominator is missing", piece.value * args[1]
        yield "wrong partial", "the denominator is multiplied by, not divided by", up * other
    elif operation.op is power:
        yield "wrong partial", "the exponent is not lowered by 1", up * args[1] * value
        yield "dropped factor", "the exponent in front is left out", divide(piece.value, args[1])
        yield "wrong partial", "the power itself stands where its derivative should be", up * value


def multiples(right: Any) -> Iterator[tuple[str, str, Any]]:
    """The number times a simple factor; in an array also how many rows or entries there are."""
    for factor, what in (*FACTORS, *_counts(right)):
        yield "factor", what, factor * right
        yield "factor", f"{what}, and the sign is wrong", -factor * right


def _counts(right: Any) -> Iterator[tuple[float, str]]:
    entries = int(getattr(right, "size", 1))
    for count, what in ((shape(right)[:1] or (1,))[0], "rows"), (entries, "entries"):
        if count > 4:
            yield count, f"the number of {what}, {count}, is a factor too much"
            yield 1 / count, f"the number of {what}, {count}, is missing as a factor"


# -- matrices ------------------------------------------------------------------------------------------------


def _products_of(piece: Piece) -> Iterator[tuple[str, str, Any]]:
    """A product's adjoint or tangent with a factor transposed or not, in either order."""
    other = piece.args[1 - piece.place]
    yield from _products(piece.upstream, other, piece.value, "")


def _other_order(piece: Piece, right: Any) -> Iterator[tuple[str, str, Any]]:
    own = piece.args[piece.place]
    yield from _products(piece.upstream, own, right, " and the wrong factor is taken")


def _products(a: Any, b: Any, right: Any, more: str) -> Iterator[tuple[str, str, Any]]:
    """All products of two matrices, transposed or not, in both orders, that have the right shape."""
    import numpy as np

    if len(shape(a)) != 2 or len(shape(b)) != 2:
        return
    for first, second in ((a, b), (b, a)):
        for x in (first, first.T):
            for y in (second, second.T):
                if x.shape[1] != y.shape[0]:
                    continue
                value = x @ y
                if value.shape == shape(right) and not np.allclose(value, right, rtol=1e-9, atol=0):
                    yield (
                        "transpose",
                        f"a transpose is missing, or the factors are in the wrong order{more}",
                        value,
                    )
                elif value.T.shape != value.shape and value.shape == shape(right)[::-1]:
                    yield "transpose", f"the result is transposed{more}", value


# -- an update -----------------------------------------------------------------------------------------------


def _of_update(lines: Lines, key: int, numbers: Numbers, right: Any) -> Iterator[tuple[str, str, Any]]:
    value, gradient = numbers["primal", key], numbers[lines.part, key]
    yield "sign", "the step goes up the gradient: it is subtracted, not added", 2 * value - right
    yield "dropped factor", "the gradient is subtracted without the learning rate", value - gradient
    yield "missing term", "this is the step alone; the value before it is left out", right - value
    yield "missing term", "this is the step alone; the value before it is left out", value - right
    for factor, text in FACTORS[:2]:
        yield "factor", f"the step: {text}", value + factor * (right - value)


def _times(count: int) -> str:
    return {2: "twice", 3: "three times"}.get(count, f"{count} times")


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
