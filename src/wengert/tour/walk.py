"""The tour from its beginning to its end, and the folder that it leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wengert.files import write_whole
from wengert.labs.outcomes import Outcome
from wengert.labs.site import FRONT, Site, address, run_labs
from wengert.optional import require
from wengert.tour import digits
from wengert.tour.guide import guide_page, loss_curve
from wengert.tour.stops import Stop, labs_on_the_way
from wengert.tour.worked_examples import TEXTBOOK, explain_network, explain_textbook
from wengert.train.figures import figure_png
from wengert.worksheets.worksheet import Worksheet

Progress = Callable[[float, str], None]

EXPLAINED, TRAINED = 0.05, 0.3
"""The share of the tour that is done after the worked examples, and after the classifier."""


@dataclass
class TourResult:
    """What the tour found: the two modes' agreement, the classifier's course, the labs, and the files."""

    folder: Path
    files: list[str] = field(default_factory=list)
    sheets: dict[str, Worksheet] = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)
    accuracy: float = 0.0
    stops: dict[str, Stop] = field(default_factory=dict)
    outcomes: Sequence[Outcome] = ()

    @property
    def value(self) -> float:
        """The textbook function at its point."""
        return float(self.sheets["textbook-reverse"].value)

    @property
    def forward(self) -> float:
        """∂f/∂x2 in forward mode."""
        return float(self.sheets["textbook-forward"].gradient["x2"])

    @property
    def reverse(self) -> float:
        """∂f/∂x2 in reverse mode."""
        return float(self.sheets["textbook-reverse"].gradient["x2"])

    def keep(self, name: str, content: str | bytes) -> None:
        """Write a file of the folder."""
        write_whole(self.folder / name, content)
        self.files.append(name)


def run(folder: str | Path, seed: int = 0, progress: Progress = lambda share, what: None) -> TourResult:
    """Explain a function and a network, train a classifier of digits, run a few labs, and write a guide.

    ``progress(share, what)`` is called after every step. Raises ImportError where scikit-learn (whose bundled
    digits are used), matplotlib or jinja2 is missing, OSError where the folder cannot be written.
    """
    images = digits.load_digits()
    require("matplotlib", "the tour, which draws plots,", "learn")
    require("jinja2", "the tour, which writes pages,", "learn")
    result = TourResult(Path(folder))
    result.folder.mkdir(parents=True, exist_ok=True)
    progress(0.0, "a function of three inputs")
    explain_examples(result)
    for epoch, (loss, accuracy) in enumerate(digits.train(images, seed), start=1):
        result.losses.append(loss)
        result.accuracy = accuracy
        share = EXPLAINED + (TRAINED - EXPLAINED) * epoch / digits.EPOCHS
        progress(share, f"handwritten digits: loss {loss:.4f}")
    _write_losses(result)
    _run_labs(result, seed, lambda share, what: progress(TRAINED + (1 - TRAINED) * share, what))
    _write_contents(result)
    progress(1.0, "done")
    return result


def explain_examples(result: TourResult) -> None:
    """Write the worksheets of the function and of the network."""
    kinds = {
        "textbook-reverse": (
            explain_textbook("reverse"),
            ("txt", "md", "json", "tex", "svg", "dot", "mmd", "html"),
        ),
        "textbook-forward": (explain_textbook("forward"), ("txt", "md", "json", "tex")),
        "network": (explain_network(), ("txt", "md", "json", "svg", "html")),
    }
    for name, (sheet, endings) in kinds.items():
        result.sheets[name] = sheet
        readers: dict[str, Callable[[], str]] = {
            "txt": lambda sheet=sheet: sheet.to_text(width=110),  # type: ignore[misc]
            "md": sheet.to_markdown,
            "json": sheet.to_json,
            "tex": sheet.to_latex,
            "svg": sheet.to_svg,
            "dot": sheet.to_dot,
            "mmd": sheet.to_mermaid,
            "html": sheet.to_html,
        }
        for ending in endings:
            result.keep(f"{name}.{ending}", readers[ending]())


def _write_losses(result: TourResult) -> None:
    result.keep("loss.png", figure_png(loss_curve(result.losses, result.accuracy)))
    rows = "\n".join(f"{epoch},{loss!r}" for epoch, loss in enumerate(result.losses, start=1))
    result.keep("loss.csv", f"epoch,loss\n{rows}\n")


def _run_labs(result: TourResult, seed: int, progress: Progress) -> None:
    found = labs_on_the_way()
    result.stops = {name: stop for name, (_, stop) in found.items()}
    labs = [lab for lab, _ in found.values()]

    def front(outcomes: Sequence[Outcome]) -> str:
        result.outcomes = outcomes
        return guide_page(result)

    site = Site(result.folder, labs, seed=seed, quick=True, front=front, home="The tour")
    result.outcomes = list(run_labs(labs, site, seed=seed, quick=True, progress=progress))
    result.files += [FRONT, *map(address, labs)]


def _write_contents(result: TourResult) -> None:
    apart = abs(result.forward - result.reverse)
    lines = [
        "# wengert's tour",
        "",
        f"Open [{FRONT}]({FRONT}) in a browser: it leads through everything here.",
        "",
        f"f = {TEXTBOOK} at (1, 1.5, 2): f = {result.value:.4f}; ∂f/∂x2 = {result.reverse:.4f} in reverse "
        f"mode, {result.forward:.4f} in forward mode (apart by {apart:.1e}).",
        "",
        f"A 64-32-10 network, trained for {digits.EPOCHS} epochs on scikit-learn's digits: "
        f"{result.accuracy:.2%} of the {digits.HELD_OUT} held-out images right.",
        "",
        *(f"- {outcome.lab.title}: {outcome.verdict}" for outcome in result.outcomes),
        "",
        *(f"- [{name}]({name})" for name in result.files),
        "",
    ]
    result.keep("README.md", "\n".join(lines))
