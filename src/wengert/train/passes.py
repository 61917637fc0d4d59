"""One pass over the data: to train, or to evaluate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numpy as np

from wengert.autodiff.levels import no_grad
from wengert.tensors import Tensor
from wengert.train.batches import Metrics, parts_of
from wengert.train.callbacks import Callback, Training
from wengert.train.feeds import Feed
from wengert.train.progress import Progress
from wengert.train.steps import EvaluationSteps, NotFinite, Outcome, TrainingSteps
from wengert.train.warm_up import outline

FIRST_BLOCK, BLOCK_SECONDS = 16, 0.1
"""So many batches run at once at first, and then as many as fit into such a time: progress, and Ctrl-C."""

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
    """Runs one epoch of steps, and keeps the scores."""

    def __init__(
        self,
        training: Training,
        loader: Any,
        steps: TrainingSteps,
        metrics: Metrics,
        *,
        callbacks: Sequence[Callback],
        progress: Progress,
    ) -> None:
        self.training, self.loader, self.steps, self.metrics = training, loader, steps, metrics
        self.callbacks, self.progress = callbacks, progress
        self.whole_shape = ""
        self.at_once = FIRST_BLOCK

    def run(self) -> tuple[Scores, int]:
        """Train for one epoch. Returns its mean loss and metrics, and the number of rows.

        A batch's loss counts as the mean over its rows, unless its ``reduction`` is 'sum'. Raises
        `NonFiniteLoss` before it spoils the weights.
        """
        training, progress = self.training, self.progress
        self.steps.look()
        feed, seen = Feed(self.loader), Seen(self.steps.loss, self.metrics)
        training.batch, training.loss = 0, math.nan
        while True:
            block = self._block(feed)
            if block is not None:
                self._train_on_many(block, seen)
            elif (batch := feed.next()) is not None:
                self._train_on(batch, seen)
            else:
                break
            if perf_counter() >= progress.next_update:
                progress.step(training.epoch, seen.rows, seen.mean_loss)
        if not training.batch:
            raise ValueError("data: the loader gave no batch; with drop_last, lower its batch_size")
        return seen.scores(), seen.rows

    def _block(self, feed: Feed) -> Sequence[Tensor] | None:
        """Whole batches that a program can run at once: nobody looks in between."""
        compilation = self.steps.compilation
        if self.callbacks or compilation.reason or self.whole_shape not in compilation.known:
            return None
        return feed.block(self.at_once)

    def _train_on_many(self, rows: Sequence[Tensor], seen: Seen) -> None:
        size, begun = self.loader.batch_size, perf_counter()
        try:
            outcome = self.steps.many(rows, size)
        except NotFinite as error:
            self._note(error.before)
            start = len(error.before.losses) * size
            raise self._non_finite(error.loss, [part[start : start + size] for part in rows]) from None
        self._note(outcome)
        seen.add(size, outcome, rows)
        if perf_counter() - begun < BLOCK_SECONDS / 2 and len(outcome.losses) == self.at_once:
            self.at_once *= 2

    def _train_on(self, batch: Any, seen: Seen) -> None:
        training, (inputs, rest) = self.training, parts_of(batch)
        try:
            outcome = self.steps.one(batch)
        except NotFinite as error:
            raise self._non_finite(error.loss, batch) from None
        self._note(outcome)
        seen.add(len(inputs), outcome, (inputs, *rest))
        if len(inputs) == self.loader.batch_size:
            self.whole_shape = outline(batch)
        for callback in self.callbacks:
            callback.on_batch_end(training)
        if self.callbacks:
            self.steps.look()

    def _note(self, outcome: Outcome) -> None:
        self.training.batch += len(outcome.losses)
        if outcome.losses:
            self.training.loss = outcome.losses[-1]

    def _non_finite(self, loss: float, batch: Any) -> NonFiniteLoss:
        self.training.batch += 1
        inputs, rest = parts_of(batch)
        return NonFiniteLoss(self._explained(loss, inputs, rest))

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
            rate = training.optimizer.param_groups[0]["lr"]
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

    def add(self, rows: int, outcome: Outcome, parts: Sequence[Any]) -> None:
        """Further batches of so many rows each, and the inputs and targets of all of them."""
        self.rows += rows * len(outcome.losses)
        for loss in outcome.losses:
            self.total += loss if self.summed else loss * rows
        if self.metrics:
            self.outputs += outcome.outputs
            self.targets.append(parts[1].data)

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


def evaluation_pass(model: Any, loader: Any, steps: EvaluationSteps, metrics: Metrics) -> Scores:
    """The mean loss and the metrics over all rows, in evaluation mode and off the tape."""
    seen = Seen(steps.loss, metrics)
    steps.look()
    with evaluating(model):
        for batch in loader:
            inputs, rest = parts_of(batch)
            seen.add(len(inputs), steps.one(batch), (inputs, *rest))
    return seen.scores()


def _non_finite_entries(part: Any) -> int:
    array = getattr(part, "data", None)
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        return 0
    return int((~np.isfinite(array)).sum())
