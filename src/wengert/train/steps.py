"""Training and evaluation steps, as they are written and as compiled programs."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from wengert.autodiff.anomaly import is_watching
from wengert.autodiff.levels import no_grad
from wengert.compiler.fallbacks import reason_of, traces_left, why_not_a_program
from wengert.compiler.steps import CompiledStep
from wengert.compiler.teaching import CaptureError
from wengert.data import TensorDataset
from wengert.nn import Module
from wengert.nn.utils import clip_grad_norm_
from wengert.optim.lbfgs import LBFGS
from wengert.tensors import Tensor
from wengert.train.batches import number_of, parts_of
from wengert.train.compilation import MOST_CHANGES, MOST_PROGRAMS, Compilation
from wengert.train.numbers_outside import NumbersOutside
from wengert.train.snapshots import Snapshot, homes_of
from wengert.train.warm_up import outline

Array = np.ndarray[Any, Any]

BACKEND = "auto"
"""What runs programs: native code where llvmlite is installed, else NumPy source."""


class Outcome:
    """What some batches gave: the loss of each, and their outputs where they are wanted."""

    def __init__(self, losses: list[float], outputs: list[Array]) -> None:
        self.losses, self.outputs = losses, outputs


class NotFinite(FloatingPointError):
    """The loss of a batch is NaN or infinite, and nothing of that batch has reached the weights. ``before``
    is what the batches before it gave."""

    def __init__(self, loss: float, before: Outcome | None = None) -> None:
        super().__init__(f"the loss became {loss}")
        self.loss, self.before = loss, before or Outcome([], [])


class Steps:
    """Steps with a program for every shape of batch that is met often.

    ``step(inputs, *targets)`` returns the loss, or the loss and the outputs.
    """

    def __init__(
        self,
        step: Callable[..., Any],
        modules: Sequence[Any],
        compilation: Compilation,
        snapshot: Snapshot | None = None,
        keep_gradients: bool = False,
    ) -> None:
        self.modules = [module for module in modules if isinstance(module, Module)]
        self.compilation, self.snapshot = compilation, snapshot
        self._renew = functools.partial(CompiledStep, step, keep_gradients, BACKEND)
        self.program = self._renew()
        parts = [part for module in self.modules for part in module.modules()]
        self.numbers = NumbersOutside([*modules, *parts])
        self._seen = (0, 0)

    def look(self) -> None:
        """Compile nothing that would not see what happens in every step."""
        refuse = self.compilation.refuse
        if self.compilation.reason:
            return
        parts = [part for module in self.modules for part in module.modules()]
        hooked = next((type(part).__name__ for part in parts if part._hooks), None)
        if hooked is not None:
            refuse(f"the model's {hooked} has hooks, which must see every step")
        elif is_watching():
            refuse("detect_anomaly watches every operation")
        elif changed := self.numbers.changed():
            self.program = self._renew()
            self.compilation.known.clear()
            if self.numbers.changes > MOST_CHANGES:
                refuse(
                    f"the number {changed!r} changes again and again; a tensor in its place would not hinder"
                )

    def _compiled(self, batch: Any) -> Any:
        """What the step returns for a batch, by its program; None where it runs as it is written."""
        shape = outline(batch)
        if not self.compilation.is_due(shape, batch):
            return None
        first = shape not in self.compilation.known
        before = traces_left(homes_of(self.modules)) if first else {}
        self._take_snapshot()
        try:
            result = self.program(*(batch if isinstance(batch, (tuple, list)) else (batch,)))
        except Exception as error:
            if not first and not isinstance(error, CaptureError):
                raise
            return self._give_up(reason_of(error), error)
        if first and (more := why_not_a_program(before, traces_left(homes_of(self.modules)))):
            return self._give_up(more)
        self.compilation.known.add(shape)
        self._require_rest()
        return result

    def _take_snapshot(self) -> None:
        if self.snapshot is None:
            return
        seen = len(self.compilation.known), len(self.program.recompilations)
        if not self.snapshot.copies or seen != self._seen:
            self._seen = seen
            self.snapshot.look()
        self.snapshot.take()

    def _give_up(self, reason: str, error: Exception | None = None) -> None:
        if self.snapshot is not None:
            self.snapshot.restore()
        self.compilation.refuse(reason, error)

    def _require_rest(self) -> None:
        """A step that is compiled again and again runs as it is written."""
        again = self.program.recompilations
        if len(again) > MOST_PROGRAMS:
            self.compilation.refuse(f"it was compiled {len(again) + 1} times, the last time for {again[-1]}")


class TrainingSteps(Steps):
    """zero_grad, forward, loss, backward, clipping, the optimizer's step, and that of a schedule.

    ``outputs`` says whether the model's outputs are wanted, ``gradients`` whether they stay in the
    parameters' ``grad`` when a program has run.
    """

    def __init__(
        self,
        model: Any,
        loss: Callable[..., Any],
        optimizer: Any,
        *,
        clip_norm: float | None = None,
        schedule: Any = None,
        outputs: bool = False,
        gradients: bool = False,
        compile: bool | None = None,
    ) -> None:
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.clip_norm, self.schedule, self.outputs = clip_norm, schedule, outputs
        self.parameters = list(model.parameters())
        modules = [part for part in (model, loss) if isinstance(part, Module)]
        super().__init__(
            self._program_step(),
            [model, loss],
            Compilation(model, compile, 3, is_native()),
            Snapshot(modules, optimizer, schedule),
            gradients,
        )

    def look(self) -> None:
        """Compile nothing that would not see what happens in every step."""
        if isinstance(self.optimizer, LBFGS) and not self.compilation.reason:
            self.compilation.refuse("LBFGS computes the loss as often as its line search asks")
        super().look()

    def _program_step(self) -> Callable[..., Any]:
        model, loss_function, optimizer, schedule = self.model, self.loss, self.optimizer, self.schedule
        parameters, clip_norm, outputs = self.parameters, self.clip_norm, self.outputs

        def step(inputs: Any, *targets: Any) -> Any:
            optimizer.zero_grad()
            output = model(inputs)
            loss = loss_function(output, *targets)
            loss.backward()
            if clip_norm is not None:
                clip_grad_norm_(parameters, clip_norm)
            optimizer.step()
            if schedule is not None:
                schedule.step()
            return (loss, output) if outputs else loss

        return step

    def one(self, batch: Any) -> Outcome:
        """Train on one batch. Raises `NotFinite`."""
        result = self._compiled(batch)
        if result is None:
            return self._written(batch)
        loss, output = result if self.outputs else (result, None)
        number = float(loss.data)
        if not math.isfinite(number):
            assert self.snapshot is not None
            self.snapshot.restore()
            raise NotFinite(number)
        return Outcome([number], [] if output is None else [output.data])

    def many(self, rows: Sequence[Tensor], size: int) -> Outcome:
        """Train on the batches of ``size`` rows, of a shape whose program is known. Raises `NotFinite`."""
        self._take_snapshot()
        try:
            result = self.program.epoch(TensorDataset(*rows), size)
        except CaptureError as error:
            self._give_up(reason_of(error), error)
            return self._one_by_one(rows, size)
        self._require_rest()
        losses, outputs = result if self.outputs else (result, None)
        found = losses.data.tolist()
        bad = next((k for k, loss in enumerate(found) if not math.isfinite(loss)), None)
        flat = [] if outputs is None else [outputs.data.reshape(-1, *outputs.shape[2:])]
        if bad is None:
            return Outcome(found, flat)
        assert self.snapshot is not None
        self.snapshot.restore()
        if bad:
            self.program.epoch(TensorDataset(*(part[: bad * size] for part in rows)), size)
        raise NotFinite(found[bad], Outcome(found[:bad], [part[: bad * size] for part in flat]))

    def _one_by_one(self, rows: Sequence[Tensor], size: int) -> Outcome:
        whole = Outcome([], [])
        for start in range(0, len(rows[0]), size):
            try:
                outcome = self._written(tuple(part[start : start + size] for part in rows))
            except NotFinite as error:
                raise NotFinite(error.loss, whole) from None
            whole.losses += outcome.losses
            whole.outputs += outcome.outputs
        return whole

    # -- as it is written
    # ------------------------------------------------------------------------------------------------------

    def _written(self, batch: Any) -> Outcome:
        inputs, rest = parts_of(batch)
        results: list[tuple[Any, float]] = []

        def closure() -> float:
            self.optimizer.zero_grad()
            results.append(self._backward(inputs, rest))
            return results[-1][1]

        if isinstance(self.optimizer, LBFGS):  # it computes the loss several times; the first time counts
            self.optimizer.step(closure)
        else:
            closure()
            self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()
        output, loss = results[0]
        return Outcome([loss], [output.data] if self.outputs else [])

    def _backward(self, inputs: Any, rest: Sequence[Any]) -> tuple[Any, float]:
        output = self.model(inputs)
        loss = self.loss(output, *rest)
        number = number_of(loss)
        if not math.isfinite(number):
            if is_watching():
                loss.backward()  # detect_anomaly names the operation here, where a derivative is to blame
            raise NotFinite(number)
        loss.backward()
        if self.clip_norm is not None:
            clip_grad_norm_(self.parameters, self.clip_norm)
        return output, number


class EvaluationSteps(Steps):
    """The loss and the outputs, off the tape."""

    def __init__(
        self, model: Any, loss: Callable[..., Any], *, outputs: bool = False, compile: bool | None = False
    ) -> None:
        def step(inputs: Any, *targets: Any) -> Any:
            with no_grad():
                output = model(inputs)
                value = loss(output, *targets)
            return (value, output) if outputs else value

        self.step, self.loss, self.outputs = step, loss, outputs
        super().__init__(step, [model, loss], Compilation(model, compile, 1, is_native()))

    def one(self, batch: Any) -> Outcome:
        """Evaluate one batch."""
        result = self._compiled(batch)
        if result is None:
            inputs, rest = parts_of(batch)
            result = self.step(inputs, *rest)
        loss, output = result if self.outputs else (result, None)
        return Outcome([number_of(loss)], [] if output is None else [output.data])


def is_native() -> bool:
    """Whether programs become native code."""
    return BACKEND == "native" or (BACKEND == "auto" and find_spec("llvmlite") is not None)
