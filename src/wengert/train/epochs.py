"""The epochs of one call of `fit`, one after the other, with a checkpoint after each."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from wengert.data import DataLoader
from wengert.nn import Module
from wengert.optim.lr_scheduler import ReduceLROnPlateau
from wengert.random import default_generator
from wengert.tensors import Tensor
from wengert.train.batches import Metrics
from wengert.train.callbacks import Callback, Training
from wengert.train.checkpoints import Checkpoints, settings_of
from wengert.train.history import History
from wengert.train.passes import TrainingPass, evaluation_pass
from wengert.train.progress import Progress, progress_for
from wengert.train.steps import EvaluationSteps, TrainingSteps


class Epochs:
    """Everything that one training uses, and its epochs."""

    def __init__(
        self,
        training: Training,
        loader: DataLoader,
        held_out: DataLoader | None,
        loss: Callable[..., Any],
        metrics: Metrics,
        schedule: Any,
        every: str,
        clip_norm: float | None,
        callbacks: list[Callback],
        restore_best: bool,
        compile: bool | None,
    ) -> None:
        self.training, self.loader, self.held_out = training, loader, held_out
        self.loss, self.metrics, self.schedule, self.every = loss, metrics, schedule, every
        self.callbacks, self.restore_best = callbacks, restore_best
        self.batch_callbacks = [c for c in callbacks if type(c).on_batch_end is not Callback.on_batch_end]
        self.steps = TrainingSteps(
            training.model,
            loss,
            training.optimizer,
            clip_norm=clip_norm,
            schedule=schedule if every == "batch" else None,
            outputs=bool(metrics),
            gradients=bool(self.batch_callbacks),
            compile=compile,
        )
        self.evaluation = EvaluationSteps(training.model, loss, outputs=bool(metrics), compile=compile)
        self.best_weights: dict[str, Tensor] | None = None
        self.checkpoints: Checkpoints | None = None
        self.checkpoint: dict[str, Any] | None = None

    def keep_checkpoints(self, folder: str | os.PathLike[str], resume: bool, numbers: dict[str, Any]) -> None:
        """Write checkpoints into a folder, and begin with the one that is there if this resumes."""
        settings = settings_of(
            model=self.training.model,
            loss=self.loss,
            optimizer=self.training.optimizer,
            schedule=self.schedule,
            loader=self.loader,
            validation=self.held_out,
            callbacks=self.callbacks,
            **numbers,
        )
        self.checkpoints = Checkpoints(folder, settings)
        self.checkpoint = self.checkpoints.begin(resume)

    def to_the_end(self, progress: bool | None) -> History:
        """All epochs that are still to be done."""
        training, model = self.training, self.training.model
        for callback in self.callbacks:
            callback.on_fit_start(training)
        if self.checkpoint is not None:
            self._take_up(self.checkpoint)
        first = len(training.history) + 1
        shown = progress_for(progress, training.epochs, len(self.loader.dataset), first)
        one_pass = TrainingPass(
            training,
            self.loader,
            self.steps,
            self.metrics,
            callbacks=self.batch_callbacks,
            progress=shown,
        )
        modes = [(module, module.training) for module in model.modules()]
        model.train()
        shown.start()
        try:
            while len(training.history) < training.epochs and training.stop_reason is None:
                training.epoch = len(training.history) + 1
                row, best = self._epoch(one_pass)
                self._tell(shown)
                shown.epoch(row, best)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(self._how_to_resume()) from None
        finally:
            shown.finish()
            for module, mode in modes:
                module.training = mode
        if self.restore_best and self.best_weights is not None:
            model.load_state_dict(self.best_weights)
        for callback in self.callbacks:
            callback.on_fit_end(training)
        return training.history

    def _epoch(self, one_pass: TrainingPass) -> tuple[dict[str, Any], bool]:
        """Train, validate, note, schedule, save."""
        training, history = self.training, self.training.history
        begun = time.perf_counter()
        rate = training.optimizer.param_groups[0]["lr"]
        scores, rows = one_pass.run()
        trained = time.perf_counter()
        columns = {f"train_{name}": value for name, value in scores.items()}
        if self.held_out is not None:
            found = evaluation_pass(training.model, self.held_out, self.evaluation, self.metrics)
            columns |= {f"validation_{name}": value for name, value in found.items()}
        row = {
            "epoch": training.epoch,
            "seconds": time.perf_counter() - begun,
            "rows_per_second": rows / max(trained - begun, 1e-9),
            "learning_rate": rate,
            **columns,
        }
        best = history.add(row)
        if best and self.held_out is not None:
            self.best_weights = training.model.state_dict()
        if self.schedule is not None and self.every == "epoch":
            plateau = isinstance(self.schedule, ReduceLROnPlateau)
            self.schedule.step(*([columns.get("validation_loss", scores["loss"])] if plateau else []))
        for callback in self.callbacks:
            callback.on_epoch_end(training)
        done = f"all {training.epochs} epochs are done" if training.epoch == training.epochs else None
        history.stopped = training.stop_reason or done
        history.compiled = self.steps.compilation.words()
        self._save()
        return row, best and self.held_out is not None

    def _tell(self, shown: Progress) -> None:
        """Say once why steps are not compiled, where nobody asked for that."""
        for what, steps in (("training", self.steps), ("validation", self.evaluation)):
            if steps.compilation.is_news():
                shown.note(f"{what} runs step by step and is not compiled: {steps.compilation.reason}")

    def _save(self) -> None:
        if self.checkpoints is None:
            return
        training, schedule = self.training, self.schedule
        state = {
            "stop_reason": training.stop_reason,
            "model": training.model.state_dict(),
            "best": self.best_weights,
            "loss": self.loss.state_dict() if isinstance(self.loss, Module) else None,
            "optimizer": training.optimizer.state_dict(),
            "schedule": None if schedule is None else schedule.state_dict(),
            "callbacks": [callback.state_dict() for callback in self.callbacks],
            "compilation": [self.steps.compilation.state(), self.evaluation.compilation.state()],
            "draws": default_generator.get_state(),
            "order": self.loader.generator.get_state(),
        }
        self.checkpoints.write(state, training.history)

    def _take_up(self, checkpoint: dict[str, Any]) -> None:
        """Everything as it was when the checkpoint was written."""
        training = self.training
        training.history = History(**checkpoint["history"])
        training.stop_reason = checkpoint["stop_reason"]
        training.model.load_state_dict(checkpoint["model"])
        self.best_weights = checkpoint["best"]
        if isinstance(self.loss, Module):
            self.loss.load_state_dict(checkpoint["loss"])
        training.optimizer.load_state_dict(checkpoint["optimizer"])
        if self.schedule is not None:
            self.schedule.load_state_dict(checkpoint["schedule"])
        for callback, state in zip(self.callbacks, checkpoint["callbacks"], strict=True):
            callback.load_state_dict(state)
        for steps, state in zip(
            (self.steps, self.evaluation), checkpoint.get("compilation", ()), strict=False
        ):
            steps.compilation.load(state)
        self.loader.generator.set_state(checkpoint["order"])
        default_generator.set_state(checkpoint["draws"])

    def _how_to_resume(self) -> str:
        epoch, done = self.training.epoch, len(self.training.history)
        if self.checkpoints is None:
            return f"fit: interrupted in epoch {epoch}; the model holds the weights of this moment"
        if not done:
            return f"fit: interrupted in epoch {epoch}, before the first checkpoint"
        return (
            f"fit: interrupted in epoch {epoch}; {self.checkpoints.path} holds epoch {done}, and "
            f"fit(..., out={str(self.checkpoints.folder)!r}, resume=True) goes on from there"
        )
