"""The rules of simplification: for each operation, the patterns that have a shorter form of the same value.

A rule states its law as a textbook prints it. Its function takes the arguments of the operation and returns
the shorter form, or None where the pattern does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wengert.graph.patterns import (
    came_from,
    is_divided,
    is_matrix,
    is_number,
    is_scaled,
    is_written,
    negated,
    same_shape,
    written_number,
)
from wengert.ops.arithmetic import (
    add,
    divide,
    multiply,
    negative,
    ones_like,
    ratio,
    reciprocal,
    square,
    subtract,
    where,
    zeros_like,
)
from wengert.ops.kinds import shape
from wengert.ops.op import Op
from wengert.ops.products import matmul, outer
from wengert.ops.reduce import sum
from wengert.ops.shape import broadcast_to, transpose


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of simplification: its name in words, its law as a formula, and what carries it out."""

    name: str
    law: str
    shorten: Callable[..., Any]


Table = Mapping[str, tuple[Rule, ...]]

NEUTRAL_TERM = "adding zero changes nothing"
NEUTRAL_FACTOR = "a factor of one is dropped"
SIGN_OUT = "the sign moves out of the product"
NUMBERS = "numbers are gathered and multiplied out"
NUMBER_OUT = "the number moves out of the product"
SUBTRACTION = "adding a negative is subtracting"
QUOTIENT = "a product with a reciprocal is a quotient"
TRANSPOSE = "the transpose of a product"
ARITHMETIC = Rule(NUMBERS, "", lambda *args: None)
"""What arithmetic on written numbers is called; `wengert.graph.simplify` does it."""


def _sign_out(op: Op) -> Callable[..., Any]:
    """Minus signs move outwards through a product or a quotient."""

    def shorten(a: Any, b: Any) -> Any:
        if (x := negated(a)) is not None:
            return negative(op(x, b))
        if (x := negated(b)) is not None:
            return negative(op(a, x))
        return None

    return shorten


def _number_out(op: Op) -> Callable[..., Any]:
    """Written factors move outwards through a product of arrays."""

    def shorten(a: Any, b: Any) -> Any:
        if is_scaled(a):
            return multiply(a.args[0], op(a.args[1], b))
        if is_scaled(b):
            return multiply(b.args[0], op(a, b.args[1]))
        if is_divided(a):
            return divide(op(a.args[0], b), a.args[1])
        if is_divided(b):
            return divide(op(a, b.args[0]), b.args[1])
        return None

    return shorten


def _over_quotient(a: Any, b: Any) -> Any:
    """Without a change of shape, which a quotient has from both its parts."""
    if came_from(b, divide) and is_number(b.args[0], 1):
        return divide(a, b.args[1])
    if came_from(a, divide) and is_number(a.args[0], 1):
        return divide(b, a.args[1])
    return None


def _reduced(a: Any, b: Any) -> Any:
    """A written factor above and a written number below, where one goes into the other."""
    above, below = written_number(a.args[0]) if is_scaled(a) else None, written_number(b)
    if not above or not below:
        return None
    if (above / below).is_integer():
        return multiply(int(above / below), a.args[1])
    return divide(a.args[1], int(below / above)) if (below / above).is_integer() else None


def _divisor_out(a: Any, b: Any) -> Any:
    for x, y in ((a, b), (b, a)):
        if is_divided(x) and shape(x) and shape(y):
            product = multiply(x.args[0], y) if x is a else multiply(y, x.args[0])
            return divide(product, x.args[1])
    return None


def _cancelled(a: Any, b: Any) -> Any:
    if not came_from(b, ratio):
        return None
    x, n = b.args
    if a is n:
        return x
    return multiply(a.args[0], x) if came_from(a, multiply) and a.args[1] is n else None


def _sign_out_of_selection(c: Any, a: Any, b: Any) -> Any:
    x = negated(a)
    return negative(where(c, x, b)) if x is not None and came_from(b, zeros_like) else None


def _spread_number(a: Any, b: Any) -> Any:
    for x, y in ((a, b), (b, a)):
        if came_from(x, broadcast_to) and not shape(x.args[0]) and shape(y) == shape(x):
            return multiply(x.args[0], y)
    return None


def _transposed_product(x: Any, **axes: Any) -> Any:
    """Only where a factor is a transpose itself, so that the result is shorter."""
    if not (came_from(x, matmul) and all(map(is_matrix, x.args)) and axes == transpose.parameters):
        return None
    a, b = x.args
    if not (came_from(a, transpose) or came_from(b, transpose)):
        return None
    return matmul(transpose(b, **axes), transpose(a, **axes))


EXACT: Table = {
    "add": (
        Rule(NEUTRAL_TERM, "a + 0 = a", lambda a, b: same_shape(a, b) if is_number(b, 0) else None),
        Rule(NEUTRAL_TERM, "0 + a = a", lambda a, b: same_shape(b, a) if is_number(a, 0) else None),
        Rule("equal terms are counted", "a + a = 2·a", lambda a, b: multiply(2, a) if a is b else None),
        Rule(SUBTRACTION, "a + (-b) = a - b",
             lambda a, b: subtract(a, negated(b)) if negated(b) is not None else None),
        Rule(SUBTRACTION, "-a + b = b - a",
             lambda a, b: subtract(b, negated(a)) if negated(a) is not None else None),
    ),
    "subtract": (
        Rule(NEUTRAL_TERM, "a - 0 = a", lambda a, b: same_shape(a, b) if is_number(b, 0) else None),
        Rule(NEUTRAL_TERM, "0 - a = -a", lambda a, b: negative(b) if is_number(a, 0) else None),
        Rule("subtracting a negative is adding", "a - (-b) = a + b",
             lambda a, b: add(a, negated(b)) if negated(b) is not None else None),
    ),
    "multiply": (
        Rule(NEUTRAL_FACTOR, "a·1 = a", lambda a, b: same_shape(a, b) if is_number(b, 1) else None),
        Rule(NEUTRAL_FACTOR, "1·a = a", lambda a, b: same_shape(b, a) if is_number(a, 1) else None),
        Rule("a factor of minus one is a sign", "(-1)·a = -a",
             lambda a, b: negative(b) if is_number(a, -1) else None),
        Rule("a factor of minus one is a sign", "a·(-1) = -a",
             lambda a, b: negative(a) if is_number(b, -1) else None),
        Rule("the number goes in front", "a·c = c·a",
             lambda a, b: multiply(b, a) if is_written(b) and not is_written(a) else None),
        Rule(SIGN_OUT, "(-a)·b = -(a·b)", _sign_out(multiply)),
        Rule("a number repeated over an array is a factor", "c·1 ⊙ A = c·A", _spread_number),
    ),
    "divide": (
        Rule("a divisor of one is dropped", "a/1 = a",
             lambda a, b: same_shape(a, b) if is_number(b, 1) else None),
        Rule("the sign moves out of the quotient", "(-a)/b = -(a/b)", _sign_out(divide)),
    ),
    "negative": (Rule("two signs cancel", "-(-a) = a", lambda x: negated(x)),),
    "power": (
        Rule("the power zero is one", "a⁰ = 1",
             lambda a, b: ones_like(a) if is_number(b, 0) and not shape(a) else None),
        Rule("the power one is dropped", "a¹ = a", lambda a, b: a if is_number(b, 1) else None),
        Rule("the power two is a square", "a^2 = a²", lambda a, b: square(a) if is_number(b, 2) else None),
    ),
    "ones_like": (
        Rule("the one of a number", "1 = 1",
             lambda x: x.graph.leaf("constant", ones_like(x.value)) if not shape(x) else None),
    ),
    "zeros_like": (
        Rule("the zero of a number", "0 = 0",
             lambda x: x.graph.leaf("constant", zeros_like(x.value)) if not shape(x) else None),
    ),
    "transpose": (
        Rule("transposed twice", "(Aᵀ)ᵀ = A",
             lambda x, **axes: x.args[0] if came_from(x, transpose) and x.params == axes else None),
    ),
    "reshape": (
        Rule("it has that shape already", "reshape(a) = a",
             lambda x, *, shape: x if tuple(shape) == x.shape else None),
    ),
    "broadcast_to": (
        Rule("it has that shape already", "broadcast_to(a) = a",
             lambda x, *, shape: x if tuple(shape) == x.shape else None),
    ),
}  # fmt: skip
"""The rules that change no bit of a value (but perhaps the sign of a zero), tried in order."""


REORDERING: Table = {
    "multiply": (
        Rule(QUOTIENT, "a·(1/b) = a/b",
             lambda a, b: divide(a, b.args[0]) if came_from(b, reciprocal) else None),
        Rule(QUOTIENT, "(1/a)·b = b/a",
             lambda a, b: divide(b, a.args[0]) if came_from(a, reciprocal) else None),
        Rule(QUOTIENT, "a·(1/b) = a/b", _over_quotient),
        Rule(NUMBERS, "2·(3·a) = (2·3)·a",
             lambda a, b: multiply(a * b.args[0], b.args[1]) if is_written(a) and is_scaled(b) else None),
        Rule(NUMBER_OUT, "a·(c·b) = c·(a·b)",
             lambda a, b: multiply(b.args[0], multiply(a, b.args[1])) if is_scaled(b) else None),
        Rule(NUMBER_OUT, "(A/c) ⊙ B = (A ⊙ B)/c", _divisor_out),
        Rule("the denominator cancels", "c·n·(x/n) = c·x", _cancelled),
    ),
    "divide": (Rule(NUMBERS, "(2·a)/4 = a/2", _reduced),),
    "matmul": (
        Rule(SIGN_OUT, "(-A) @ B = -(A @ B)", _sign_out(matmul)),
        Rule(NUMBER_OUT, "(c·A) @ B = c·(A @ B)", _number_out(matmul)),
    ),
    "outer": (
        Rule(SIGN_OUT, "(-a) bᵀ = -(a bᵀ)", _sign_out(outer)),
        Rule(NUMBER_OUT, "(c·a) bᵀ = c·(a bᵀ)", _number_out(outer)),
    ),
    "transpose": (
        Rule("the sign moves out of the transpose", "(-A)ᵀ = -Aᵀ",
             lambda x, **axes: negative(transpose(negated(x), **axes)) if negated(x) is not None else None),
        Rule("the number moves out of the transpose", "(c·A)ᵀ = c·Aᵀ",
             lambda x, **axes: multiply(x.args[0], transpose(x.args[1], **axes))
             if is_scaled(x) and shape(x.args[1]) == shape(x) else None),
        Rule("the number moves out of the transpose", "(A/c)ᵀ = Aᵀ/c",
             lambda x, **axes: divide(transpose(x.args[0], **axes), x.args[1])
             if is_divided(x) and shape(x.args[0]) == shape(x) else None),
        Rule(TRANSPOSE, "(A @ B)ᵀ = Bᵀ @ Aᵀ", _transposed_product),
    ),
    "sum": (
        Rule("the sign moves out of the sum", "sum(-a) = -sum(a)",
             lambda x, **params: negative(sum(negated(x), **params)) if negated(x) is not None else None),
        Rule("the number moves out of the sum", "sum(c·a) = c·sum(a)",
             lambda x, **params: multiply(x.args[0], sum(x.args[1], **params)) if is_scaled(x) else None),
        Rule("the number moves out of the sum", "sum(a/c) = sum(a)/c",
             lambda x, **params: divide(sum(x.args[0], **params), x.args[1])
             if is_divided(x) and shape(x.args[0]) == shape(x) else None),
    ),
    "where": (
        Rule("the sign moves out of the selection", "(-a)·[s] = -(a·[s])", _sign_out_of_selection),
    ),
}  # fmt: skip
"""The rules that may round differently: right for derivatives, whose formulas nobody wrote."""
