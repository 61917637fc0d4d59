"""Formulas of adjoints in the convention of derivatives, where the adjoint of a column is a row.

With ``D = y - W x`` and gradients as columns, backpropagation reads ``x̄ = Wᵀ @ (-D̄)``. With derivatives
as rows it reads ``x̄ = -D̄ @ W``: the transpose of it, with the adjoints of columns as rows in it. Adjoints of
numbers and of matrices are the same in both.
"""

from __future__ import annotations

from typing import Any

from wengert.numbers.graph import Node
from wengert.ops.kinds import Discrete, Elementwise, Select, shape
from wengert.ops.products import matmul, outer
from wengert.ops.shape import broadcast_to, transpose
from wengert.worksheets.formula import Label, composed
from wengert.worksheets.worksheet import Formula
from wengert.worksheets.written import ATOM, LooseName, Written, number, repeated, transposed, written_text


def write_derivative(adjoint: Node, of: Node, label: Label) -> Formula:
    """The formula of the adjoint of a value, in the labels of others. A column's is written as a row."""
    root = (adjoint, is_column(of))
    done: dict[tuple[int, bool], Written] = {}
    waiting = [root]
    while waiting:  # not by recursion: a formula may be thousands of operations deep
        x, turned = waiting[-1]
        parts = _parts(x, turned, label)
        missing = [part for part in parts if type(part[0]) is Node and _key(part) not in done]
        if missing:
            waiting += missing
            continue
        written = [done[_key(part)] if type(part[0]) is Node else number(part[0]) for part in parts]
        done[_key((x, turned))] = _joined(x, turned, label, written)
        waiting.pop()
    return done[_key(root)].formula


def is_column(x: Any) -> bool:
    """Whether a value is a vector: its derivative is a row."""
    extents = shape(x)
    return len(extents) == 1 or (len(extents) == 2 and extents[1] == 1)


Part = tuple[Any, bool]
"""A node or a number, and whether it is written transposed."""


def _key(part: Part) -> tuple[int, bool]:
    return part[0].id, part[1]


def _parts(x: Node, turned: bool, label: Label) -> list[Part]:
    """What a formula, or the transpose of it, is written from."""
    op = x.op
    if label(x) is not None:
        return []
    if op is None:
        return [(x.args[0], turned)] if x.args else []
    turned = turned and bool(shape(x))
    if op is transpose and len(shape(x)) == 2:
        return [(x.args[0], not turned)]
    if op is outer:
        a, b = x.args[::-1] if turned else x.args
        return [(a, False), (b, True)]
    if _is_product_of_matrices(x) and turned:
        return [(a, True) for a in x.args[::-1]]
    if isinstance(op, (Elementwise, Select)) or (isinstance(op, Discrete) and op.infix):
        return [(a, turned) for a in x.args]
    return [(a, False) for a in x.args]


def _joined(x: Node, turned: bool, label: Label, parts: list[Written]) -> Written:
    """A formula, or the transpose of it, from its parts."""
    op, name = x.op, label(x)
    if name is not None:
        is_row = x.of is not None and is_column(x.of)
        loose = name.precedence if isinstance(name, LooseName) else ATOM
        written = Written(name.text, name.latex, loose)
        return transposed(written) if shape(x) and turned is not is_row else written
    if op is None:
        return parts[0] if parts else written_text(x.name) if x.name else number(x.value)
    turned = turned and bool(shape(x))
    if op is transpose and len(shape(x)) == 2:
        return parts[0]
    if op is outer:
        left, right = parts[0].within(matmul.precedence), parts[1].within(matmul.precedence + 1)
        text, latex = f"{left.text} @ {right.text}", f"{left.latex} {right.latex}"
        return Written(text, latex, matmul.precedence, "@")
    if op is broadcast_to and turned and not shape(x.args[0]):
        return repeated(parts[0], (1, shape(x)[0]))
    plain = composed(x, parts)
    entrywise = isinstance(op, (Elementwise, Select)) or (isinstance(op, Discrete) and op.infix)
    return transposed(plain) if turned and not entrywise and not _is_product_of_matrices(x) else plain


def _is_product_of_matrices(x: Node) -> bool:
    return x.op is matmul and all(len(shape(a)) <= 2 for a in x.args)
