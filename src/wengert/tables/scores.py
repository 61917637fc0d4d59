"""How well a network predicts, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.train import metrics, predict

if TYPE_CHECKING:
    from wengert import nn
    from wengert.tables.problems import Problem


def scores_of(model: nn.Module, x: Any, y: Any, problem: Problem) -> dict[str, Any]:
    """The scores of the model's predictions for the rows ``x``, with the truth ``y``.

    Classes: accuracy, log loss, the confusion matrix. Numbers, in the table's own unit: root mean squared
    error, mean absolute error, R², and the pairs of truth and prediction of up to 500 rows for a plot.
    """
    outputs = predict(model, x)
    if problem.task == "classification":
        return {
            "accuracy": metrics.accuracy(outputs, y),
            "log_loss": metrics.log_loss(probabilities(outputs), y),
            "confusion": metrics.confusion_matrix(outputs, y, labels=range(len(problem.classes))).tolist(),
        }
    truth, predicted = (in_own_unit(part, problem.unit) for part in (y, outputs))
    return {
        "root_mean_squared_error": metrics.root_mean_squared_error(predicted, truth),
        "mean_absolute_error": metrics.mean_absolute_error(predicted, truth),
        "r2": metrics.r2_score(predicted, truth),
        "pairs": [truth[:500].tolist(), predicted[:500].tolist()],
    }


def probabilities(outputs: Any) -> Any:
    """The softmax of a network's outputs of shape (rows, classes), in float64.

    >>> probabilities([[0.0, 0.0]])
    array([[0.5, 0.5]])
    """
    shifted = np.exp(np.float64(outputs) - np.max(outputs, axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def in_own_unit(values: Any, unit: Sequence[float]) -> Any:
    """Numbers standardised by a mean and a scale, in the table's own unit: float64 of shape (rows,).

    >>> in_own_unit([[0.0], [2.0]], (10.0, 3.0))
    array([10., 16.])
    """
    mean, scale = unit
    return np.float64(values).reshape(-1) * scale + mean
