"""The look of the plots, and their way into files.

The colours are those of Okabe and Ito (2008), which people with colour-blindness tell apart; line styles,
markers and text say the same in black and white. Nothing here touches matplotlib's global state for longer
than a call, and the user's own settings have no influence.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from wengert.optional import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT = "#1a1a1a", "#b8b8b8"
BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, YELLOW, BLACK = "#E69F00", "#56B4E9", "#F0E442", "#000000"
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, YELLOW, BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")

WIDTH = 7.2
LONGEST_NAME = 24

_STYLE = {
    "font.size": 10,
    "font.family": "sans-serif",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "auto",
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "hatch.linewidth": 0.8,
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and selected
    "svg.hashsalt": "wengert",
}


@contextlib.contextmanager
def house_style() -> Iterator[None]:
    """matplotlib's defaults and the style above, inside the block."""
    matplotlib = require("matplotlib", "a plot", "learn")
    untouched = {"backend", "backend_fallback", "toolbar", "interactive"}
    defaults = {name: value for name, value in matplotlib.rcParamsDefault.items() if name not in untouched}
    with matplotlib.rc_context({**defaults, **_STYLE}):
        yield


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """An empty figure, in inches."""
    figure: Figure = require("matplotlib.figure", "a plot", "learn").Figure(
        figsize=(width, height), layout="constrained"
    )
    layout: Any = figure.get_layout_engine()
    layout.set(w_pad=0.08, h_pad=0.08)
    return figure


def describe(figure: Figure, text: str) -> Figure:
    """Give the finished figure its text alternative, and return it."""
    figure.set_label(text)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # every drawing would lay it out anew, a hair's breadth off
    return figure


def alternative_text(figure: Figure) -> str:
    """What the plot shows, as a sentence computed from its numbers."""
    return str(figure.get_label())


def figure_svg(figure: Figure) -> str:
    """The figure as one ``<svg>`` element with its text alternative; the same figure gives the same text."""
    buffer = io.StringIO()
    with house_style():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    drawing = buffer.getvalue()
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(r"\s*<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    words = escape(alternative_text(figure))
    opened = f'<svg role="img" aria-label="{words}"'
    return re.sub(r"^<svg([^>]*)>", lambda found: f"{opened}{found[1]}>\n <title>{words}</title>", drawing)


def figure_png(figure: Figure, dots_per_inch: int = 144) -> bytes:
    """The figure as a PNG on white; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    metadata = {"Software": None, "Description": alternative_text(figure)}
    with house_style():
        figure.savefig(buffer, format="png", dpi=dots_per_inch, facecolor="white", metadata=metadata)
    return buffer.getvalue()


def shortened(names: Sequence[Any], longest: int = LONGEST_NAME) -> list[str]:
    """Names for an axis: each in one line, long ones cut where they still differ, no mathematics in them.

    >>> shortened(["short", "a very long name of a class"], 16)
    ['short', 'a very l… a class']
    >>> shortened(["the class number 1 of all classes", "the class number 2 of all classes"], 10)
    ['1 the class …', '2 the class …']
    """
    texts = [" ".join(str(name).split()) for name in names]
    half = longest // 2
    for first, last in ((half, longest - half), (longest, 0), (0, longest)):
        cut = [text if len(text) <= longest + 1 else _cut(text, first, last) for text in texts]
        if len(set(cut)) == len(set(texts)):
            break
    else:
        number = {text: place for place, text in enumerate(dict.fromkeys(texts), start=1)}
        cut = [f"{number[text]} {_cut(text, longest - len(str(number[text])) + 1, 0)}" for text in texts]
    return [text.replace("$", r"\$") for text in cut]


def _cut(text: str, first: int, last: int) -> str:
    return f"{text[:first]}…{text[len(text) - last :]}" if len(text) > first + last + 1 else text


def class_names(classes: Sequence[Any] | None, count: int) -> list[str]:
    """One name per class, by default its number. Raises ValueError for another number of names."""
    names = list(range(count)) if classes is None else list(classes)
    if len(names) != count:
        raise ValueError(f"classes: expected {count} names, got {len(names)}")
    return [str(name) for name in names]


def whole_numbers(axes: Axes) -> None:
    """Ticks at whole numbers only, along x."""
    ticker = require("matplotlib.ticker", "a plot", "learn")
    axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True, min_n_ticks=1))


def bare(axes: Axes) -> None:
    """No frame, no ticks, no grid: for images."""
    axes.set_axis_off()
    axes.grid(False)
