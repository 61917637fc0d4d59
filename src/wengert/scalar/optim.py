"""Optimizers of single numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wengert.scalar.number import Scalar


class SGD:
    """Gradient descent: ``p ← p - lr·v`` with ``v ← momentum·v + grad``, as in PyTorch.

    The parameters' ``data`` may be of any kind of number; with a `fractions.Fraction` as learning rate exact
    numbers stay exact. Raises TypeError for a parameter that is no `Scalar`, ValueError where there are none
    or where a setting is negative.

    >>> x = Scalar(1.0)
    >>> optimizer = SGD([x], lr=0.25)
    >>> (x * x).backward()
    >>> optimizer.step()
    >>> x.data
    0.5
    """

    def __init__(self, parameters: Iterable[Scalar], lr: Any, momentum: Any = 0) -> None:
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError("parameters: expected at least one Scalar, got none; pass model.parameters()")
        for parameter in self.parameters:
            if not isinstance(parameter, Scalar):
                raise TypeError(f"parameters: expected Scalars, got {type(parameter).__name__}")
        if lr < 0:
            raise ValueError(f"lr: expected a number of at least 0, got {lr}")
        if momentum < 0:
            raise ValueError(f"momentum: expected a number of at least 0, got {momentum}")
        self.lr = lr
        self.momentum = momentum
        self.velocities: list[Any] = [None] * len(self.parameters)

    def zero_grad(self) -> None:
        """Forget the gradients: the ``grad`` of every parameter becomes None."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        for k, parameter in enumerate(self.parameters):
            direction = parameter.grad
            if direction is None:
                continue
            if self.momentum:
                if self.velocities[k] is not None:
                    direction = self.momentum * self.velocities[k] + direction
                self.velocities[k] = direction
            parameter.data = parameter.data - self.lr * direction


__all__ = ["SGD"]
