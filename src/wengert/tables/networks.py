"""The networks that tables are learned with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from wengert import nn


@dataclass(frozen=True)
class Recipe:
    """A network's hidden layers, and how it is trained.

    AdamW with a rate that falls along a cosine to 0, batches of ``batch_size`` rows, and an end where the
    validation loss has not improved for ``patience`` epochs.
    """

    hidden: tuple[int, ...] = (64, 32)
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    dropout: float = 0.0
    batch_size: int = 64
    epochs: int = 50
    patience: int = 15

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain data."""
        return {**asdict(self), "hidden": list(self.hidden)}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Recipe:
        """The recipe that `to_dict` made plain."""
        return cls(**{**plain, "hidden": tuple(plain["hidden"])})


def usual_batch_size(rows: int) -> int:
    """Batches that give a few hundred steps per epoch, whatever the number of rows.

    >>> [usual_batch_size(rows) for rows in (100, 8_000, 60_000, 600_000)]
    [32, 64, 256, 1024]
    """
    return next((size for size, most in ((32, 2_000), (64, 20_000), (256, 200_000)) if rows <= most), 1024)


def network(features: int, hidden: Sequence[int], outputs: int, dropout: float = 0.0) -> nn.Sequential:
    """Layers of ReLU units; the last layer is linear.

    >>> network(4, [8], 3)(nn.Parameter([[1.0, 2.0, 3.0, 4.0]])).shape
    (1, 3)
    """
    layers: list[nn.Module] = []
    before = features
    for units in hidden:
        layers += [nn.Linear(before, units), nn.ReLU(), *([nn.Dropout(dropout)] if dropout else [])]
        before = units
    return nn.Sequential(*layers, nn.Linear(before, outputs))
