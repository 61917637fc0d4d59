"""What the tests of the page look at."""

from __future__ import annotations

from typing import Any

import wengert
from wengert import nn, optim
from wengert.worksheets.worksheet import Worksheet

ROW_M5 = "(x1*x2*sin(x3)+exp(x1*x2))/x3"


def row_m5(**options: Any) -> Worksheet:
    return wengert.explain(ROW_M5, 1.0, 1.5, 2.0, **options)


def training_step_of_fashion_mnist(examples: int = 64) -> Worksheet:
    """The network 784-256-128-64-10 on images of that size, with its gradient and its update."""
    import numpy as np

    wengert.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(784, 256),
        nn.ReLU(),
        nn.Linear(256, 128),
        nn.ReLU(),
        nn.Linear(128, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    def training_step(x, y):
        optimizer.zero_grad()
        scores = model(x)
        loss = nn.functional.cross_entropy(scores, y)
        loss.backward()
        optimizer.step()
        return loss

    generator = np.random.default_rng(0)
    x = generator.random((examples, 784), dtype=np.float32)
    y = generator.integers(0, 10, examples)
    return wengert.explain(
        training_step, wengert.tensor(x), wengert.tensor(y), parameters=dict(model.named_parameters())
    )


def five_thousand_rows() -> Worksheet:
    def recurrence(x, y):
        a, b = x, y
        for _ in range(1000):
            a = (a * b + x).sin()
            b = b - a * 0.1
        return a

    return wengert.explain(recurrence, 1.0, 0.5)
