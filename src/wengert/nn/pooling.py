"""Pooling of images: one number made of every window."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.nn.convolution import Sizes, require_images, sizes
from wengert.nn.module import Module
from wengert.ops import pooling as rows
from wengert.ops.kinds import shape
from wengert.ops.products import matmul
from wengert.ops.windows import Pair


def max_pool2d(
    x: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
) -> Any:
    """The largest entry of every window of x, of shape (batch, channels, height, width) or (channels, height,
    width).

    The stride is by default the kernel's size, so that windows do not overlap. The padding is -∞, and at most
    half a kernel wide. With ``ceil_mode`` entries that the last whole window leaves over get a window too. Of
    entries that tie, the first takes the derivative. Raises ValueError for shapes and sizes that do not fit.

    >>> import wengert
    >>> max_pool2d(wengert.tensor([[[1.0, 2.0, 5.0, 0.0], [4.0, 3.0, 6.0, 0.0]]]), 2).tolist()
    [[[4.0, 6.0]]]
    """
    kernel, steps, around = _settings("max_pool2d", x, kernel_size, stride, padding)
    gaps = sizes("dilation", dilation)
    return rows.max_pool2d(
        x, kernel_size=kernel, stride=steps, padding=around, dilation=gaps, ceil_mode=ceil_mode
    )


def avg_pool2d(
    x: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of every window of x, with the settings of `max_pool2d`.

    With ``count_include_pad`` the padding's zeros count as entries of the mean, otherwise only entries of x
    do.

    >>> import wengert
    >>> avg_pool2d(wengert.tensor([[[1.0, 2.0, 5.0, 0.0], [4.0, 3.0, 6.0, 0.0]]]), 2).tolist()
    [[[2.5, 2.75]]]
    """
    kernel, steps, around = _settings("avg_pool2d", x, kernel_size, stride, padding)
    return rows.avg_pool2d(
        x,
        kernel_size=kernel,
        stride=steps,
        padding=around,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
    )


def adaptive_avg_pool2d(x: Any, output_size: int | tuple[int | None, int | None]) -> Any:
    """Means over as many windows as the result has entries: entry i of m is the mean of the entries
    ⌊i·n/m⌋ … ⌈(i + 1)·n/m⌉ of the n in x. None keeps an axis as it is.

    >>> import wengert
    >>> adaptive_avg_pool2d(wengert.tensor([[[1.0, 2.0, 5.0, 0.0], [4.0, 3.0, 6.0, 0.0]]]), 1).tolist()
    [[[2.625]]]
    """
    require_images("adaptive_avg_pool2d", x)
    height, width = shape(x)[-2:]
    pair = output_size if isinstance(output_size, (tuple, list)) else (output_size, output_size)
    wanted = tuple(n if m is None else m for m, n in zip(pair, (height, width), strict=True))
    rows_wanted, columns_wanted = sizes("output_size", wanted)
    down, right = _means(height, rows_wanted, x.dtype), _means(width, columns_wanted, x.dtype)
    return matmul(down, matmul(x, right.T))


def _means(n: int, m: int, dtype: Any) -> Any:
    """The matrix (m, n) that takes the means of an axis."""
    matrix = np.zeros((m, n), dtype if dtype.kind == "f" else float)
    for i in range(m):
        first, last = i * n // m, -(-(i + 1) * n // m)
        matrix[i, first:last] = 1 / (last - first)
    return matrix


def _settings(
    who: str, x: Any, kernel_size: Sizes, stride: Sizes | None, padding: Sizes
) -> tuple[Pair, Pair, Pair]:
    require_images(who, x)
    kernel = sizes("kernel_size", kernel_size)
    steps = kernel if stride is None else sizes("stride", stride)
    around = sizes("padding", padding, least=0)
    if any(2 * p > k for p, k in zip(around, kernel, strict=True)):
        raise ValueError(f"padding: expected at most half of kernel_size {kernel}, got {padding!r}")
    return kernel, steps, around


class MaxPool2d(Module):
    """The largest entry of every window of an image, as `max_pool2d`.

    >>> import wengert
    >>> MaxPool2d(2)(wengert.ones(8, 6, 28, 28)).shape
    (8, 6, 14, 14)
    >>> MaxPool2d(3, stride=2, padding=1)
    MaxPool2d(kernel_size=3, stride=2, padding=1)
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        *,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.ceil_mode = padding, dilation, ceil_mode

    def forward(self, x: Any) -> Any:
        """The largest entries."""
        return max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)

    def extra_repr(self) -> str:
        """The sizes, and the settings that are not the usual ones."""
        return _described(self, padding=0, dilation=1, ceil_mode=False)


class AvgPool2d(Module):
    """The mean of every window of an image, as `avg_pool2d`.

    >>> import wengert
    >>> AvgPool2d(2)(wengert.ones(8, 6, 28, 28)).shape
    (8, 6, 14, 14)
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad

    def forward(self, x: Any) -> Any:
        """The means."""
        return avg_pool2d(
            x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )

    def extra_repr(self) -> str:
        """The sizes, and the settings that are not the usual ones."""
        return _described(self, padding=0, ceil_mode=False, count_include_pad=True)


class AdaptiveAvgPool2d(Module):
    """Means over as many windows as the result should have entries, as `adaptive_avg_pool2d`.

    >>> import wengert
    >>> AdaptiveAvgPool2d(1)(wengert.ones(8, 6, 7, 5)).shape
    (8, 6, 1, 1)
    """

    def __init__(self, output_size: int | tuple[int | None, int | None]) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, x: Any) -> Any:
        """The means."""
        return adaptive_avg_pool2d(x, self.output_size)

    def extra_repr(self) -> str:
        """The result's size."""
        return f"output_size={self.output_size!r}"


def _described(layer: Module, **usual: Any) -> str:
    words = {"kernel_size": layer.kernel_size, "stride": layer.stride}
    words |= {
        name: getattr(layer, name) for name, setting in usual.items() if getattr(layer, name) != setting
    }
    return ", ".join(f"{name}={setting!r}" for name, setting in words.items())
