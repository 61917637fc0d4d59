"""Losses between a prediction and a target of the same shape, as functions.

Each checks what it is given and answers with one operation of the rule table, or a few.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.numbers.dtypes import get_default_dtype
from wengert.numbers.mismatch import ShapeMismatch
from wengert.numbers.outlines import Outline
from wengert.ops import losses as rows
from wengert.ops.arithmetic import divide, maximum, stop_gradient
from wengert.ops.exponential import exp, log, xlogy
from wengert.ops.kinds import Composite, shape
from wengert.ops.nn import softplus
from wengert.ops.op import bottom
from wengert.ops.shape import astype, expand_dims
from wengert.tensors import as_array

REDUCTIONS = ("none", "mean", "sum")


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The squared difference ``(input - target)²`` of every entry, averaged.

    ``reduction`` is ``'mean'``, ``'sum'``, or ``'none'`` for the entries themselves. Raises ValueError where
    the shapes differ, and where a target is NaN (with ``'none'`` it stays in its own entry).

    >>> import wengert
    >>> mse_loss(wengert.tensor([1.0, 3.0]), wengert.tensor([0.0, 1.0])).item()
    2.5
    """
    return _between(rows.mse_loss, input, target, reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The absolute difference ``|input - target|`` of every entry, averaged; 0 is taken as its derivative at
    0. Raises as `mse_loss`.

    >>> import wengert
    >>> l1_loss(wengert.tensor([1.0, 3.0]), wengert.tensor([0.0, 1.0]), reduction="sum").item()
    3.0
    """
    return _between(rows.l1_loss, input, target, reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """Half the squared difference d up to ``delta``, beyond it ``delta * (|d| - delta / 2)`` (Huber 1964).

    Raises ValueError unless ``delta > 0``, and as `mse_loss`.

    >>> import wengert
    >>> huber_loss(wengert.tensor([1.0, 3.0]), wengert.tensor([0.5, 0.0]), reduction="none").tolist()
    [0.125, 2.5]
    """
    if not delta > 0:
        raise ValueError(f"delta: expected a positive number, got {delta}")
    return _between(rows.huber_loss, input, target, reduction, delta=delta)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    """``d² / (2 beta)`` for differences d up to ``beta``, beyond it ``|d| - beta / 2`` (Girshick 2015): the
    Huber loss over ``beta``. With ``beta = 0`` it is `l1_loss`.

    Raises ValueError where ``beta < 0``, and as `mse_loss`.
    """
    if not beta >= 0:
        raise ValueError(f"beta: expected a number of at least 0, got {beta}")
    if beta == 0:
        return l1_loss(input, target, reduction)
    huber = _between(rows.huber_loss, input, target, reduction, delta=beta)
    return huber if beta == 1 else divide(huber, beta)


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """``-t ln p - (1 - t) ln(1 - p)`` for probabilities p and targets t between 0 and 1.

    The logarithms are held above -100, as in PyTorch. ``weight`` scales the entries. From logits,
    `binary_cross_entropy_with_logits` is more precise. Raises ValueError for probabilities or targets outside
    0 … 1, for NaN, and where the shapes differ.

    >>> import wengert
    >>> round(binary_cross_entropy(wengert.tensor([0.5, 0.25]), wengert.tensor([1.0, 0.0])).item(), 4)
    0.4904
    """
    hint = "; a network without a sigmoid at its end gives logits: use binary_cross_entropy_with_logits"
    _require_probabilities("input", input, hint)
    _require_probabilities("target", target, "")
    if weight is None:
        return _between(rows.binary_cross_entropy, input, target, reduction)
    entries = _between(rows.binary_cross_entropy, input, target, "none")
    return reduced(_weighted("weight", weight, entries), reduction)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """``-t ln σ(z) - (1 - t) ln σ(-z)`` for logits z and targets t, without overflow or cancellation.

    ``weight`` scales the entries. ``pos_weight`` scales the first term, one number per class (the last axis):
    more than 1 favours recall. Raises ValueError where shapes do not fit, and where a target is NaN.

    >>> import wengert
    >>> binary_cross_entropy_with_logits(wengert.tensor([800.0, -800.0]), wengert.tensor([0.0, 1.0])).item()
    800.0
    """
    row = rows.binary_cross_entropy_with_logits
    if weight is None and pos_weight is None:
        return _between(row, input, target, reduction)
    input, target = _alike(row.name, input, target)
    if pos_weight is None:
        entries = row(input, target, reduction="none")
    else:
        hits = _weighted("pos_weight", pos_weight, target)
        entries = (1 - target) * softplus(input) + hits * softplus(-input)
    if weight is not None:
        entries = _weighted("weight", weight, entries)
    return _finished(entries, target, reduction)


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    """``t (ln t - input)``: what the distribution t diverges from the one whose logarithm is ``input``
    (Kullback and Leibler 1951).

    ``log_target`` says that ``target`` holds logarithms too. ``'batchmean'`` is the divergence itself, the
    sum over the length of the first axis; ``'mean'`` divides by the number of entries, as in PyTorch. Raises
    ValueError where the shapes differ, and where a target is NaN.

    >>> import wengert
    >>> p, q = wengert.tensor([[0.5, 0.5]]), wengert.tensor([[0.25, 0.75]])
    >>> round(kl_div(q.log(), p, reduction="batchmean").item(), 4)
    0.1438
    """
    input, target = _alike("kl_div", input, target)
    if reduction != "batchmean":
        check_reduction(reduction, (*REDUCTIONS, "batchmean"))
    entries = exp(target) * (target - input) if log_target else xlogy(target, target) - target * input
    if reduction != "batchmean":
        return _finished(entries, target, reduction)
    examples = shape(input)[0] if shape(input) else 1
    return divide(_finished(entries, target, "sum"), examples)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """``(ln v + (input - target)² / v) / 2``: the negative log-likelihood of a normal distribution with mean
    ``input`` and variance v (Nix and Weigend 1994); ``full`` adds ``ln(2π) / 2``.

    ``var`` has the shape of ``input``, or lacks its last axis, or has extents 1 in it, or is one number. It
    is held above ``eps``, which the derivative ignores, as in PyTorch. Raises ValueError for a negative
    variance, ``eps <= 0``, NaN targets and shapes that do not fit.

    >>> import wengert
    >>> gaussian_nll_loss(wengert.tensor([1.0]), wengert.tensor([3.0]), wengert.tensor([1.0])).item()
    2.0
    """
    input, target = _alike("gaussian_nll_loss", input, target)
    check_reduction(reduction)
    if not eps > 0:
        raise ValueError(f"eps: expected a positive number, got {eps}")
    if not shape(var):
        var = var + input * 0
    elif shape(var) == shape(input)[:-1]:
        var = expand_dims(var, axis=-1)
    _require_fit("var", var, input)
    lowest = np.min(bottom(var), initial=0)
    if lowest < 0:
        raise ValueError(f"var: expected variances of at least 0, got {lowest}")
    var = var + stop_gradient(maximum(var, eps) - var)
    difference = input - target
    entries = divide(log(var) + divide(difference * difference, var), 2)
    return _finished(entries + math.log(math.tau) / 2 if full else entries, target, reduction)


# -- what they share


def reduced(entries: Any, reduction: str) -> Any:
    """The entries, their sum or their mean. Raises ValueError for another word."""
    check_reduction(reduction)
    return rows.reduced(entries, reduction)


def _between(row: Composite, input: Any, target: Any, reduction: str, **settings: Any) -> Any:
    """One operation on a prediction and a target of the same shape."""
    check_reduction(reduction)
    input, target = _alike(row.name, input, target)
    loss = row(input, target, **settings, reduction=reduction)
    if reduction != "none":
        refuse_missing(loss, target)
    return loss


def _finished(entries: Any, target: Any, reduction: str) -> Any:
    loss = reduced(entries, reduction)
    if reduction != "none":
        refuse_missing(loss, target)
    return loss


def check_reduction(reduction: str, known: tuple[str, ...] = REDUCTIONS) -> None:
    """Raise ValueError for a word that is none of the known ones."""
    if reduction not in known:
        raise ValueError(f"reduction: expected one of {', '.join(map(repr, known))}, got {reduction!r}")


def _alike(name: str, input: Any, target: Any) -> tuple[Any, Any]:
    """Both as floating-point values. Raises where their shapes differ."""
    input, target = as_values("input", input), as_values("target", target)
    if shape(input) != shape(target):
        raise ShapeMismatch(_differ(name, shape(input), shape(target)))
    return _floating(input, target), _floating(target, input)


def as_values(name: str, x: Any) -> Any:
    """Lists as arrays, anything else as it is. Raises TypeError for what holds no numbers."""
    if x is None or isinstance(x, (dict, str, bytes)):
        raise TypeError(f"{name}: expected numbers or an array of them, got {x!r:.40}")
    return as_array(x) if isinstance(x, (list, tuple)) else x


def _differ(name: str, input: tuple[int, ...], target: tuple[int, ...]) -> str:
    found = f"{name}: expected input and target of one shape, got input {input} and target {target}"
    try:
        together = np.broadcast_shapes(input, target)
    except ValueError:
        return found
    spread = f"{found}; together they would silently spread to {together}"
    if [n for n in input if n > 1] == [n for n in target if n > 1]:
        right = "input, target.reshape(input.shape)"
    elif not target:
        right = "input, wengert.full_like(input, target)"
    elif together == input:
        right = "input, wengert.broadcast_to(target, input.shape)"
    elif together == target:
        right = "wengert.broadcast_to(input, target.shape), target"
    else:
        return spread
    return f"{spread}\n  wrong:  {name}(input, target)\n  right:  {name}({right})"


def _floating(x: Any, partner: Any) -> Any:
    """Whole numbers and truth values in the partner's dtype, or in the default one."""
    dtype = getattr(x, "dtype", None)
    if dtype is None or dtype.kind not in "iub":
        return x
    wanted = getattr(partner, "dtype", None)
    return astype(x, dtype=wanted if wanted is not None and wanted.kind in "fc" else get_default_dtype())


def _weighted(name: str, weight: Any, entries: Any) -> Any:
    """The entries times a weight that broadcasts to their shape."""
    weight = as_values(name, weight)
    _require_fit(name, weight, entries)
    if hasattr(weight, "dtype") and weight.dtype != entries.dtype:
        weight = astype(weight, dtype=entries.dtype)
    return entries * weight


def _require_fit(name: str, value: Any, entries: Any) -> None:
    """Raise unless the value broadcasts to the shape of the entries."""
    have, wanted = shape(value), shape(entries)
    pairs = zip(reversed(have), reversed(wanted), strict=False)
    if len(have) > len(wanted) or any(n not in (1, m) for n, m in pairs):
        raise ShapeMismatch(f"{name}: expected a shape that broadcasts to the input's {wanted}, got {have}")


def _require_probabilities(name: str, value: Any, hint: str) -> None:
    """Raise where a number is outside 0 … 1, or none."""
    plain = np.asarray(bottom(value))
    if plain.dtype.kind not in "fiub" or not plain.size or (plain.min() >= 0 and plain.max() <= 1):
        return
    place = np.argwhere(~((plain >= 0) & (plain <= 1)))[0].tolist()
    raise ValueError(
        f"{name}: expected probabilities between 0 and 1, got {plain[tuple(place)]}{_at(place)}{hint}"
    )


def refuse_missing(loss: Any, target: Any) -> None:
    """Raise where the loss is NaN because a target is. A prediction that is NaN passes: training shows it.
    While a step is captured the loss is an outline, and the target alone is looked at."""
    number = bottom(loss)
    if type(number) is not Outline and (not isinstance(number, (float, np.floating)) or number == number):
        return
    missing = np.argwhere(np.isnan(np.asarray(bottom(target), float)))
    if len(missing):
        raise ValueError(
            f"target: expected numbers, got NaN{_at(missing[0].tolist())} ({len(missing)} in all); leave "
            f"such examples out, or take reduction='none' and average the entries that are known"
        )


def _at(place: list[int]) -> str:
    return f" at {place}" if place else ""
