"""The metrics agree with scikit-learn's, for every form in which predictions come."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import wengert
from wengert.train import metrics

sklearn = pytest.importorskip("sklearn.metrics")


def softmax(scores: Any) -> Any:
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@pytest.fixture
def scored() -> tuple[Any, Any]:
    generator = np.random.default_rng(0)
    return generator.normal(size=(500, 7)), generator.integers(0, 7, size=500)


def test_classification_agrees_with_scikit_learn(scored: tuple[Any, Any]) -> None:
    scores, truth = scored
    labels = scores.argmax(axis=1)
    everything = list(range(7))
    for predicted in (scores, softmax(scores), labels, wengert.tensor(scores, requires_grad=True)):
        assert metrics.accuracy(predicted, truth) == sklearn.accuracy_score(truth, labels)
        assert metrics.balanced_accuracy(predicted, truth) == pytest.approx(
            sklearn.balanced_accuracy_score(truth, labels), rel=1e-14
        )
        matrix = metrics.confusion_matrix(predicted, wengert.tensor(truth))
        assert matrix.tolist() == sklearn.confusion_matrix(truth, labels).tolist()
    assert metrics.top_k_accuracy(scores, truth, 7) == 1.0
    for k in (1, 3, 6):
        expected = sklearn.top_k_accuracy_score(truth, scores, k=k)
        assert metrics.top_k_accuracy(scores, truth, k) == pytest.approx(expected, rel=1e-14)
    assert metrics.log_loss(softmax(scores), truth) == pytest.approx(
        sklearn.log_loss(truth, softmax(scores), labels=everything), rel=1e-13
    )
    rows = metrics.per_class_scores(metrics.confusion_matrix(scores, truth))
    precision, recall, f1, support = sklearn.precision_recall_fscore_support(truth, labels)
    np.testing.assert_allclose([row["precision"] for row in rows], precision, rtol=1e-14)
    np.testing.assert_allclose([row["recall"] for row in rows], recall, rtol=1e-14)
    np.testing.assert_allclose([row["f1"] for row in rows], f1, rtol=1e-14)
    assert [row["support"] for row in rows] == support.tolist()


def test_a_class_that_is_never_predicted_has_precision_zero() -> None:
    truth, labels = [0, 0, 1, 2], [0, 0, 0, 2]
    rows = metrics.per_class_scores(metrics.confusion_matrix(labels, truth), ["a", "b", "c"])
    expected = sklearn.precision_recall_fscore_support(truth, labels, zero_division=0)
    assert [row["precision"] for row in rows] == expected[0].tolist()
    assert [row["class"] for row in rows] == ["a", "b", "c"]


def test_ties_fall_as_in_scikit_learn() -> None:
    scores = np.array([[0.5, 0.5, 0.0], [0.25, 0.25, 0.5], [0.5, 0.25, 0.25]])
    for truth in ([0, 1, 2], [1, 0, 1]):
        expected = sklearn.top_k_accuracy_score(truth, scores, k=2, labels=[0, 1, 2])
        assert metrics.top_k_accuracy(scores, truth, 2) == expected


def test_two_classes_by_one_logit_or_one_probability() -> None:
    generator = np.random.default_rng(1)
    logits, truth = generator.normal(size=200), generator.integers(0, 2, size=200)
    expected = sklearn.accuracy_score(truth, logits > 0)
    column, targets = logits[:, None], truth.astype(np.float32)[:, None]
    for predicted, target in ((logits, truth), (column, truth), (column, targets), (logits > 0, truth)):
        assert metrics.accuracy(predicted, target) == expected
    assert metrics.confusion_matrix(logits, truth).tolist() == (
        sklearn.confusion_matrix(truth, logits > 0).tolist()
    )
    probability = 1 / (1 + np.exp(-logits))
    expected = sklearn.log_loss(truth, probability)
    assert metrics.log_loss(probability, truth) == pytest.approx(expected, rel=1e-13)


def test_labels_may_be_text_and_their_order_is_the_callers() -> None:
    truth, predicted = ["b", "a", "c", "a"], ["b", "b", "c", "a"]
    for order in (None, ["c", "b", "a", "never"]):
        expected = sklearn.confusion_matrix(truth, predicted, labels=order)
        assert metrics.confusion_matrix(predicted, truth, order).tolist() == expected.tolist()


def test_classes_of_pixels_lie_on_axis_one() -> None:
    scores, truth = np.random.default_rng(2).normal(size=(4, 3, 5, 6)), np.ones((4, 5, 6), dtype=int)
    assert metrics.accuracy(scores, truth) == np.mean(scores.argmax(axis=1) == 1)


@pytest.mark.parametrize("shape", [(50,), (50, 3)])
def test_regression_agrees_with_scikit_learn(shape: tuple[int, ...]) -> None:
    generator = np.random.default_rng(3)
    predicted, truth = generator.normal(size=shape), generator.normal(size=shape)
    for ours, theirs in (
        (metrics.mean_squared_error, sklearn.mean_squared_error),
        (metrics.root_mean_squared_error, sklearn.root_mean_squared_error),
        (metrics.mean_absolute_error, sklearn.mean_absolute_error),
        (metrics.r2_score, sklearn.r2_score),
    ):
        assert ours(wengert.tensor(predicted), truth) == pytest.approx(theirs(truth, predicted), rel=1e-13)


def test_a_column_of_predictions_fits_a_row_of_targets() -> None:
    predicted, truth = np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 3.0])
    expected = metrics.r2_score(predicted, truth)
    assert metrics.r2_score(predicted[:, None], truth) == expected == sklearn.r2_score(truth, predicted)
    assert metrics.r2_score(predicted, truth[:, None]) == expected


def test_r2_of_a_constant_truth() -> None:
    for predicted in ([2.0, 2.0], [2.0, 3.0]):
        assert metrics.r2_score(predicted, [2.0, 2.0]) == sklearn.r2_score([2.0, 2.0], predicted)
    assert math.isnan(metrics.r2_score([math.nan, 2.0], [2.0, 2.0]))


def test_nan_scores_are_wrong_and_nan_errors_stay_nan() -> None:
    assert metrics.accuracy([[math.nan, 0.0], [1.0, 0.0]], [0, 0]) == 0.5
    assert metrics.accuracy([math.nan, -1.0], [0, 0]) == 0.5
    assert metrics.top_k_accuracy([[math.nan, 0.0], [1.0, 0.0]], [0, 0], 2) == 0.5
    assert math.isnan(metrics.mean_squared_error([math.nan], [1.0]))
    with pytest.raises(ValueError, match="predicted: 1 of its 2 numbers are NaN"):
        metrics.confusion_matrix([math.nan, 1.0], [0, 1])


def test_a_sure_and_wrong_probability_costs_a_finite_amount() -> None:
    probabilities = np.array([[1.0, 0.0], [0.0, 1.0]])
    expected = sklearn.log_loss([1, 1], probabilities, labels=[0, 1])
    assert metrics.log_loss(probabilities, [1, 1]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.accuracy(np.zeros((3, 2)), [0, 1]), r"got shapes \(3, 2\) and \(2,\)"),
        (lambda: metrics.accuracy([], []), "at least one row"),
        (lambda: metrics.accuracy([0.5, 1.5], [2, 1]), "but truth holds 2"),
        (lambda: metrics.accuracy([0.5, 1.5], ["a", "b"]), "but truth holds a"),
        (lambda: metrics.top_k_accuracy(np.zeros((2, 3)), [0, 1], 4), "k: expected a number from 1 to 3"),
        (lambda: metrics.top_k_accuracy(np.zeros((2, 3)), [0, 3], 1), "class 3 has no column"),
        (lambda: metrics.log_loss([[2.0, -1.0]], [0]), "softmax"),
        (lambda: metrics.log_loss([[0.5, 0.5]], [0.0]), "class numbers"),
        (lambda: metrics.confusion_matrix([0, 1], [0, 2], [0, 1]), "truth: the label 2 is none of"),
        (lambda: metrics.per_class_scores(np.zeros((2, 3))), "square"),
        (lambda: metrics.per_class_scores(np.zeros((2, 2)), ["a"]), "expected 2 names"),
        (lambda: metrics.mean_squared_error(np.zeros((3, 2)), np.zeros(3)), "same shape"),
        (lambda: metrics.r2_score([1.0], [1.0]), "at least two rows"),
    ],
)
def test_mistakes_are_named(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
