"""Products of arrays: bilinear operations, each with a transpose per argument."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from wengert.ops.arithmetic import where, zeros_like
from wengert.ops.kinds import Case, bilinear, composite, shape, total
from wengert.ops.op import Op, grid, later
from wengert.ops.shape import broadcast_to, expand_dims, permute, positive, reshape, transpose


def _matmul_left(g: Any, a: Any, b: Any) -> Any:
    if len(shape(b)) == 1:
        return g * b if not shape(g) else outer(g, b) if len(shape(g)) == 1 else expand_dims(g, axis=-1) * b
    if len(shape(a)) == 1:
        return reshape(matmul(b, expand_dims(g, axis=-1)), shape=(*shape(b)[:-2], shape(b)[-2]))
    return matmul(g, transpose(b))


def _matmul_right(g: Any, a: Any, b: Any) -> Any:
    if len(shape(a)) == 1:
        return a * g if not shape(g) else expand_dims(a, axis=-1) * expand_dims(g, axis=-2)
    if len(shape(a)) == 2:
        return matmul(transpose(a), g)
    if len(shape(b)) == 1:
        summed = matmul(transpose(a), expand_dims(g, axis=-1))
        return reshape(summed, shape=(*shape(a)[:-2], shape(a)[-1]))
    return matmul(transpose(a), g)


matmul = bilinear(
    "matmul",
    transpose=(_matmul_left, _matmul_right),
    infix="@",
    precedence=20,
    tex="{0} {1}",
    aliases=("mm", "bmm"),
    chain_rule=(
        "pull-back of a matrix product to its left factor",
        "pull-back of a matrix product to its right factor",
    ),
    sample=[
        Case(grid(2, 3), grid(3, 2, shift=9)),
        Case(grid(3), grid(3, shift=9)),
        Case(grid(2, 3), grid(3, shift=9)),
        Case(grid(3), grid(3, 2, shift=9)),
        Case(grid(2, 2, 3), grid(3, 2, shift=9)),
        Case(grid(2, 1, 2, 3), grid(2, 3, 2, shift=9)),
    ],
)
outer = bilinear(
    "outer",
    transpose=(
        lambda g, a, b: reshape(matmul(g, reshape(b, shape=(-1,))), shape=shape(a)),
        lambda g, a, b: reshape(matmul(transpose(g), reshape(a, shape=(-1,))), shape=shape(b)),
    ),
    tex=r"{0} {1}^{{\mathsf T}}",
    text="{0} {1}ᵀ",
    precedence=20,
    chain_rule=(
        "pull-back of an outer product to its left factor",
        "pull-back of an outer product to its right factor",
    ),
    sample=[Case(grid(2), grid(3, shift=9))],
)


def _tensordot(a: Any, b: Any, *, axes: Any) -> Any:
    if isinstance(axes, int):
        left: Sequence[int] = range(len(shape(a)) - axes, len(shape(a)))
        right: Sequence[int] = range(axes)
    else:
        left, right = ([k] if isinstance(k, int) else list(k) for k in axes)
    left = [positive(k, len(shape(a))) for k in left]
    right = [positive(k, len(shape(b))) for k in right]
    free_a = [k for k in range(len(shape(a))) if k not in left]
    free_b = [k for k in range(len(shape(b))) if k not in right]
    inner = math.prod(shape(a)[k] for k in left)
    outer_a, outer_b = tuple(shape(a)[k] for k in free_a), tuple(shape(b)[k] for k in free_b)
    rows = reshape(permute(a, axes=(*free_a, *left)), shape=(math.prod(outer_a), inner))
    columns = reshape(permute(b, axes=(*right, *free_b)), shape=(inner, math.prod(outer_b)))
    return reshape(matmul(rows, columns), shape=(*outer_a, *outer_b))


tensordot = composite(
    "tensordot",
    _tensordot,
    arity=2,
    parameters={"axes": 2},
    tex=r"\operatorname{{tensordot}}({0}, {1})",
    sample=[
        Case(grid(2, 3, 2), grid(3, 2, 2, shift=9)),
        Case(grid(2, 3), grid(4, 3, shift=9), axes=([1], [1])),
        Case(grid(2), grid(3, shift=9), axes=0),
    ],
)
inner = composite(
    "inner",
    lambda a, b: _tensordot(a, b, axes=([-1], [-1])) if shape(a) and shape(b) else a * b,
    arity=2,
    tex=r"\langle {0}, {1} \rangle",
    sample=[Case(grid(3), grid(3, shift=9)), Case(grid(2, 3), grid(4, 3, shift=9))],
)


def _kron(a: Any, b: Any) -> Any:
    ndim = max(len(shape(a)), len(shape(b)))
    left = (1,) * (ndim - len(shape(a))) + shape(a)
    right = (1,) * (ndim - len(shape(b))) + shape(b)
    spread_a = reshape(a, shape=tuple(e for n in left for e in (n, 1)))
    spread_b = reshape(b, shape=tuple(e for n in right for e in (1, n)))
    return reshape(spread_a * spread_b, shape=tuple(m * n for m, n in zip(left, right, strict=True)))


kron = composite(
    "kron",
    _kron,
    arity=2,
    tex=r"{0} \otimes {1}",
    sample=[Case(grid(2, 2), grid(2, 3, shift=9)), Case(grid(2), grid(3, shift=9))],
)


class Einsum(Op):
    """Einstein summation: linear in each operand. The transpose for one operand is again an einsum, of the
    adjoint and the other operands."""

    def bind(
        self, args: tuple[Any, ...], params: dict[str, Any]
    ) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        subscripts, *operands = args if "subscripts" not in params else (params["subscripts"], *args)
        if not isinstance(subscripts, str):
            raise TypeError(
                f"einsum: expected the subscripts first, such as 'ij,jk->ik', got {subscripts!r:.40}"
            )
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = list(operands[0])
        sources, target = explicit_subscripts(subscripts, [shape(a) for a in operands]).split("->")
        words = sources.split(",")
        for k, word in enumerate(words):
            while len(set(word)) < len(word):
                word, operands[k] = _diagonal(word, operands[k])
            words[k] = word
        return tuple(operands), {"subscripts": f"{','.join(words)}->{target}"}

    def vjp(
        self,
        adjoint: Any,
        args: tuple[Any, ...],
        result: Any,
        params: Mapping[str, Any],
        parents: Sequence[Any],
    ) -> Sequence[Any]:
        sources, target = params["subscripts"].split("->")
        return [
            _einsum_transpose(adjoint, args, sources.split(","), target, k) if parent is not None else None
            for k, parent in enumerate(parents)
        ]

    def jvp(
        self, tangents: Sequence[Any], args: tuple[Any, ...], result: Any, params: Mapping[str, Any]
    ) -> Any:
        terms = [
            self.apply((*args[:k], t, *args[k + 1 :]), params)
            for k, t in enumerate(tangents)
            if t is not None
        ]
        total = terms[0] if terms else None
        for term in terms[1:]:
            total = total + term
        return total


def explicit_subscripts(subscripts: str, shapes: Sequence[tuple[int, ...]]) -> str:
    """The subscripts with letters for every ellipsis and with the result written out."""
    sources, arrow, target = subscripts.replace(" ", "").partition("->")
    inputs = sources.split(",")
    if len(inputs) != len(shapes):
        raise ValueError(f"einsum: {subscripts!r} names {len(inputs)} operands, got {len(shapes)}")
    spare = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in subscripts]
    batch = ""
    for k, (word, extents) in enumerate(zip(inputs, shapes, strict=True)):
        hidden = len(extents) - len(word.replace("...", "")) if "..." in word else 0
        letters = "".join(spare[:hidden][::-1])
        batch = max(batch, letters, key=len)
        inputs[k] = word.replace("...", letters)
        if len(inputs[k]) != len(extents):
            raise ValueError(
                f"einsum: operand {k} of {subscripts!r} has {len(word)} subscripts but shape {extents}"
            )
    if arrow:
        target = target.replace("...", batch)
    else:
        joined = "".join(inputs)
        target = batch + "".join(sorted(c for c in set(joined) if joined.count(c) == 1 and c not in batch))
    return f"{','.join(inputs)}->{target}"


def _diagonal(word: str, a: Any) -> tuple[str, Any]:
    """An operand whose subscripts repeat a letter, as its diagonal over the two axes, the letter once."""
    letter = next(c for c in word if word.count(c) > 1)
    p = word.index(letter)
    q = word.index(letter, p + 1)
    if shape(a)[p] != shape(a)[q]:
        raise ValueError(
            f"einsum: {letter!r} names the extents {shape(a)[p]} and {shape(a)[q]} of one operand"
        )
    rest = [k for k in range(len(word)) if k not in (p, q)]
    square = permute(a, axes=(*rest, p, q))
    entries = later.sum(where(later.identity_mask(square), square, zeros_like(square)), axis=-1)
    return "".join(word[k] for k in rest) + letter, entries


def _einsum_transpose(g: Any, args: Sequence[Any], sources: list[str], target: str, k: int) -> Any:
    own = sources[k]
    others = [(s, a) for j, (s, a) in enumerate(zip(sources, args, strict=True)) if j != k]
    reachable = set(target).union(*(s for s, _ in others)) if others else set(target)
    present = "".join(c for c in own if c in reachable)
    words = ",".join([target, *(s for s, _ in others)])
    partial = einsum(f"{words}->{present}", g, *(a for _, a in others))
    if present == own:
        return partial
    kept = tuple(n if c in present else 1 for c, n in zip(own, shape(args[k]), strict=True))
    return broadcast_to(reshape(partial, shape=kept), shape=shape(args[k]))


einsum = Einsum(
    "einsum",
    arity=None,
    parameters={"subscripts": ""},
    tex=r"\operatorname{{einsum}}({0})",
    sample=[
        Case("ij,jk->ik", grid(2, 3), grid(3, 2, shift=9)),
        Case("ij->j", grid(2, 3)),
        Case("bij,bjk", grid(2, 2, 3), grid(2, 3, 2, shift=9)),
        Case("...i,...i->...", grid(2, 3), grid(2, 3, shift=9)),
        Case("i,j,k->ijk", grid(2), grid(2, shift=5), grid(3, shift=9)),
    ],
)


def _linear_weight(g: Any, y: Any, x: Any, w: Any, b: Any) -> Any:
    if len(shape(x)) == 1:
        return outer(g, x)
    if len(shape(x)) > 2:
        rows = (math.prod(shape(g)[:-1]), -1)
        g, x = reshape(g, shape=rows), reshape(x, shape=rows)
    return matmul(transpose(g), x)


def _linear_jvp(tangents: Sequence[Any], y: Any, x: Any, w: Any, b: Any) -> Any:
    dx, dw, db = tangents
    return total(
        [
            None if dx is None else matmul(dx, transpose(w)),
            None if dw is None else matmul(x, transpose(dw)),
            None if db is None else broadcast_to(db, shape=shape(y)),
        ]
    )


linear = composite(
    "linear",
    lambda x, w, b: matmul(x, transpose(w)) + b,
    public=False,
    arity=3,
    vjp=(lambda g, y, x, w, b: matmul(g, w), _linear_weight, lambda g, y, x, w, b: g),
    jvp=_linear_jvp,
    tex=r"{0} {1}^{{\mathsf T}} + {2}",
    text="{0} {1}ᵀ + {2}",
    precedence=10,
    sample=[
        Case(grid(4, 3), grid(2, 3, shift=9), grid(2, shift=5)),
        Case(grid(3), grid(2, 3, shift=9), grid(2, shift=5)),
        Case(grid(2, 2, 3), grid(2, 3, shift=9), grid(2, shift=5)),
    ],
    doc="x wᵀ + b: a layer of a network, with weights of shape (outputs, inputs).",
)
