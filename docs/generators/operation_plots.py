"""A function of one number and its derivative, drawn over the places where they are defined."""

from __future__ import annotations

from typing import Any

import numpy as np

import wengert
from generators.samples import is_scalar
from wengert.ops.kinds import Elementwise, Select
from wengert.ops.op import Op
from wengert.train.figures import BLUE, VERMILLION, describe, figure_svg, house_style, new_figure

REACH, HEIGHT = 4.0, 3.2
Array = np.ndarray[Any, Any]


def has_plot(op: Op) -> bool:
    """Whether the row is a function of one number that has a derivative."""
    smooth = isinstance(op, (Elementwise, Select)) and op.arity == 1
    return smooth and bool(op.sample) and is_scalar(op.sample[0])


def plot(op: Op) -> str:
    """The row's curve and its derivative's, as SVG."""
    x = np.linspace(-REACH, REACH, 2401)[1:-1] + 1e-9  # beside the whole numbers, where some rows jump
    with np.errstate(all="ignore"):
        y, pull = wengert.vjp(op, x)
        slope = pull(np.ones_like(y))
        slope = slope[0] if isinstance(slope, tuple) else slope
    return _drawn(
        op.name, x, _pieces(np.asarray(y), np.isfinite(y)), _pieces(np.asarray(slope), np.isfinite(y))
    )


def _pieces(y: Array, defined: Array) -> Array:
    """The values with gaps where the curve is undefined, leaves the picture or jumps."""
    y = np.where(defined & np.isfinite(y), y, np.nan).astype(float)
    y[np.abs(y) > 3 * HEIGHT] = np.nan
    jumps = np.flatnonzero(np.abs(np.diff(y)) > 0.4)
    y[jumps] = np.nan
    return y


@house_style()
def _drawn(name: str, x: Array, y: Array, slope: Array) -> str:
    figure = new_figure(3.0, 4.6)
    axes = figure.add_subplot()
    axes.axhline(0, color="#8a8a8a", linewidth=0.8)
    axes.axvline(0, color="#8a8a8a", linewidth=0.8)
    axes.plot(x, y, color=BLUE, label=name)
    axes.plot(x, slope, color=VERMILLION, linestyle="--", label="its derivative")
    axes.set_xlim(-REACH, REACH)
    axes.set_ylim(-HEIGHT, HEIGHT)
    axes.set_xticks(range(-4, 5, 2))
    axes.set_yticks(range(-3, 4))
    axes.set_xlabel("x")
    figure.legend(loc="outside upper left", ncols=2)
    drawing = describe(figure, f"{name} and its derivative for x from {-REACH:g} to {REACH:g}.")
    return figure_svg(drawing)
