"""The classifier and the regressor, as a user of scikit-learn meets them."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn.base")

from sklearn import neural_network
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import wengert
from wengert.random import default_generator
from wengert.sklearn import MLPClassifier, MLPRegressor
from wengert.sklearn.networks import ACTIVATIONS, SOLVERS

DRAWS = np.random.default_rng(0)
X = DRAWS.normal(size=(120, 4))
LABELS = np.where(X[:, 0] * X[:, 1] > 0, "like", "unlike")
NUMBERS = X[:, 0] * X[:, 1]
SHORT: dict[str, Any] = {
    "hidden_layer_sizes": (16,),
    "max_iter": 20,
    "n_iter_no_change": 20,
    "random_state": 0,
}
THOROUGH: dict[str, Any] = {**SHORT, "max_iter": 150, "n_iter_no_change": 150, "learning_rate_init": 0.02}


def same_weights(a: Any, b: Any) -> bool:
    return all(
        np.array_equal(v, w) for v, w in zip(a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_, strict=True)
    )


# -- what is learned


@pytest.mark.parametrize("load", [load_digits, load_breast_cancer])
def test_accuracy_is_that_of_scikit_learns_network(load: Any) -> None:
    inputs, labels = load(return_X_y=True)
    parts = train_test_split(inputs, labels, test_size=0.3, stratify=labels, random_state=0)

    def mean_accuracy(network: Any) -> float:
        model = make_pipeline(StandardScaler(), network)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            scores = [
                clone(model)
                .set_params(**{f"{model.steps[1][0]}__random_state": seed})
                .fit(parts[0], parts[2])
                .score(parts[1], parts[3])
                for seed in range(3)
            ]
        return float(np.mean(scores))

    settings: dict[str, Any] = {"hidden_layer_sizes": (64,), "max_iter": 30, "learning_rate_init": 0.005}
    ours, theirs = (
        mean_accuracy(module(**settings)) for module in (MLPClassifier, neural_network.MLPClassifier)
    )
    assert ours > 0.94
    assert ours >= theirs - 0.01


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_learns(solver: str) -> None:
    rate = {"sgd": 0.2, "adagrad": 0.1}.get(solver, 0.02)
    model = MLPClassifier(**THOROUGH, solver=solver).set_params(learning_rate_init=rate).fit(X, LABELS)
    assert model.score(X, LABELS) > 0.9


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_trains(activation: str) -> None:
    model = MLPRegressor(**SHORT, activation=activation).fit(X, NUMBERS)
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_several_targets_are_predicted_together() -> None:
    targets = np.stack([NUMBERS, -2 * NUMBERS], axis=1)
    model = MLPRegressor(**THOROUGH).fit(X, targets)
    assert model.predict(X).shape == (120, 2)
    assert model.score(X, targets) > 0.9


def test_no_hidden_layer_is_a_linear_model() -> None:
    settings = {**THOROUGH, "hidden_layer_sizes": (), "max_iter": 400, "n_iter_no_change": 400}
    settings["learning_rate_init"] = 0.05
    model = MLPRegressor(**settings, alpha=0.0).fit(X, X @ [1.0, 2.0, 0.0, -1.0] + 3.0)
    np.testing.assert_allclose(model.coefs_[0][:, 0], [1.0, 2.0, 0.0, -1.0], atol=1e-3)
    np.testing.assert_allclose(model.intercepts_[0], [3.0], atol=1e-3)


def test_the_penalty_is_scikit_learns() -> None:
    """Ridge regression in its one minimum: |Xw - y|²/2n + α|w|²/2n."""
    target, alpha = X @ [1.0, 2.0, 0.0, -1.0], 60.0
    settings = {**THOROUGH, "hidden_layer_sizes": (), "max_iter": 600, "n_iter_no_change": 600}
    model = MLPRegressor(**settings, alpha=alpha).fit(X, target)
    centred = X - X.mean(axis=0)
    expected = np.linalg.solve(centred.T @ centred + alpha * np.eye(4), centred.T @ target)
    np.testing.assert_allclose(model.coefs_[0][:, 0], expected, atol=1e-3)


def test_probabilities_and_their_logarithms() -> None:
    model = MLPClassifier(**SHORT).fit(X, LABELS)
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), probabilities)
    assert model.predict_log_proba(1e6 * X).min() > -np.inf
    assert (model.predict(X) == model.classes_[probabilities.argmax(axis=1)]).all()
    assert model.classes_.tolist() == ["like", "unlike"]


# -- weights, dtypes, seeds


@pytest.mark.parametrize("way", ["fit", "partial_fit"])
def test_weights_count_rows(way: str) -> None:
    weight = np.arange(120) % 3
    repeated = np.repeat(np.arange(120), weight)
    a, b = MLPRegressor(**SHORT, alpha=1.0), MLPRegressor(**SHORT, alpha=1.0)
    for _ in range(3):
        getattr(a, way)(X, NUMBERS, sample_weight=weight)
        getattr(b, way)(X[repeated], NUMBERS[repeated])
    np.testing.assert_allclose(a.predict(X), b.predict(X), rtol=1e-6)


def test_early_stopping_weighs_the_rows_that_validate() -> None:
    weight = np.ones(120)
    a = MLPClassifier(**SHORT, early_stopping=True).fit(X, LABELS)
    b = MLPClassifier(**SHORT, early_stopping=True).fit(X, LABELS, sample_weight=5 * weight)
    np.testing.assert_allclose(a.validation_loss_curve_, b.validation_loss_curve_, rtol=1e-4)


def test_a_batch_without_weight_teaches_nothing() -> None:
    model = MLPRegressor(**SHORT, batch_size=60, shuffle=False).partial_fit(X, NUMBERS)
    other = copy.deepcopy(model)
    model.partial_fit(X, NUMBERS, sample_weight=np.repeat([0.0, 1.0], 60))
    other.partial_fit(X[60:], NUMBERS[60:])
    assert same_weights(model, other)


@pytest.mark.parametrize(
    "weight", [np.ones(3), np.ones((120, 1)), -np.ones(120), np.full(120, np.nan), np.zeros(120)]
)
def test_wrong_weights_are_named(weight: Any) -> None:
    with pytest.raises(ValueError, match="sample_weight"):
        MLPClassifier(**SHORT).fit(X, LABELS, sample_weight=weight)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_is_that_of_the_inputs(dtype: str) -> None:
    inputs = X.astype(dtype)
    for model in (
        MLPClassifier(**SHORT).fit(inputs, LABELS),
        MLPClassifier(**SHORT).partial_fit(inputs, LABELS, np.unique(LABELS)),
    ):
        assert {array.dtype.name for array in model.coefs_ + model.intercepts_} == {dtype}
        assert model.predict_proba(X).dtype == dtype
    assert MLPRegressor(**SHORT).fit(inputs, NUMBERS, np.ones(120)).predict(inputs).dtype == dtype
    assert MLPRegressor(**SHORT).fit((10 * X).astype(int), NUMBERS).coefs_[0].dtype == "float64"


def test_the_seed_decides_everything() -> None:
    settings = {**SHORT, "dropout": 0.3, "batch_size": 32}
    a, b = MLPRegressor(**settings).fit(X, NUMBERS), MLPRegressor(**settings).fit(X, NUMBERS)
    assert same_weights(a, b)
    assert not same_weights(a, MLPRegressor(**{**settings, "random_state": 1}).fit(X, NUMBERS))
    stream = np.random.RandomState(5)
    first, second = (MLPRegressor(**{**settings, "random_state": stream}).fit(X, NUMBERS) for _ in range(2))
    assert not same_weights(first, second)
    again = MLPRegressor(**{**settings, "random_state": np.random.RandomState(5)}).fit(X, NUMBERS)
    assert same_weights(first, again)


def test_the_default_generator_is_left_alone() -> None:
    wengert.manual_seed(7)
    model = MLPRegressor(**SHORT, dropout=0.5).fit(X, NUMBERS)
    MLPRegressor(**SHORT, dropout=0.5).partial_fit(X, NUMBERS).predict(X)
    assert default_generator.get_state() == (7, 0)
    wengert.manual_seed(8)
    assert same_weights(model, MLPRegressor(**SHORT, dropout=0.5).fit(X, NUMBERS))


# -- batch by batch


def test_partial_fit_learns() -> None:
    model = MLPClassifier(**THOROUGH)
    for epoch in range(150):
        for start in range(0, 120, 40):
            rows = slice(start, start + 40)
            model.partial_fit(X[rows], LABELS[rows], classes=["like", "unlike"] if epoch == 0 else None)
    assert model.score(X, LABELS) > 0.9
    assert model.n_iter_ == len(model.loss_curve_) == 450


def test_partial_fit_takes_batches_of_batch_size() -> None:
    whole = MLPRegressor(**SHORT, batch_size=40, shuffle=False).partial_fit(X, NUMBERS)
    parts = MLPRegressor(**SHORT, batch_size=40)
    for start in range(0, 120, 40):
        parts.partial_fit(X[start : start + 40], NUMBERS[start : start + 40])
    assert same_weights(whole, parts)
    assert whole.loss_ == pytest.approx(np.mean(parts.loss_curve_))


def test_partial_fit_goes_on_from_fit() -> None:
    model = MLPRegressor(**SHORT).fit(X, NUMBERS)
    before = model.loss_
    assert model.partial_fit(X, NUMBERS).loss_ < before
    assert len(model.loss_curve_) == 21


def test_partial_fit_says_what_is_missing() -> None:
    with pytest.raises(ValueError, match="first call of partial_fit must name all classes"):
        MLPClassifier().partial_fit(X, LABELS)
    model = MLPClassifier(**SHORT).partial_fit(X, LABELS, ["like", "unlike"])
    with pytest.raises(ValueError, match=r"expected labels of \['like' 'unlike'\], got \['other'\]"):
        model.partial_fit(X[:2], ["like", "other"])
    with pytest.raises(ValueError, match="expected those of the first call"):
        model.partial_fit(X, LABELS, ["like", "other"])
    with pytest.raises(ValueError, match="early_stopping=False"):
        MLPClassifier(early_stopping=True).partial_fit(X, LABELS, ["like", "unlike"])
    with pytest.raises(ValueError, match="expected 1 numbers per row, got 2"):
        MLPRegressor(**SHORT).partial_fit(X, NUMBERS).partial_fit(X, np.stack([NUMBERS, NUMBERS], axis=1))


# -- when it ends


def test_it_ends_on_a_plateau() -> None:
    model = MLPRegressor(16, learning_rate_init=0.02, max_iter=2000, tol=1e-3, random_state=0).fit(X, NUMBERS)
    curve = np.array(model.loss_curve_)
    assert 10 < model.n_iter_ == len(curve) < 2000
    assert (curve[-10:] > np.minimum.accumulate(curve)[-11:-1] - 1e-3).all()


def test_it_warns_where_it_has_not_settled() -> None:
    with pytest.warns(ConvergenceWarning, match="max_iter=12 epochs") as caught:
        MLPRegressor(max_iter=12, random_state=0).fit(X, NUMBERS)
    assert caught[0].filename == __file__


def test_early_stopping_keeps_the_best_weights() -> None:
    noise = DRAWS.permutation(LABELS)
    model = MLPClassifier(
        64, learning_rate_init=0.05, early_stopping=True, validation_fraction=0.3, random_state=0
    )
    model.fit(X, noise)
    curve = model.validation_loss_curve_
    assert len(curve) == len(model.validation_scores_) == model.n_iter_ < 200
    assert curve[-1] > min(curve)


def test_early_stopping_needs_rows() -> None:
    with pytest.raises(ValueError, match=r"validation_fraction=0\.1 of 10 rows"):
        MLPRegressor(early_stopping=True).fit(X[:10], NUMBERS[:10])


def test_progress_is_shown_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    MLPRegressor(**SHORT).fit(X, NUMBERS)
    assert capsys.readouterr() == ("", "")
    MLPRegressor(**SHORT, verbose=True).fit(X, NUMBERS)
    assert "epoch 20/20" in capsys.readouterr().err
