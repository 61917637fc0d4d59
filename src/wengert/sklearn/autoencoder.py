"""`Autoencoder`: a network that squeezes rows through a few numbers and restores them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from wengert.sklearn.estimator import DTYPES, NetworkEstimator, checked_weight
from wengert.sklearn.losses import half_squared_error
from wengert.sklearn.networks import Array
from wengert.sklearn.settings import hidden_sizes
from wengert.train import predict


class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, NetworkEstimator):  # type: ignore[misc]
    """A transformer to ``code_size`` numbers per row, trained to restore the row from them.

    The encoder has the layers ``hidden_layer_sizes`` and then the code, which is linear; the decoder mirrors
    them. The loss is half the squared error of the restored row, so the columns should have like spreads: put
    a StandardScaler before it. All other parameters are those of `MLPClassifier`. Raises ValueError where the
    data or a parameter cannot be trained with.

    Fitted: ``n_features_in_``, ``feature_names_in_`` for data frames, ``coefs_`` and ``intercepts_`` of the
    encoder's layers and then the decoder's, ``loss_``, ``loss_curve_`` and ``n_iter_``; with
    ``early_stopping`` also ``validation_loss_curve_``.

    Source: Hinton & Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks".

    >>> angles = np.linspace(0, 3, 100)
    >>> X = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    >>> model = Autoencoder(32, 1, "tanh", learning_rate_init=0.01, max_iter=300, random_state=0).fit(X)
    >>> model.transform(X).shape, bool(model.score(X) > -0.02)
    ((100, 1), True)
    """

    loss_function = staticmethod(half_squared_error)

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        code_size: int = 2,
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 1e-4,
        dropout: float = 0.0,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate_init: float = 1e-3,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.code_size = code_size
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.dropout = dropout
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _parts(self, features: int, outputs: int) -> list[list[int]]:
        down = [features, *hidden_sizes(self.hidden_layer_sizes), int(self.code_size)]
        return [down, [*reversed(down[1:]), outputs]]

    @property
    def _n_features_out(self) -> int:
        return self._fitted().parts[0][-1]

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Autoencoder:
        """Train a new network to restore the rows of X; ``y`` is ignored."""
        X = validate_data(self, X, dtype=DTYPES)
        self._fit(X, X, X.shape[1], sample_weight)
        return self

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Autoencoder:
        """Train on these rows once, on top of what is known; ``y`` is ignored."""
        first = not self.__sklearn_is_fitted__()
        X = validate_data(self, X, reset=first, dtype=DTYPES if first else self._learner.dtype)
        self._partial_fit(X, X, X.shape[1], sample_weight)
        return self

    def transform(self, X: Any) -> Array:
        """The codes of the rows, of shape (rows, code_size)."""
        learner = self._fitted()
        return predict(learner.network[0], validate_data(self, X, reset=False, dtype=learner.dtype))

    def inverse_transform(self, X: Any) -> Array:
        """The rows that codes of shape (rows, code_size) stand for, of shape (rows, features)."""
        learner = self._fitted()
        codes = check_array(X, dtype=learner.dtype)
        if codes.shape[1] != self._n_features_out:
            raise ValueError(
                f"X: expected codes of {self._n_features_out} numbers per row, got {codes.shape[1]}"
            )
        return predict(learner.network[1], codes)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Minus the mean squared error of the restored rows: larger is better, for searches; ``y`` is
        ignored."""
        learner = self._fitted()
        rows = validate_data(self, X, reset=False, dtype=learner.dtype)
        errors = np.square(self._outputs(rows) - rows).mean(axis=1)
        return -float(np.average(errors, weights=checked_weight(sample_weight, rows)))
