"""Training runs, eager and compiled, and their comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert
from wengert import nn
from wengert.optim import SGD, Adagrad, Adam, AdamW, NAdam, RMSprop

OPTIMIZERS: dict[str, Any] = {
    "SGD": lambda p: SGD(p, lr=0.05),
    "SGD with momentum": lambda p: SGD(p, lr=0.05, momentum=0.9),
    "SGD dampened": lambda p: SGD(p, lr=0.05, momentum=0.9, dampening=0.3, weight_decay=0.01),
    "SGD of Nesterov": lambda p: SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "Adam": lambda p: Adam(p, lr=0.01),
    "Adam with decay": lambda p: Adam(p, lr=0.01, weight_decay=0.1),
    "AMSGrad": lambda p: Adam(p, lr=0.01, amsgrad=True),
    "AdamW": lambda p: AdamW(p, lr=0.01),
    "NAdam": lambda p: NAdam(p, lr=0.01),
    "RMSprop": lambda p: RMSprop(p, lr=0.01, momentum=0.5),
    "RMSprop centered": lambda p: RMSprop(p, lr=0.01, centered=True),
    "Adagrad": lambda p: Adagrad(p, lr=0.05, initial_accumulator_value=0.1, lr_decay=0.01),
    "Adagrad ascending": lambda p: Adagrad(p, lr=0.001, maximize=True),
}
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 6)).astype(np.float32)
Y = rng.integers(0, 3, 40)


class Training:
    """A model, its optimizer and a step, eager or compiled."""

    def __init__(self, optimizer: Any, layers: Any, schedule: Any = None, clip: float | None = None) -> None:
        wengert.manual_seed(5)
        self.model = nn.Sequential(*layers())
        self.optimizer = optimizer(self.model.parameters())
        self.schedule = None if schedule is None else schedule(self.optimizer)
        self.clip = clip
        self.loss = nn.CrossEntropyLoss()

    def step(self, x: Any, y: Any) -> Any:
        self.optimizer.zero_grad()
        loss = self.loss(self.model(x), y)
        loss.backward()
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()
        return loss

    def run(self, step: Any, steps: int) -> list[float]:
        wengert.manual_seed(11)
        losses = []
        for k in range(steps):
            rows = slice((8 * k) % 40, (8 * k) % 40 + 8)
            losses.append(step(wengert.tensor(X[rows]), wengert.tensor(Y[rows])).item())
        return losses

    def state(self) -> list[np.ndarray[Any, Any]]:
        kept = [kept for state in self.optimizer.state.values() for kept in state.values()]
        tensors = [*self.model.parameters(), *self.model.buffers(), *kept]
        return [np.asarray(t.detach() if isinstance(t, wengert.Tensor) else t) for t in tensors]


def plain() -> list[nn.Module]:
    return [nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)]


def rich() -> list[nn.Module]:
    return [nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3)]


def compare(steps: int = 100, **settings: Any) -> tuple[Training, Training, wengert.CompiledStep]:
    eager, quick = Training(**settings), Training(**settings)
    compiled = wengert.compile(quick.step)
    expected = eager.run(eager.step, steps)
    counter = wengert.random.default_generator.counter
    assert quick.run(compiled, steps) == pytest.approx(expected, rel=2e-4, abs=1e-6)
    assert wengert.random.default_generator.counter == counter
    for now, before in zip(quick.state(), eager.state(), strict=True):
        np.testing.assert_allclose(now, before, rtol=2e-3, atol=2e-5)
    rates = [[g["lr"] for g in t.optimizer.param_groups] for t in (eager, quick)]
    assert rates[0] == rates[1]
    return eager, quick, compiled
