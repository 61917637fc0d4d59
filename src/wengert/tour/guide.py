"""The page that guides: what the tour shows, in which order, and where to look next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wengert.labs.page import data_address, render
from wengert.labs.site import address
from wengert.tour.digits import EPOCHS, HELD_OUT
from wengert.tour.worked_examples import NETWORK, TEXTBOOK, derive_network
from wengert.train.figures import BLUE, describe, house_style, new_figure, whole_numbers

if TYPE_CHECKING:
    from wengert.tour.walk import TourResult

NEXT = (
    ('wengert explain "x*y + sin(x)" --at x=2,y=3', "the same worksheet for a function of yours"),
    ('wengert explain "exp(x)/x" --at x=1/3 --numbers exact', "in exact fractions"),
    ("wengert lab list", "all experiments"),
    ("wengert lab run --all --out report", "all of them on one site; some download their data"),
    ("wengert train TABLE --target COLUMN", "a network for a table of yours, tuned and kept"),
)


def guide_page(result: TourResult) -> str:
    """The front page of the tour, with the pictures inside. Raises ImportError without jinja2."""
    return render(
        "guide.html.j2",
        links=(),
        result=result,
        textbook=TEXTBOOK,
        network=NETWORK,
        derivation=str(derive_network()),
        sheets={name: sheet.to_text(width=100) for name, sheet in result.sheets.items()},
        graph=_picture(result.folder / "textbook-reverse.svg"),
        loss=_picture(result.folder / "loss.png"),
        loss_words=loss_words(result.losses, result.accuracy),
        epochs=EPOCHS,
        held_out=HELD_OUT,
        address=address,
        commands=NEXT,
    )


@house_style()
def loss_curve(losses: Sequence[float], accuracy: float) -> Any:
    """The loss over the epochs, on a log scale."""
    figure = new_figure(4)
    axes = figure.add_subplot()
    axes.semilogy(range(1, len(losses) + 1), losses, color=BLUE)
    axes.set_xlabel("epoch")
    axes.set_ylabel("mean training loss (cross entropy, log scale)")
    axes.set_title(f"64-32-10 network on digits: {accuracy:.1%} of {HELD_OUT} held-out images right")
    whole_numbers(axes)
    return describe(figure, loss_words(losses, accuracy))


def loss_words(losses: Sequence[float], accuracy: float) -> str:
    """What the curve of the loss shows."""
    return (
        f"The mean training loss over {len(losses)} epochs, from {losses[0]:.3g} to {losses[-1]:.3g}; in the "
        f"end the network reads {accuracy:.1%} of {HELD_OUT} held-out digits right."
    )


def _picture(path: Path) -> str:
    return data_address(path.read_bytes(), raster=path.suffix == ".png")
