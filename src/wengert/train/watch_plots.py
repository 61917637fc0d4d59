"""Plots of a network under glass: how activations and gradients are distributed, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.train.figures import COLOURS, INK, MARKERS, describe, house_style, new_figure, shortened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from wengert.train.watch_records import Spread
    from wengert.train.watching import Watch

MOST_LINES = 8
DASHES = ("-", "--", "-.", ":")


@house_style()
def distributions(seen: Watch) -> Figure:
    """The quantiles of every layer's activations and of their gradients at the last recorded step: a line
    from 1% to 99%, a box from 25% to 75%, a mark in the middle. Raises ValueError before the first step."""
    layers, _ = seen.latest()
    if not layers:
        raise ValueError("watch: no step has been recorded yet; train the network first")
    names = shortened([f"{record.layer} {record.kind}" for record in layers], 18)
    figure = new_figure(1.2 + 0.34 * len(layers))
    left, right = figure.subplots(1, 2, sharey=True)
    _boxes(left, [record.activations for record in layers], COLOURS[0])
    _boxes(right, [record.gradients for record in layers], COLOURS[1])
    left.set_yticks(range(len(layers)), names)
    left.invert_yaxis()
    left.set_xlabel("activations")
    right.set_xlabel("gradients of the activations")
    for axes in (left, right):
        _scaled(axes)
    words = "; ".join(
        f"{name}: {record.activations.mean:.3g} ± {record.activations.deviation:.3g}"
        for name, record in zip(names, layers, strict=True)
    )
    return describe(figure, f"Distributions of activations and gradients by layer. Activations: {words}.")


def _boxes(axes: Any, spreads: list[Spread | None], colour: str) -> None:
    for place, spread in enumerate(spreads):
        if spread is None or not np.isfinite(spread.quantiles).all():
            continue
        low, first, middle, third, high = spread.quantiles
        axes.plot([low, high], [place, place], color=colour, linewidth=1.2)
        axes.plot([first, third], [place, place], color=colour, linewidth=6, solid_capstyle="butt")
        axes.plot([middle], [place], "|", color=INK, markersize=9)


def _scaled(axes: Any) -> None:
    """Small numbers with a factor at the end of the axis, few of them."""
    axes.locator_params(axis="x", nbins=4)
    axes.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4), useMathText=True)


@house_style()
def sizes_of_updates(ratios: Mapping[str, float]) -> Figure:
    """How large the update of every parameter is, relative to the parameter, on a logarithmic scale. Those
    that did not move have no bar."""
    moved = {name: ratio for name, ratio in ratios.items() if ratio > 0 and np.isfinite(ratio)}
    figure = new_figure(1.0 + 0.32 * max(1, len(ratios)))
    axes = figure.add_subplot()
    places = {name: place for place, name in enumerate(ratios)}
    axes.barh([places[name] for name in moved], list(moved.values()), color=COLOURS[0], height=0.6)
    axes.set_yticks(range(len(ratios)), shortened(list(ratios), 24))
    axes.set_ylim(len(ratios) - 0.4, -0.6)
    axes.set_xscale("log")
    axes.set_xlabel("update / value")
    words = ", ".join(f"{name} {ratio:.2e}" for name, ratio in moved.items()) or "none moved"
    return describe(figure, f"Size of the update of each parameter relative to the parameter: {words}.")


@house_style()
def over_steps(seen: Watch) -> Figure:
    """How large updates are relative to their parameters, on a logarithmic scale, and the share of dead units
    and of saturated activations, over the recorded steps."""
    figure = new_figure(6.4)
    above, below = figure.subplots(2, 1, sharex=True)
    updates = _by_name([(r.name, r.step, r.update_ratio) for r in seen.parameters if r.update_ratio])
    shares = _by_name(
        [(f"{r.layer} dead", r.step, r.dead) for r in seen.layers]
        + [(f"{r.layer} saturated", r.step, r.saturated) for r in seen.layers if r.saturated is not None]
    )
    shares = {name: points for name, points in shares.items() if any(share for _, share in points)}
    _lines(above, updates)
    above.set_yscale("log")
    above.axhline(1e-3, color=INK, linewidth=0.8, linestyle=":")
    above.set_ylabel("update / value")
    _lines(below, shares)
    below.set_ylim(-0.02, 1.02)
    below.set_ylabel("dead or saturated share")
    below.set_xlabel("step")
    last = ", ".join(f"{name} {points[-1][1]:.1e}" for name, points in list(updates.items())[:MOST_LINES])
    troubles = ", ".join(f"{name} {points[-1][1]:.0%}" for name, points in shares.items()) or "none"
    return describe(
        figure,
        f"Size of updates relative to parameters over {seen.steps} steps, at the end: {last or 'none'}. "
        f"Dead or saturated at the end: {troubles}.",
    )


def _by_name(points: list[tuple[str, int, Any]]) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for name, step, value in points:
        found.setdefault(name, []).append((step, float(value)))
    return found


def _lines(axes: Any, series: dict[str, list[tuple[int, float]]]) -> None:
    shown = list(series)[:MOST_LINES]
    for k, (name, label) in enumerate(zip(shown, shortened(shown), strict=True)):
        steps, values = zip(*series[name], strict=True)
        marker = MARKERS[k % len(MARKERS)] if len(steps) <= 30 else None
        style = DASHES[(k // len(COLOURS)) % len(DASHES)]
        colour = COLOURS[k % len(COLOURS)]
        axes.plot(steps, values, style, color=colour, marker=marker, markersize=4, label=label)
    if shown:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
    if len(series) > MOST_LINES:
        axes.set_title(f"the first {MOST_LINES} of {len(series)}", fontsize=9)
