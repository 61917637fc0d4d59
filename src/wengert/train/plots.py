"""Plots of a training and of its predictions.

Every function returns a matplotlib ``Figure`` of its own; `figure_svg` and `figure_png` turn it into text or
bytes, the same every time, and `alternative_text` says in words what it shows.

>>> figure = learning_rate([{"epoch": 1, "learning_rate": 0.1}, {"epoch": 2, "learning_rate": 0.05}])
>>> alternative_text(figure)
'The learning rate over 2 epochs, from 0.1 to 0.05.'
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.tensors import Tensor
from wengert.train import metrics
from wengert.train.curve_plots import learning_rate, loss_curves
from wengert.train.figures import (
    BLUE,
    COLOURS,
    INK,
    MARKERS,
    alternative_text,
    class_names,
    describe,
    figure_png,
    figure_svg,
    house_style,
    new_figure,
    shortened,
)
from wengert.train.image_plots import class_probabilities, image_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "alternative_text",
    "class_probabilities",
    "confusion",
    "figure_png",
    "figure_svg",
    "image_grid",
    "latent_map",
    "learning_rate",
    "loss_curves",
    "parity",
]

MANY_POINTS = 1000


@house_style()
def confusion(matrix: Any, classes: Sequence[Any] | None = None) -> Figure:
    """A confusion matrix as a table: the counts in the cells, shaded by their share of the true class.

    ``matrix``: counts (C, C), a row per true class and a column per predicted one. Raises ValueError for
    another shape or another number of names.
    """
    counts = np.asarray(matrix)
    rows = metrics.per_class_scores(counts, classes)
    names = class_names(classes, len(counts))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = min(max(0.42 * len(names) + 2.2, 3.6), 10.5)
    figure = new_figure(size, size + 0.4)
    axes = figure.subplots()
    colours = _shades()
    axes.imshow(shares, cmap=colours, vmin=0, vmax=1)
    font = min(11.0, 90 * (size - 2.0) / len(names) / max(len(str(counts.max())), 2))
    for row, column in np.ndindex(*counts.shape):
        if not counts[row, column] and len(names) > 10:
            continue  # a large table reads better without its zeros
        luminance = np.dot(np.power(colours(shares[row, column])[:3], 2.2), (0.2126, 0.7152, 0.0722))
        axes.text(
            column,
            row,
            str(counts[row, column]),
            ha="center",
            va="center",
            fontsize=font,
            color="#000000" if luminance > 0.18 else "#ffffff",
            fontweight="bold" if row == column else "normal",
        )
    labels = shortened(names)
    slanted = max(len(label) for label in labels) > 3
    axes.set_xticks(
        range(len(names)), labels, rotation=45 if slanted else 0, ha="right" if slanted else "center"
    )
    axes.set_yticks(range(len(names)), labels)
    if slanted:
        for tick in axes.get_xticklabels():
            tick.set_rotation_mode("anchor")
    axes.grid(False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    return describe(figure, _confusion_in_words(counts, names, rows))


@house_style()
def parity(truth: Any, predicted: Any, target: str = "target") -> Figure:
    """Predicted against true values: the nearer to the diagonal, the better. R² and the RMSE are above it.

    ``truth`` and ``predicted``: (N,), or (N, 1). Raises ValueError for other shapes, and where nothing is
    finite.
    """
    true, guess = (_array(values).astype(np.float64).reshape(-1) for values in (truth, predicted))
    if true.shape != guess.shape or _array(truth).size != len(_array(truth)):
        raise ValueError(
            f"truth, predicted: expected the same shape (N,), got {_array(truth).shape} and "
            f"{_array(predicted).shape}"
        )
    finite = np.isfinite(true) & np.isfinite(guess)
    if not finite.any():
        raise ValueError("truth, predicted: expected finite numbers, got none")
    (name,) = shortened([target], 60)
    low, high = _limits(np.concatenate([true[finite], guess[finite]]))
    figure = new_figure(5.4, 5.4)
    axes = figure.subplots()
    many = len(true) > MANY_POINTS
    axes.plot([low, high], [low, high], color=INK, linestyle="--", linewidth=1, zorder=3)
    axes.scatter(
        true,
        guess,
        s=8 if many else 22,
        color=BLUE,
        alpha=0.25 if many else 0.7,
        linewidths=0,
        rasterized=many,  # thousands of circles would make a file of megabytes
    )
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_aspect("equal")
    axes.set_xlabel(f"true {name}")
    axes.set_ylabel(f"predicted {name}")
    error = metrics.root_mean_squared_error(guess[finite], true[finite])
    explained = f"R² = {metrics.r2_score(guess[finite], true[finite]):.3f}, " if finite.sum() > 1 else ""
    axes.set_title(f"{explained}RMSE = {error:.4g}")
    left_out = f" {np.sum(~finite)} rows are not finite and left out." if not finite.all() else ""
    return describe(
        figure,
        f"Predicted against true {target} for {finite.sum()} rows: {explained}RMSE = {error:.4g}.{left_out}",
    )


@house_style()
def latent_map(points: Any, labels: Any, classes: Sequence[Any] | None = None) -> Figure:
    """Points in a plane, coloured and shaped by class, each class named or numbered at its median.

    ``points``: (N, 2); ``labels``: whole numbers (N,) of 0, …, C-1. Raises ValueError for other shapes.
    """
    places, numbers = _array(points).astype(np.float64), _array(labels)
    if places.ndim != 2 or places.shape[1] != 2 or numbers.shape != places.shape[:1] or not numbers.size:
        raise ValueError(
            f"points, labels: expected the shapes (N, 2) and (N,), got {places.shape} and {numbers.shape}"
        )
    names = class_names(classes, int(numbers.max()) + 1 if classes is None else len(classes))
    figure = new_figure(5.6)
    axes = figure.subplots()
    effects: Any = _halo()
    many = len(places) > MANY_POINTS
    shown = np.unique(numbers).tolist()
    labels_shown = dict(zip(shown, shortened([names[number] for number in shown]), strict=True))
    crowded = len(shown) > 10 or max(map(len, labels_shown.values())) > 14
    for number, label in labels_shown.items():
        chosen = places[numbers == number]
        axes.scatter(
            chosen[:, 0],
            chosen[:, 1],
            s=10 if many else 22,
            color=COLOURS[number % len(COLOURS)],
            marker=MARKERS[number % len(MARKERS)],
            alpha=0.7,
            edgecolor=INK,
            linewidths=0.2,
            rasterized=many,
            label=f"{number}  {label}" if crowded and label != str(number) else label,
        )
    for number, label in labels_shown.items():  # above all points
        x, y = np.median(places[numbers == number], axis=0)
        style: Any = {"ha": "center", "va": "center", "fontweight": "bold", "color": "#000000"}
        axes.text(x, y, str(number) if crowded else label, path_effects=effects, zorder=4, **style)
    axes.set_xlabel("first coordinate")
    axes.set_ylabel("second coordinate")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), markerscale=1.6)
    told = ", ".join(names[number] for number in shown)
    return describe(figure, f"{len(places)} points in a plane, by class: {told}.")


def _confusion_in_words(counts: Any, names: list[str], rows: list[dict[str, Any]]) -> str:
    total, right = int(counts.sum()), int(np.trace(counts))
    words = f"{right} of {total} rows are right ({right / max(total, 1):.1%})."
    wrong = counts - np.diag(np.diag(counts))
    if wrong.any():
        true, guess = np.unravel_index(np.argmax(wrong), wrong.shape)
        words += f" Most often, {names[true]} is taken for {names[guess]}: {wrong[true, guess]} times."
    present = [row for row in rows if row["support"]]
    if present:
        hardest = min(present, key=lambda row: row["recall"])
        words += f" The lowest recall is that of {hardest['class']}, {hardest['recall']:.3f}."
    return f"Confusion matrix of {len(names)} classes. {words}"


def _shades() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("shares", ["#ffffff", "#9ecae1", BLUE, "#08306b"])


def _halo() -> list[Any]:
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=3, foreground="#ffffff")]


def _limits(values: Any) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.04 * (high - low) or 0.04 * abs(high) or 1.0
    return low - margin, high + margin


def _array(values: Any) -> Any:
    return np.asarray(values.data if isinstance(values, Tensor) else values)
