"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any, ClassVar

from wengert.optim.optimizer import Group, Optimizer
from wengert.optim.transforms import (
    Chain,
    Transform,
    add_weight_decay,
    ascend,
    dampened_momentum,
    nesterov_momentum,
    scale_by_learning_rate,
)
from wengert.optim.transforms import (
    momentum as momentum_transform,
)


class SGD(Optimizer):
    """Gradient descent, p ← p − lr·g, with momentum, Nesterov's momentum and weight decay.

    Robbins & Monro 1951; momentum as in Sutskever et al. 2013, with PyTorch's convention: the rate scales
    the whole buffer. ``maximize`` ascends.

    >>> import wengert
    >>> w = wengert.tensor([1.0], requires_grad=True)
    >>> optimizer = SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                f"SGD: nesterov=True needs a momentum above 0 and no dampening, got momentum={momentum}, "
                f"dampening={dampening}"
            )
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
            },
        )

    ranges: ClassVar = {**Optimizer.ranges, "momentum": (0, float("inf"))}

    def chain(self, group: Group) -> Chain:
        return (
            *((ascend,) if group["maximize"] else ()),
            *((add_weight_decay,) if group["weight_decay"] else ()),
            *((_momentum(group),) if group["momentum"] else ()),
            scale_by_learning_rate,
        )


def _momentum(group: Group) -> Transform:
    if group["nesterov"]:
        return nesterov_momentum
    return dampened_momentum if group["dampening"] else momentum_transform
