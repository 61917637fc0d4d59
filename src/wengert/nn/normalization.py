"""Layers that shift and scale what flows through them to mean 0 and variance 1, and learn a shift and a scale
of their own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.nn import init
from wengert.nn.linear import blank, size, wrong_shape
from wengert.nn.module import Module
from wengert.numbers.dtypes import get_default_dtype
from wengert.numbers.graph import Node
from wengert.ops.arithmetic import rsqrt, square
from wengert.ops.kinds import shape
from wengert.ops.normalization import standardise
from wengert.ops.op import untaped
from wengert.ops.reduce import sum
from wengert.ops.shape import reshape
from wengert.tensors import Tensor


def batch_norm(
    x: Any,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel (axis 1) of shape (batch, channels, …) standardised, times ``weight`` plus ``bias``.

    In training, by the batch's own mean and variance (Ioffe and Szegedy 2015, algorithm 1), and the running
    ones move towards these by ``momentum``; the running variance has the divisor n - 1. Otherwise by the
    running ones. Raises ValueError in training where a channel has a single value.
    """
    extents = shape(x)
    per_channel = (-1, *[1] * (len(extents) - 2))
    if not training:
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm: running_mean and running_var are needed outside training")
        scale = rsqrt(running_var + eps)
        if weight is not None:
            scale = scale * weight
        offset = -running_mean * scale if bias is None else bias - running_mean * scale
        return x * _along(scale, per_channel) + _along(offset, per_channel)
    axes = (0, *range(2, len(extents)))
    n = math.prod(extents[k] for k in axes)
    if n < 2:
        raise ValueError(
            f"batch_norm: training needs more than one value per channel, got an input of shape {extents}; "
            f"use a larger batch, drop_last=True, or model.eval()"
        )
    if running_mean is not None and running_var is not None:
        _follow(running_mean, running_var, x, axes, n, momentum)
    y = standardise(x, axis=axes, eps=eps)
    if weight is not None:
        y = y * _along(weight, per_channel)
    return y if bias is None else y + _along(bias, per_channel)


def _along(values: Any, per_channel: tuple[int, ...]) -> Any:
    """A vector of one number per channel, so that it broadcasts against the input."""
    return values if len(per_channel) == 1 else reshape(values, shape=per_channel)


def _follow(
    running_mean: Tensor, running_var: Tensor, x: Any, axes: tuple[int, ...], n: int, momentum: Any
) -> None:
    """Move the running mean and variance towards the batch's."""
    values = untaped(x)
    mean = sum(values, axis=axes, keepdims=True) / n
    squares = sum(square(values - mean), axis=axes)
    for running, new in ((running_mean, mean.reshape(-1)), (running_var, squares / (n - 1))):
        moved = (1 - momentum) * running.data + momentum * new
        running.data = moved if moved.dtype == running.dtype else moved.astype(running.dtype)


def layer_norm(
    x: Any, normalized_shape: Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Each example standardised over its last axes, which have the extents ``normalized_shape``, times
    ``weight`` plus ``bias`` (Ba et al. 2016). Raises ValueError where the input ends in other extents."""
    wanted = tuple(normalized_shape)
    if shape(x)[-len(wanted) :] != wanted:
        ending = ", ".join(map(str, wanted))
        raise ValueError(f"layer_norm: expected an input of shape (…, {ending}), got {shape(x)}")
    y = standardise(x, axis=tuple(range(-len(wanted), 0)), eps=eps)
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias


class _BatchNorm(Module):
    """Batch normalisation of inputs with certain numbers of axes."""

    ranks: tuple[int, ...]
    expected: str

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_features = size("num_features", num_features)
        self.eps, self.momentum = eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        for name in ("weight", "bias"):
            self.register_parameter(name, blank(num_features, dtype=dtype) if affine else None)
        wanted = get_default_dtype() if dtype is None else dtype
        for name, start in (
            ("running_mean", np.zeros(num_features, wanted)),
            ("running_var", np.ones(num_features, wanted)),
            ("num_batches_tracked", np.array(0)),
        ):
            self.register_buffer(name, Tensor(start) if track_running_stats else None)
        if affine:
            init.ones_(self.weight)

    def forward(self, x: Any) -> Any:
        """The normalised input."""
        extents = shape(x)
        if len(extents) not in self.ranks or extents[1] != self.num_features:
            raise wrong_shape(self, self.expected.format(self.num_features), x)
        momentum = self.momentum
        if self.training and self.track_running_stats:
            seen = self.num_batches_tracked
            count = seen.data + 1
            seen.data = count if type(count) is Node else np.asarray(count)
            momentum = 1 / seen.data if momentum is None else momentum
        return batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if momentum is None else momentum,
            self.eps,
        )

    def extra_repr(self) -> str:
        """The settings, in PyTorch's order."""
        names = ("eps", "momentum", "affine", "track_running_stats")
        settings = ", ".join(f"{name}={getattr(self, name)}" for name in names)
        return f"{self.num_features}, {settings}"


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of shape (batch, num_features) or (batch, num_features, length).

    In training each feature is standardised over the batch, and ``running_mean`` and ``running_var`` follow;
    in evaluation these are used. ``momentum=None`` keeps the plain average of all batches. ``weight`` and
    ``bias`` have the shape (num_features,). Raises ValueError for another shape, and in training for a single
    value per feature.

    >>> import wengert
    >>> layer = BatchNorm1d(2)
    >>> layer(wengert.tensor([[1.0, 10.0], [3.0, 30.0]])).round().tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
    >>> layer.running_mean.tolist()[0] > 0
    True
    """

    ranks = (2, 3)
    expected = "(batch, {0}) or (batch, {0}, length)"


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of images, of shape (batch, num_features, height, width); else as `BatchNorm1d`.

    >>> import wengert
    >>> BatchNorm2d(3)(wengert.ones(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    ranks = (4,)
    expected = "(batch, {0}, height, width)"


class LayerNorm(Module):
    """Each example standardised over its last axes, times ``weight`` plus ``bias`` (Ba et al. 2016).

    ``normalized_shape`` is the extent of the last axis or the extents of the last axes; ``weight`` and
    ``bias`` have that shape. Raises ValueError for an input that ends otherwise.

    >>> import wengert
    >>> LayerNorm(2)(wengert.tensor([[1.0, 3.0], [10.0, 30.0]])).round().tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        extents = normalized_shape if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
        self.normalized_shape = tuple(size("normalized_shape", n) for n in extents)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        for name, wanted in (("weight", elementwise_affine), ("bias", elementwise_affine and bias)):
            self.register_parameter(name, blank(*self.normalized_shape, dtype=dtype) if wanted else None)
        if elementwise_affine:
            init.ones_(self.weight)

    def forward(self, x: Any) -> Any:
        """The normalised input."""
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
