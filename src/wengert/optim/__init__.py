"""Optimizers, with PyTorch's names and semantics.

An optimizer is a chain of small transforms (`wengert.optim.transforms`), each of which reads like its
formula. The chain is traced once and then carried out in place.

>>> import wengert
>>> from wengert import nn, optim
>>> model = nn.Linear(2, 1)
>>> optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
>>> loss = model(wengert.tensor([[1.0, 2.0]])).square().sum()
>>> optimizer.zero_grad()
>>> loss.backward()
>>> optimizer.step()
"""

from wengert.optim import lr_scheduler
from wengert.optim.adaptive import Adagrad, Adam, AdamW, NAdam, RMSprop
from wengert.optim.lbfgs import LBFGS
from wengert.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)
from wengert.optim.optimizer import Optimizer
from wengert.optim.sgd import SGD

__all__ = [
    "LBFGS",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "ConstantLR",
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "NAdam",
    "OneCycleLR",
    "Optimizer",
    "RMSprop",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
    "lr_scheduler",
]
