"""Operations that move entries: reshapes, permutations, copies, joins. All are linear, so each states its
transpose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from wengert.ops.kinds import Case, Rule, joint, linear, shape
from wengert.ops.op import Op, grid, later

Shape = tuple[int, ...]
Parameters = Mapping[str, Any]


def positive(axis: int, ndim: int) -> int:
    """The axis counted from the front. Raises ValueError where there is no such axis."""
    if not -ndim <= axis < max(ndim, 1):
        raise ValueError(f"axis {axis} is out of bounds for an array with {ndim} axes")
    return axis % ndim if ndim else 0


def positive_axes(axis: int | Sequence[int] | None, ndim: int) -> Shape:
    """All the axes that ``axis`` names, counted from the front; None names every axis."""
    if axis is None:
        return tuple(range(ndim))
    return tuple(positive(a, ndim) for a in ([axis] if isinstance(axis, int) else axis))


def behind_batch(axis: int | Sequence[int] | None, inner: Shape) -> Any:
    """The same axes once a batch axis stands in front."""
    if isinstance(axis, int):
        return positive(axis, len(inner)) + 1
    return tuple(a + 1 for a in positive_axes(axis, len(inner)))


def _inverse(axes: Sequence[int]) -> Shape:
    return tuple(sorted(range(len(axes)), key=lambda k: axes[k] % len(axes)))


reshape: Op = linear(
    "reshape",
    transpose=lambda g, x, *, shape: reshape(g, shape=_shape(x)),
    batch=lambda p, n, inner: {"shape": (n, *complete_shape(p["shape"], inner))},
    parameters={"shape": ()},
    tex=r"\operatorname{{reshape}} {0}",
    chain_rule="pull-back of a reshape (to the old shape)",
    sample=[Case(grid(2, 6), shape=(3, 4)), Case(grid(6), shape=(2, -1))],
)
_shape: Rule = shape


def complete_shape(wanted: int | Sequence[int], inner: Shape) -> Shape:
    """The shape with its -1 worked out."""
    extents = (wanted,) if isinstance(wanted, int) else tuple(wanted)
    if -1 not in extents:
        return extents
    known = math.prod(e for e in extents if e != -1)
    return tuple(math.prod(inner) // known if e == -1 else e for e in extents)


transpose: Op = linear(
    "transpose",
    transpose=lambda g, x, *, axis0, axis1: transpose(g, axis0, axis1),
    batch=lambda p, n, inner: {k: positive(a, len(inner)) + 1 for k, a in p.items()},
    parameters={"axis0": -2, "axis1": -1},
    tex=r"{0}^{{\mathsf T}}",
    text="{0}ᵀ",
    aliases=("swapaxes", "matrix_transpose"),
    precedence=40,
    chain_rule="pull-back of a transpose (transposed back)",
    sample=[Case(grid(2, 3)), Case(grid(2, 3, 2), 0, 2)],
    doc="Exchange two axes; without parameters, the matrix transpose (the last two).",
)
permute: Op = linear(
    "permute",
    transpose=lambda g, x, *, axes: permute(g, axes=_inverse(axes)),
    batch=lambda p, n, inner: {"axes": (0, *(positive(a, len(inner)) + 1 for a in p["axes"]))},
    parameters={"axes": ()},
    tex=r"\operatorname{{permute}} {0}",
    aliases=("permute_dims",),
    sample=[Case(grid(2, 3, 2), axes=(2, 0, 1))],
)
squeeze = linear(
    "squeeze",
    transpose=lambda g, x, *, axis: reshape(g, shape=shape(x)),
    batch=lambda p, n, inner: {
        "axis": tuple(k + 1 for k, e in enumerate(inner) if e == 1)
        if p["axis"] is None
        else behind_batch(p["axis"], inner)
    },
    parameters={"axis": None},
    tex=r"\operatorname{{squeeze}} {0}",
    sample=[Case(grid(1, 3, 1)), Case(grid(1, 3, 1), axis=0)],
)
expand_dims = linear(
    "expand_dims",
    transpose=lambda g, x, *, axis: reshape(g, shape=shape(x)),
    batch=lambda p, n, inner: {"axis": p["axis"] + 1 if p["axis"] >= 0 else p["axis"]},
    parameters={"axis": 0},
    tex=r"\operatorname{{expand}} {0}",
    aliases=("unsqueeze",),
    sample=[Case(grid(3), axis=0), Case(grid(2, 3), axis=-1)],
)
broadcast_to = linear(
    "broadcast_to",
    transpose=lambda g, x, *, shape: unbroadcast(g, _shape(x)),
    batch=lambda p, n, inner: None if len(p["shape"]) != len(inner) else {"shape": (n, *p["shape"])},
    parameters={"shape": ()},
    tex=r"\operatorname{{broadcast}} {0}",
    chain_rule="pull-back of a repetition (the sum of the copies)",
    sample=[Case(grid(3), shape=(2, 3)), Case(grid(2, 1), shape=(2, 3))],
)
flip: Op = linear(
    "flip",
    transpose=lambda g, x, *, axis: flip(g, axis=axis),
    batch=lambda p, n, inner: {"axis": behind_batch(p["axis"], inner)},
    parameters={"axis": None},
    tex=r"\operatorname{{flip}} {0}",
    sample=[Case(grid(2, 3)), Case(grid(2, 3), axis=1)],
)


def _opposite(shift: int | Sequence[int]) -> Any:
    return -shift if isinstance(shift, int) else tuple(-s for s in shift)


roll: Op = linear(
    "roll",
    transpose=lambda g, x, *, shift, axis: roll(g, shift=_opposite(shift), axis=axis),
    batch=lambda p, n, inner: (
        None if p["axis"] is None else {"shift": p["shift"], "axis": behind_batch(p["axis"], inner)}
    ),
    parameters={"shift": 1, "axis": None},
    tex=r"\operatorname{{roll}} {0}",
    sample=[Case(grid(2, 3), shift=1, axis=1), Case(grid(5), shift=-2)],
)


def _tile_transpose(g: Any, x: Any, *, reps: Any) -> Any:
    reps = (reps,) if isinstance(reps, int) else tuple(reps)
    inner = (1,) * (len(reps) - len(shape(x))) + shape(x)
    reps = (1,) * (len(inner) - len(reps)) + reps
    split_shape = tuple(e for pair in zip(reps, inner, strict=True) for e in pair)
    return reshape(
        later.sum(reshape(g, shape=split_shape), axis=tuple(range(0, 2 * len(inner), 2))),
        shape=shape(x),
    )


tile = linear(
    "tile",
    transpose=_tile_transpose,
    parameters={"reps": 1},
    tex=r"\operatorname{{tile}} {0}",
    sample=[Case(grid(2, 3), reps=(2, 2)), Case(grid(3), reps=2)],
)


def _repeat_transpose(g: Any, x: Any, *, repeats: int, axis: int | None) -> Any:
    if not isinstance(repeats, int):
        raise TypeError(
            f"repeat: the derivative needs repeats as one whole number, got {repeats!r}; use take"
        )
    source = shape(x) if axis is not None else (math.prod(shape(x)),)
    k = positive(axis or 0, len(source))
    counted = reshape(g, shape=(*source[: k + 1], repeats, *source[k + 1 :]))
    return reshape(later.sum(counted, axis=k + 1), shape=shape(x))


repeat = linear(
    "repeat",
    transpose=_repeat_transpose,
    batch=lambda p, n, inner: (
        None if p["axis"] is None else {"repeats": p["repeats"], "axis": behind_batch(p["axis"], inner)}
    ),
    parameters={"repeats": 1, "axis": None},
    tex=r"\operatorname{{repeat}} {0}",
    aliases=("repeat_interleave",),
    sample=[Case(grid(2, 3), repeats=2, axis=1), Case(grid(2, 2), repeats=3)],
)


def _pad_widths(width: Any, ndim: int) -> tuple[tuple[int, int], ...]:
    if isinstance(width, int):
        return ((width, width),) * ndim
    if all(isinstance(w, int) for w in width):
        return ((width[0], width[1]),) * ndim
    return tuple((int(w[0]), int(w[1])) for w in width)


def _unpad(g: Any, x: Any, *, pad_width: Any) -> Any:
    widths = _pad_widths(pad_width, len(shape(x)))
    key = tuple(slice(before, before + n) for (before, _), n in zip(widths, shape(x), strict=True))
    return later.getitem(g, key)


pad = linear(
    "pad",
    transpose=_unpad,
    batch=lambda p, n, inner: {"pad_width": ((0, 0), *_pad_widths(p["pad_width"], len(inner)))},
    parameters={"pad_width": 0},
    tex=r"\operatorname{{pad}} {0}",
    sample=[Case(grid(2, 3), pad_width=((1, 0), (2, 1))), Case(grid(3), pad_width=1)],
    doc="Zeros around the array; pad_width as in numpy.pad.",
)
tril: Op = linear(
    "tril",
    transpose=lambda g, x, *, k: tril(g, k=k),
    batch=lambda p, n, inner: p,
    parameters={"k": 0},
    tex=r"\operatorname{{tril}} {0}",
    sample=[Case(grid(3, 3)), Case(grid(2, 3), k=1)],
)
triu: Op = linear(
    "triu",
    transpose=lambda g, x, *, k: triu(g, k=k),
    batch=lambda p, n, inner: p,
    parameters={"k": 0},
    tex=r"\operatorname{{triu}} {0}",
    sample=[Case(grid(3, 3)), Case(grid(2, 3), k=-1)],
)


def _diag_transpose(g: Any, x: Any, *, k: int) -> Any:
    if len(shape(x)) == 1:
        return diag(g, k=k)
    m, n = shape(x)
    square = diag(g, k=k)
    rows, columns = min(m, shape(square)[0]), min(n, shape(square)[1])
    return pad(
        later.getitem(square, (slice(rows), slice(columns))), pad_width=((0, m - rows), (0, n - columns))
    )


diag = linear(
    "diag",
    transpose=_diag_transpose,
    parameters={"k": 0},
    tex=r"\operatorname{{diag}} {0}",
    sample=[Case(grid(3)), Case(grid(3, 3)), Case(grid(2, 4), k=1), Case(grid(4, 2), k=-1)],
    doc="A vector's diagonal matrix, or a matrix's k-th diagonal.",
)


def _is_complex(x: Any) -> bool:
    return getattr(getattr(x, "dtype", None), "kind", None) == "c"


astype: Op = linear(
    "astype",
    transpose=lambda g, x, *, dtype: astype(
        real(g) if _is_complex(g) and not _is_complex(x) else g, dtype=getattr(x, "dtype", float)
    ),
    batch=lambda p, n, inner: p,
    parameters={"dtype": "float64"},
    tex="{0}",
    sample=[Case(grid(3), dtype="float64")],
)
real: Op = linear(
    "real",
    transpose=lambda g, x: g,
    batch=lambda p, n, inner: p,
    tex=r"\operatorname{{Re}} {0}",
    sample=[Case(grid(3))],
)
imag = linear(
    "imag",
    transpose=lambda g, x: g * -1j,
    batch=lambda p, n, inner: p,
    tex=r"\operatorname{{Im}} {0}",
)


def _split_adjoint(g: Any, xs: Sequence[Any], *, axis: int) -> list[Any]:
    k, start, parts = positive(axis, len(shape(xs[0]))), 0, []
    for x in xs:
        stop = start + shape(x)[k]
        parts.append(later.getitem(g, (*[slice(None)] * k, slice(start, stop))))
        start = stop
    return parts


concatenate = joint(
    "concatenate",
    transpose=_split_adjoint,
    batch=lambda p, n, inner: {"axis": positive(p["axis"], len(inner)) + 1},
    parameters={"axis": 0},
    tex=r"\operatorname{{concatenate}}({0})",
    aliases=("concat", "cat"),
    sample=[Case([grid(2, 3), grid(1, 3, shift=9)]), Case([grid(2, 1), grid(2, 2, shift=9)], axis=1)],
)
stack = joint(
    "stack",
    transpose=lambda g, xs, *, axis: [
        later.getitem(g, (*[slice(None)] * positive(axis, len(shape(xs[0])) + 1), k)) for k in range(len(xs))
    ],
    batch=lambda p, n, inner: {"axis": positive(p["axis"], len(inner) + 1) + 1},
    parameters={"axis": 0},
    tex=r"\operatorname{{stack}}({0})",
    sample=[Case([grid(2, 3), grid(2, 3, shift=9)]), Case([grid(2), grid(2, shift=9)], axis=-1)],
)


def _restacked(g: Sequence[Any], x: Any, *, axis: int) -> Any:
    k = positive(axis, len(shape(x)))
    part = next(part for part in g if part is not None)
    return stack.apply(tuple(part * 0 if p is None else p for p in g), {"axis": k})


unstack = linear(
    "unstack",
    transpose=_restacked,
    batch=lambda p, n, inner: {"axis": behind_batch(p["axis"], inner)},
    parameters={"axis": 0},
    tex=r"\operatorname{{unstack}} {0}",
    aliases=("unbind",),
    sample=[Case(grid(2, 3)), Case(grid(2, 3), axis=-1)],
    doc="The parts of an array along an axis, as a tuple: the inverse of stack.",
)


def split(x: Any, sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """Parts of an array along an axis, as `numpy.split`: a number of equal parts, or the indices to cut at.

    >>> import wengert
    >>> [part.tolist() for part in wengert.split(wengert.tensor([1.0, 2.0, 3.0, 4.0]), 2)]
    [[1.0, 2.0], [3.0, 4.0]]
    """
    k = positive(axis, len(shape(x)))
    n = shape(x)[k]
    if isinstance(sections, int):
        if sections < 1 or n % sections:
            raise ValueError(
                f"split: axis {axis} has {n} entries, which do not part into {sections} equal sections"
            )
        cuts = [n // sections * j for j in range(1, sections)]
    else:
        cuts = list(sections)
    bounds = [0, *cuts, n]
    return [later.getitem(x, (*[slice(None)] * k, slice(a, b))) for a, b in pairwise(bounds)]


def unbroadcast(g: Any, wanted: Shape) -> Any:
    """Undo a broadcast: sum an adjoint over the axes that the forward operation repeated."""
    have = shape(g)
    if have == wanted:
        return g
    extra = len(have) - len(wanted)
    repeated = tuple(range(extra)) + tuple(
        extra + k for k, n in enumerate(wanted) if n == 1 and have[extra + k] != 1
    )
    if repeated:
        g = later.sum.apply((g,), {"axis": repeated, "keepdims": False})
    return g if shape(g) == wanted else reshape(g, shape=wanted)
