"""Plots of a history: what changes from epoch to epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.train.figures import (
    BLUE,
    INK,
    VERMILLION,
    describe,
    house_style,
    new_figure,
    shortened,
    whole_numbers,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MANY_EPOCHS = 30


@house_style()
def loss_curves(history: Any) -> Figure:
    """The loss per epoch, and every metric below it, for training and validation; the best epoch marked.

    ``history``: a `History`, or its rows. Raises ValueError for one without epochs.
    """
    rows = _rows(history)
    best = getattr(history, "best_epoch", None)
    names = [name.removeprefix("train_") for name in rows[0] if name.startswith("train_")]
    figure = new_figure(0.6 + 2.6 * len(names))
    panels = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
    for panel, name in zip(panels, names, strict=True):
        _curves(panel, rows, name, best)
    panels[-1].set_xlabel("epoch")
    whole_numbers(panels[-1])
    return describe(figure, _curves_in_words(rows, names, best))


@house_style()
def learning_rate(history: Any) -> Figure:
    """The learning rate per epoch, on a logarithmic axis where it changes a hundredfold.

    ``history``: a `History`, or its rows. Raises ValueError for one without epochs.
    """
    rows = _rows(history)
    rates = [row["learning_rate"] for row in rows]
    figure = new_figure(2.6)
    axes = figure.subplots()
    axes.plot([row["epoch"] for row in rows], rates, color=BLUE, marker=_marker("o", rows), markersize=4)
    _scale(axes, rates)
    axes.set_xlabel("epoch")
    axes.set_ylabel("learning rate")
    whole_numbers(axes)
    return describe(
        figure, f"The learning rate over {_epochs(rows)}, from {rates[0]:.3g} to {rates[-1]:.3g}."
    )


def _curves(axes: Axes, rows: list[Mapping[str, Any]], name: str, best: int | None) -> None:
    epochs, drawn = [row["epoch"] for row in rows], []
    for part, colour, line, marker in (
        ("train", BLUE, "-", "o"),
        ("validation", VERMILLION, "--", "s"),
    ):
        if f"{part}_{name}" in rows[0]:
            values = np.array([row[f"{part}_{name}"] for row in rows], dtype=np.float64)
            drawn.append(values)
            label = "training" if part == "train" else "validation"
            shape = _marker(marker, rows)
            axes.plot(epochs, values, color=colour, linestyle=line, marker=shape, markersize=4, label=label)
    _scale(axes, np.concatenate(drawn))
    axes.set_ylabel(shortened([name.replace("_", " ")], 30)[0])
    if best is not None:
        axes.axvline(best, color=INK, linewidth=1, linestyle=":", label=f"best epoch ({best})")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def _curves_in_words(rows: list[Mapping[str, Any]], names: list[str], best: int | None) -> str:
    parts = []
    for name in names:
        for part, label in (("train", "training"), ("validation", "validation")):
            if (key := f"{part}_{name}") in rows[0]:
                words = f"{label} {name.replace('_', ' ')}"
                parts.append(f"{words} from {rows[0][key]:.4g} to {rows[-1][key]:.4g}")
    chosen = "" if best is None else f"; the best epoch is {best}"
    return f"Over {_epochs(rows)}: {', '.join(parts)}{chosen}."


def _rows(history: Any) -> list[Mapping[str, Any]]:
    rows = list(getattr(history, "rows", history))
    if not rows:
        raise ValueError("history: expected at least one epoch, got none")
    return rows


def _epochs(rows: list[Mapping[str, Any]]) -> str:
    return "1 epoch" if len(rows) == 1 else f"{len(rows)} epochs"


def _marker(marker: str, rows: list[Mapping[str, Any]]) -> str:
    return marker if len(rows) <= MANY_EPOCHS else "None"


def _scale(axes: Axes, values: Any) -> None:
    """A logarithmic axis for positive numbers that differ a hundredfold."""
    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    if finite.size and finite.min() > 0 and finite.max() / finite.min() > 100:
        axes.set_yscale("log")
