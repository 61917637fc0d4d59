"""Optimizers of single numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wengert.capturing import running
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
        self.velocities: list[Scalar | None] = [None] * len(self.parameters)

    def zero_grad(self) -> None:
        """Forget the gradients: the ``grad`` of every parameter becomes None."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        capture = running.get()
        lr = self.lr if capture is None else capture.number([vars(self)], "lr")
        if capture is not None:
            capture.section("update")
            capture.guard("momentum of SGD", lambda: self.momentum)
        for k, parameter in enumerate(self.parameters):
            direction = parameter.grad
            if direction is None:
                continue
            if self.momentum:
                direction = self._velocity(k, direction)
            parameter.data = parameter.data - lr * direction

    def _velocity(self, k: int, gradient: Any) -> Any:
        velocity = self.velocities[k]
        capture = running.get()
        if velocity is None and capture is None:
            self.velocities[k] = Scalar(gradient, requires_grad=False)
            return gradient
        if velocity is None and capture is not None:
            with capture.outside():  # a program keeps what was there before
                velocity = self.velocities[k] = Scalar(0.0, requires_grad=False)
        if capture is not None:
            capture.belongs(velocity, "momentum", self.parameters[k])
        assert velocity is not None
        velocity.data = self.momentum * velocity.data + gradient
        return velocity.data


__all__ = ["SGD"]
