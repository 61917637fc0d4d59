"""Plots of descents: where they went, how fast, and how often they arrived.

A descent is the trajectory that a solver of `wengert.solve` records, or the array of its points: (T,) in one
dimension, (T, d) in several. They are given by name, and the name goes into the legend.

>>> from wengert.train.figures import alternative_text
>>> alternative_text(convergence({"rate 0.1": [1.0, 0.1, 0.01]}))
'The value per iteration. rate 0.1: from 1 to 0.01 in 2 iterations.'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from wengert.stats import wilson_interval
from wengert.train.figures import (
    BLUE,
    COLOURS,
    FAINT,
    INK,
    MARKERS,
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

Array = np.ndarray[Any, Any]
Range = tuple[float, float]
GRID, CURVE_POINTS = 101, 601
DASHES = ("-", "--", ":", "-.")
MANY_POINTS, MANY_DESCENTS = 60, 8


@house_style()
def contour_with_path(
    f: Callable[[Array], Any], trajectories: Mapping[str, Any], x_range: Range, y_range: Range
) -> Figure:
    """The contours of f: ℝ² → ℝ with the paths of descents: a ring at each start, a square at each end.

    f takes a point (2,). The contours lie at equal shares of the area, so that a narrow valley is seen beside
    steep walls. Raises ValueError for points of another dimension and a range that is empty.
    """
    paths = {name: _points(name, trajectory, 2) for name, trajectory in trajectories.items()}
    for name, (low, high) in (("x_range", x_range), ("y_range", y_range)):
        _check_range(name, low, high)
    xs, ys = np.linspace(*x_range, GRID), np.linspace(*y_range, GRID)
    with np.errstate(all="ignore"):
        values = np.array([[float(f(np.array([x, y]))) for x in xs] for y in ys])
    values = np.ma.masked_invalid(values)
    if not values.count():
        raise ValueError("f: expected finite values somewhere in the ranges, got none")
    levels = np.unique(np.quantile(values.compressed(), np.linspace(0.01, 0.97, 14)))
    figure = new_figure(4.8)
    axes = figure.subplots()
    axes.contour(xs, ys, values, levels=levels, cmap=_greys(), linewidths=0.9)
    for k, (name, path) in enumerate(paths.items()):
        colour, few = COLOURS[k % len(COLOURS)], len(path) <= MANY_POINTS
        marker = MARKERS[k % len(MARKERS)] if few else "None"
        line: dict[str, Any] = {"linestyle": DASHES[k % len(DASHES)], "marker": marker, "markersize": 3.5}
        axes.plot(*path.T, color=colour, linewidth=1.2, label=shortened([name], 40)[0], **line)
        axes.plot(*path[0], color=colour, marker="o", markersize=9, fillstyle="none", linestyle="none")
        axes.plot(*path[-1], color=colour, marker="s", markersize=7, markeredgecolor=INK, linestyle="none")
    axes.set_xlim(*x_range)
    axes.set_ylim(*y_range)
    axes.grid(False)
    axes.set_xlabel("$x_1$")
    axes.set_ylabel("$x_2$")
    _legend(axes, len(paths))
    told = "; ".join(_path_in_words(name, path, (x_range, y_range)) for name, path in paths.items())
    return describe(
        figure,
        f"Contours of a function of x₁ from {x_range[0]:g} to {x_range[1]:g} and x₂ from {y_range[0]:g} to "
        f"{y_range[1]:g}. {told}.",
    )


@house_style()
def descents_on_curve(
    f: Callable[[float], Any],
    trajectories: Mapping[str, Any],
    x_range: Range,
    gradient: Callable[[float], Any] | None = None,
) -> Figure:
    """The curve of f: ℝ → ℝ with a dot at every point that a descent visited, and ∇f below it where given.

    Points outside ``x_range`` are left out, and the legend says how many. Raises ValueError for points of
    another dimension and a range that is empty.
    """
    paths = {name: _points(name, trajectory, 1)[:, 0] for name, trajectory in trajectories.items()}
    _check_range("x_range", *x_range)
    curves = {"f(x)": f} if gradient is None else {"f(x)": f, "∇f(x)": gradient}
    figure = new_figure(3.6 if gradient is None else 5.6)
    panels = figure.subplots(len(curves), 1, sharex=True, squeeze=False)[:, 0]
    xs = np.linspace(*x_range, CURVE_POINTS)
    for axes, (label, curve) in zip(panels, curves.items(), strict=True):
        axes.plot(xs, [float(curve(x)) for x in xs.tolist()], color=FAINT, linewidth=2.5)
        for k, (name, path) in enumerate(paths.items()):
            inside = path[(path >= x_range[0]) & (path <= x_range[1])]
            left = f" ({len(path) - len(inside)} outside)" if len(inside) < len(path) else ""
            axes.scatter(
                inside,
                [float(curve(x)) for x in inside.tolist()],
                s=26,
                facecolor="none",
                edgecolor=COLOURS[k % len(COLOURS)],
                marker=MARKERS[k % len(MARKERS)],
                linewidths=1.1,
                zorder=3,
                label=shortened([name], 40)[0] + left,
            )
        axes.set_ylabel(label)
    panels[-1].set_xlabel("x")
    _legend(panels[0], len(paths))
    told = "; ".join(_path_in_words(name, path[:, None], (x_range,)) for name, path in paths.items())
    shown = "A function" if gradient is None else "A function and its gradient"
    return describe(figure, f"{shown} of x from {x_range[0]:g} to {x_range[1]:g}. {told}.")


@house_style()
def convergence(
    trajectories: Mapping[str, Any],
    quantity: Literal["values", "gradient_norms"] = "values",
    least: float = 0.0,
    ylabel: str | None = None,
) -> Figure:
    """What is left to descend, per iteration, on a logarithmic scale.

    ``trajectories``: a trajectory per name, of which ``quantity`` is drawn, or the numbers themselves.
    ``least`` is subtracted: with the minimum of the function, the curve shows the distance to it. Numbers of
    at most zero have no place on the scale and are left out. More than eight descents make one bundle.
    """
    if not trajectories:
        raise ValueError("trajectories: expected at least one, got none")
    if quantity not in ("values", "gradient_norms"):
        raise ValueError(f"quantity: expected 'values' or 'gradient_norms', got {quantity!r}")
    series = {
        name: np.asarray(getattr(trajectory, quantity, trajectory), np.float64) - least
        for name, trajectory in trajectories.items()
    }
    figure = new_figure(3.8)
    axes = figure.subplots()
    bundle = len(series) > MANY_DESCENTS
    for k, (name, values) in enumerate(series.items()):
        style: dict[str, Any] = {"color": COLOURS[k % len(COLOURS)], "linestyle": DASHES[k % len(DASHES)]}
        if bundle:
            style = {"color": BLUE, "alpha": 0.45, "linewidth": 1.0}
        with np.errstate(invalid="ignore"):
            shown = np.where(values > 0, values, np.nan)
        axes.plot(np.arange(len(values)), shown, label=shortened([name], 40)[0], **style)
    if any((values > 0).any() for values in series.values()):
        axes.set_yscale("log")
    what = ylabel or ("value" if quantity == "values" else "norm of the gradient")
    axes.set_xlabel("iteration")
    axes.set_ylabel(shortened([what], 60)[0])
    whole_numbers(axes)
    if not bundle:
        _legend(axes, len(series))
    return describe(figure, f"The {what} per iteration. {_series_in_words(series, bundle)}.")


@house_style()
def success_rates(names: Sequence[str], counts: Sequence[int], totals: int | Sequence[int]) -> Figure:
    """How often each method arrived: the rate, its 95% Wilson interval, and the count of the total beside it.

    ``totals`` is one number of trials for all, or one per name. Raises ValueError for different lengths and
    counts above their total.
    """
    trials = [totals] * len(names) if isinstance(totals, int) else list(totals)
    if not len(names) == len(counts) == len(trials) or not names:
        raise ValueError(
            f"names, counts, totals: expected as many of each, at least one, got {len(names)}, {len(counts)} "
            f"and {len(trials)}"
        )
    figure = new_figure(0.9 + 0.42 * len(names))
    axes = figure.subplots()
    sentences = []
    for place, (name, count, total) in enumerate(zip(names, counts, trials, strict=True)):
        low, high = wilson_interval(count, total)
        rate = count / total
        axes.plot([low, high], [place, place], color=BLUE, linewidth=4, alpha=0.45, solid_capstyle="butt")
        axes.plot(rate, place, color=BLUE, marker="o", markersize=8, linestyle="none", clip_on=False)
        axes.text(1.04, place, f"{count} of {total}", va="center", color=INK)
        sentences.append(f"{name}: {count} of {total}, {rate:.0%} (from {low:.0%} to {high:.0%})")
    axes.set_yticks(range(len(names)), shortened(names, 36))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set_xlabel("share of the trials, with its 95% interval")
    return describe(figure, f"Success rates with 95% intervals. {'; '.join(sentences)}.")


@house_style()
def spectrum(values: Any, kept: int | None = None, ylabel: str = "singular value") -> Figure:
    """Singular values or eigenvalues, largest first, on a logarithmic scale where they span a hundredfold.

    ``kept`` marks how many of them are used, and the gap behind the last of these. Raises ValueError for
    negative or unsorted values, and for a ``kept`` outside 1, …, N.
    """
    sizes = np.asarray(values, np.float64).reshape(-1)
    if not sizes.size or (sizes < 0).any() or (np.diff(sizes) > 0).any():
        raise ValueError("values: expected numbers of at least zero, the largest first")
    if kept is not None and not 1 <= kept <= len(sizes):
        raise ValueError(f"kept: expected 1 to {len(sizes)}, got {kept}")
    used = len(sizes) if kept is None else kept
    places = np.arange(1, len(sizes) + 1)
    figure = new_figure(3.4)
    axes = figure.subplots()
    axes.plot(places[:used], sizes[:used], color=BLUE, marker="o", markersize=5, linewidth=1, label="kept")
    words = f"{len(sizes)} numbers, each a {ylabel}, from {sizes[0]:.4g} to {sizes[-1]:.4g}"
    if used < len(sizes):
        style: dict[str, Any] = {"color": VERMILLION, "marker": "s", "markersize": 4, "linestyle": "--"}
        axes.plot(places[used:], sizes[used:], linewidth=1, label="left out", **style)
        axes.axvline(used + 0.5, color=INK, linewidth=1, linestyle=":")
        axes.legend()
        words += f". The first {used} are kept; number {used} is {sizes[used - 1]:.4g}, number {used + 1} is"
        words += f" {sizes[used]:.4g}"
    if sizes[-1] > 0 and sizes[0] > 100 * sizes[-1]:
        axes.set_yscale("log")
    axes.set_xlabel("number")
    axes.set_ylabel(shortened([ylabel], 60)[0])
    whole_numbers(axes)
    return describe(figure, f"{words}.")


def _points(name: str, trajectory: Any, dimensions: int) -> Array:
    points = np.asarray(getattr(trajectory, "points", trajectory), np.float64)
    if points.ndim == 1 and dimensions == 1:
        points = points[:, None]
    if points.ndim != 2 or points.shape[1] != dimensions or not len(points):
        raise ValueError(
            f"trajectories[{name!r}]: expected points of the shape (T, {dimensions}), got {points.shape}"
        )
    return points


def _check_range(name: str, low: float, high: float) -> None:
    if not low < high:
        raise ValueError(f"{name}: expected a pair (low, high) with low < high, got ({low}, {high})")


def _legend(axes: Axes, count: int) -> None:
    if count > 1:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def _path_in_words(name: str, path: Array, ranges: Sequence[Range]) -> str:
    inside = np.logical_and.reduce(
        [(path[:, k] >= low) & (path[:, k] <= high) for k, (low, high) in enumerate(ranges)]
    )
    left = f", {np.sum(~inside)} points of it outside the drawing" if not inside.all() else ""
    return f"{name}: {len(path) - 1} steps from {_place(path[0])} to {_place(path[-1])}{left}"


def _place(point: Array) -> str:
    numbers = ", ".join(f"{number:.4g}" for number in point)
    return f"({numbers})" if len(point) > 1 else numbers


def _series_in_words(series: Mapping[str, Array], bundle: bool) -> str:
    if not bundle:
        return "; ".join(
            f"{name}: from {values[0]:.4g} to {values[-1]:.4g} in {len(values) - 1} iterations"
            for name, values in series.items()
        )
    ends = [float(values[-1]) for values in series.values()]
    lengths = [len(values) - 1 for values in series.values()]
    return (
        f"{len(series)} descents of {min(lengths)} to {max(lengths)} iterations, which end between "
        f"{min(ends):.4g} and {max(ends):.4g}"
    )


def _greys() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("contours", ["#555555", "#c8c8c8"])
