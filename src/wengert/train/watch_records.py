"""What is recorded of a network under glass: one record per layer and per parameter for every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.train.pages import Table, shown

__all__ = ["LayerRecord", "ParameterRecord", "Spread"]

Array = np.ndarray[Any, Any]
SHARES = (0.01, 0.25, 0.5, 0.75, 0.99)
SMALLEST_RATIO, LARGEST_RATIO = 1e-5, 1e-1
"""Updates of a size outside this, relative to the parameter, are worth a look; about 1e-3 is usual."""


@dataclass(frozen=True)
class Spread:
    """How the entries of an array are distributed: ``quantiles`` are those at 1, 25, 50, 75 and 99%."""

    mean: float
    deviation: float
    quantiles: tuple[float, ...]

    @classmethod
    def of(cls, values: Array) -> Spread:
        """The distribution of all entries; NaN where there are none or one of them is."""
        flat = values.ravel().astype(np.float64)
        if not flat.size:
            return cls(np.nan, np.nan, (np.nan,) * len(SHARES))
        found = np.quantile(flat, SHARES)
        return cls(float(flat.mean()), float(flat.std()), tuple(map(float, found)))


@dataclass
class LayerRecord:
    """What a layer did in one step: the distribution of its activations and of their gradients (None where
    no backward pass came by), the share of zeros, of dead units and of saturated entries (None where the
    layer cannot saturate)."""

    step: int
    layer: str
    kind: str
    activations: Spread
    zeros: float
    dead: float
    saturated: float | None
    gradients: Spread | None = None

    def findings(self) -> list[str]:
        """What is worth a look, in plain sentences."""
        found = []
        name = f"Layer {self.layer} ({self.kind})"
        if not np.isfinite(self.activations.mean):
            found.append(f"{name}: an activation is not a finite number.")
        if self.dead > 0.1 and not self.kind.startswith("Dropout"):  # which hands on what was dead before
            found.append(
                f"{name}: {self.dead:.0%} of the units are dead: 0 for every example of the latest steps. "
                "A smaller learning rate, or a leaky activation, keeps them alive."
            )
        if self.saturated is not None and self.saturated > 0.3:
            found.append(
                f"{name}: {self.saturated:.0%} of the activations are saturated, and pass on hardly any "
                "gradient. Smaller first weights, or a normalisation before the layer, help."
            )
        if self.gradients is not None and self.gradients.deviation == 0 == self.gradients.mean:
            found.append(f"{name}: no gradient arrives; what lies before it cannot learn.")
        return found

    def cells(self) -> list[Any]:
        """The row of a table."""
        gradient = None if self.gradients is None else self.gradients.deviation
        saturated = None if self.saturated is None else f"{self.saturated:.1%}"
        return [
            *(self.layer, self.kind, self.activations.mean, self.activations.deviation),
            *(f"{self.zeros:.1%}", f"{self.dead:.1%}", saturated, gradient),
        ]


@dataclass
class ParameterRecord:
    """What a step did to a parameter: the distribution of its values and of its gradient, and the size of the
    update relative to the size of the parameter (None before the step is taken)."""

    step: int
    name: str
    values: Spread
    gradients: Spread | None = None
    update_ratio: float | None = None

    def findings(self) -> list[str]:
        """What is worth a look, in plain sentences."""
        ratio, name = self.update_ratio, f"Parameter {self.name}"
        if self.gradients is None and ratio == 0:
            return [f"{name}: it got no gradient and did not move."]
        if ratio is None or self.values.deviation == 0:
            return []
        if ratio == 0:
            return [f"{name}: it did not move; is the learning rate 0?"]
        if not np.isfinite(ratio) or ratio > LARGEST_RATIO:
            return [f"{name}: one step moved it by {ratio:.1%} of its size; is the learning rate too large?"]
        if ratio < SMALLEST_RATIO:
            return [f"{name}: one step moved it by only {ratio:.1e} of its size; it hardly learns."]
        return []

    def cells(self) -> list[Any]:
        """The row of a table."""
        gradient = None if self.gradients is None else self.gradients.deviation
        return [self.name, self.values.deviation, gradient, self.update_ratio]


def written(table: Table) -> str:
    """A table as text."""
    rows: Sequence[Sequence[Any]] = [list(table.columns), *table.rows]
    cells = [[shown(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) if k == 0 else cell.rjust(width) for k, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in cells)
    ]
    return "\n".join([table.caption, *(line.rstrip() for line in lines), ""])
