"""The losses as modules: they hold the settings, and the functions of the same names compute."""

from __future__ import annotations

from typing import Any

from wengert.creation import as_tensor
from wengert.nn import class_losses, loss_functions
from wengert.nn.module import Module


class Loss(Module):
    """A loss: ``loss(input, target)`` is one number, the ``'mean'`` or ``'sum'`` over the entries, or with
    the reduction ``'none'`` the entries themselves. Raises ValueError for another word."""

    reductions: tuple[str, ...] = loss_functions.REDUCTIONS

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        loss_functions.check_reduction(reduction, self.reductions)
        self.reduction = reduction

    def extra_repr(self) -> str:
        """The reduction, where it is not the usual one."""
        return "" if self.reduction == "mean" else f"reduction={self.reduction!r}"

    def hold(self, name: str, weight: Any) -> None:
        """Keep a weight as a buffer, so that it is converted and saved with the module."""
        self.register_buffer(name, None if weight is None else as_tensor(weight))


class MSELoss(Loss):
    """The mean of ``(input - target)²``. Raises as `functional.mse_loss`.

    >>> import wengert
    >>> MSELoss()(wengert.tensor([1.0, 3.0]), wengert.tensor([0.0, 1.0])).item()
    2.5
    """

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return loss_functions.mse_loss(input, target, self.reduction)


class L1Loss(Loss):
    """The mean of ``|input - target|``. Raises as `functional.l1_loss`.

    >>> import wengert
    >>> L1Loss()(wengert.tensor([1.0, 3.0]), wengert.tensor([0.0, 1.0])).item()
    1.5
    """

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return loss_functions.l1_loss(input, target, self.reduction)


class HuberLoss(Loss):
    """Half the squared difference d up to ``delta``, beyond it ``delta * (|d| - delta / 2)`` (Huber 1964).
    Raises as `functional.huber_loss`.

    >>> import wengert
    >>> HuberLoss()(wengert.tensor([0.5, 3.0]), wengert.tensor([0.0, 0.0])).item()
    1.3125
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return loss_functions.huber_loss(input, target, self.reduction, self.delta)


class SmoothL1Loss(Loss):
    """The Huber loss over ``beta`` (Girshick 2015); with ``beta=0`` the `L1Loss`. Raises as
    `functional.smooth_l1_loss`."""

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return loss_functions.smooth_l1_loss(input, target, self.reduction, self.beta)


class CrossEntropyLoss(Loss):
    """The negative logarithm of the target's probability under ``softmax(input)``, averaged.

    Takes scores of shape (N, C), (C,) or (N, C, d₁, …) and class indices, or probabilities of the scores'
    shape. ``weight`` holds a number per class. Raises as `functional.cross_entropy`, which says more.

    >>> import wengert
    >>> scores = wengert.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 5.0]])
    >>> round(CrossEntropyLoss()(scores, wengert.tensor([0, 2])).item(), 4)
    0.1265
    """

    def __init__(
        self,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        self.hold("weight", weight)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return class_losses.cross_entropy(
            input, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing
        )


class NLLLoss(Loss):
    """The negative of the target's entry in ``input``, which holds logarithms of probabilities, averaged.
    Raises as `functional.nll_loss`.

    >>> import wengert
    >>> logs = wengert.tensor([[0.5, 0.5], [0.25, 0.75]]).log()
    >>> round(NLLLoss()(logs, wengert.tensor([0, 1])).item(), 4)
    0.4904
    """

    def __init__(self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.hold("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return class_losses.nll_loss(input, target, self.weight, self.ignore_index, self.reduction)


class BCELoss(Loss):
    """``-t ln p - (1 - t) ln(1 - p)`` for probabilities p, averaged; the logarithms are held above -100.
    Raises as `functional.binary_cross_entropy`.

    >>> import wengert
    >>> round(BCELoss()(wengert.tensor([0.5, 0.25]), wengert.tensor([1.0, 0.0])).item(), 4)
    0.4904
    """

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.hold("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return loss_functions.binary_cross_entropy(input, target, self.weight, self.reduction)


class BCEWithLogitsLoss(Loss):
    """``-t ln σ(z) - (1 - t) ln σ(-z)`` for logits z, averaged, without overflow or cancellation.

    ``weight`` scales the entries, ``pos_weight`` the first term. Raises as
    `functional.binary_cross_entropy_with_logits`.

    >>> import wengert
    >>> BCEWithLogitsLoss()(wengert.tensor([800.0, -800.0]), wengert.tensor([0.0, 1.0])).item()
    800.0
    """

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.hold("weight", weight)
        self.hold("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return loss_functions.binary_cross_entropy_with_logits(
            input, target, self.weight, self.reduction, self.pos_weight
        )


class KLDivLoss(Loss):
    """``t (ln t - input)``: what the distribution t diverges from the one whose logarithm is ``input``.

    ``'batchmean'`` is the divergence itself; ``'mean'`` divides by the number of entries, as in PyTorch.
    Raises as `functional.kl_div`.

    >>> import wengert
    >>> p, q = wengert.tensor([[0.5, 0.5]]), wengert.tensor([[0.25, 0.75]])
    >>> round(KLDivLoss(reduction="batchmean")(q.log(), p).item(), 4)
    0.1438
    """

    reductions = (*loss_functions.REDUCTIONS, "batchmean")

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return loss_functions.kl_div(input, target, self.reduction, self.log_target)


class GaussianNLLLoss(Loss):
    """``(ln v + (input - target)² / v) / 2``, averaged: a normal distribution with mean ``input`` and
    variance v; ``full`` adds ``ln(2π) / 2``. Raises as `functional.gaussian_nll_loss`.

    >>> import wengert
    >>> GaussianNLLLoss()(wengert.tensor([1.0]), wengert.tensor([3.0]), wengert.tensor([1.0])).item()
    2.0
    """

    def __init__(self, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Any, target: Any, var: Any) -> Any:
        """The loss."""
        return loss_functions.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)


__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "NLLLoss",
    "SmoothL1Loss",
]
