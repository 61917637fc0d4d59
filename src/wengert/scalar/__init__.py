"""The scalar engine: automatic differentiation of single numbers, with the standard library alone.

>>> from random import Random
>>> model = MLP(2, [4, 1], generator=Random(0))
>>> xor = [([0, 0], 0), ([0, 1], 1), ([1, 0], 1), ([1, 1], 0)]
>>> optimizer = SGD(model.parameters(), lr=0.5, momentum=0.9)
>>> history = train(model, xor, BCEWithLogitsLoss(), optimizer, epochs=100)
>>> [model(x).data > 0 for x, _ in xor]
[False, True, True, False]

Written for one sample, such a program serves any number of them: `wengert.vmap` applies it to arrays of
samples, and `wengert.compile` turns the step into one program of matrix products, with the same numbers. The
parameters stay Scalars; their ``data`` is always that of the moment.

>>> import numpy as np, wengert
>>> inputs, targets = np.array([x for x, _ in xor], float), np.array([y for _, y in xor], float)
>>> @wengert.compile
... def step(inputs, targets):
...     optimizer.zero_grad()
...     losses = wengert.vmap(lambda x, y: BCEWithLogitsLoss()(model(x), y))(inputs, targets)
...     losses.mean().backward()
...     optimizer.step()
...     return losses.mean()
>>> before, after = step(inputs, targets), [step(inputs, targets) for _ in range(50)][-1]
>>> bool(after.item() < before.item()), type(model.parameters()[0].data).__name__
(True, 'float')
"""

from wengert.scalar.losses import BCEWithLogitsLoss, MSELoss
from wengert.scalar.modules import MLP, Linear, Module, Neuron, ReLU, Sigmoid
from wengert.scalar.number import Scalar, dot, dots
from wengert.scalar.optim import SGD
from wengert.scalar.training import train

__all__ = [
    "MLP",
    "SGD",
    "BCEWithLogitsLoss",
    "Linear",
    "MSELoss",
    "Module",
    "Neuron",
    "ReLU",
    "Scalar",
    "Sigmoid",
    "dot",
    "dots",
    "train",
]
