"""Reshapes, repetitions and permutations moved out of the way of arithmetic, so that neighbouring operations
run over one space, and a matrix's transpose ends as an operand of a product or as a result.

Repetitions vanish where the arithmetic repeats anyway. A reshape that takes away axes of extent 1 moves
behind what uses it; a permutation of all the matrices of an operation becomes one of its result.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wengert.compiler.lines import Line, Shape, without_leading_ones, without_ones
from wengert.compiler.passes.forms import (
    ELEMENTWISE,
    Rule,
    common_shape,
    is_flat,
    made,
    rearranged,
    reduced,
    spread,
)
from wengert.compiler.views import reshaped
from wengert.ops.op import Op, lookup

# -- in elementwise operations
# ------------------------------------------------------------------------------------------------------------


def _without_repetition(op: Op) -> Rule:
    """Arguments are not repeated before an operation that repeats them itself."""

    def rule(*args: Line, **params: Any) -> Line | None:
        for a in args:
            if a.name == "broadcast_to" or a.name == "reshape":
                break
        else:
            return None
        shape = common_shape(*(a.shape for a in args))
        bare = [_bare(a) for a in args]
        if all(x is a for x, a in zip(bare, args, strict=True)):
            return None
        kept = list(bare)
        for k, (x, a) in enumerate(zip(bare, args, strict=True)):
            # A shape that only a reshape brings about stays; a repeated result is one of fewer entries.
            if (
                x is not a
                and a.name == "reshape"
                and len(common_shape(*(y.shape for y in kept))) < len(shape)
            ):
                kept[k] = a
        if all(x is a for x, a in zip(kept, args, strict=True)):
            return None
        return spread(made(op, *kept, **params), shape)

    return rule


def _bare(line: Line) -> Line:
    """What an operation that repeats its arguments may take instead of a line."""
    if line.name == "broadcast_to":
        return line.args[0]
    if line.name == "reshape" and without_leading_ones(line.shape) == without_leading_ones(
        line.args[0].shape
    ):
        return line.args[0]
    return line


def _behind_reshape(op: Op) -> Rule:
    """A reshape that takes away axes of extent 1 moves behind the operation."""

    def rule(*args: Line, **params: Any) -> Line | None:
        for a in args:
            if a.name == "reshape" and a.args[0].op is not None and _takes_ones_away(a):
                break
        else:
            return None
        shape = common_shape(*(b.shape for b in args))
        if a.shape != shape:
            return None
        whole = a.args[0].shape
        places = _matching_axes(shape, whole)
        inner = [_in_space(b, shape, whole, places) for b in args]
        return reshaped(made(op, *inner, **params), shape)

    return rule


def _takes_ones_away(line: Line) -> bool:
    source = line.args[0].shape
    return len(source) > line.ndim and without_ones(source) == without_ones(line.shape)


def _matching_axes(shape: Shape, other: Shape) -> list[int | None]:
    """For each axis of ``other`` the axis of ``shape`` that it is; None for an axis of extent 1."""
    longer = iter(k for k, n in enumerate(shape) if n != 1)
    return [next(longer) if n != 1 else None for n in other]


def _in_space(line: Line, shape: Shape, other: Shape, places: list[int | None]) -> Line:
    """An operand of an operation of ``shape``, for the same operation in the shape ``other``."""
    if not line.shape:
        return line
    if line.name == "reshape" and line.args[0].shape == other:
        return line.args[0]
    held = (1,) * (len(shape) - line.ndim) + line.shape
    return reshaped(line, tuple(1 if k is None else held[k] for k in places))


def _behind_permutation(op: Op) -> Rule:
    """The same permutation of all matrices among the arguments moves behind the operation."""

    def rule(*args: Line, **params: Any) -> Line | None:
        for a in args:
            if a.name == "permute":
                break
        else:
            return None
        axes = a.params["axes"]
        shape = common_shape(*(b.shape for b in args))
        if len(shape) != len(axes):
            return None
        inner = []
        for b in args:
            if b.name == "permute" and b.params["axes"] == axes:
                inner.append(b.args[0])
            elif is_flat(b):
                inner.append(_unpermuted(b, axes))
            else:
                return None
        return rearranged(made(op, *inner, **params), axes)

    return rule


def _unpermuted(line: Line, axes: Shape) -> Line:
    """A line with at most one axis longer than 1, for the operation in the order before a permutation."""
    if not line.shape:
        return line
    held = (1,) * (len(axes) - line.ndim) + line.shape
    return reshaped(line, tuple(held[axes.index(k)] for k in range(len(axes))))


# -- in reductions
# ------------------------------------------------------------------------------------------------------------


def _reduction(op: Op) -> Rule:
    """Without axes of extent 1, behind permutations and reshapes, and a reduction of the like in one go."""

    def rule(x: Line, *, axis: Shape, keepdims: bool) -> Line | None:
        if (op.name == "sum" and x.dtype.kind != "f") or (op.name in ("any", "all") and x.dtype.kind != "b"):
            return None
        if any(x.shape[k] == 1 for k in axis):
            return reduced(op, x, axis, x.dtype)
        if x.name == op.name and not any(x.shape[k] == 0 for k in axis):
            return reduced(op, x.args[0], tuple({*axis, *x.params["axis"]}), x.dtype)
        if x.name == "permute":
            axes = x.params["axes"]
            return rearranged(reduced(op, x.args[0], [axes[k] for k in axis], x.dtype), axes)
        if x.name == "reshape" and without_ones(x.shape) == without_ones(x.args[0].shape):
            places = _matching_axes(x.shape, x.args[0].shape)
            inner = reduced(op, x.args[0], [k for k, place in enumerate(places) if place in axis], x.dtype)
            return reshaped(inner, tuple(1 if k in axis else n for k, n in enumerate(x.shape)))
        return None

    return rule


def _extreme_of_repeated(op: Op) -> Rule:
    """Among repeated entries one is the largest or the smallest."""

    def rule(x: Line, *, axis: Shape, keepdims: bool) -> Line | None:
        if x.name != "broadcast_to" or any(x.shape[k] == 0 for k in axis):
            return None
        if op.name in ("any", "all") and x.dtype.kind != "b":
            return None
        y = x.args[0]
        y = reshaped(y, (1,) * (x.ndim - y.ndim) + y.shape) if y.ndim < x.ndim else y
        kept = tuple(1 if k in axis else n for k, n in enumerate(x.shape))
        return spread(reduced(op, y, [k for k in axis if y.shape[k] != 1], x.dtype), kept)

    return rule


# -- among themselves
# ------------------------------------------------------------------------------------------------------------


def _reshape(x: Line, *, shape: Shape) -> Line | None:
    if x.name == "reshape":
        return reshaped(x.args[0], shape)
    if x.name == "broadcast_to" and without_ones(shape) == without_ones(x.shape):
        (y,) = x.args
        held = (1,) * (x.ndim - y.ndim) + y.shape
        places = _matching_axes(x.shape, shape)
        return spread(reshaped(y, tuple(1 if k is None else held[k] for k in places)), shape)
    return None


def _permute(x: Line, *, axes: Shape) -> Line | None:
    longer = [k for k in axes if x.shape[k] != 1]
    if longer == sorted(longer):
        return reshaped(x, tuple(x.shape[k] for k in axes))
    if x.name == "permute":
        before = x.params["axes"]
        return rearranged(x.args[0], tuple(before[k] for k in axes))
    if x.name == "reshape" and without_ones(x.shape) == without_ones(x.args[0].shape):
        places = _matching_axes(x.shape, x.args[0].shape)
        ones = [k for k, place in enumerate(places) if place is None]
        order = [places.index(k) for k in axes if x.shape[k] != 1]
        return reshaped(rearranged(x.args[0], (*ones, *order)), tuple(x.shape[k] for k in axes))
    if x.name == "broadcast_to":
        (y,) = x.args
        y = reshaped(y, (1,) * (x.ndim - y.ndim) + y.shape) if y.ndim < x.ndim else y
        return spread(rearranged(y, axes), tuple(x.shape[k] for k in axes))
    return None


def _broadcast(x: Line, *, shape: Shape) -> Line | None:
    if x.name == "broadcast_to":
        return spread(x.args[0], shape)
    if x.shape and without_ones(x.shape) == without_ones(shape):
        return reshaped(x, shape)
    bare = _bare(x)
    return spread(bare, shape) if bare is not x and bare.ndim <= len(shape) else None


_IN_ELEMENTWISE = (_without_repetition, _behind_reshape, _behind_permutation)
_EXTREMES = ("max", "min", "any", "all")

ARRANGEMENTS: Mapping[str, tuple[Rule, ...]] = {
    **{name: tuple(rule(lookup(name)) for rule in _IN_ELEMENTWISE) for name in ELEMENTWISE},
    "sum": (_reduction(lookup("sum")),),
    **{name: (_reduction(lookup(name)), _extreme_of_repeated(lookup(name))) for name in _EXTREMES},
    "reshape": (_reshape,),
    "permute": (_permute,),
    "broadcast_to": (_broadcast,),
}
"""Rules that move entries and change no bit of them."""
