"""Lines and dots over two axes: fits through data, and what became of descents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wengert.train.figures import COLOURS, INK, MARKERS, describe, house_style, new_figure

DASHES = ("-", "--", ":", "-.")


@house_style()
def lines_and_dots(
    lines: Mapping[str, Any],
    dots: Mapping[str, Any],
    xlabel: str,
    ylabel: str,
    *,
    xscale: str = "linear",
    yscale: str = "linear",
    height: float = 4,
) -> Any:
    """Lines through points and dots at points, each (N, 2), under their names in the legend.

    ``xscale`` and ``yscale`` are "linear", "log" or "symlog".
    """
    figure = new_figure(height)
    axes = figure.add_subplot()
    for k, (name, points) in enumerate(lines.items()):
        x, y = np.array(points, np.float64).T
        axes.plot(x, y, color=COLOURS[k % len(COLOURS)], linestyle=DASHES[k % len(DASHES)], label=name)
    for k, (name, points) in enumerate(dots.items()):
        x, y = np.array(points, np.float64).reshape(-1, 2).T
        colour = COLOURS[(k + len(lines)) % len(COLOURS)] if len(dots) > 1 else INK
        size = 9 if len(x) == 1 else 4  # a dot alone must be seen among many
        style: dict[str, Any] = {"linestyle": "none", "marker": MARKERS[k % len(MARKERS)], "markersize": size}
        axes.plot(x, y, color=colour, zorder=3, label=name, **style)
    axes.set_xscale(xscale)
    axes.set_yscale(yscale)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    if len(lines) + len(dots) > 1:
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(len(lines) + len(dots), 3))
    return describe(figure, f"{ylabel} over {xlabel}: {', '.join([*lines, *dots])}.")
