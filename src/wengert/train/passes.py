"""One pass over the data: to train, or to evaluate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numpy as np

from wengert.autodiff.anomaly import is_watching
from wengert.autodiff.levels import no_grad
from wengert.nn.utils import clip_grad_norm_
from wengert.optim.lbfgs import LBFGS
from wengert.tensors import Tensor
from wengert.train.batches import Metrics, parts_of
from wengert.train.callbacks import Callback, Training
from wengert.train.progress import Progress

Scores = dict[str, float]


class NonFiniteLoss(FloatingPointError):
    """The loss became NaN or infinite. The weights are those from before that batch."""


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """The model in evaluation mode and nothing on the tape; afterwards every module's mode is as it was."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


class TrainingPass:
    """Runs one epoch: for every batch zero_grad, forward, loss, backward, clipping, step."""

    def __init__(
        self,
        training: Training,
        loader: Any,
        loss: Callable[..., Any],
        metrics: Metrics,
        *,
        clip_norm: float | None,
        schedule: Any,
        callbacks: Sequence[Callback],
        progress: Progress,
    ) -> None:
        self.training, self.loader, self.loss, self.metrics = training, loader, loss, metrics
        self.model, self.optimizer = training.model, training.optimizer
        self.clip_norm, self.schedule, self.progress = clip_norm, schedule, progress
        self.callbacks = callbacks
        self.parameters = list(self.model.parameters())
        self.step = self._step_with_closure if isinstance(self.optimizer, LBFGS) else self._step

    def run(self) -> tuple[Scores, int]:
        """Train for one epoch. Returns its mean loss and metrics, and the number of rows.

        A batch's loss counts as the mean over its rows, unless its ``reduction`` is 'sum'. Raises
        `NonFiniteLoss` before it spoils the weights.
        """
        training, progress, step = self.training, self.progress, self.step
        seen = Seen(self.loss, self.metrics)
        training.batch, training.loss = 0, math.nan
        for batch in self.loader:
            training.batch += 1
            inputs, rest = parts_of(batch)
            output, loss = step(inputs, rest)
            training.loss = loss
            seen.add(inputs, output, rest, loss)
            if self.schedule is not None:
                self.schedule.step()
            for callback in self.callbacks:
                callback.on_batch_end(training)
            if perf_counter() >= progress.next_update:
                progress.step(training.epoch, seen.rows, seen.mean_loss)
        if not training.batch:
            raise ValueError("data: the loader gave no batch; with drop_last, lower its batch_size")
        return seen.scores(), seen.rows

    def _step(self, inputs: Any, rest: Sequence[Any]) -> tuple[Any, float]:
        self.optimizer.zero_grad()
        output, loss = self._backward(inputs, rest)
        self.optimizer.step()
        return output, loss

    def _step_with_closure(self, inputs: Any, rest: Sequence[Any]) -> tuple[Any, float]:
        """For LBFGS, which computes the loss several times. The first time counts."""
        results: list[tuple[Any, float]] = []

        def closure() -> float:
            self.optimizer.zero_grad()
            results.append(self._backward(inputs, rest))
            return results[-1][1]

        self.optimizer.step(closure)
        return results[0]

    def _backward(self, inputs: Any, rest: Sequence[Any]) -> tuple[Any, float]:
        output = self.model(inputs)
        loss = self.loss(output, *rest)
        if self.training.batch == 1:
            _require_one_number(loss)
        number = float(loss.data)
        if not math.isfinite(number):
            if is_watching():
                loss.backward()  # detect_anomaly names the operation here, where a derivative is to blame
            raise NonFiniteLoss(self._explained(number, inputs, rest))
        loss.backward()
        if self.clip_norm is not None:
            clip_grad_norm_(self.parameters, self.clip_norm)
        return output, number

    def _explained(self, number: float, inputs: Any, rest: Sequence[Any]) -> str:
        training = self.training
        lines = [
            f"fit: the loss became {number} in epoch {training.epoch}, batch {training.batch}"
            f" (one batch earlier it was {training.loss:.6g})"
        ]
        for name, part in (("inputs", inputs), ("targets", rest[0] if rest else None)):
            bad = _non_finite_entries(part)
            if bad:
                lines.append(f"{bad} of this batch's {name} are NaN or infinite: clean the data first")
        if len(lines) == 1:
            rate = self.optimizer.param_groups[0]["lr"]
            lines.append(
                f"likely cures: a smaller learning rate (it is {rate:.3g}), clip_norm=1.0, inputs scaled to "
                f"mean 0 and spread 1, a loss that takes logits instead of probabilities"
            )
        lines.append("`with wengert.detect_anomaly():` around fit names the operation and its line")
        lines.append("the model holds the weights from before this batch")
        return "\n  ".join(lines)


class Seen:
    """What a pass has seen: the loss so far, and the outputs and targets that metrics want."""

    def __init__(self, loss: Any, metrics: Metrics) -> None:
        self.metrics = metrics
        self.summed = getattr(loss, "reduction", "mean") == "sum"
        self.total, self.rows = 0.0, 0
        self.outputs: list[Any] = []
        self.targets: list[Any] = []

    def add(self, inputs: Any, output: Any, rest: Sequence[Any], loss: float) -> None:
        """One batch more."""
        rows = len(inputs)
        self.rows += rows
        self.total += loss if self.summed else loss * rows
        if self.metrics:
            self.outputs.append(output.data)
            self.targets.append(rest[0].data)

    @property
    def mean_loss(self) -> float:
        """The mean loss of a row so far."""
        return self.total / self.rows

    def scores(self) -> Scores:
        """The mean loss and every metric, over all rows at once."""
        scores = {"loss": self.mean_loss}
        if self.metrics:
            outputs, targets = np.concatenate(self.outputs), np.concatenate(self.targets)
            scores |= {name: float(metric(outputs, targets)) for name, metric in self.metrics.items()}
        return scores


def evaluation_pass(model: Any, loader: Any, loss: Callable[..., Any], metrics: Metrics) -> Scores:
    """The mean loss and the metrics over all rows, in evaluation mode and off the tape."""
    seen = Seen(loss, metrics)
    with evaluating(model):
        for batch in loader:
            inputs, rest = parts_of(batch)
            output = model(inputs)
            value = loss(output, *rest)
            if not seen.rows:
                _require_one_number(value)
            seen.add(inputs, output, rest, float(value.data))
    return seen.scores()


def _require_one_number(loss: Any) -> None:
    if not isinstance(loss, Tensor) or loss.shape != ():
        found = f"shape {loss.shape}" if isinstance(loss, Tensor) else type(loss).__name__
        raise ValueError(f"loss: expected a tensor of one number, got {found}; end it with .mean()")


def _non_finite_entries(part: Any) -> int:
    array = getattr(part, "data", None)
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        return 0
    return int((~np.isfinite(array)).sum())
