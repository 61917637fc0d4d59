"""The scalar engine: automatic differentiation of single numbers, with the standard library alone.

>>> from random import Random
>>> model = MLP(2, [4, 1], generator=Random(0))
>>> xor = [([0, 0], 0), ([0, 1], 1), ([1, 0], 1), ([1, 1], 0)]
>>> optimizer = SGD(model.parameters(), lr=0.5, momentum=0.9)
>>> history = train(model, xor, BCEWithLogitsLoss(), optimizer, epochs=100)
>>> [model(x).data > 0 for x, _ in xor]
[False, True, True, False]
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
