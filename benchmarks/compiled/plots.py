"""The plots of the sweeps, kept as SVG beside the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wengert.train.figures import COLOURS, MARKERS, describe, figure_svg, house_style, new_figure

FOLDER = Path(__file__).parents[1] / "plots"


def keep_plot(name: str, title: str, label: str, series: Mapping[str, Sequence[tuple[int, float]]]) -> str:
    """Draw, write ``plots/NAME.svg`` and return the Markdown that shows it."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.svg").write_text(figure_svg(_figure(title, label, series)))
    return f"![{title}](plots/{name}.svg)"


@house_style()
def _figure(title: str, label: str, series: Mapping[str, Sequence[tuple[int, float]]]) -> Any:
    """One line per program on logarithmic axes, each with a colour and a marker of its own."""
    figure = new_figure(4)
    figure.set_facecolor("white")
    axes = figure.add_subplot()
    for k, (program, points) in enumerate(series.items()):
        sizes, times = zip(*points, strict=True)
        axes.plot(
            sizes, times, label=program, color=COLOURS[k % len(COLOURS)], marker=MARKERS[k % len(MARKERS)]
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    ticks = sorted({size for points in series.values() for size, _ in points})
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel(label)
    axes.set_ylabel("microseconds")
    axes.set_title(title)
    axes.legend()
    last = {program: points[-1] for program, points in series.items()}
    words = ", ".join(f"{program} {time:.3g} µs at {size:,}" for program, (size, time) in last.items())
    return describe(figure, f"{title}: {words}.")
