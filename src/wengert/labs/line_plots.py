"""Plots of functions of one number, for the labs about formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wengert.labs.drawing import DASHES
from wengert.train.figures import COLOURS, INK, describe, house_style, new_figure

Array = np.ndarray[Any, Any]


@house_style()
def functions(
    x: Array,
    series: Mapping[str, Array],
    xlabel: str,
    ylabel: str,
    marked: Sequence[tuple[str, float, float]] = (),
) -> Any:
    """One line per name over the places ``x``, and a dot with its words at each marked (words, x, y)."""
    figure = new_figure(4)
    axes = figure.add_subplot()
    for k, (name, values) in enumerate(series.items()):
        axes.plot(x, values, label=name, color=COLOURS[k % len(COLOURS)], linestyle=DASHES[k % len(DASHES)])
    for words, across, up in marked:
        axes.plot([across], [up], marker="o", color=INK, linestyle="none")
        axes.annotate(words, (across, up), textcoords="offset points", xytext=(8, 6))
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    if len(series) > 1:
        axes.legend()
    return describe(figure, f"{ylabel} over {xlabel}: {', '.join(series)}.")


@house_style()
def cloud_with_contours(
    points: Array, mean: Array, levels: Sequence[float], height: Any, steps: Array
) -> Any:
    """Points of the plane, contours of ``height(x, y)``, the mean, and a descent towards it."""
    figure = new_figure(4.4, 5.4)
    axes = figure.add_subplot()
    reach = 0.5 + np.abs(np.concatenate([points, steps]) - mean).max()
    across = np.linspace(-reach, reach, 160)
    x, y = np.meshgrid(mean[0] + across, mean[1] + across)
    drawn = axes.contour(x, y, height(x, y), levels=levels, colors="#8a8a8a", linewidths=0.8)
    axes.clabel(drawn, fontsize=8)
    axes.plot(*points.T, "o", color=COLOURS[0], label="data")
    axes.plot(*steps.T, "-", marker="s", color=COLOURS[1], label="one step of descent")
    axes.plot(*mean, "*", color=INK, markersize=14, label="mean")
    axes.set_aspect("equal")
    figure.legend(loc="outside upper left", ncols=3)
    return describe(figure, f"{len(points)} points, their mean, and contours around it.")
