"""Softmax and its relatives on NumPy arrays.

Classes are few and examples many, and NumPy adds up long columns several times faster than short rows: so the
classes come in front, and everything happens in one copy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any
FEW = 64
"""Up to so many classes the copy pays."""


class ClassScores:
    """The operations on scores of classes."""

    @staticmethod
    def softmax(x: Array, *, axis: int) -> Array:
        return np.ascontiguousarray(_probabilities(x, axis).swapaxes(0, axis))

    @staticmethod
    def softmax_residual(x: Array, target: Array, *, axis: int) -> Array:
        residual = _probabilities(x, axis)
        residual[_places(residual, target, axis)] -= 1
        return np.ascontiguousarray(residual.swapaxes(0, axis))

    @staticmethod
    def cross_entropy(x: Array, target: Array, *, axis: int, reduction: str) -> Array:
        below = _below_top(x, axis)
        chosen = below[_places(below, target, axis)]
        np.exp(below, out=below)
        entries = np.log(np.add.reduce(below, axis=0, keepdims=True)) - chosen
        if reduction == "none":
            return entries.swapaxes(0, axis).squeeze(axis)
        whole = np.add.reduce(entries, axis=None)
        return whole / entries.size if reduction == "mean" else whole


def _places(scores: Array, target: Array, axis: int) -> tuple[Any, ...]:
    """The index of every example's own class, where the classes stand in front."""
    target = np.asarray(target)
    if target.ndim == 1 and scores.ndim == 2:
        return target[None], np.arange(target.size)
    others = np.ogrid[tuple(map(slice, (1, *scores.shape[1:])))]
    return np.expand_dims(target, axis).swapaxes(0, axis), *others[1:]


def _below_top(x: Array, axis: int) -> Array:
    """A copy with the classes in front, less the highest score of each example."""
    front = x.swapaxes(0, axis)
    dtype = x.dtype if x.dtype.kind in "fc" else np.float64
    below = front.astype(dtype, "C" if len(front) <= FEW else "K")
    below -= np.maximum.reduce(below, axis=0)
    return below


def _probabilities(x: Array, axis: int) -> Array:
    """The softmax with the classes in front."""
    weights = _below_top(x, axis)
    np.exp(weights, out=weights)
    weights /= np.add.reduce(weights, axis=0)
    return weights
