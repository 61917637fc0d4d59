"""How good predictions are: functions of arrays or tensors, predictions first, as in ``loss(model(x), y)``.

Every function returns Python floats (or NumPy counts) computed in float64, and agrees with scikit-learn's
function of that name.

Predicted classes come in three forms. An array of one more axis than the truth holds a score per class
(logits or probabilities), with the classes on axis 1, as in PyTorch; the highest score wins, the first one
at a tie. Floating-point numbers in the shape of the truth are logits of two classes, and a positive logit
means class 1. Everything else (whole numbers, booleans, text) are the labels themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wengert.tensors import Tensor

Array = NDArray[Any]


def accuracy(predicted: Any, truth: Any) -> float:
    """The share of rows whose class was predicted. A row with a NaN among its scores counts as wrong.

    ``predicted``: scores (N, C), logits (N,) or labels (N,); ``truth``: labels (N,), any further axes alike.
    Raises ValueError for shapes that do not belong together and for no rows at all.

    >>> accuracy([[0.1, 0.9], [0.8, 0.2]], [1, 1])
    0.5
    >>> accuracy([1.5, -2.0], [1, 0])
    1.0
    >>> accuracy(["cat", "dog"], ["cat", "cat"])
    0.5
    """
    scores, labels = _array(predicted), _array(truth)
    scores, labels = _aligned(scores, labels)
    correct = _chosen(scores, labels) == labels
    if scores.dtype.kind == "f":
        unknown = np.isnan(scores)
        correct &= ~(unknown.any(axis=1) if unknown.ndim > labels.ndim else unknown)
    return float(np.mean(correct))


def top_k_accuracy(scores: Any, truth: Any, k: int = 5) -> float:
    """The share of rows whose class is among the ``k`` highest scores; at ties the last classes go first.

    ``scores``: (N, C); ``truth``: whole numbers (N,) of 0, …, C-1. Raises ValueError for other shapes, for a
    class outside the columns, and for a ``k`` that is not between 1 and C.

    >>> top_k_accuracy([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]], [1, 0], k=2)
    0.5
    """
    table, labels = _class_scores(_array(scores), _array(truth), "scores")
    if not 1 <= k <= table.shape[1]:
        raise ValueError(f"k: expected a number from 1 to {table.shape[1]} (the columns of scores), got {k}")
    best = np.argsort(table, axis=1, kind="stable")[:, -k:]
    found = (best == labels[:, None]).any(axis=1) & ~np.isnan(table).any(axis=1)
    return float(np.mean(found))


def confusion_matrix(predicted: Any, truth: Any, labels: Sequence[Any] | None = None) -> NDArray[np.int64]:
    """How often each class (row) was predicted as each class (column), shape (C, C), int64.

    ``labels`` gives the classes and their order. By default they are the columns of the scores (N, C), or
    else the sorted labels that occur. Raises ValueError for a label that is not among them, and for NaN.

    >>> confusion_matrix([0, 1, 1], [0, 0, 1])
    array([[1, 1],
           [0, 1]])
    """
    scores, given = _aligned(_array(predicted), _array(truth))
    _require_no_nan(scores, "predicted")
    chosen = _chosen(scores, given)
    if labels is not None:
        order = np.asarray(labels)
    elif scores.ndim > given.ndim:
        order = np.arange(scores.shape[1])
    elif scores.dtype.kind == "f":
        order = np.arange(2)
    else:
        order = np.unique(np.concatenate([chosen.reshape(-1), given.reshape(-1)]))
    rows, columns = _positions(given, order, "truth"), _positions(chosen, order, "predicted")
    counts = np.bincount(rows * len(order) + columns, minlength=len(order) ** 2)
    return counts.reshape(len(order), len(order)).astype(np.int64, copy=False)


def per_class_scores(matrix: Any, classes: Sequence[Any] | None = None) -> list[dict[str, Any]]:
    """A row per class of a confusion matrix: its name, precision, recall, F1 and number of true rows.

    precision = right / predicted as this class; recall = right / truly of this class; F1 is their harmonic
    mean. A quotient with nothing below the line is 0. ``classes`` names the classes (by default 0, 1, …).
    Raises ValueError for a matrix that is not square and for another number of names.

    >>> per_class_scores([[1, 1], [0, 2]], ["cat", "dog"])[0]
    {'class': 'cat', 'precision': 1.0, 'recall': 0.5, 'f1': 0.6666666666666666, 'support': 2}
    """
    counts = _square(matrix)
    names = list(range(len(counts))) if classes is None else list(classes)
    if len(names) != len(counts):
        raise ValueError(
            f"classes: expected {len(counts)} names, one per row of the matrix, got {len(names)}"
        )
    right, predicted, true = np.diag(counts), counts.sum(axis=0), counts.sum(axis=1)
    return [
        {
            "class": name,
            "precision": _share(right[index], predicted[index]),
            "recall": _share(right[index], true[index]),
            "f1": _share(2 * right[index], predicted[index] + true[index]),
            "support": int(true[index]),
        }
        for index, name in enumerate(names)
    ]


def balanced_accuracy(predicted: Any, truth: Any) -> float:
    """The mean of the recalls of the classes that occur in the truth: a rare class weighs as much as others.

    Takes what `confusion_matrix` takes.

    >>> balanced_accuracy([0, 0, 0, 0], [0, 0, 0, 1])
    0.5
    """
    matrix = confusion_matrix(predicted, truth)
    true = matrix.sum(axis=1)
    return float(np.mean(np.diag(matrix)[true > 0] / true[true > 0]))


def mean_squared_error(predicted: Any, truth: Any) -> float:
    """mean((predicted - truth)²) over all entries.

    The shapes must be the same, except that (N,) and (N, 1) go together. Raises ValueError otherwise, and for
    no entries at all. NaN stays NaN.

    >>> mean_squared_error([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    return float(np.mean(np.square(_differences(predicted, truth))))


def root_mean_squared_error(predicted: Any, truth: Any) -> float:
    """The square root of the mean squared error, in the units of the target; of several targets, the mean.

    Takes what `mean_squared_error` takes.

    >>> root_mean_squared_error([0.0, 0.0], [3.0, 3.0])
    3.0
    """
    return float(np.mean(np.sqrt(np.mean(np.square(_differences(predicted, truth)), axis=0))))


def mean_absolute_error(predicted: Any, truth: Any) -> float:
    """mean(|predicted - truth|) over all entries. Takes what `mean_squared_error` takes.

    >>> mean_absolute_error([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    return float(np.mean(np.abs(_differences(predicted, truth))))


def r2_score(predicted: Any, truth: Any) -> float:
    """The coefficient of determination: 1 - Σ(truth - predicted)² / Σ(truth - mean(truth))².

    1 is perfect, and 0 is as good as always predicting the mean. Of several targets (N, M) it is the mean. A
    constant truth gives 1 where the prediction is exact, and 0 otherwise. Takes what `mean_squared_error`
    takes, and raises ValueError for fewer than two rows.

    >>> r2_score([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    1.0
    """
    rest = np.sum(np.square(_differences(predicted, truth)), axis=0)
    values = _array(truth).astype(np.float64)
    if len(values) < 2:
        raise ValueError(f"truth: expected at least two rows, got {len(values)}")
    total = np.sum(np.square(values - values.mean(axis=0)), axis=0).reshape(np.shape(rest))
    constant = np.where(rest == 0, 1.0, np.where(np.isnan(rest), np.nan, 0.0))
    explained = 1 - rest / np.where(total == 0, 1.0, total)
    return float(np.mean(np.where(total == 0, constant, explained)))


def log_loss(probabilities: Any, truth: Any) -> float:
    """The mean of -log(probability of the true class), in nats: the cross entropy.

    ``probabilities``: (N, C) with rows that sum to 1, or (N,) of class 1; ``truth``: whole numbers (N,) of
    0, …, C-1. A probability of 0 counts as the smallest step of its dtype, so that the result stays finite.
    Raises ValueError for numbers that are no probabilities (logits, say), and for a class without a column.

    >>> round(log_loss([[0.5, 0.5], [0.25, 0.75]], [0, 1]), 6)
    0.490415
    """
    table = _array(probabilities)
    if table.ndim == 1:
        table = np.stack([1 - table, table], axis=1)
    table, labels = _class_scores(table, _array(truth), "probabilities")
    tolerance = math.sqrt(np.finfo(table.dtype).eps)
    if not ((table >= 0) & (table <= 1)).all() or np.abs(table.sum(axis=1) - 1).max() > tolerance:
        raise ValueError(
            "probabilities: expected numbers from 0 to 1 whose rows sum to 1; softmax makes them from logits"
        )
    true = table[np.arange(len(labels)), labels]
    return float(np.mean(-np.log(np.clip(true, np.finfo(table.dtype).eps, None).astype(np.float64))))


def _array(value: Any) -> Array:
    return np.asarray(value.data if isinstance(value, Tensor) else value)


def _aligned(predicted: Array, truth: Array) -> tuple[Array, Array]:
    """Predictions and truth of shapes that belong together; a lonely last axis of either is dropped."""
    if truth.ndim > 1 and truth.shape[-1] == 1:
        truth = truth[..., 0]
    if predicted.shape == (*truth.shape, 1):
        predicted = predicted[..., 0]
    scores = predicted.ndim == truth.ndim + 1 and truth.shape == predicted.shape[:1] + predicted.shape[2:]
    if truth.ndim == 0 or (predicted.shape != truth.shape and not scores):
        raise ValueError(
            f"predicted, truth: expected scores (N, C) or labels (N,), and labels (N,), "
            f"got shapes {predicted.shape} and {truth.shape}"
        )
    if not truth.size:
        raise ValueError("truth: expected at least one row, got none")
    return predicted, truth


def _chosen(scores: Array, labels: Array) -> Array:
    """The predicted labels."""
    if scores.ndim > labels.ndim:
        return np.asarray(np.argmax(scores, axis=1))
    if scores.dtype.kind != "f":
        return scores
    if labels.dtype.kind not in "biuf" or not np.isin(labels, (0, 1)).all():
        strange = labels.reshape(-1)[~np.isin(labels, (0, 1)).reshape(-1)][0]
        raise ValueError(
            f"predicted: one floating-point number per row is a logit of the classes 0 and 1, but truth "
            f"holds {strange}; give scores (N, C) or whole-number labels"
        )
    return (scores > 0).astype(np.int64)


def _class_scores(table: Array, labels: Array, name: str) -> tuple[Array, Array]:
    """Scores (N, C) of floating point and class numbers (N,)."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if table.ndim != 2 or labels.shape != table.shape[:1] or not labels.size:
        raise ValueError(
            f"{name}, truth: expected the shapes (N, C) and (N,), got {table.shape} and {labels.shape}"
        )
    if labels.dtype.kind not in "biu":
        raise ValueError(f"truth: expected class numbers 0, 1, …, got dtype {labels.dtype}")
    if labels.min() < 0 or labels.max() >= table.shape[1]:
        outside = labels[(labels < 0) | (labels >= table.shape[1])][0]
        raise ValueError(f"truth: class {outside} has no column in {name} of shape {table.shape}")
    return (table if table.dtype.kind == "f" else table.astype(np.float64)), labels.astype(np.int64)


def _require_no_nan(values: Array, name: str) -> None:
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise ValueError(f"{name}: {np.isnan(values).sum()} of its {values.size} numbers are NaN")


def _positions(values: Array, order: Array, name: str) -> NDArray[np.int64]:
    """The place of each value in `order`."""
    known = {label: place for place, label in enumerate(order.tolist())}
    distinct, inverse = np.unique(values.reshape(-1), return_inverse=True)
    missing = [label for label in distinct.tolist() if label not in known]
    if missing:
        raise ValueError(f"{name}: the label {missing[0]!r} is none of {order.tolist()}")
    return np.array([known[label] for label in distinct.tolist()], dtype=np.int64)[inverse]


def _square(matrix: Any) -> Array:
    counts = _array(matrix)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ValueError(f"matrix: expected a square matrix of counts, got shape {counts.shape}")
    return counts


def _share(part: Any, whole: Any) -> float:
    return float(part / whole) if whole else 0.0


def _differences(predicted: Any, truth: Any) -> NDArray[np.float64]:
    first, second = _array(predicted).astype(np.float64), _array(truth).astype(np.float64)
    if first.shape == (*second.shape, 1):
        first = first[..., 0]
    elif second.shape == (*first.shape, 1):
        second = second[..., 0]
    if first.shape != second.shape:
        raise ValueError(f"predicted, truth: expected the same shape, got {first.shape} and {second.shape}")
    if not first.size:
        raise ValueError("truth: expected at least one row, got none")
    return np.asarray(first - second)
