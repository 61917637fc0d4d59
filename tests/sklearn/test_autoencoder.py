"""The autoencoder as a transformer."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn.base")

from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from wengert.sklearn import Autoencoder, MLPClassifier

ANGLES = np.random.default_rng(0).uniform(-1.4, 1.4, 200)
ARC = np.stack([np.cos(ANGLES), np.sin(ANGLES), np.sin(2 * ANGLES)], axis=1)
SETTINGS: dict[str, Any] = {
    "hidden_layer_sizes": (32, 16),
    "code_size": 1,
    "activation": "tanh",
    "learning_rate_init": 0.01,
    "max_iter": 200,
    "n_iter_no_change": 200,
    "random_state": 0,
}


def test_it_finds_a_curve_that_no_line_follows() -> None:
    model = Autoencoder(**SETTINGS).fit(ARC)
    line = PCA(1).fit(ARC)
    left = np.square(line.inverse_transform(line.transform(ARC)) - ARC).mean()
    assert -model.score(ARC) < 0.05 * left
    restored = model.inverse_transform(model.transform(ARC))
    assert np.square(restored - ARC).mean() == pytest.approx(-model.score(ARC))


def test_the_decoder_mirrors_the_encoder() -> None:
    model = Autoencoder((8, 4), 2, max_iter=2, n_iter_no_change=2).fit(ARC)
    assert [w.shape for w in model.coefs_] == [(3, 8), (8, 4), (4, 2), (2, 4), (4, 8), (8, 3)]
    assert model.transform(ARC).shape == (200, 2)
    assert model.get_feature_names_out().tolist() == ["autoencoder0", "autoencoder1"]


def test_batches_teach_it_too() -> None:
    model = Autoencoder(**SETTINGS)
    for _ in range(200):
        model.partial_fit(ARC[:100]).partial_fit(ARC[100:], sample_weight=np.ones(100))
    assert model.score(ARC) > -0.01


def test_weights_choose_what_is_restored() -> None:
    weight = np.where(ANGLES > 0, 1.0, 0.0)
    model = Autoencoder(**SETTINGS).fit(ARC, sample_weight=weight)
    assert model.score(ARC, sample_weight=weight) > 10 * model.score(ARC, sample_weight=1 - weight)


def test_codes_of_another_size_are_refused() -> None:
    model = Autoencoder((4,), 2, max_iter=2, n_iter_no_change=2).fit(ARC)
    with pytest.raises(ValueError, match="expected codes of 2 numbers per row, got 3"):
        model.inverse_transform(ARC)


def test_the_size_of_the_code_is_searched_for() -> None:
    search = GridSearchCV(Autoencoder(**SETTINGS), {"code_size": [1, 3]}, cv=2).fit(ARC)
    assert search.best_params_ == {"code_size": 3}


def test_a_step_of_a_pipeline() -> None:
    labels = (ANGLES > 0).astype(int)
    classifier = MLPClassifier(
        (8,), learning_rate_init=0.02, random_state=0, max_iter=60, n_iter_no_change=60
    )
    pipeline = make_pipeline(StandardScaler(), Autoencoder(**{**SETTINGS, "max_iter": 60}), classifier)
    assert pipeline.set_params(autoencoder__n_iter_no_change=60).fit(ARC, labels).score(ARC, labels) > 0.95


def test_codes_as_a_data_frame() -> None:
    pytest.importorskip("pandas")
    model = Autoencoder((4,), 2, max_iter=2, n_iter_no_change=2).set_output(transform="pandas")
    codes = model.fit_transform(ARC)
    assert list(codes.columns) == ["autoencoder0", "autoencoder1"]
    assert model.inverse_transform(codes).shape == (200, 3)


def test_a_pickle_restores_both_halves() -> None:
    model = Autoencoder((4,), 2, max_iter=5, n_iter_no_change=5, early_stopping=True).fit(
        ARC.astype("float32")
    )
    other = pickle.loads(pickle.dumps(model))
    assert other.transform(ARC).dtype == "float32"
    assert np.array_equal(other.transform(ARC), model.transform(ARC))
    assert np.array_equal(other.inverse_transform(ARC[:, :2]), model.inverse_transform(ARC[:, :2]))
