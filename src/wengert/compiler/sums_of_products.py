"""Einstein sums in the words of kernels: products of matrices, and sums over products entry by entry.

Two operands at a time, from the left: letters that nothing else needs are added up. A letter of both operands
that stays is an axis of matrices side by side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from wengert.compiler.canonical import elementwise, matrix_product, reduced
from wengert.compiler.casts import cast
from wengert.compiler.lines import Line
from wengert.compiler.programs import Program, rebuilt
from wengert.compiler.views import permuted, reshaped
from wengert.ops.op import later
from wengert.ops.products import explicit_subscripts

Labelled = tuple[str, Line]
"""A line, and a letter for each of its axes."""


def without_einsum(program: Program) -> Program:
    """The program with its Einstein sums written out, where their extents and dtypes allow it."""
    if not any(line.name == "einsum" for line in program.lines()):
        return program
    return rebuilt(program, None, _written_out)


def _written_out(line: Line, args: tuple[Line, ...]) -> Line | None:
    if line.name != "einsum" or line.dtype.name not in ("float32", "float64"):
        return None
    if any(a.dtype.kind != "f" or not a.entries for a in args):
        return None
    args = tuple(cast(a, line.dtype) for a in args)
    subscripts = explicit_subscripts(line.params["subscripts"], [a.shape for a in args])
    words, target = subscripts.split("->")
    operands: list[Labelled] = list(zip(words.split(","), args, strict=True))
    extents: dict[str, int] = {}
    for word, a in operands:
        if len(set(word)) != len(word):
            return None
        for letter, n in zip(word, a.shape, strict=True):
            if extents.setdefault(letter, n) != n:
                return None
    found = operands[0]
    for k, other in enumerate(operands[1:], 2):
        needed = set(target).union(*(word for word, _ in operands[k:]))
        found = _product(
            _summed(found, needed | set(other[0])), _summed(other, needed | set(found[0])), needed
        )
    word, total = _summed(found, set(target))
    return permuted(total, tuple(word.index(letter) for letter in target))


def _summed(operand: Labelled, needed: set[str]) -> Labelled:
    """The operand without the letters that nothing needs."""
    word, x = operand
    axes = tuple(k for k, letter in enumerate(word) if letter not in needed)
    if not axes:
        return operand
    longer = tuple(k for k in axes if x.shape[k] > 1)
    if longer:
        x = reduced(later.sum, x, longer, x.dtype)
    left = [k for k in range(len(word)) if k not in axes]
    return "".join(word[k] for k in left), reshaped(x, tuple(x.shape[k] for k in left))


def _product(left: Labelled, right: Labelled, needed: set[str]) -> Labelled:
    """Two operands as one."""
    a_word, b_word = left[0], right[0]
    both = [letter for letter in a_word if letter in b_word]
    beside = [letter for letter in both if letter in needed]
    inner = [letter for letter in both if letter not in needed]
    rows = [letter for letter in a_word if letter not in both]
    columns = [letter for letter in b_word if letter not in both]
    if inner and rows and columns:
        return _matrix_product(left, right, beside, rows, inner, columns)
    word = "".join([*beside, *rows, *columns, *inner])
    product = elementwise(left[1].lines, later.multiply, (_spread(left, word), _spread(right, word)), {})
    return _summed((word, product), needed)


def _spread(operand: Labelled, word: str) -> Line:
    """The operand with an axis for each letter of a word, of one entry where it has none."""
    own, x = operand
    x = permuted(x, tuple(own.index(letter) for letter in word if letter in own))
    extents = iter(x.shape)
    return reshaped(x, tuple(next(extents) if letter in own else 1 for letter in word))


def _matrix_product(
    left: Labelled, right: Labelled, beside: list[str], rows: list[str], inner: list[str], columns: list[str]
) -> Labelled:
    a = _as_matrix(left, beside, rows, inner)
    b = _as_matrix(right, beside, inner, columns)
    product = matrix_product(a, b)
    extents = dict(zip(left[0], left[1].shape, strict=True)) | dict(
        zip(right[0], right[1].shape, strict=True)
    )
    word = [*beside, *rows, *columns]
    return "".join(word), reshaped(product, tuple(extents[letter] for letter in word))


def _as_matrix(operand: Labelled, beside: list[str], rows: list[str], columns: Sequence[str]) -> Line:
    """The operand as matrices side by side."""
    word, x = operand
    x = permuted(x, tuple(word.index(letter) for letter in (*beside, *rows, *columns)))
    first, last = len(beside), len(beside) + len(rows)
    return reshaped(x, (*x.shape[:first], math.prod(x.shape[first:last]), math.prod(x.shape[last:])))
