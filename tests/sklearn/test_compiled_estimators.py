"""Estimators train by programs where that pays, with the same results."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from wengert.sklearn import Autoencoder, MLPClassifier, MLPRegressor
from wengert.train import steps, warm_up

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 4))
Y = (X[:, 0] > X[:, 1] * X[:, 2]).astype(int)


@pytest.fixture(params=["native", "numpy"])
def backend(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """What runs the programs, in turn."""
    if request.param == "native":
        pytest.importorskip("llvmlite")
    monkeypatch.setattr(steps, "BACKEND", request.param)
    return str(request.param)


def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_up, "WORTH_SECONDS", 0.0)


def never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_up, "WORTH_SECONDS", 1e9)


def curve(estimator: Any, y: Any) -> list[float]:
    return list(estimator.fit(X, y).loss_curve_)


@pytest.mark.filterwarnings("ignore:.*has not settled")
@pytest.mark.parametrize(
    "make",
    [
        lambda: MLPClassifier(8, batch_size=32, max_iter=6, random_state=0, dropout=0.2),
        lambda: MLPClassifier(8, solver="sgd", early_stopping=True, max_iter=6, random_state=0),
        lambda: MLPRegressor((8, 4), solver="rmsprop", batch_size=50, max_iter=6, random_state=0),
        lambda: Autoencoder(2, max_iter=6, random_state=0),
    ],
)
def test_fit_is_the_same_compiled(backend: str, monkeypatch: pytest.MonkeyPatch, make: Any) -> None:
    y = X if isinstance(make(), Autoencoder) else Y
    never(monkeypatch)
    expected = curve(make(), y)
    always(monkeypatch)
    np.testing.assert_allclose(curve(make(), y), expected, rtol=1e-9)


def test_partial_fit_is_the_same_compiled(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def losses() -> list[float]:
        model = MLPClassifier(8, batch_size=50, random_state=0, alpha=0.01, dropout=0.1)
        for _ in range(6):
            model.partial_fit(X, Y, classes=[0, 1])
        weight = 1.0 + (np.arange(len(X)) % 3)
        return list(model.partial_fit(X, Y, sample_weight=weight).loss_curve_)

    never(monkeypatch)
    expected = losses()
    always(monkeypatch)
    np.testing.assert_allclose(losses(), expected, rtol=1e-9)


def test_partial_fit_goes_on_from_a_pickle_to_the_same_bits(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm_up, "WORTH_SECONDS", 0.002)
    whole = MLPClassifier(8, random_state=0, dropout=0.1)
    parts = MLPClassifier(8, random_state=0, dropout=0.1)
    for k in range(24):
        whole.partial_fit(X, Y, classes=[0, 1])
        parts.partial_fit(X, Y, classes=[0, 1])
        if k % 5 == 0:
            parts = pickle.loads(pickle.dumps(parts))
    assert whole.loss_curve_ == parts.loss_curve_
    for ours, other in zip(whole.coefs_, parts.coefs_, strict=True):
        assert ours.tobytes() == other.tobytes()


def test_a_batch_that_diverges_changes_nothing(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    always(monkeypatch)
    model = MLPRegressor(8, solver="sgd", random_state=0).partial_fit(X, X[:, 0]).partial_fit(X, X[:, 0])
    before = [array.tobytes() for array in (*model.coefs_, *model.intercepts_)]
    with pytest.raises(ValueError, match="the loss became inf"):
        model.partial_fit(X, np.full(len(X), 1e200))
    assert [array.tobytes() for array in (*model.coefs_, *model.intercepts_)] == before
    assert np.isfinite(model.partial_fit(X, X[:, 0]).loss_)
