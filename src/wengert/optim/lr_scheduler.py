"""Schedules of the learning rate, under PyTorch's names.

A schedule sets the learning rates of an optimizer's groups: when it is made, and in every ``step()``.

>>> import wengert
>>> from wengert.optim.lr_scheduler import CosineAnnealingLR
>>> optimizer = wengert.optim.SGD([wengert.zeros(3)], lr=0.2)
>>> schedule = CosineAnnealingLR(optimizer, T_max=2)
>>> for epoch in range(2):
...     optimizer.step()  # after every batch
...     schedule.step()  # after every epoch
...     print(round(optimizer.param_groups[0]["lr"], 3))
0.1
0.0
"""

from wengert.optim.formula_schedules import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    StepLR,
)
from wengert.optim.one_cycle import OneCycleLR
from wengert.optim.plateau import ReduceLROnPlateau
from wengert.optim.schedules import LRScheduler
from wengert.optim.sequential import SequentialLR

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
