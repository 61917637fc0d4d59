"""The activations as modules. Each is a row of the rule table, which states its derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.nn.functional import softplus
from wengert.nn.module import Module
from wengert.nn.parameter import Parameter
from wengert.numbers.dtypes import get_default_dtype
from wengert.ops import nn, reduce, trigonometric
from wengert.ops.arithmetic import where
from wengert.ops.kinds import shape
from wengert.ops.shape import reshape
from wengert.tensors import Tensor


class ReLU(Module):
    """``max(x, 0)``.

    >>> import wengert
    >>> ReLU()(wengert.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, x: Any) -> Any:
        """The activation of every entry."""
        return x.relu() if isinstance(x, Tensor) else nn.relu(x)


class LeakyReLU(Module):
    """``x`` where it is positive, else ``negative_slope * x``.

    >>> import wengert
    >>> LeakyReLU(0.1)(wengert.tensor([-1.0, 2.0]))
    tensor([-0.1,  2. ])
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, x: Any) -> Any:
        """The activation of every entry."""
        return nn.leaky_relu(x, negative_slope=self.negative_slope)

    def extra_repr(self) -> str:
        """The slope."""
        return f"negative_slope={self.negative_slope}"


class ELU(Module):
    """``x`` where it is positive, else ``alpha * (exp(x) - 1)`` (Clevert et al. 2015)."""

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Any) -> Any:
        """The activation of every entry."""
        return nn.elu(x, alpha=self.alpha)

    def extra_repr(self) -> str:
        """The floor."""
        return f"alpha={self.alpha}"


class SELU(Module):
    """An ELU whose scale keeps mean 0 and variance 1 from layer to layer (Klambauer et al. 2017)."""

    def forward(self, x: Any) -> Any:
        """The activation of every entry."""
        return nn.selu(x)


class SiLU(Module):
    """``x * sigmoid(x)``, also called swish."""

    def forward(self, x: Any) -> Any:
        """The activation of every entry."""
        return nn.silu(x)


class Mish(Module):
    """``x * tanh(softplus(x))`` (Misra 2019)."""

    def forward(self, x: Any) -> Any:
        """The activation of every entry."""
        return nn.mish(x)


class GELU(Module):
    """``x * Φ(x)`` with the normal distribution function Φ (Hendrycks and Gimpel 2016), or its approximation
    with ``approximate='tanh'``. Raises ValueError for another word."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise ValueError(f"approximate: expected 'none' or 'tanh', got {approximate!r}")
        self.approximate = approximate

    def forward(self, x: Any) -> Any:
        """The activation of every entry."""
        return nn.gelu(x, approximate=self.approximate)

    def extra_repr(self) -> str:
        """Which formula."""
        return f"approximate={self.approximate!r}"


class Sigmoid(Module):
    """``1 / (1 + exp(-x))``.

    >>> import wengert
    >>> Sigmoid()(wengert.tensor([0.0]))
    tensor([0.5])
    """

    def forward(self, x: Any) -> Any:
        """The activation of every entry."""
        return x.sigmoid() if isinstance(x, Tensor) else nn.sigmoid(x)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, x: Any) -> Any:
        """The activation of every entry."""
        return x.tanh() if isinstance(x, Tensor) else trigonometric.tanh(x)


class Softplus(Module):
    """``log(1 + exp(beta * x)) / beta``, a smooth ReLU, computed without overflow.

    >>> import wengert
    >>> Softplus()(wengert.tensor([0.0, 1000.0]))
    tensor([6.9315e-01, 1.0000e+03])
    """

    def __init__(self, beta: float = 1.0) -> None:
        super().__init__()
        if not beta > 0:
            raise ValueError(f"beta: expected a positive number, got {beta}")
        self.beta = beta

    def forward(self, x: Any) -> Any:
        """The activation of every entry."""
        return softplus(x, self.beta)

    def extra_repr(self) -> str:
        """The sharpness."""
        return f"beta={self.beta}"


class LogSigmoid(Module):
    """``log(sigmoid(x))``, computed without underflow."""

    def forward(self, x: Any) -> Any:
        """The activation of every entry."""
        return nn.log_sigmoid(x)


class Hardtanh(Module):
    """``x`` held between two bounds. Raises ValueError unless ``min_val < max_val``."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        super().__init__()
        if not min_val < max_val:
            raise ValueError(f"min_val, max_val: expected min_val < max_val, got {min_val} and {max_val}")
        self.min_val, self.max_val = min_val, max_val

    def forward(self, x: Any) -> Any:
        """The activation of every entry."""
        return nn.hardtanh(x, min_val=self.min_val, max_val=self.max_val)

    def extra_repr(self) -> str:
        """The bounds."""
        return f"min_val={self.min_val}, max_val={self.max_val}"


class PReLU(Module):
    """A leaky ReLU whose slope is trained (He et al. 2015): one for all, or one per channel (axis 1).

    Raises ValueError where the number of channels is another than ``num_parameters``.

    >>> import wengert
    >>> PReLU()(wengert.tensor([-1.0, 2.0])).tolist()
    [-0.25, 2.0]
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        wanted = get_default_dtype() if dtype is None else dtype
        self.weight = Parameter(np.full(num_parameters, init, wanted))

    def forward(self, x: Any) -> Any:
        """The activation of every entry."""
        slope: Any = self.weight
        if self.num_parameters > 1:
            extents = shape(x)
            if len(extents) < 2 or extents[1] != self.num_parameters:
                raise ValueError(
                    f"PReLU(num_parameters={self.num_parameters}): expected an input of shape "
                    f"(batch, {self.num_parameters}, …), got {tuple(extents)}"
                )
            slope = reshape(slope, shape=(-1, *[1] * (len(extents) - 2)))
        return where(x > 0, x, x * slope)

    def extra_repr(self) -> str:
        """How many slopes."""
        return f"num_parameters={self.num_parameters}"


class Softmax(Module):
    """Numbers as probabilities, ``exp(xᵢ) / Σ exp(xⱼ)`` along the axis ``dim``, computed without overflow.

    >>> import wengert
    >>> Softmax(dim=-1)(wengert.tensor([0.0, 0.0]))
    tensor([0.5, 0.5])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Any:
        """The probabilities."""
        return reduce.softmax(x, axis=self.dim)

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """The logarithm of `Softmax`, computed without underflow."""

    def forward(self, x: Any) -> Any:
        """The logarithms of the probabilities."""
        return reduce.log_softmax(x, axis=self.dim)
