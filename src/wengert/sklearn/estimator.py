"""What the estimators share: how a network is trained on checked arrays, in epochs or batch by batch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from wengert.data.splits import split_indices
from wengert.random import Generator
from wengert.sklearn.networks import Array, Learner
from wengert.sklearn.settings import check_parameters, hidden_sizes, optimizer_settings
from wengert.sklearn.stopping import Plateau
from wengert.tensors import Tensor
from wengert.train import History, NonFiniteLoss, fit, predict

DTYPES = (np.float64, np.float32)
"""Inputs of these dtypes keep theirs, and give it to the network; others become float64."""

LARGEST_BATCH = 200
"""The rows of a batch with ``batch_size='auto'``, as in scikit-learn."""


class NetworkEstimator(BaseEstimator):  # type: ignore[misc]
    """The base class of the estimators. A subclass states its loss, and the sizes of its layers."""

    loss_function: ClassVar[Callable[..., Any]]
    metric: ClassVar[str | None] = None
    """The score that is reported for every epoch with ``early_stopping``."""

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_learner")

    @property
    def coefs_(self) -> list[Array]:
        """The weights of every layer, of shape (inputs, outputs) as in scikit-learn."""
        return [weight.data.T for weight in self._fitted().weights]

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of every layer."""
        return [bias.data for bias in self._fitted().biases]

    def _fitted(self) -> Learner:
        check_is_fitted(self)
        learner: Learner = self._learner
        return learner

    def _outputs(self, x: Array) -> Array:
        """The network's outputs for checked inputs."""
        return predict(self._learner.network, x)

    def _parts(self, features: int, outputs: int) -> list[list[int]]:
        """The sizes of the chains of layers."""
        return [[features, *hidden_sizes(self.hidden_layer_sizes), outputs]]

    def _begin(self, x: Array, outputs: int) -> int:
        """A new network for such inputs. Returns the seed of this training."""
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self._learner = Learner(
            self._parts(x.shape[1], outputs),
            self.activation,
            self.dropout,
            x.dtype,
            self.solver,
            optimizer_settings(self),
            Generator(seed).fork("network"),
        )
        self.loss_curve_: list[float] = []
        self.n_iter_ = 0
        return seed

    def _rows_per_batch(self, count: int) -> int:
        return min(LARGEST_BATCH if self.batch_size == "auto" else int(self.batch_size), count)

    # -- all epochs
    # --------------------------------------------------------------------------------------------------------

    def _fit(self, x: Array, y: Array, outputs: int, sample_weight: Any, labels: Array | None = None) -> None:
        """Train a new network on checked arrays; ``labels`` stratify the rows that validate."""
        check_parameters(self)
        weight = checked_weight(sample_weight, x)
        if weight is not None and not weight.all():  # a row without weight is as if it were not there
            kept = weight > 0
            x, y, weight = x[kept], y[kept], weight[kept]
            labels = None if labels is None else labels[kept]
        seed = self._begin(x, outputs)
        learner: Learner = self._learner
        training, validation = self._split(len(x), labels, seed)
        rows = self._rows_per_batch(len(x) - len(validation))
        plateau = Plateau(self.n_iter_no_change, self.tol)
        learner.set_penalty(self.alpha / (rows * mean_weight(weight, training)))
        try:
            history = fit(
                learner.network,
                _part(x, y, weight, training),
                validation=_part(x, y, weight, validation) if self.early_stopping else None,
                loss=type(self).loss_function,
                optimizer=learner.optimizer,
                epochs=self.max_iter,
                batch_size=rows,
                shuffle=bool(self.shuffle),
                seed=seed,
                metrics=[self.metric] if self.early_stopping and self.metric else [],
                callbacks=[plateau],
                progress=bool(self.verbose),
            )
        except NonFiniteLoss as error:
            raise self._diverged(str(error).partition("\n")[0].removeprefix("fit: ")) from error
        self._note(history, settled=plateau.reached)

    def _split(self, count: int, labels: Array | None, seed: int) -> tuple[Any, Array]:
        """The rows to train on, and those to validate with."""
        if not self.early_stopping:
            return slice(None), np.arange(0)
        share = self.validation_fraction
        if round(share * count) < 2:
            raise ValueError(
                f"{type(self).__name__}: early_stopping needs at least two rows to validate with, and "
                f"validation_fraction={share} of {count} rows are fewer"
            )
        training, validation, _ = split_indices(
            count, fractions=(1 - share, share, 0), seed=seed, stratify=labels
        )
        return training, validation

    def _note(self, history: History, settled: bool) -> None:
        self.loss_curve_ = history.column("train_loss")
        self.loss_, self.n_iter_ = self.loss_curve_[-1], len(history)
        if self.early_stopping:
            self.validation_loss_curve_ = history.column("validation_loss")
            if self.metric:
                self.validation_scores_ = history.column(f"validation_{self.metric}")
        if not settled and self.max_iter > self.n_iter_no_change:
            warnings.warn(
                f"{type(self).__name__}: the loss has not settled after max_iter={self.max_iter} epochs; "
                f"raise max_iter, or ask for all epochs with n_iter_no_change=max_iter",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _diverged(self, what: str) -> ValueError:
        return ValueError(
            f"{type(self).__name__}: {what}; scale X, for instance with StandardScaler, or lower "
            f"learning_rate_init (it is {self.learning_rate_init:g})"
        )

    # -- batch by batch
    # --------------------------------------------------------------------------------------------------------

    def _partial_fit(self, x: Array, y: Array, outputs: int, sample_weight: Any) -> None:
        """Train on checked rows once: a new network where there is none."""
        if self.early_stopping:
            raise ValueError(
                f"{type(self).__name__}: partial_fit sees no validation rows; set early_stopping=False"
            )
        weight = checked_weight(sample_weight, x)
        if not self.__sklearn_is_fitted__():
            check_parameters(self)
            self._begin(x, outputs)
        learner: Learner = self._learner
        learner.network.train()
        total = 0.0
        for rows in self._slices(len(x)):
            scale = mean_weight(weight, rows)
            if scale == 0:
                continue
            batch = _part(x, y, weight, rows)
            count = len(batch[0].data)
            learner.set_penalty(self.alpha / (count * scale))
            try:
                total += count * learner.step(type(self).loss_function, batch)
            except FloatingPointError as error:
                raise self._diverged(str(error)) from error
        learner.network.eval()
        self.loss_ = total / len(x)
        self.loss_curve_.append(self.loss_)
        self.n_iter_ += 1

    def _slices(self, count: int) -> Iterator[Any]:
        """The rows of every batch: one batch where they fit into one, and then in the order given."""
        size = self._rows_per_batch(count)
        if size == count:
            yield slice(None)
            return
        order = self._learner.generator.permutation(count) if self.shuffle else np.arange(count)
        for start in range(0, count, size):
            yield order[start : start + size]


def checked_weight(sample_weight: Any, x: Array) -> Array | None:
    """The weights of the rows in the dtype of ``x``; None where there are none.

    Raises ValueError unless there is one finite number of at least 0 per row, and one above 0.
    """
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Real):
        sample_weight = np.full(len(x), sample_weight)
    weight: Array = check_array(
        sample_weight, ensure_2d=False, allow_nd=True, dtype=x.dtype, input_name="sample_weight"
    )
    if weight.shape != (len(x),):
        raise ValueError(f"sample_weight: expected shape ({len(x)},), a number per row, got {weight.shape}")
    if weight.min() < 0:
        raise ValueError(f"sample_weight: expected numbers of at least 0, got {weight.min()}")
    if not weight.any():
        raise ValueError("sample_weight: every weight is zero, so that there is nothing to learn from")
    return weight


def mean_weight(weight: Array | None, rows: Any) -> float:
    """The mean weight of some rows; 1 without weights."""
    return 1.0 if weight is None else float(weight[rows].mean())


def _part(x: Array, y: Array, weight: Array | None, rows: Any) -> Sequence[Tensor]:
    """Some rows as tensors. Their weights are scaled to the mean 1, so that a loss of equal weights is the
    loss without weights."""
    parts = [Tensor(x[rows]), Tensor(y[rows])]
    if weight is not None:
        parts.append(Tensor(weight[rows] / weight[rows].mean()))
    return parts
