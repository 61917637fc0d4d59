"""A network of single numbers, written for one sample, compiled for a hundred.

python examples/compiled_scalars.py

The network, the loss and the optimizer are those of wengert.scalar, which calculates with one number after
the other. `wengert.vmap` applies the loss of one sample to all samples, and `wengert.compile` makes one
program of the whole step, in which every layer is a product of matrices again.
"""

import math
import random
import time

import numpy as np

import wengert
from wengert import scalar

draw = random.Random(0)
model = scalar.MLP(2, [16, 16, 1], generator=draw)
optimizer = scalar.SGD(model.parameters(), lr=1.0)


def moons(count):
    """Two interleaved half circles, labelled 1 and -1."""
    points, labels = [], []
    for k in range(count):
        angle, second = draw.uniform(0, math.pi), k % 2
        x, y = math.cos(angle), math.sin(angle)
        points.append([1 - x, 0.5 - y] if second else [x, y])
        labels.append(1.0 - 2 * second)
    return np.array(points) + np.array([[draw.gauss(0, 0.1) for _ in "xy"] for _ in labels]), np.array(labels)


def of_one_sample(x, y):
    """The hinge loss, and whether the label is right."""
    score = model(x)
    return (1 - y * score).relu(), score * y > 0


def step(xs, ys):
    """One step of gradient descent on all samples."""
    optimizer.zero_grad()
    losses, right = wengert.vmap(of_one_sample)(xs, ys)
    loss = losses.mean() + 1e-4 * sum(p * p for p in model.parameters())
    loss.backward()
    optimizer.step()
    return loss, right.mean()


xs, ys = moons(100)
compiled = wengert.compile(step)
start = time.perf_counter()
for k in range(200):
    optimizer.lr = 1.0 - 0.9 * k / 200
    loss, accuracy = compiled(xs, ys)
    if k % 40 == 0 or k == 199:
        print(f"step {k:3}: loss {loss.item():.4f}, accuracy {accuracy.item():.0%}")
print(f"200 steps in {time.perf_counter() - start:.2f} s, the first of which compiles")

weight = model.parameters()[0]
print(f"the numbers are in the model as ever: {weight}, score of (0, 1): {float(model([0.0, 1.0])):+.2f}")
lines = compiled.latest.executable.program.lines()
print(f"{len(compiled.graph)} operations on single numbers became a program of {len(lines)} lines")
