"""Estimators among scikit-learn's tools: searches, copies, names, and what they refuse."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn.base")

import joblib
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from wengert.sklearn import MLPClassifier, MLPRegressor

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


def unpickled(estimator: Any) -> Any:
    return pickle.loads(pickle.dumps(estimator))


def through_joblib(estimator: Any) -> Any:
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


def same_weights(a: Any, b: Any) -> bool:
    return all(
        np.array_equal(v, w) for v, w in zip(a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_, strict=True)
    )


# -- in scikit-learn's company


def test_grid_search_over_a_pipeline() -> None:
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(**THOROUGH))
    grid = {"mlpclassifier__hidden_layer_sizes": [(), (16,)]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(X, LABELS)
    assert search.best_params_ == {"mlpclassifier__hidden_layer_sizes": (16,)}
    assert search.best_score_ > 0.8


@pytest.mark.slow
def test_workers_and_processes_agree() -> None:
    scores = [
        cross_val_score(MLPRegressor(**SHORT), X, NUMBERS, cv=2, n_jobs=jobs).tolist() for jobs in (None, 2)
    ]
    assert scores[0] == pytest.approx(scores[1])


def test_a_clone_knows_nothing() -> None:
    model = clone(MLPClassifier(**SHORT, dropout=0.2).fit(X, LABELS))
    assert model.dropout == 0.2
    assert not hasattr(model, "coefs_")
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_names_of_columns_are_kept() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, columns=list("abcd"))
    model = MLPClassifier(**SHORT).fit(table, LABELS)
    assert model.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(table[["b", "a", "c", "d"]])


@pytest.mark.parametrize("copied", [unpickled, through_joblib, copy.deepcopy])
def test_a_copy_goes_on_the_same_way(copied: Any) -> None:
    settings = {**SHORT, "dropout": 0.3, "batch_size": 32}
    model = MLPClassifier(**settings).fit(X, LABELS)
    other = copied(model)
    assert np.array_equal(model.predict_proba(X), other.predict_proba(X))
    for estimator in (model, other):
        estimator.partial_fit(X, LABELS).partial_fit(X, LABELS, sample_weight=np.arange(120) + 1)
    assert same_weights(model, other)


def test_a_pickle_survives_changed_parameters() -> None:
    model = MLPClassifier(**SHORT).fit(X, LABELS)
    expected = model.predict_proba(X)
    model.set_params(hidden_layer_sizes=(3, 3), activation="tanh", solver="sgd")
    assert np.array_equal(unpickled(model).predict_proba(X), expected)


def test_arrays_read_from_a_model_never_change() -> None:
    model = MLPRegressor(**SHORT).fit(X, NUMBERS)
    weights = model.coefs_[0]
    before = weights.copy()
    model.partial_fit(X, NUMBERS)
    assert np.array_equal(weights, before)
    assert not np.array_equal(model.coefs_[0], before)


# -- what is refused


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden_layer_sizes", (16, 0)),
        ("hidden_layer_sizes", 2.5),
        ("hidden_layer_sizes", "64,32"),
        ("activation", "relu6"),
        ("activation", ["relu"]),
        ("solver", "lbfgs"),
        ("alpha", -1.0),
        ("alpha", np.inf),
        ("batch_size", 0),
        ("batch_size", "all"),
        ("learning_rate_init", 0.0),
        ("max_iter", 0),
        ("shuffle", "no"),
        ("tol", np.nan),
        ("momentum", 1.0),
        ("validation_fraction", 0.0),
        ("beta_2", 1.5),
        ("n_iter_no_change", 0),
        ("dropout", 1.0),
        ("dropout", True),
    ],
)
def test_wrong_parameters_are_named(name: str, value: Any) -> None:
    for train in (
        lambda model: model.fit(X, LABELS),
        lambda model: model.partial_fit(X, LABELS, ["like", "unlike"]),
    ):
        with pytest.raises(ValueError, match=f"MLPClassifier: expected {name} to be .*, got"):
            train(MLPClassifier(**{**SHORT, name: value}))


def test_numpy_numbers_are_parameters_too() -> None:
    settings = {
        "alpha": np.float32(0.1),
        "max_iter": np.int64(3),
        "n_iter_no_change": np.inf,
        "shuffle": np.True_,
    }
    assert MLPRegressor(np.array([4, 4]), **settings).fit(X, NUMBERS).n_iter_ == 3


@pytest.mark.parametrize("way", ["fit", "partial_fit"])
def test_a_diverging_training_says_what_to_do(way: str) -> None:
    model = MLPRegressor((16,), "identity", solver="sgd", learning_rate_init=100.0, max_iter=50)
    with (
        pytest.raises(ValueError, match=r"the loss became (nan|inf).*StandardScaler.*learning_rate_init"),
        np.errstate(all="ignore"),
    ):
        for _ in range(50):
            getattr(model, way)(1e3 * X, NUMBERS)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_missing_numbers_are_refused(bad: float) -> None:
    inputs = X.copy()
    inputs[3, 1] = bad
    model = MLPClassifier(**SHORT).fit(X, LABELS)
    for act in (
        lambda: MLPClassifier().fit(inputs, LABELS),
        lambda: model.partial_fit(inputs, LABELS),
        lambda: model.predict(inputs),
    ):
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            act()


def test_without_scikit_learn_the_command_is_named() -> None:
    program = "import sys; sys.modules['sklearn'] = None; import wengert.sklearn"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert "wengert.sklearn needs the package scikit-learn: pip install 'wengert[learn]'" in done.stderr
