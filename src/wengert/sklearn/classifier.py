"""`MLPClassifier`: a network that tells classes apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

import wengert.nn.functional as F
from wengert.sklearn.estimator import DTYPES
from wengert.sklearn.losses import cross_entropy
from wengert.sklearn.networks import Array
from wengert.sklearn.perceptron import Perceptron


class MLPClassifier(ClassifierMixin, Perceptron):  # type: ignore[misc]
    """A multi-layer perceptron that classifies: softmax at its end, cross entropy as its loss.

    The parameters have scikit-learn's names and defaults:

    - ``hidden_layer_sizes``: the units of every hidden layer; one number is one layer, ``()`` a linear model.
    - ``activation``: ``'relu'``, ``'tanh'``, ``'logistic'``, ``'identity'``, ``'leaky_relu'``, ``'elu'``,
      ``'selu'``, ``'silu'``, ``'mish'``, ``'gelu'``, ``'softplus'`` or ``'hardtanh'``.
    - ``solver``: ``'adam'`` and ``'nadam'`` (with ``beta_1``, ``beta_2``, ``epsilon``), ``'sgd'`` (with
      ``momentum``, ``nesterovs_momentum``), ``'rmsprop'`` or ``'adagrad'`` (with ``epsilon``).
    - ``alpha``: α/2 times the sum of the squared weights, over the rows of a batch, is added to the loss;
      ``loss_`` is reported without it.
    - ``dropout``: the probability with which a hidden unit's output is 0 in a training step.
    - ``batch_size``: rows per step; ``'auto'`` is 200, or all rows where they are fewer.
    - ``max_iter`` epochs at most; the training ends before where the loss has not fallen by ``tol`` below its
      least value for ``n_iter_no_change`` epochs in a row. With ``early_stopping`` that loss is the one of
      ``validation_fraction`` of the rows, which are held out, and the weights of the best epoch are kept.
    - ``random_state``: an integer, a RandomState or None; the same integer gives the same weights.
    - ``verbose``: show the progress.

    Labels are numbers or texts. Raises ValueError where the data, the labels or a parameter cannot be trained
    with.

    Fitted: ``classes_``, ``n_features_in_``, ``feature_names_in_`` for data frames, ``coefs_`` and
    ``intercepts_`` per layer, ``loss_``, ``loss_curve_`` and ``n_iter_`` per epoch (or call of
    ``partial_fit``); with ``early_stopping`` also ``validation_loss_curve_`` and ``validation_scores_``, the
    accuracies.

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier(32, learning_rate_init=0.01, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.95)
    True
    """

    loss_function = staticmethod(cross_entropy)
    metric = "accuracy"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPClassifier:
        """Train a new network on inputs (rows, features) and labels (rows,)."""
        X, y = validate_data(self, X, y, dtype=DTYPES)
        check_classification_targets(y)
        self.classes_, places = np.unique(y, return_inverse=True)
        self._fit(X, places, len(self.classes_), sample_weight, labels=places)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> MLPClassifier:
        """Train on these rows once, on top of what is known.

        ``classes``, all labels there will ever be, must be said in the first call.
        """
        first = not self.__sklearn_is_fitted__()
        X, y = validate_data(self, X, y, reset=first, dtype=DTYPES if first else self._learner.dtype)
        if first:
            if classes is None:
                raise ValueError("classes: the first call of partial_fit must name all classes there will be")
            check_classification_targets(y)
            self.classes_ = np.unique(classes)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes: expected those of the first call, {self.classes_}, got {classes}")
        self._partial_fit(X, self._places(y), len(self.classes_), sample_weight)
        return self

    def _places(self, y: Array) -> Array:
        """Each label's place among the classes."""
        places = np.searchsorted(self.classes_, y).clip(max=len(self.classes_) - 1)
        known = self.classes_[places] == y
        if not known.all():
            unknown = np.unique(y[~known])
            raise ValueError(f"y: expected labels of {self.classes_}, got {unknown}, which fit never saw")
        return np.asarray(places)

    def _scores(self, X: Any) -> Array:
        learner = self._fitted()
        return self._outputs(validate_data(self, X, reset=False, dtype=learner.dtype))

    def predict(self, X: Any) -> Array:
        """The most probable label of every row."""
        places = self._scores(X).argmax(axis=1)
        return np.asarray(self.classes_[places])

    def predict_proba(self, X: Any) -> Array:
        """The probabilities of the classes, of shape (rows, classes), in the order of ``classes_``."""
        return np.asarray(F.softmax(self._scores(X), axis=1))

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of the probabilities, which stay finite where a probability underflows."""
        return np.asarray(F.log_softmax(self._scores(X), axis=1))
