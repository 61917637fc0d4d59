"""Training under glass: what flows through every layer of a network while it trains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from wengert.autodiff.levels import is_grad_enabled
from wengert.nn.activations import Sigmoid, Tanh
from wengert.nn.module import Module
from wengert.tensors import Tensor
from wengert.train.callbacks import Callback, Training
from wengert.train.pages import Section, Table, write_report
from wengert.train.watch_records import LayerRecord, ParameterRecord, Spread, written

__all__ = ["Watch", "watch"]

Array = np.ndarray[Any, Any]
PATIENCE, LEAST = 20, 5
"""A unit counts as dead once it was 0 for every example in so many recorded steps; or in all of them, where
these are fewer but not too few."""
SATURATED = 0.97
"""A tanh beyond this, on either side, passes on less than 6% of its gradient; a sigmoid likewise."""


class Watch(Callback):
    """Looks on while a network trains; made by `watch`.

    ``layers`` and ``parameters`` hold one record per layer and parameter for every recorded step.
    """

    def __init__(self, model: Module, every: int = 1) -> None:
        if not isinstance(model, Module):
            raise TypeError(f"model: expected a network (an nn.Module), got {type(model).__name__}")
        if type(every) is not int or every < 1:
            raise ValueError(f"every: expected a whole number of steps, at least 1, got {every!r}")
        self.model, self.every = model, every
        self.layers: list[LayerRecord] = []
        self.parameters: list[ParameterRecord] = []
        self.steps = 0
        self._quiet_for: dict[str, Array] = {}
        self._recorded: dict[str, int] = {}
        self._before: dict[str, tuple[ParameterRecord, Array]] = {}
        self._handles: list[Any] = []
        self._start()

    # -- looking on
    # ----------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._handles.append(self.model.register_forward_pre_hook(self._before_forward))
        for name, part in self.model.named_modules():
            if not any(part.children()):
                name = name or type(part).__name__
                self._handles.append(part.register_forward_hook(self._after_forward(name)))
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                self._handles.append(parameter.register_hook(self._at_gradient(name)))

    def stop(self) -> None:
        """Look no longer; the records stay."""
        self._note_updates()
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def on_fit_end(self, training: Training) -> None:
        """A training by `fit` is over."""
        self.stop()

    @property
    def _looks(self) -> bool:
        training = self.model.training and is_grad_enabled()
        return training and self.steps > 0 and (self.steps - 1) % self.every == 0

    def _before_forward(self, module: Any, args: Any) -> None:
        if not (self.model.training and is_grad_enabled()):
            return
        self._note_updates()
        self.steps += 1
        if not self._looks:
            return
        for name, parameter in self.model.named_parameters():
            values = _array(parameter)
            record = ParameterRecord(self.steps, name, Spread.of(values))
            self.parameters.append(record)
            self._before[name] = record, values.copy()

    def _note_updates(self) -> None:
        """The step since the last look is taken: how far has it moved the parameters?"""
        for name, parameter in self.model.named_parameters():
            if name in self._before:
                record, before = self._before.pop(name)
                size = float(np.linalg.norm(before))
                moved = float(np.linalg.norm(_array(parameter) - before))
                record.update_ratio = moved / size if size else (np.inf if moved else 0.0)

    def _after_forward(self, name: str) -> Callable[..., None]:
        def look(module: Any, args: Any, output: Any) -> None:
            if not self._looks or not isinstance(output, Tensor):
                return
            values = _array(output)
            record = LayerRecord(
                self.steps,
                name,
                type(module).__name__,
                Spread.of(values),
                float(np.mean(values == 0)) if values.size else 0.0,
                self._dead(name, values),
                _saturated(module, values),
            )
            self.layers.append(record)
            if output.requires_grad:
                output.register_hook(lambda gradient: self._keep(record, gradient))

        return look

    def _keep(self, record: LayerRecord | ParameterRecord, gradient: Any) -> None:
        record.gradients = Spread.of(_array(gradient))

    def _at_gradient(self, name: str) -> Callable[[Any], None]:
        def look(gradient: Any) -> None:
            if name in self._before:
                self._keep(self._before[name][0], gradient)

        return look

    def _dead(self, name: str, values: Array) -> float:
        """The share of units that have been 0 for every example for a long while. A unit is a place along
        the second axis (a feature, a channel)."""
        if values.ndim < 2 or not values.size:
            return 0.0
        others = tuple(axis for axis in range(values.ndim) if axis != 1)
        quiet = np.all(values == 0, axis=others)
        before = self._quiet_for.get(name)
        if before is None or before.shape != quiet.shape:
            before = np.zeros(quiet.shape, int)
        self._quiet_for[name] = np.where(quiet, before + 1, 0)
        self._recorded[name] = self._recorded.get(name, 0) + 1
        return float(np.mean(self._quiet_for[name] >= max(LEAST, min(PATIENCE, self._recorded[name]))))

    # -- telling
    # ----------------------------------------------------------------------------------------------------

    def latest(self) -> tuple[list[LayerRecord], list[ParameterRecord]]:
        """The records of the last recorded step."""
        last = max((record.step for record in self.layers), default=0)
        return (
            [record for record in self.layers if record.step == last],
            [record for record in self.parameters if record.step == last],
        )

    def findings(self) -> list[str]:
        """What is worth a look in the last recorded step, in plain sentences."""
        layers, parameters = self.latest()
        return [
            *(text for record in layers for text in record.findings()),
            *(text for record in parameters for text in record.findings()),
        ]

    def rows(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """All records as plain data: of the layers and of the parameters."""
        return list(map(asdict, self.layers)), list(map(asdict, self.parameters))

    def tables(self) -> list[Table]:
        """The last recorded step: a table of the layers and one of the parameters."""
        layers, parameters = self.latest()
        step = f"step {layers[-1].step}" if layers else "no step yet"
        return [
            Table(
                f"Layers at {step}",
                ["layer", "kind", "activation", "± ", "zeros", "dead", "saturated", "gradient ±"],
                [record.cells() for record in layers],
            ),
            Table(
                f"Parameters at {step}",
                ["parameter", "value ±", "gradient ±", "update / value"],
                [record.cells() for record in parameters],
            ),
        ]

    def plots(self) -> list[Any]:
        """Figures: the distributions in the last recorded step, and how they went over the steps."""
        from wengert.train.watch_plots import distributions, over_steps

        return [distributions(self), over_steps(self)]

    def to_html(self, path: str | Path) -> None:
        """Write a page with the findings, the tables and the plots, whole or not at all. Raises ValueError
        before the first recorded step."""
        if not self.layers:
            raise ValueError("watch: no step has been recorded yet; train the network first")
        text = "\n\n".join(self.findings()) or "Nothing unusual."
        sections = [
            Section("Findings", text),
            Section("Layers and parameters", tables=self.tables()),
            Section("Plots", figures=self.plots()),
        ]
        write_report(path, f"{type(self.model).__name__} under glass", sections)

    def __str__(self) -> str:
        if not self.layers:
            return "no step has been recorded yet"
        return "\n".join([*map(written, self.tables()), *self.findings()])


def watch(model: Module, every: int = 1) -> Watch:
    """Record what happens in every layer of a network while it trains: the distributions of activations, of
    gradients and of the relative size of updates, dead units and saturation.

    Works in a ``with`` block, or as a callback of `wengert.train.fit`. ``every=10`` records one step of ten,
    the first included. Steps in evaluation mode or under ``no_grad`` do not count. A network that is watched
    trains as it is written, not compiled.

    Raises TypeError for what is no network, ValueError for a bad ``every``, and RuntimeError inside a
    compiled step, whose values nobody can see.

    >>> import wengert
    >>> from wengert import nn, optim
    >>> generator = wengert.manual_seed(0)
    >>> model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    >>> optimizer = optim.SGD(model.parameters(), lr=0.1)
    >>> with wengert.watch(model) as seen:
    ...     for _ in range(3):
    ...         optimizer.zero_grad()
    ...         (model(wengert.ones(8, 2)) ** 2).mean().backward()
    ...         optimizer.step()
    >>> seen.steps, [record.layer for record in seen.latest()[0]]
    (3, ['0', '1', '2'])
    """
    return Watch(model, every)


def _array(value: Any) -> Array:
    data = value.data if isinstance(value, Tensor) else value
    if not isinstance(data, (np.ndarray, np.generic, float, int)):
        raise RuntimeError(
            "watch: the values of a compiled or traced step cannot be seen; leave wengert.compile away while "
            "you look on"
        )
    return np.asarray(data)


def _saturated(module: Any, values: Array) -> float | None:
    if isinstance(module, Tanh):
        return float(np.mean(np.abs(values) > SATURATED)) if values.size else 0.0
    if isinstance(module, Sigmoid):
        return float(np.mean(np.abs(2 * values - 1) > SATURATED)) if values.size else 0.0
    return None
