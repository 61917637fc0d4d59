"""Convolutions and poolings, as layers that wengert and PyTorch both understand."""

from __future__ import annotations

import itertools
from typing import Any

from layer_cases import LayerCase


def _convolution(name: str, channels: int, shape: tuple[int, ...], *sizes: Any, **settings: Any) -> LayerCase:
    return LayerCase(lambda nn: getattr(nn, name)(channels, *sizes, **settings), (shape,))


def _pooling(name: str, shape: tuple[int, ...], *sizes: Any, **settings: Any) -> LayerCase:
    return LayerCase(lambda nn: getattr(nn, name)(*sizes, **settings), (shape,))


CASES = {
    **{
        f"Conv2d-stride{stride}-padding{padding}-dilation{dilation}-groups{groups}": _convolution(
            "Conv2d", 2, (1, 2, 6, 5), 4, 3, stride=stride, padding=padding, dilation=dilation, groups=groups
        )
        for stride, padding, dilation, groups in itertools.product((1, 2), (0, 2), (1, 2), (1, 2))
    },
    "Conv2d-pairs": _convolution(
        "Conv2d", 3, (2, 3, 7, 6), 2, (2, 3), stride=(3, 1), padding=(0, 2), dilation=(2, 1)
    ),
    "Conv2d-unbatched": _convolution("Conv2d", 2, (2, 4, 5), 3, 2),
    "Conv2d-no-bias": _convolution("Conv2d", 2, (1, 2, 4, 4), 3, 3, bias=False),
    "Conv2d-one-entry": _convolution("Conv2d", 3, (2, 3, 3, 3), 2, 1),
    "Conv2d-whole-image": _convolution("Conv2d", 2, (2, 2, 3, 4), 5, (3, 4)),
    "Conv2d-depthwise": _convolution("Conv2d", 3, (2, 3, 4, 4), 6, 3, padding=1, groups=3),
    "Conv2d-same": _convolution("Conv2d", 2, (1, 2, 5, 6), 2, 3, padding="same"),
    "Conv2d-same-dilated": _convolution("Conv2d", 1, (1, 1, 6, 7), 2, 3, padding="same", dilation=(2, 3)),
    "Conv2d-valid": _convolution("Conv2d", 1, (1, 1, 5, 5), 2, 3, padding="valid"),
    **{
        f"ConvTranspose2d-stride{stride}-padding{padding}-dilation{dilation}-groups{groups}": _convolution(
            "ConvTranspose2d", 2, (1, 2, 3, 2), 4, 3,
            stride=stride, padding=padding, dilation=dilation, groups=groups,
        )
        for stride, padding, dilation, groups in itertools.product((1, 2), (0, 1), (1, 2), (1, 2))
    },
    "ConvTranspose2d-output-padding": _convolution(
        "ConvTranspose2d", 2, (2, 2, 3, 4), 3, 3, stride=2, padding=1, output_padding=1
    ),
    "ConvTranspose2d-output-padding-beyond": _convolution(
        "ConvTranspose2d", 2, (1, 2, 3, 3), 1, (2, 3), stride=(3, 1), output_padding=(2, 1), dilation=(1, 2)
    ),
    "ConvTranspose2d-unbatched": _convolution("ConvTranspose2d", 3, (3, 2, 2), 2, (2, 3), bias=False),
    **{
        f"{kind}-ceil_mode={ceil_mode}-{size}-{stride}-{padding}": _pooling(
            kind, (1, 2, 7, 6), size, stride, padding, ceil_mode=ceil_mode
        )
        for kind, ceil_mode, (size, stride, padding) in itertools.product(
            ("MaxPool2d", "AvgPool2d"),
            (False, True),
            ((2, None, 0), (3, 2, 1), ((3, 2), (1, 3), (0, 1)), (2, 4, 1)),
        )
    },
    "MaxPool2d-dilated": _pooling("MaxPool2d", (2, 2, 7, 6), 3, 1, 1, 2),
    "MaxPool2d-larger-than-image": _pooling("MaxPool2d", (1, 1, 2, 2), 3, 2, ceil_mode=True),
    "MaxPool2d-unbatched": _pooling("MaxPool2d", (3, 4, 4), 2),
    "AvgPool2d-entries-only": _pooling("AvgPool2d", (1, 2, 5, 6), 3, 2, 1, count_include_pad=False),
    "AvgPool2d-entries-only-ceil": _pooling(
        "AvgPool2d", (1, 2, 5, 6), (3, 2), (2, 3), 1, ceil_mode=True, count_include_pad=False
    ),
    "AvgPool2d-unbatched": _pooling("AvgPool2d", (3, 4, 4), 2),
    "AdaptiveAvgPool2d": _pooling("AdaptiveAvgPool2d", (2, 2, 7, 5), (3, 2)),
    "AdaptiveAvgPool2d-larger": _pooling("AdaptiveAvgPool2d", (2, 1, 2, 3), (None, 5)),
    "network": LayerCase(
        lambda nn: nn.Sequential(
            nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(2, 3, 2), nn.AvgPool2d(2), nn.Flatten()
        ),
        ((2, 1, 10, 10),),
    ),
}  # fmt: skip
