"""`Parameter`: a tensor that a `Module` trains."""

from __future__ import annotations

from typing import Any

from wengert.tensors import Tensor


class Parameter(Tensor):
    """A leaf that requires a gradient, and that a `Module` finds when it is assigned to an attribute.

    Raises TypeError for whole numbers, which have no gradient.

    >>> Parameter([1.0, 2.0])
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"
