"""Models that cover every layer and activation that can be exported, each with inputs of shape (rows, …)."""

from __future__ import annotations

from typing import Any

import numpy as np

import wengert
from wengert import nn
from wengert.random import Generator, drawing_from

_NUMBERS = Generator(1)
ROWS = np.float32(_NUMBERS.normal((4, 6)))
IMAGES = np.float32(_NUMBERS.normal((2, 4, 9, 8)))
CODES = np.array([[1, 2, 3], [4, 5, 0]])

ACTIVATIONS = (
    "ELU", "GELU", "SELU", "Hardtanh", "LeakyReLU", "LogSigmoid", "LogSoftmax", "Mish", "PReLU", "ReLU",
    "SiLU", "Sigmoid", "Softmax", "Softplus", "Tanh",
)  # fmt: skip


class Sentence(nn.Module):
    """A layer on the vectors of three codes."""

    def __init__(self) -> None:
        super().__init__()
        self.vectors, self.layer = nn.Embedding(6, 4, padding_idx=0), nn.Linear(12, 2)

    def forward(self, codes: Any) -> Any:
        return self.layer(self.vectors(codes).reshape(-1, 12))


class Picked(nn.Module):
    """Entries by position: slices, single ones, new axes."""

    def forward(self, x: Any) -> Any:
        parts = [
            x[:, 1],
            x[:, -1],
            x[..., ::-2][:, 0],
            x[:, None, 2:4][..., 1].sum(axis=1),
            x[:, [3, 0]][:, 1],
        ]
        return wengert.stack(parts, axis=1)


class Pairs(nn.Module):
    """A bilinear layer on the two halves of a row."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Bilinear(3, 3, 2)

    def forward(self, x: Any) -> Any:
        return self.layer(x[:, :3], x[:, 3:])


def models() -> dict[str, tuple[nn.Module, Any]]:
    """Each model and its inputs, by name; the weights are the same every time."""
    with drawing_from(Generator(2)):
        found = {name: (getattr(nn, name)(), ROWS) for name in ACTIVATIONS}
        found |= {
            "GELU by tanh": (nn.GELU(approximate="tanh"), ROWS),
            "Identity": (nn.Identity(), ROWS),
            "Dropout": (nn.Dropout(0.5), ROWS),
            "Linear": (nn.Linear(6, 3), ROWS),
            "Linear without bias": (nn.Linear(6, 3, bias=False), ROWS),
            "Linear of two axes": (
                nn.Sequential(nn.Unflatten(1, (2, 3)), nn.Linear(3, 4), nn.Flatten()),
                ROWS,
            ),
            "Bilinear": (Pairs(), ROWS),
            "Embedding": (Sentence(), CODES),
            "Picked": (Picked(), ROWS),
            "BatchNorm1d": (nn.BatchNorm1d(6), ROWS),
            "BatchNorm2d": (nn.BatchNorm2d(4), IMAGES),
            "LayerNorm": (nn.LayerNorm(6), ROWS),
            "LayerNorm of two axes": (nn.LayerNorm((9, 8)), IMAGES),
            "Softmax of channels": (nn.Softmax(dim=1), IMAGES),
        }
        found |= {f"{layer}": (layer, IMAGES) for layer in windowed()}
        found["a convolutional network"] = (
            nn.Sequential(
                nn.Conv2d(4, 8, 3, padding=1),
                nn.BatchNorm2d(8),
                nn.ReLU(),
                nn.MaxPool2d(2),
                nn.Flatten(),
                nn.Linear(8 * 4 * 4, 3),
                nn.LogSoftmax(),
            ),
            IMAGES,
        )
    for model, _ in found.values():
        _with_statistics(model)
    return found


def windowed() -> list[nn.Module]:
    """Convolution and pooling with all their settings."""
    return [
        nn.Conv2d(4, 6, 3),
        nn.Conv2d(4, 6, 3, stride=2, padding=1),
        nn.Conv2d(4, 6, 3, padding=(2, 1), dilation=(1, 2)),
        nn.Conv2d(4, 6, 3, groups=2),
        nn.Conv2d(4, 6, 3, padding="same", bias=False),
        nn.ConvTranspose2d(4, 6, 3),
        nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1),
        nn.ConvTranspose2d(4, 6, 3, dilation=2),
        nn.ConvTranspose2d(4, 6, 3, groups=2, bias=False),
        nn.MaxPool2d(2),
        nn.MaxPool2d(3, stride=2, padding=1),
        nn.MaxPool2d(2, stride=3, ceil_mode=True),
        nn.MaxPool2d(2, dilation=2),
        nn.AvgPool2d(2),
        nn.AvgPool2d(3, stride=2, padding=1),
        nn.AvgPool2d(2, stride=3, ceil_mode=True),
        nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True),
        nn.AvgPool2d(3, padding=1, count_include_pad=False),
        nn.AdaptiveAvgPool2d(1),
        nn.AdaptiveAvgPool2d((4, 5)),
    ]


def _with_statistics(model: nn.Module) -> None:
    for layer in model.modules():
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            numbers = Generator(3)
            layer.running_mean.data = np.float32(numbers.normal(layer.num_features))
            layer.running_var.data = np.float32(0.5 + numbers.normal(layer.num_features) ** 2)
