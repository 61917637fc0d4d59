"""Gradients and parameters of a whole model at once, under PyTorch's names."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from wengert.ops.arithmetic import clip, minimum, sqrt, square
from wengert.ops.reduce import norm, sum
from wengert.ops.shape import concatenate, reshape
from wengert.tensors import Tensor


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale the gradients so that all together have at most the norm ``max_norm``; return the norm they had.

    The factor is max_norm / (norm + 10⁻⁶), where that is below 1 (Pascanu et al. 2013). Raises RuntimeError
    for a norm that is infinite or NaN if ``error_if_nonfinite``.

    >>> import wengert
    >>> w = wengert.tensor([1.0, 1.0], requires_grad=True)
    >>> (w * wengert.tensor([3.0, 4.0])).sum().backward()
    >>> clip_grad_norm_(w, 1.0).item(), [round(g, 3) for g in w.grad.tolist()]
    (5.0, [0.6, 0.8])
    """
    gradients = _gradients(parameters)
    if not gradients:
        return Tensor(0.0)
    total = _total_norm([g.data for g in gradients], float(norm_type))
    if error_if_nonfinite and not math.isfinite(total):
        raise RuntimeError(f"clip_grad_norm_: the gradients have the norm {float(total)}")
    factor = minimum(max_norm / (total + 1e-6), 1.0)
    for g in gradients:
        g.data = g.data * factor.astype(g.dtype)
    return Tensor(total)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Hold every entry of the gradients between -clip_value and clip_value."""
    for g in _gradients(parameters):
        g.data = clip(g.data, -clip_value, clip_value)


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters as one vector, on the tape.

    >>> from wengert import nn
    >>> parameters_to_vector(nn.Linear(2, 3).parameters()).shape
    (9,)
    """
    found: Tensor = concatenate([reshape(p, shape=(-1,)) for p in parameters], axis=0)
    return found


def vector_to_parameters(vector: Any, parameters: Iterable[Tensor]) -> None:
    """Copy the entries of one vector into the parameters, in their order and dtypes.

    Raises ValueError, and changes nothing, unless the vector has as many entries as all parameters together.
    """
    entries = np.asarray(vector.data if isinstance(vector, Tensor) else vector)
    targets = list(parameters)
    ends = np.cumsum([p.numel() for p in targets])
    total = int(ends[-1]) if targets else 0
    if entries.shape != (total,):
        raise ValueError(f"vector: expected shape ({total},), one entry per parameter, got {entries.shape}")
    for p, part in zip(targets, np.split(entries, ends[:-1]), strict=True):
        p.data = np.array(part.reshape(p.shape), p.dtype)


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    listed = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad for p in listed if p.grad is not None]


def _total_norm(arrays: list[Any], order: float) -> Any:
    """The norm of the entries of all arrays together."""
    if order == 2:
        squares = [sum(square(a)) for a in arrays]
        total = squares[0]
        for part in squares[1:]:
            total = total + part
        return sqrt(total)
    return norm(concatenate([reshape(a, shape=(-1,)) for a in arrays], axis=0), ord=order)
