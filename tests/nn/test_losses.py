"""The losses: one operation each on the tape, stable far out, and errors that say what to change."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import wengert
import wengert.nn.functional as F
from wengert import tensor
from wengert.nn import losses

NAN = float("nan")
SCORES = np.random.RandomState(0).randn(6, 4)
CLASSES = np.array([0, 3, 1, 1, 2, 0])


def one_hot(classes: Any, count: int = 4) -> Any:
    return np.eye(count)[classes]


def softmax(x: Any) -> Any:
    weights = np.exp(x - x.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


# -- on the tape


@pytest.mark.parametrize(
    ("loss", "target"),
    [
        (losses.MSELoss(), SCORES + 1),
        (losses.L1Loss(), SCORES + 1),
        (losses.HuberLoss(), SCORES + 1),
        (losses.SmoothL1Loss(), SCORES + 1),
        (losses.BCEWithLogitsLoss(), one_hot(CLASSES)),
        (losses.CrossEntropyLoss(), CLASSES),
    ],
)
def test_the_usual_losses_are_one_operation(loss: Any, target: Any) -> None:
    x = tensor(SCORES, requires_grad=True)
    y = tensor(target)
    value = loss(x, y)
    assert value.args[0] is x
    assert value.shape == ()


def test_the_gradient_of_cross_entropy_is_softmax_less_one_hot() -> None:
    x = tensor(SCORES, requires_grad=True)
    F.cross_entropy(x, tensor(CLASSES)).backward()
    np.testing.assert_allclose(x.grad.data, (softmax(SCORES) - one_hot(CLASSES)) / 6, rtol=1e-13)


def test_the_hessian_of_cross_entropy_is_the_covariance_of_the_class() -> None:
    x = np.array([0.5, -1.0, 2.0])
    p = softmax(x)
    found = wengert.hessian(lambda x: F.cross_entropy(x, np.array(2)))(x)
    np.testing.assert_allclose(found, np.diag(p) - np.outer(p, p), rtol=1e-12)


def test_a_worksheet_shows_the_rule_of_cross_entropy() -> None:
    sheet = wengert.explain(lambda z: F.cross_entropy(z, CLASSES), SCORES)
    assert "softmax(v₀) - one_hot(v₋₁)" in sheet.to_text(width=120)


def test_gradients_per_example_through_vmap() -> None:
    per_example = wengert.vmap(wengert.grad(lambda x, y: F.cross_entropy(x, y)))
    found = per_example(SCORES, CLASSES)
    np.testing.assert_allclose(found, softmax(SCORES) - one_hot(CLASSES), rtol=1e-12)


def test_the_derivative_by_a_logit_is_derived() -> None:
    found = wengert.derive(lambda z, y: F.binary_cross_entropy_with_logits(z, y), 0.3, 0.7, wrt="z")
    assert found["z"].text == "sigmoid(z) - y"


def test_exact_numbers_have_exact_losses() -> None:
    half, third = Fraction(1, 2), Fraction(1, 3)
    assert F.mse_loss(half, third) == Fraction(1, 36)
    assert wengert.grad(F.mse_loss)(half, third) == Fraction(1, 3)
    assert wengert.grad(lambda x: F.huber_loss(x, third, delta=Fraction(1, 12)))(half) == Fraction(1, 12)


def test_float32_stays_float32() -> None:
    x = tensor(SCORES, dtype="float32", requires_grad=True)
    weight = np.array([1.0, 2.0, 3.0, 4.0])  # as scikit-learn computes class weights: float64
    loss = losses.CrossEntropyLoss(weight=weight, label_smoothing=0.1)(x, tensor(CLASSES))
    loss.backward()
    assert (loss.dtype, x.grad.dtype) == (np.dtype("float32"), np.dtype("float32"))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("ignore_index", [-100, 1])
def test_class_indices_of_any_integer_dtype(dtype: str, ignore_index: int) -> None:
    expected = F.cross_entropy(SCORES, CLASSES, ignore_index=ignore_index)
    found = F.cross_entropy(SCORES, CLASSES.astype(dtype), ignore_index=ignore_index)
    assert found == pytest.approx(expected)


def test_more_classes_than_an_index_dtype_can_count() -> None:
    scores = np.zeros((2, 300))
    assert F.cross_entropy(scores, np.array([0, 255], "uint8")) == pytest.approx(math.log(300))
    with pytest.raises(ValueError, match=r"class -1 at \[1\]"):
        F.cross_entropy(scores, np.array([0, -1], "int8"))


def test_many_classes_and_few_are_the_same() -> None:
    few = np.random.RandomState(1).randn(3, 5)
    many = np.concatenate([few, np.full((3, 200), -math.inf)], axis=1)
    target = np.array([4, 0, 2])
    assert F.cross_entropy(many, target) == pytest.approx(F.cross_entropy(few, target), rel=1e-14)
    np.testing.assert_allclose(wengert.softmax(many)[:, :5], wengert.softmax(few), rtol=1e-14)


def test_whole_numbers_as_targets_become_floating() -> None:
    x = tensor([0.5, 2.0], requires_grad=True)
    loss = F.mse_loss(x, tensor([1, 2]))
    assert (loss.item(), loss.dtype) == (0.125, np.dtype("float32"))
    assert F.binary_cross_entropy_with_logits(x, [1, 0]).item() == pytest.approx(1.3005, abs=1e-4)


# -- far out


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cross_entropy_neither_overflows_nor_loses_the_small(dtype: str) -> None:
    x = tensor([[1e4, 0.0], [-1e4, 0.0]], dtype=dtype, requires_grad=True)
    loss = F.cross_entropy(x, tensor([1, 1]), reduction="none")
    assert loss.tolist() == [1e4, 0.0]
    loss.sum().backward()
    assert x.grad.tolist() == [[1.0, -1.0], [0.0, 0.0]]


def test_binary_cross_entropy_from_logits_keeps_its_digits() -> None:
    x = np.array([-40.0, 40.0, 800.0, -800.0])
    found = F.binary_cross_entropy_with_logits(x, np.array([0.0, 1.0, 0.0, 1.0]), reduction="none")
    tiny = math.log1p(math.exp(-40))
    np.testing.assert_allclose(found, [tiny, tiny, 800.0, 800.0], rtol=1e-14)
    weighted = F.binary_cross_entropy_with_logits(x, np.array([0.0, 1.0, 0.0, 1.0]), None, "none", [2.0])
    np.testing.assert_allclose(weighted, [tiny, 2 * tiny, 800.0, 1600.0], rtol=1e-14)


def test_the_logarithms_of_bce_are_held_above_minus_100() -> None:
    p = tensor([0.0, 1.0, 0.0, 1.0], dtype="float64", requires_grad=True)
    loss = F.binary_cross_entropy(p, tensor([0.0, 1.0, 1.0, 0.0]), reduction="none")
    assert loss.tolist() == [0.0, 0.0, 100.0, 100.0]
    loss.sum().backward()
    np.testing.assert_allclose(p.grad.data, [0, 0, -1e12, 1e12])


# -- what counts


def test_ignored_entries_count_nowhere() -> None:
    x = tensor(np.where(np.arange(6)[:, None] == 1, np.inf, SCORES), requires_grad=True)
    target = np.where(np.arange(6) == 1, -100, CLASSES)
    loss = F.cross_entropy(x, target)
    others = [0, 2, 3, 4, 5]
    assert loss.item() == pytest.approx(F.cross_entropy(SCORES[others], CLASSES[others]))
    assert math.isnan(F.cross_entropy(SCORES, np.full(6, -100)))


def test_one_hot_probabilities_are_indices() -> None:
    expected = F.cross_entropy(SCORES, CLASSES)
    assert F.cross_entropy(SCORES, one_hot(CLASSES)) == pytest.approx(expected)
    assert F.nll_loss(wengert.log_softmax(SCORES, axis=1), CLASSES) == pytest.approx(expected)


def test_kl_divergence_of_a_distribution_from_itself_is_0() -> None:
    p = softmax(SCORES)
    assert F.kl_div(np.log(p), p, "batchmean") == pytest.approx(0, abs=1e-15)
    assert F.kl_div(np.log([0.5, 0.5]), np.array([1.0, 0.0]), "sum") == pytest.approx(math.log(2))


def test_one_variance_for_all() -> None:
    x, t = SCORES, SCORES[::-1]
    expected = F.gaussian_nll_loss(x, t, np.full(x.shape, 0.5))
    assert F.gaussian_nll_loss(x, t, 0.5) == pytest.approx(expected)


# -- as modules


def test_weights_are_buffers() -> None:
    loss = losses.CrossEntropyLoss(weight=[1.0, 2.0])
    assert loss.state_dict()["weight"].tolist() == [1.0, 2.0]
    assert list(losses.BCEWithLogitsLoss(pos_weight=[3.0]).state_dict()) == ["pos_weight"]
    assert not losses.CrossEntropyLoss().state_dict()


def test_a_loss_shows_its_reduction() -> None:
    assert repr(losses.MSELoss()) == "MSELoss()"
    assert repr(losses.KLDivLoss("batchmean")) == "KLDivLoss(reduction='batchmean')"


# -- errors


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        ([0, 3, 1, 4, 2, 0], ValueError, r"class 4 at \[3\], .* \(6, 4\) has the classes 0 to 3"),
        ([0, 3, -1, 1, 2, 0], ValueError, r"class -1 at \[2\]"),
        ([0.0, 3.0, 1.0, 1.0, 2.0, 0.0], TypeError, r"indices of shape \(6,\).*float32.*target.long\(\)"),
        ([True] * 6, TypeError, r"got bool"),
        (CLASSES[:, None], ValueError, r"got int64 of shape \(6, 1\): pass target.reshape\(6,\)"),
        (one_hot(CLASSES).astype(int), ValueError, r"target.argmax\(-1\) or target.float\(\)"),
        (CLASSES[:5], ValueError, r"indices of shape \(6,\), or as probabilities of shape \(6, 4\); got"),
        (
            np.where(one_hot(CLASSES) == 1, NAN, 0),
            ValueError,
            r"target: expected numbers, got NaN at \[0, 0\]",
        ),
        (None, TypeError, "target: expected numbers or an array of them, got None"),
    ],
)
def test_targets_that_are_no_classes(target: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        F.cross_entropy(SCORES, target)


@pytest.mark.parametrize(
    ("input", "target", "right"),
    [
        ((5, 1), (5,), "target.reshape(input.shape)"),
        ((5,), (5, 1), "target.reshape(input.shape)"),
        ((5, 3), (3,), "wengert.broadcast_to(target, input.shape)"),
        ((3,), (5, 3), "wengert.broadcast_to(input, target.shape)"),
        ((5, 3), (), "wengert.full_like(input, target)"),
    ],
)
def test_shapes_are_never_broadcast_in_silence(input: Any, target: Any, right: str) -> None:
    with pytest.raises(ValueError, match="one shape") as caught:
        F.mse_loss(wengert.zeros(*input), wengert.zeros(*target))
    message = str(caught.value)
    assert f"input {input} and target {target}" in message
    assert right in message.partition("right:")[2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, t: F.mse_loss(x, t[:4]), r"input \(6, 4\) and target \(4, 4\)"),
        (lambda x, t: F.mse_loss(x, t, reduction="average"), "'none', 'mean', 'sum', got 'average'"),
        (
            lambda x, t: F.binary_cross_entropy(x, t),
            r"input: .* between 0 and 1, got 1\.76.* at \[0, 0\].*logits",
        ),
        (lambda x, t: F.binary_cross_entropy(t / 2, t), r"target: .* between 0 and 1, got 2\.0 at \[0, 0\]"),
        (lambda x, t: F.binary_cross_entropy(t / 2, t / 2, t[0, :3]), r"weight: .*\(6, 4\), got \(3,\)"),
        (lambda x, t: F.huber_loss(x, t, delta=0), "delta: expected a positive number, got 0"),
        (lambda x, t: F.smooth_l1_loss(x, t, beta=-1), "beta: .* got -1"),
        (lambda x, t: F.gaussian_nll_loss(x, t, -t), "var: expected variances of at least 0, got -2.0"),
        (lambda x, t: F.gaussian_nll_loss(x, t, t[:3]), r"var: .*\(6, 4\), got \(3, 4\)"),
        (lambda x, t: F.cross_entropy(x, CLASSES, weight=[1.0, 2.0]), r"weight: .*\(4,\), got \(2,\)"),
        (lambda x, t: F.cross_entropy(x, CLASSES, label_smoothing=1.5), "from 0 to 1, got 1.5"),
        (lambda x, t: F.cross_entropy(x[:, :0], CLASSES), r"at least one class, got shape \(6, 0\)"),
        (lambda x, t: F.cross_entropy(x, t, ignore_index=0), "only class indices can be ignored"),
        (lambda x, t: losses.MSELoss("batchmean"), "'none', 'mean', 'sum', got 'batchmean'"),
    ],
)
def test_errors_name_the_argument(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(SCORES, np.full((6, 4), 2.0))


@pytest.mark.parametrize(
    "loss", [F.mse_loss, F.l1_loss, F.huber_loss, F.binary_cross_entropy_with_logits, F.kl_div]
)
def test_a_target_that_is_nan_is_named(loss: Any) -> None:
    target = tensor([[0.5, 0.5], [0.5, NAN]])
    with pytest.raises(ValueError, match=r"target: expected numbers, got NaN at \[1, 1\] \(1 in all\)"):
        loss(wengert.zeros(2, 2), target)
    kept = loss(wengert.zeros(2, 2), target, reduction="none").data
    assert np.isnan(kept).tolist() == [[False, False], [False, True]]


def test_a_prediction_that_is_nan_shows_in_the_loss() -> None:
    assert math.isnan(F.mse_loss(tensor([NAN]), tensor([1.0])).item())
