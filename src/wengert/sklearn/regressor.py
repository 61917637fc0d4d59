"""`MLPRegressor`: a network that predicts numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.validation import validate_data

from wengert.sklearn.estimator import DTYPES
from wengert.sklearn.losses import half_squared_error
from wengert.sklearn.networks import Array
from wengert.sklearn.perceptron import Perceptron


class MLPRegressor(RegressorMixin, Perceptron):  # type: ignore[misc]
    """A multi-layer perceptron that predicts one or several numbers: half the squared error is its loss.

    The parameters are those of `MLPClassifier`. The targets are not scaled: where they are far from 0 ± 1,
    wrap this in `sklearn.compose.TransformedTargetRegressor`. Raises ValueError where the data or a parameter
    cannot be trained with.

    Fitted: ``n_features_in_``, ``n_outputs_``, ``feature_names_in_`` for data frames, ``coefs_`` and
    ``intercepts_`` per layer, ``loss_``, ``loss_curve_`` and ``n_iter_`` per epoch (or call of
    ``partial_fit``); with ``early_stopping`` also ``validation_loss_curve_`` and ``validation_scores_``, the
    R².

    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> model = MLPRegressor(32, "tanh", learning_rate_init=0.02, max_iter=300, random_state=0)
    >>> bool(model.fit(X, X[:, 0] ** 2).score(X, X[:, 0] ** 2) > 0.9)
    True
    """

    loss_function = staticmethod(half_squared_error)
    metric = "r2_score"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Train a new network on inputs (rows, features) and targets (rows,) or (rows, outputs)."""
        X, targets = self._checked(X, y, first=True)
        self._fit(X, targets, targets.shape[1], sample_weight)
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Train on these rows once, on top of what is known."""
        X, targets = self._checked(X, y, first=not self.__sklearn_is_fitted__())
        self._partial_fit(X, targets, targets.shape[1], sample_weight)
        return self

    def _checked(self, X: Any, y: Any, first: bool) -> tuple[Array, Array]:
        """The inputs, and the targets as columns of the inputs' dtype."""
        dtype = DTYPES if first else self._learner.dtype
        X, y = validate_data(self, X, y, reset=first, dtype=dtype, multi_output=True, y_numeric=True)
        targets = np.asarray(y).astype(X.dtype, copy=False)
        if targets.ndim == 2 and targets.shape[1] == 1:
            targets = column_or_1d(targets, warn=True)
        columns = targets.reshape(len(X), -1)
        if first:
            self.n_outputs_ = columns.shape[1]
        elif columns.shape[1] != self.n_outputs_:
            raise ValueError(f"y: expected {self.n_outputs_} numbers per row, got {columns.shape[1]}")
        return X, columns

    def predict(self, X: Any) -> Array:
        """The predicted numbers, of shape (rows,), or (rows, outputs) where the targets had several."""
        learner = self._fitted()
        outputs = self._outputs(validate_data(self, X, reset=False, dtype=learner.dtype))
        return outputs[:, 0] if self.n_outputs_ == 1 else outputs
