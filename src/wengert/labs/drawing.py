"""Drawings of the labs that `wengert.train.plots` does not have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wengert.train.figures import COLOURS, bare, describe, house_style, new_figure, whole_numbers

Array = np.ndarray[Any, Any]
DASHES = ("-", "--", ":", "-.")


@house_style()
def curves(series: Mapping[str, Sequence[float]], ylabel: str, xlabel: str = "epoch") -> Any:
    """One line per name over 1, 2, 3, …; each with a colour and a dash of its own."""
    figure = new_figure(4)
    axes = figure.add_subplot()
    for k, (name, values) in enumerate(series.items()):
        style: dict[str, Any] = {"color": COLOURS[k % len(COLOURS)], "linestyle": DASHES[k % len(DASHES)]}
        axes.plot(range(1, len(values) + 1), values, label=name, **style)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    whole_numbers(axes)
    if len(series) > 1:
        axes.legend()
    ends = (f"{name} from {values[0]:.4g} to {values[-1]:.4g}" for name, values in series.items())
    return describe(figure, f"Curves over the {xlabel}: {'; '.join(ends)}.")


@house_style()
def signed_images(images: Mapping[str, Array]) -> Any:
    """Square images of positive and negative numbers side by side, each with a scale of its own."""
    figure = new_figure(2.6)
    panels = figure.subplots(1, len(images), squeeze=False)[0]
    for axes, (name, image) in zip(panels, images.items(), strict=True):
        largest = float(np.abs(image).max())
        drawn = axes.imshow(image, cmap="PuOr", vmin=-largest, vmax=largest)
        axes.set_title(name)
        bare(axes)
        figure.colorbar(drawn, ax=axes, shrink=0.8)
    return describe(figure, f"{len(images)} images: {', '.join(images)}.")
