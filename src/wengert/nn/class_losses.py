"""Losses between scores of classes and the class, as functions.

The classes are axis 1 of the scores, after the examples, or the only axis of one example.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.capturing import running
from wengert.nn.loss_functions import as_values, check_reduction, reduced, refuse_missing
from wengert.numbers.graph import Node
from wengert.numbers.mismatch import ShapeMismatch
from wengert.ops import losses as rows
from wengert.ops.arithmetic import divide, not_equal, where, zeros_like
from wengert.ops.indexing import getitem, take_along_axis
from wengert.ops.kinds import shape
from wengert.ops.op import bottom, untaped
from wengert.ops.reduce import log_softmax, sum
from wengert.ops.shape import astype, expand_dims, reshape, squeeze

Entries = Callable[[Any], Any]


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """The negative logarithm of the target's probability under ``softmax(input)``, averaged.

    ``input`` holds scores (logits) of shape (N, C), (C,) or (N, C, d₁, …); ``target`` class indices of any
    integer dtype, of that shape without C, or probabilities of the same shape. ``weight`` holds a number per
    class; the mean is then the weighted one. Entries whose index is ``ignore_index`` count nowhere.
    ``label_smoothing`` ε mixes the target with ε parts of the even distribution (Szegedy et al. 2016). The
    mean over no entry is NaN, as in PyTorch. Raises ValueError for a class outside 0 … C - 1, shapes that do
    not fit, NaN among probabilities and ε outside 0 … 1; TypeError for indices that are no whole numbers.

    >>> import wengert
    >>> scores = wengert.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 5.0]])
    >>> round(cross_entropy(scores, wengert.tensor([0, 2])).item(), 4)
    0.1265
    """
    check_reduction(reduction)
    input, target = as_values("input", input), as_values("target", target)
    axis = _class_axis("cross_entropy", input)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing: expected a number from 0 to 1, got {label_smoothing}")
    if weight is not None:
        weight = _per_class(weight, input, axis)
    if _is_floating(target) and shape(target) == shape(input):
        if ignore_index >= 0:
            raise ValueError(
                f"ignore_index: only class indices can be ignored, got {ignore_index} with probabilities"
            )
        return _against_probabilities(input, target, weight, reduction, label_smoothing, axis)
    some_ignored = _check_indices("cross_entropy", input, target, ignore_index, axis)
    if weight is None and not some_ignored and not label_smoothing:
        return rows.cross_entropy(input, target, axis=axis, reduction=reduction)

    def entries(indices: Any) -> Any:
        return rows.cross_entropy(input, indices, axis=axis, reduction="none")

    spread = None
    if label_smoothing:
        surprise = -log_softmax(input, axis=axis)
        if weight is not None:
            surprise = surprise * _beside(weight, input, axis)
        spread = sum(surprise, axis=axis) * (label_smoothing / shape(input)[axis])
    ignored = ignore_index if some_ignored else None
    return _over_classes(entries, input, target, weight, ignored, reduction, 1 - label_smoothing, spread)


def nll_loss(
    input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    """The negative of the target's entry in ``input``, which holds logarithms of probabilities, averaged.

    Shapes, ``weight``, ``ignore_index`` and errors as in `cross_entropy` with class indices.

    >>> import wengert
    >>> logs = wengert.tensor([[0.5, 0.5], [0.25, 0.75]]).log()
    >>> round(nll_loss(logs, wengert.tensor([0, 1])).item(), 4)
    0.4904
    """
    check_reduction(reduction)
    input, target = as_values("input", input), as_values("target", target)
    axis = _class_axis("nll_loss", input)
    if weight is not None:
        weight = _per_class(weight, input, axis)
    some_ignored = _check_indices("nll_loss", input, target, ignore_index, axis)

    def entries(indices: Any) -> Any:
        return -squeeze(take_along_axis(input, expand_dims(indices, axis=axis), axis=axis), axis=axis)

    ignored = ignore_index if some_ignored else None
    return _over_classes(entries, input, target, weight, ignored, reduction)


def _over_classes(
    entries: Entries,
    input: Any,
    target: Any,
    weight: Any,
    ignored: int | None,
    reduction: str,
    share: float = 1.0,
    spread: Any = None,
) -> Any:
    """The loss of every index, weighted and without those that are ignored. With label smoothing, ``share``
    of it, and what all classes add in ``spread``."""
    kept = None if ignored is None else not_equal(target, ignored)
    indices = target if kept is None else where(kept, target, 0)
    losses, count = entries(indices), None
    if weight is not None:
        count = getitem(weight, indices)
        losses = losses * count
    if spread is not None:
        losses = losses * share + spread
    if kept is not None:
        losses = where(kept, losses, zeros_like(losses))
        count = astype(kept, dtype=input.dtype) if count is None else where(kept, count, zeros_like(count))
    if reduction != "mean" or count is None:
        return reduced(losses, reduction)
    return divide(sum(losses), sum(count))


def _against_probabilities(
    input: Any, target: Any, weight: Any, reduction: str, smoothing: float, axis: int
) -> Any:
    known = target
    if smoothing:
        target = target * (1 - smoothing) + smoothing / shape(input)[axis]
    terms = -log_softmax(input, axis=axis) * target
    if weight is not None:
        terms = terms * _beside(weight, input, axis)
    loss = reduced(sum(terms, axis=axis), reduction)
    if reduction != "none":
        refuse_missing(loss, known)
    return loss


# -- what is checked


def _class_axis(name: str, input: Any) -> int:
    """The last axis of (C,) and (N, C), the second of (N, C, d₁, …). Raises where there is no class."""
    extents = shape(input)
    axis = 1 if len(extents) > 2 else -1
    if not extents or not extents[axis]:
        raise ShapeMismatch(f"{name}: expected input with an axis of at least one class, got shape {extents}")
    return axis


def _is_floating(x: Any) -> bool:
    return getattr(getattr(x, "dtype", None), "kind", "f") in "fO"


def _per_class(weight: Any, input: Any, axis: int) -> Any:
    """A number per class, in the dtype of the input. Raises ValueError for another shape."""
    weight = as_values("weight", weight)
    classes = shape(input)[axis]
    if shape(weight) != (classes,):
        raise ShapeMismatch(f"weight: expected one number per class, shape ({classes},), got {shape(weight)}")
    return weight if weight.dtype == input.dtype else astype(weight, dtype=input.dtype)


def _beside(weight: Any, input: Any, axis: int) -> Any:
    """The weights along the axis of classes."""
    return weight if axis == -1 else reshape(weight, shape=(-1, *[1] * (len(shape(input)) - 2)))


def _check_indices(name: str, input: Any, target: Any, ignore_index: int, axis: int) -> bool:
    """Whether some index is to be ignored. Raises where the target holds no indices of the classes."""
    extents = shape(input)
    classes, wanted = extents[axis], extents[:-1] if axis == -1 else (extents[0], *extents[2:])
    plain = np.asarray(bottom(target))
    if plain.dtype.kind not in "iu" or shape(target) != wanted:
        raise _no_indices(name, extents, wanted, target, plain.dtype)
    if not plain.size:
        return False
    open_ended = type(untaped(target)) is Node and running.get() is not None  # other indices will follow
    # Read as unsigned, a negative number is larger than every class: one comparison for both ends.
    comparable = classes <= 1 << (8 * plain.itemsize - 1) and not 0 <= ignore_index < classes
    if comparable and plain.view(f"u{plain.itemsize}").max() < classes:
        return open_ended
    counted = plain != ignore_index
    outside = np.argwhere(((plain < 0) | (plain >= classes)) & counted)
    if len(outside):
        place = outside[0].tolist()
        at = f" at {place}" if place else ""
        raise ValueError(
            f"target: got class {plain[tuple(place)]}{at}, but input of shape {extents} has the classes "
            f"0 to {classes - 1} ({len(outside)} such in all)"
        )
    return open_ended or bool(not counted.all())


def _no_indices(
    name: str, extents: tuple[int, ...], wanted: tuple[int, ...], target: Any, dtype: Any
) -> Exception:
    have, kind = shape(target), dtype.kind
    expected = f"{name}: for input {extents}, expected target as class indices of shape {wanted}"
    if name == "cross_entropy":
        expected += f", or as probabilities of shape {extents}"
    if have == wanted:
        cure = "target.long()" if kind in "fb" else "whole numbers"
        return TypeError(f"{expected}; got {dtype}, which no index can be: pass {cure}")
    got = f"{expected}; got {dtype} of shape {have}"
    if kind in "iub" and have == extents:
        other = " or target.float()" if name == "cross_entropy" else ""
        axis = 1 if len(extents) > 2 else -1
        return ShapeMismatch(f"{got}: pass target.argmax({axis}){other} if these are one-hot rows")
    if [n for n in have if n > 1] == [n for n in wanted if n > 1]:
        return ShapeMismatch(f"{got}: pass target.reshape{wanted}")
    return ShapeMismatch(got)
