"""Convolutions of images: arrays of shape (batch, channels, height, width), or (channels, height, width)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wengert.nn import init
from wengert.nn.linear import blank, size
from wengert.nn.module import Module
from wengert.ops import windows as rows
from wengert.ops.kinds import shape
from wengert.ops.shape import reshape
from wengert.ops.windows import Margins, Pair
from wengert.random import Generator

Sizes = int | Sequence[int]


def conv2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Any:
    """Every window of an image times every kernel: yₒ = bₒ + Σ wₒ ⋆ x, a cross-correlation.

    x has the shape (batch, channels, height, width) or (channels, height, width), the weight (outputs,
    channels / groups, kernel height, kernel width), the bias (outputs,). The padding is a number of zeros on
    each side, ``'valid'`` (none) or ``'same'`` (the result is as large as x; for stride 1). Raises ValueError
    for shapes that do not fit, or a kernel larger than the padded image.

    >>> import wengert
    >>> x, edge = wengert.tensor([[[0.0, 0.0, 1.0, 1.0]]]), wengert.tensor([[[[-1.0, 1.0]]]])
    >>> conv2d(x, edge).tolist()
    [[[0.0, 1.0, 0.0]]]
    """
    require_images("conv2d", x)
    product = rows.conv2d(
        x,
        weight,
        stride=sizes("stride", stride),
        padding=_margins(padding, shape(weight)[2:], stride, dilation),
        dilation=sizes("dilation", dilation),
        groups=size("groups", groups),
    )
    return _with_bias(product, bias)


def conv_transpose2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Any:
    """The transpose of `conv2d`, as a map of images: every entry of x adds a multiple of a kernel to the
    result.

    x has the shape (batch, channels, height, width) or (channels, height, width), the weight (channels,
    outputs / groups, kernel height, kernel width). An axis of n entries becomes one of
    (n - 1)·stride - 2·padding + dilation·(kernel - 1) + output_padding + 1. Raises ValueError for shapes that
    do not fit, and for an ``output_padding`` that is smaller neither than the stride nor than the dilation.

    >>> import wengert
    >>> x, kernel = wengert.tensor([[[1.0, 2.0]]]), wengert.tensor([[[[1.0, 1.0, 0.5]]]])
    >>> conv_transpose2d(x, kernel, stride=2).tolist()
    [[[1.0, 1.0, 2.5, 2.0, 1.0]]]
    """
    require_images("conv_transpose2d", x)
    _require_fitting(shape(x), shape(weight), size("groups", groups))
    steps, gaps = sizes("stride", stride), sizes("dilation", dilation)
    around, extra = sizes("padding", padding, least=0), sizes("output_padding", output_padding, least=0)
    if any(e >= max(step, gap) for e, step, gap in zip(extra, steps, gaps, strict=True)):
        raise ValueError(
            f"output_padding: expected less than the stride {steps} or the dilation {gaps}, got {extra}"
        )
    spans = rows.window_spans(shape(weight)[2:], steps, gaps)
    settings = zip(shape(x)[-2:], steps, spans, around, extra, strict=True)
    extents = tuple((n - 1) * step + span - 2 * p + e for n, step, span, p, e in settings)
    if min(extents) < 1:
        raise ValueError(
            f"padding {around} leaves nothing of an input of shape {shape(x)} and a weight of shape "
            f"{shape(weight)}: the result would have the shape (…, {extents[0]}, {extents[1]})"
        )
    product = rows.conv_transpose2d(
        x,
        weight,
        shape=extents,
        stride=steps,
        padding=tuple((p, p - e) for p, e in zip(around, extra, strict=True)),
        dilation=gaps,
        groups=groups,
    )
    return _with_bias(product, bias)


def sizes(name: str, setting: Sizes, least: int = 1) -> Pair:
    """A setting for the vertical and the horizontal axis. Raises TypeError or ValueError, with its name, for
    what is none."""
    pair = (setting, setting) if hasattr(setting, "__index__") else setting
    if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not all(map(_is_whole, pair)):
        raise TypeError(
            f"{name}: expected a whole number, or a pair of them (vertical, horizontal), got {setting!r}"
        )
    if min(pair) < least:
        raise ValueError(f"{name}: expected at least {least}, got {setting!r}")
    return int(pair[0]), int(pair[1])


def _is_whole(number: Any) -> bool:
    return hasattr(number, "__index__") and not isinstance(number, bool)


def _margins(padding: Sizes | str, kernel: Sequence[int], stride: Sizes, dilation: Sizes) -> Margins:
    """The zeros before and behind each axis."""
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding == "same":
        if sizes("stride", stride) != (1, 1):
            raise ValueError(f"padding: 'same' needs stride 1, got stride={stride!r}")
        down, right = (span - 1 for span in rows.window_spans(kernel, 1, dilation))
        return (down // 2, down - down // 2), (right // 2, right - right // 2)
    if isinstance(padding, str):
        raise ValueError(f"padding: expected 'same', 'valid' or numbers, got {padding!r}")
    down, right = sizes("padding", padding, least=0)
    return (down, down), (right, right)


def _with_bias(product: Any, bias: Any) -> Any:
    return product if bias is None else product + reshape(bias, shape=(*shape(bias), 1, 1))


def require_images(who: str, x: Any) -> None:
    if len(shape(x)) not in (3, 4):
        raise ValueError(
            f"{who}: expected an input of shape (batch, channels, height, width) or (channels, height, "
            f"width), got {shape(x)}"
        )


def _require_fitting(x: Sequence[int], weight: Sequence[int], groups: int) -> None:
    given = f"conv_transpose2d of an input of shape {tuple(x)} and a weight of shape {tuple(weight)}"
    if len(weight) != 4:
        raise ValueError(f"{given}: expected a weight (channels, outputs / groups, height, width)")
    if x[-3] != weight[0]:
        raise ValueError(f"{given}: the weight takes {weight[0]} channels, but the input has {x[-3]}")
    if weight[0] % groups:
        raise ValueError(f"{given}: groups should divide the {weight[0]} channels, got {groups}")


class _Convolution(Module):
    """What both layers share: sizes, a weight, a bias, and how they start."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes,
        dilation: Sizes,
        groups: int,
    ) -> None:
        super().__init__()
        self.in_channels = size("in_channels", in_channels)
        self.out_channels = size("out_channels", out_channels)
        self.kernel_size = sizes("kernel_size", kernel_size)
        self.stride, self.dilation = sizes("stride", stride), sizes("dilation", dilation)
        self.groups = size("groups", groups)
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"groups: expected a divisor of in_channels={in_channels} and out_channels={out_channels}, "
                f"got {groups}"
            )

    def _make_parameters(
        self, outer: int, inner: int, bias: bool, dtype: Any, generator: Generator | None
    ) -> None:
        self.weight = blank(outer, inner, *self.kernel_size, dtype=dtype)
        self.register_parameter("bias", blank(self.out_channels, dtype=dtype) if bias else None)
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw new starting values, evenly spread between ±1/√(fan in)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5), generator=generator)
        if self.bias is not None:
            bound = 1 / math.sqrt(init.fans(self.weight)[0])
            init.uniform_(self.bias, -bound, bound, generator)

    def extra_repr(self) -> str:
        """The sizes, and the settings that are not the usual ones."""
        words = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        ]
        for name, usual in (
            ("padding", (0, 0)),
            ("output_padding", (0, 0)),
            ("dilation", (1, 1)),
            ("groups", 1),
        ):
            setting = getattr(self, name, usual)
            if setting != usual:
                words.append(f"{name}={setting!r}")
        return ", ".join(words if self.bias is not None else [*words, "bias=False"])


class Conv2d(_Convolution):
    """A convolution of images, as `conv2d`: from (batch, in_channels, height, width) to (batch, out_channels,
    …), with or without the batch axis.

    ``weight`` has the shape (out_channels, in_channels / groups, kernel height, kernel width), ``bias``
    (out_channels,). Both start evenly spread between ±1/√(in_channels / groups · kernel height · kernel
    width). Sizes are numbers or pairs (vertical, horizontal). Raises ValueError for a size below 1, or groups
    that do not divide both numbers of channels.

    >>> import wengert
    >>> layer = Conv2d(1, 6, 5, padding=2)
    >>> layer(wengert.ones(8, 1, 28, 28)).shape
    (8, 6, 28, 28)
    >>> layer
    Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))  # 156 parameters
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, dilation, groups)
        _margins(padding, self.kernel_size, stride, dilation)
        self.padding = padding if isinstance(padding, str) else sizes("padding", padding, least=0)
        self._make_parameters(out_channels, in_channels // groups, bias, dtype, generator)

    def forward(self, x: Any) -> Any:
        """The convolution of every image."""
        return conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class ConvTranspose2d(_Convolution):
    """The transpose of a convolution, as `conv_transpose2d`: it makes images larger where a convolution with
    the same settings makes them smaller.

    ``weight`` has the shape (in_channels, out_channels / groups, kernel height, kernel width), ``bias``
    (out_channels,). ``output_padding`` adds entries behind, where several input sizes of a convolution with a
    stride have the same result. Raises ValueError as `Conv2d`.

    >>> import wengert
    >>> ConvTranspose2d(6, 1, 4, stride=2, padding=1)(wengert.ones(8, 6, 14, 14)).shape
    (8, 1, 28, 28)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, dilation, groups)
        self.padding = sizes("padding", padding, least=0)
        self.output_padding = sizes("output_padding", output_padding, least=0)
        self._make_parameters(in_channels, out_channels // groups, bias, dtype, generator)

    def forward(self, x: Any) -> Any:
        """The transposed convolution of every image."""
        return conv_transpose2d(
            x,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.output_padding,
            self.groups,
            self.dilation,
        )
