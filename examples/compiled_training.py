"""One added line: a training step of handwritten digits, step by step in Python and as one program.

python examples/compiled_training.py [epochs]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from sklearn.datasets import load_digits

import wengert
from wengert import data, nn, optim

pixels, digits = load_digits(return_X_y=True)
images = data.TensorDataset(pixels.astype(np.float32) / 16, digits)


def make_step() -> Callable[[wengert.Tensor, wengert.Tensor], wengert.Tensor]:
    """A new network, the same at every call, and the step that trains it."""
    wengert.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    def step(x: wengert.Tensor, y: wengert.Tensor) -> wengert.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def eager(epochs: int) -> tuple[list[float], float]:
    """The mean loss of every epoch, and the seconds that they took."""
    step, losses = make_step(), []
    started = time.perf_counter()
    for _ in range(epochs):
        batches = data.DataLoader(images, batch_size=32, shuffle=True, drop_last=True)
        losses.append(float(np.mean([step(x, y).item() for x, y in batches])))
    return losses, time.perf_counter() - started


def compiled(epochs: int) -> tuple[list[float], float, str]:
    """The same as one program, and the program as a page of NumPy."""
    step, losses = make_step(), []
    step = wengert.compile(step)  # the added line
    started = time.perf_counter()
    for _ in range(epochs):
        of_the_batches = step.epoch(images, batch_size=32, shuffle=True, drop_last=True)
        losses.append(float(np.mean(of_the_batches.numpy())))
    return losses, time.perf_counter() - started, step.source


def main(epochs: int = 30) -> None:
    losses, seconds = eager(epochs)
    same_losses, fewer_seconds, source = compiled(epochs)
    apart = np.max(np.abs(np.divide(same_losses, losses) - 1))
    print(f"eager     loss {losses[-1]:.6f} after {epochs} epochs, {seconds:.2f} s")
    print(f"compiled  loss {same_losses[-1]:.6f} after {epochs} epochs, {fewer_seconds:.2f} s with compiling")
    print(f"largest relative difference between the losses of an epoch: {apart:.0e}\n")
    print("The program starts with")
    print("\n".join(source[source.index("    # forward") :].splitlines()[:24]))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
