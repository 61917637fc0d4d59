"""What one training step does to every parameter, in numbers and in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wengert.nn.module import Module
from wengert.tensors import Tensor
from wengert.train.pages import Section, Table, shown, write_report

__all__ = ["Change", "StepExplanation", "explain_step"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Change:
    """What the step did to one parameter. Sizes are Euclidean norms.

    ``cosine`` is that of the angle between the update and the downhill direction, the negative gradient: 1
    for plain gradient descent. ``expected`` is the change of the loss that the gradient foretells: gradient ·
    update. These and ``gradient`` are None where no gradient is kept, as by a compiled step.
    """

    name: str
    shape: tuple[int, ...]
    size: float
    update: float
    ratio: float
    moved: float
    largest: float
    gradient: float | None = None
    cosine: float | None = None
    expected: float | None = None

    def __str__(self) -> str:
        where = f"{self.name} {self.shape}"
        if not self.update:
            reason = "it has no gradient" if self.gradient is None else "the update is 0"
            return f"{where}: unchanged; {reason}."
        text = (
            f"{where}: moved by {self.ratio:.2%} of its size" if self.size else f"{where}: moved away from 0"
        )
        text += f"; {self.moved:.0%} of its entries, by at most {self.largest:.3g}"
        if self.cosine is not None:
            degrees = np.degrees(np.arccos(np.clip(self.cosine, -1, 1)))
            straight = "straight downhill" if degrees < 0.5 else f"{degrees:.0f}° off the steepest way down"
            text += f", {straight}"
        return text + "."


@dataclass(frozen=True)
class StepExplanation:
    """The result of a step, and what it did to every parameter. ``foretold`` is the change of the loss that
    the gradients foretell, to first order."""

    result: Any
    changes: tuple[Change, ...]

    def __getitem__(self, name: str) -> Change:
        for change in self.changes:
            if change.name == name:
                return change
        raise KeyError(
            f"no parameter is called {name!r}; there are {', '.join(c.name for c in self.changes)}"
        )

    @property
    def foretold(self) -> float | None:
        """The sum of gradient · update over all parameters; None where no gradients are kept."""
        found = [change.expected for change in self.changes if change.expected is not None]
        return sum(found) if found else None

    def to_dict(self) -> dict[str, Any]:
        """The changes as plain data, by the parameters' names."""
        return {change.name: asdict(change) for change in self.changes}

    def table(self) -> Table:
        """One row per parameter."""
        columns = ["parameter", "shape", "size", "gradient", "update", "update / size", "downhill"]
        return Table(
            "What the step did",
            columns,
            [
                [c.name, "×".join(map(str, c.shape)), c.size, c.gradient, c.update, c.ratio, c.cosine]
                for c in self.changes
            ],
        )

    def plot(self) -> Any:
        """A figure: how large the update of every parameter is, relative to the parameter."""
        from wengert.train.watch_plots import sizes_of_updates

        return sizes_of_updates({change.name: change.ratio for change in self.changes})

    def to_html(self, path: str | Path) -> None:
        """Write a page with the words, the table and the plot, whole or not at all."""
        text = "\n\n".join(str(self).splitlines())
        parameters = Section("Parameters", text, [self.table()], [self.plot()])
        write_report(path, "What one training step did", [parameters])

    def __str__(self) -> str:
        lines = list(map(str, self.changes))
        value = _number(self.result)
        if value is not None:
            lines.insert(0, f"The step returned {shown(value)}.")
        if self.foretold is not None:
            lines.append(f"To first order the loss changes by {self.foretold:.3g}.")
        return "\n".join(lines)


def explain_step(
    step: Callable[..., Any],
    *args: Any,
    model: Module | None = None,
    parameters: Mapping[str, Tensor] | None = None,
) -> StepExplanation:
    """Take one training step, and tell what it did to every parameter.

    ``step(*args)`` is an ordinary step, or a compiled one; it is really taken. The parameters are those of
    ``model``, or the named ``parameters``. `wengert.explain` with ``parameters=`` shows instead how each
    number of the step comes about, and leaves everything as it was.

    Raises TypeError and ValueError where no parameters are given.

    >>> import wengert
    >>> from wengert import optim
    >>> w = wengert.tensor([3.0, 4.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=0.1)
    >>> def step():
    ...     optimizer.zero_grad()
    ...     loss = (w * w).sum()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> print(wengert.explain_step(step, parameters={"w": w}))
    The step returned 25.0000.
    w (2,): moved by 20.00% of its size; 100% of its entries, by at most 0.8, straight downhill.
    To first order the loss changes by -10.
    """
    named = _named(model, parameters)
    before = {name: np.array(parameter.data) for name, parameter in named.items()}
    result = step(*args)
    return StepExplanation(
        result, tuple(_change(name, before[name], parameter) for name, parameter in named.items())
    )


def _named(model: Module | None, parameters: Mapping[str, Tensor] | None) -> dict[str, Tensor]:
    if model is not None and not isinstance(model, Module):
        raise TypeError(f"model: expected a network (an nn.Module), got {type(model).__name__}")
    named: dict[str, Tensor] = {} if model is None else {**dict(model.named_parameters())}
    for name, parameter in (parameters or {}).items():
        if not isinstance(parameter, Tensor):
            raise TypeError(f"parameters[{name!r}]: expected a tensor, got {type(parameter).__name__}")
        named[name] = parameter
    if not named:
        raise ValueError(
            "explain_step: whose step is it? pass model=…, or the tensors as parameters={'w': w}"
        )
    return named


def _change(name: str, before: Array, parameter: Tensor) -> Change:
    update = np.asarray(parameter.data, np.float64) - before
    size, moved = float(np.linalg.norm(before)), float(np.linalg.norm(update))
    ratio = moved / size if size else (float("inf") if moved else 0.0)
    gradient = None if parameter.grad is None else np.asarray(_plain(parameter.grad), np.float64)
    steepness = None if gradient is None else float(np.linalg.norm(gradient))
    expected = None if gradient is None else float(np.sum(gradient * update))
    cosine = -expected / (steepness * moved) if expected is not None and steepness and moved else None
    return Change(
        name,
        before.shape,
        size,
        moved,
        ratio,
        float(np.mean(update != 0)) if update.size else 0.0,
        float(np.max(np.abs(update), initial=0.0)),
        steepness,
        cosine,
        expected,
    )


def _plain(value: Any) -> Any:
    return value.data if isinstance(value, Tensor) else value


def _number(value: Any) -> float | None:
    """A result that is one number."""
    array = np.asarray(_plain(value)) if value is not None else np.empty(0)
    return float(array.reshape(())) if array.size == 1 and array.dtype.kind in "fiu" else None
