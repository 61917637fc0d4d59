"""The losses that estimators train with. ``weight`` holds a number per row, with the mean 1."""

from __future__ import annotations

from typing import Any

import wengert.nn.functional as F


def cross_entropy(scores: Any, classes: Any, weight: Any = None) -> Any:
    """The mean of -log(probability of the row's class).

    >>> import wengert
    >>> round(cross_entropy(wengert.zeros(1, 2), wengert.tensor([0]), wengert.ones(1)).item(), 4)
    0.6931
    """
    if weight is None:
        return F.cross_entropy(scores, classes)
    return (F.cross_entropy(scores, classes, reduction="none") * weight).mean()


def half_squared_error(prediction: Any, target: Any, weight: Any = None) -> Any:
    """Half the mean of (prediction - target)², as in scikit-learn; both of shape (rows, outputs).

    >>> import wengert
    >>> half_squared_error(wengert.zeros(1, 2), wengert.tensor([[1.0, 3.0]])).item()
    2.5
    """
    if weight is None:
        return 0.5 * F.mse_loss(prediction, target)
    rows = F.mse_loss(prediction, target, reduction="none").mean(axis=1)
    return 0.5 * (rows * weight).mean()
