"""Losses of single numbers or lists of them, averaged as in PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wengert.ops.nn import log_sigmoid


class MSELoss:
    """The mean of ``(prediction - target)²``.

    >>> MSELoss()([1.0, 3.0], [0.0, 1.0])
    2.5
    """

    def __call__(self, predictions: Any, targets: Any) -> Any:
        differences = [p - t for p, t in _pairs(predictions, targets)]
        return _mean([d * d for d in differences])


class BCEWithLogitsLoss:
    """The mean binary cross entropy of sigmoid(logit) against targets between 0 and 1.

    ``-y ln σ(z) - (1 - y) ln σ(-z)`` with a stable ``ln σ`` neither overflows nor cancels.

    >>> BCEWithLogitsLoss()(0.0, 1)
    0.6931471805599453
    >>> BCEWithLogitsLoss()([800.0, -800.0], [0, 1])
    800.0
    """

    def __call__(self, logits: Any, targets: Any) -> Any:
        return _mean([-(y * log_sigmoid(z)) - (1 - y) * log_sigmoid(-z) for z, y in _pairs(logits, targets)])


def _pairs(predictions: Any, targets: Any) -> Iterator[tuple[Any, Any]]:
    """Each prediction with its target, through lists of any depth."""
    listed = isinstance(predictions, (list, tuple))
    if listed != isinstance(targets, (list, tuple)):
        expected, got = ("a list", "one number") if listed else ("one number", "a list")
        raise ValueError(f"targets: expected {expected} as in the predictions, got {got}")
    if not listed:
        yield predictions, targets
        return
    if len(predictions) != len(targets):
        raise ValueError(f"targets: expected as many as predictions ({len(predictions)}), got {len(targets)}")
    for prediction, target in zip(predictions, targets, strict=True):
        yield from _pairs(prediction, target)


def _mean(terms: list[Any]) -> Any:
    if not terms:
        raise ValueError("predictions: expected at least one number, got none")
    return sum(terms[1:], terms[0]) / len(terms)


__all__ = ["BCEWithLogitsLoss", "MSELoss"]
