"""Optimizers that scale each entry of the step by the size of its gradients so far."""

from __future__ import annotations

from typing import Any, ClassVar

from wengert.optim.optimizer import Group, Optimizer
from wengert.optim.transforms import (
    Chain,
    adagrad,
    adam,
    add_decoupled_weight_decay,
    add_weight_decay,
    ascend,
    centered_rmsprop,
    nadam,
    rmsprop,
    scale_by_learning_rate,
)
from wengert.optim.transforms import (
    amsgrad as amsgrad_transform,
)
from wengert.optim.transforms import (
    momentum as momentum_transform,
)

Betas = tuple[float, float]


def _prepared(group: Group) -> Chain:
    """The transforms that come first in all of them."""
    decays = group["weight_decay"] and not group.get("decoupled_weight_decay")
    return (*((ascend,) if group["maximize"] else ()), *((add_weight_decay,) if decays else ()))


def _decoupled(group: Group) -> Chain:
    """The transforms that come last."""
    decays = group["weight_decay"] and group["decoupled_weight_decay"]
    return (add_decoupled_weight_decay,) if decays else ()


class Adam(Optimizer):
    """Kingma & Ba 2015: a step of lr·m̂/(√v̂ + ε), with running means m of the gradient and v of its square.

    ``amsgrad`` uses the greatest v so far (Reddi, Kale & Kumar 2018); ``decoupled_weight_decay`` makes it
    AdamW.

    >>> import wengert
    >>> w = wengert.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()  # the first step is lr in every entry, whatever the gradient's size
    >>> w
    tensor([ 0.9, -1.9], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )

    def chain(self, group: Group) -> Chain:
        scaled = amsgrad_transform if group["amsgrad"] else adam
        return (*_prepared(group), scaled, *_decoupled(group))


class AdamW(Adam):
    """Adam whose weight decay pulls at the weights directly instead of passing through the scaling
    (Loshchilov & Hutter 2019).

    >>> import wengert
    >>> AdamW([wengert.zeros(3)], lr=0.1).param_groups[0]["weight_decay"]
    0.01
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True
        )


class NAdam(Optimizer):
    """Adam with Nesterov's momentum, whose weight grows at the pace ``momentum_decay`` (Dozat 2016)."""

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
            },
        )

    ranges: ClassVar = {**Optimizer.ranges, "momentum_decay": (0, float("inf"))}

    def chain(self, group: Group) -> Chain:
        return (*_prepared(group), nadam, *_decoupled(group))


class RMSprop(Optimizer):
    """A step of lr·g/(√v + ε) with the running mean v of g² (Tieleman & Hinton 2012); ``centered``
    subtracts the square of the running mean of g (Graves 2013)."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "centered": centered,
                "maximize": maximize,
            },
        )

    ranges: ClassVar = {**Optimizer.ranges, "alpha": (0, float("inf")), "momentum": (0, float("inf"))}

    def chain(self, group: Group) -> Chain:
        return (
            *_prepared(group),
            centered_rmsprop if group["centered"] else rmsprop,
            *((momentum_transform,) if group["momentum"] else ()),
            scale_by_learning_rate,
        )


class Adagrad(Optimizer):
    """A step of lr·g/(√s + ε) with the sum s of all g² so far (Duchi, Hazan & Singer 2011)."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "eps": eps,
                "maximize": maximize,
            },
        )

    ranges: ClassVar = {
        **Optimizer.ranges,
        "lr_decay": (0, float("inf")),
        "initial_accumulator_value": (0, float("inf")),
    }

    def chain(self, group: Group) -> Chain:
        return (*_prepared(group), adagrad)
