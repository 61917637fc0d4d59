"""Plots with images in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.tensors import Tensor
from wengert.train.figures import (
    BLUE,
    FAINT,
    INK,
    WIDTH,
    bare,
    class_names,
    describe,
    house_style,
    new_figure,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_BARS = 10
FEWER_BARS = 5


@house_style()
def image_grid(images: Any, columns: int | None = None, labels: Sequence[Any] | None = None) -> Figure:
    """Images side by side, all on one scale of grey.

    ``images``: (N, H, W), (N, 1, H, W), colours as (N, 3, H, W) or (N, H, W, 3), or rows of square images
    (N, H·H). ``columns`` defaults to about the square root of N; ``labels`` go above the images. Raises
    ValueError for other shapes and another number of labels.
    """
    pictures = _pictures(images)
    names = None if labels is None else class_names(labels, len(pictures))
    across = columns or math.ceil(math.sqrt(len(pictures)))
    down = math.ceil(len(pictures) / across)
    side = WIDTH / max(across, 4)
    titles = [] if names is None else shortened(names, max(4, int(side * 11)))
    height = side * pictures.shape[1] / pictures.shape[2]
    figure = new_figure(down * (height + (0.25 if names else 0.0)), across * side)
    layout: Any = figure.get_layout_engine()
    layout.set(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
    for place, axes in enumerate(figure.subplots(down, across, squeeze=False).flat):
        bare(axes)
        if place < len(pictures):
            _show(axes, pictures[place], pictures)
            if names:
                axes.set_title(titles[place], fontsize=9, loc="center")
    words = f"{len(pictures)} images of {pictures.shape[1]} by {pictures.shape[2]} pixels"
    return describe(figure, f"{words}, in {down} rows{': ' + ', '.join(names) if names else ''}.")


@house_style()
def class_probabilities(
    images: Any, probabilities: Any, classes: Sequence[Any] | None = None, truth: Any = None
) -> Figure:
    """Each image beside the probabilities of its classes, the predicted class dark.

    ``images`` as in `image_grid`; ``probabilities``: (N, C); ``truth``: whole numbers (N,). With a truth, the
    true class is marked and the title says whether it was predicted. Of more than ten classes the five most
    probable are shown, and the true one. Raises ValueError for other shapes.
    """
    pictures, table = _pictures(images), _array(probabilities).astype(np.float64)
    if table.ndim != 2 or len(table) != len(pictures):
        raise ValueError(f"probabilities: expected the shape ({len(pictures)}, C), got {table.shape}")
    true = None if truth is None else _array(truth).reshape(-1)
    if true is not None and len(true) != len(pictures):
        raise ValueError(f"truth: expected {len(pictures)} class numbers, got {len(true)}")
    names = class_names(classes, table.shape[1])
    titles = shortened(names, 14)
    bars = table.shape[1] if table.shape[1] <= MOST_BARS else FEWER_BARS + (true is not None)
    across = min(2, len(pictures))
    down = math.ceil(len(pictures) / across)
    figure = new_figure(down * max(1.6, 0.19 * bars + 0.6), WIDTH * across / 2 * 1.15)
    panels = figure.subplots(down, 2 * across, squeeze=False, width_ratios=[1, 1.3] * across)
    for axes in panels.flat:
        bare(axes)
    sentences = []
    for place, picture in enumerate(pictures):
        row, column = divmod(place, across)
        left, right = panels[row, 2 * column : 2 * column + 2]
        _show(left, picture, pictures)
        answer = None if true is None else int(true[place])
        guess = int(np.argmax(table[place]))
        verdict = "" if answer is None else ("\nright" if guess == answer else "\nwrong")
        left.set_title(f"{titles[guess]}{verdict}", fontsize=9, fontweight="bold")
        _bars(right, table[place], _most_probable(table[place], bars, answer), titles, answer)
        told = "" if answer is None else f" (true: {names[answer]})"
        sentences.append(f"{names[guess]} with {table[place, guess]:.2f}{told}")
    return describe(figure, f"Predicted classes of {len(pictures)} images: {'; '.join(sentences)}.")


def _bars(axes: Any, shares: Any, shown: list[int], names: list[str], answer: int | None) -> None:
    axes.set_axis_on()
    guess = int(np.argmax(shares))
    places = np.arange(len(shown))
    colours = [BLUE if number == guess else FAINT for number in shown]
    axes.barh(places, shares[shown], color=colours, height=0.72)
    axes.set_yticks(places, [names[number] for number in shown], fontsize=8)
    for place, number in enumerate(shown):
        mark = " ◂ true" if number == answer else ""
        axes.text(
            shares[number] + 0.02, place, f"{shares[number]:.2f}{mark}", va="center", fontsize=8, color=INK
        )
        if number == answer:
            axes.get_yticklabels()[place].set_fontweight("bold")
    axes.invert_yaxis()
    axes.set_xlim(0, 1.45)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines["bottom"].set_visible(False)


def _most_probable(shares: Any, count: int, answer: int | None) -> list[Any]:
    """Every class in its order, or of many the most probable and the true one."""
    if len(shares) <= MOST_BARS:
        return list(range(len(shares)))
    best = np.argsort(-shares, kind="stable")[: count - (answer is not None)].tolist()
    if answer is not None and answer not in best:
        return [*best, answer]
    return list(np.argsort(-shares, kind="stable")[:count].tolist())


def _show(axes: Any, picture: Any, pictures: Any) -> None:
    low, high = float(pictures.min()), float(pictures.max())
    if picture.ndim == 3:
        axes.imshow((picture - low) / ((high - low) or 1.0), interpolation="nearest")
    else:
        axes.imshow(
            picture, cmap="gray", vmin=low, vmax=high if high > low else low + 1, interpolation="nearest"
        )


def _pictures(images: Any) -> Any:
    """Images as (N, H, W) or (N, H, W, 3)."""
    given = pictures = _array(images).astype(np.float64)
    if pictures.ndim == 2 and math.isqrt(pictures.shape[1]) ** 2 == pictures.shape[1]:
        side = math.isqrt(pictures.shape[1])
        pictures = pictures.reshape(len(pictures), side, side)
    if pictures.ndim == 4 and pictures.shape[1] == 1:
        pictures = pictures[:, 0]
    if pictures.ndim == 4 and pictures.shape[1] == 3 and pictures.shape[3] != 3:
        pictures = pictures.transpose(0, 2, 3, 1)
    if pictures.ndim not in (3, 4) or (pictures.ndim == 4 and pictures.shape[3] != 3) or not pictures.size:
        raise ValueError(
            f"images: expected the shape (N, H, W), (N, 1, H, W), (N, 3, H, W), (N, H, W, 3) or (N, H·H), "
            f"got {given.shape}"
        )
    return np.nan_to_num(pictures)


def _array(values: Any) -> Any:
    return np.asarray(values.data if isinstance(values, Tensor) else values)
