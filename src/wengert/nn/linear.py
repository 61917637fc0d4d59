"""Layers that are linear in their input, and those that only arrange it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.nn import init
from wengert.nn.module import Module
from wengert.nn.parameter import Parameter
from wengert.numbers.dtypes import get_default_dtype
from wengert.ops import products
from wengert.ops.kinds import shape
from wengert.random import Generator
from wengert.tensors import Tensor


def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """``x Wᵀ + b``: x of shape (…, in), the weight of shape (out, in), the bias of shape (out,).

    >>> import wengert
    >>> linear(wengert.tensor([1.0, 2.0]), wengert.tensor([[3.0, 4.0]]), wengert.tensor([0.5]))
    tensor([11.5])
    """
    return x @ weight.T if bias is None else products.linear(x, weight, bias)


def bilinear(x1: Any, x2: Any, weight: Any, bias: Any = None) -> Any:
    """``x₁ᵀ Wₖ x₂ + bₖ`` for every output k: inputs of shapes (…, in1) and (…, in2), the weight of shape
    (out, in1, in2), the bias of shape (out,)."""
    product = products.einsum("...i,kij,...j->...k", x1, weight, x2)
    return product if bias is None else product + bias


class Identity(Module):
    """The input itself. It takes any arguments for the layer that it stands in for, and ignores them.

    >>> Identity()(3)
    3
    """

    def __init__(self, *args: Any, **words: Any) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        """The input."""
        return x


class Linear(Module):
    """``x Wᵀ + b``, from shape (…, in_features) to shape (…, out_features).

    ``weight`` has the shape (out_features, in_features), ``bias`` (out_features,). Both start evenly spread
    between ±1/√in_features. Raises ValueError for a size below 1.

    >>> import wengert
    >>> layer = Linear(3, 2)
    >>> layer(wengert.ones(5, 3)).shape
    (5, 2)
    >>> layer
    Linear(in_features=3, out_features=2, bias=True)  # 8 parameters
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.in_features = size("in_features", in_features)
        self.out_features = size("out_features", out_features)
        self.weight = blank(out_features, in_features, dtype=dtype)
        self.register_parameter("bias", blank(out_features, dtype=dtype) if bias else None)
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw new starting values."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5), generator=generator)
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features)
            init.uniform_(self.bias, -bound, bound, generator)

    def forward(self, x: Any) -> Any:
        """The outputs of every row."""
        try:
            return linear(x, self.weight, self.bias)
        except ValueError as error:
            raise wrong_shape(self, f"(…, {self.in_features})", x) from error

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
        )


class Bilinear(Module):
    """``x₁ᵀ Wₖ x₂ + bₖ``, from shapes (…, in1_features) and (…, in2_features) to (…, out_features).

    ``weight`` has the shape (out_features, in1_features, in2_features). Raises ValueError for a size below 1.

    >>> import wengert
    >>> Bilinear(2, 3, 4)(wengert.ones(5, 2), wengert.ones(5, 3)).shape
    (5, 4)
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.in1_features = size("in1_features", in1_features)
        self.in2_features = size("in2_features", in2_features)
        self.out_features = size("out_features", out_features)
        self.weight = blank(out_features, in1_features, in2_features, dtype=dtype)
        self.register_parameter("bias", blank(out_features, dtype=dtype) if bias else None)
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw new starting values, evenly spread between ±1/√in1_features."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound, generator)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound, generator)

    def forward(self, x1: Any, x2: Any) -> Any:
        """The outputs of every pair of rows."""
        try:
            return bilinear(x1, x2, self.weight, self.bias)
        except ValueError as error:
            expected = f"(…, {self.in1_features}) and (…, {self.in2_features})"
            raise wrong_shape(self, expected, x1, x2) from error

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class Flatten(Module):
    """The axes from ``start_dim`` to ``end_dim`` as one; by default all but the first, the batch.

    >>> import wengert
    >>> Flatten()(wengert.ones(5, 2, 3)).shape
    (5, 6)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Any) -> Any:
        """The same entries with fewer axes."""
        return (x if isinstance(x, Tensor) else Tensor(x)).flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """The axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """The axis ``dim`` as several axes; one of the sizes may be -1. The opposite of `Flatten`.

    >>> import wengert
    >>> Unflatten(1, (2, 3))(wengert.ones(5, 6)).shape
    (5, 2, 3)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, x: Any) -> Any:
        """The same entries with more axes."""
        tensor = x if isinstance(x, Tensor) else Tensor(x)
        axis = self.dim % len(tensor.shape) if tensor.shape else 0
        wanted = (*tensor.shape[:axis], *self.unflattened_size, *tensor.shape[axis + 1 :])
        return tensor.reshape(wanted)

    def extra_repr(self) -> str:
        """The axis and its sizes."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


def blank(*extents: int, dtype: Any = None) -> Parameter:
    """A parameter of zeros, to be initialised."""
    return Parameter(np.zeros(extents, get_default_dtype() if dtype is None else dtype))


def size(name: str, value: Any) -> int:
    """A size of a layer. Raises TypeError or ValueError, with its name, for what is none."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}: expected a whole number, got {value!r}")
    if value < 1:
        raise ValueError(f"{name}: expected at least 1, got {value}")
    return int(value)


def wrong_shape(layer: Module, expected: str, *inputs: Any) -> ValueError:
    """The error for an input that does not fit a layer."""
    got = " and ".join(str(tuple(shape(x))) for x in inputs)
    words = f"{type(layer).__name__}({layer.extra_repr()})"
    return ValueError(f"{words}: expected an input of shape {expected}, got {got}")
