"""All labs as one site: a front page of every row of the mission, and a page of every lab.

The pages are plain HTML with relative links; they work from a disk, without a network and without scripts.
After every lab the site is whole, so a run that is interrupted leaves what it found, and can go on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import wengert
from wengert.files import write_whole
from wengert.labs.artifacts import NUMBERS, PAGE, write_artifacts
from wengert.labs.lab import Lab, LabResult, Progress, run_lab
from wengert.labs.mission import PARTS, ROWS, place_of
from wengert.labs.outcomes import Outcome, counted
from wengert.labs.page import Link, render
from wengert.labs.text import shown
from wengert.optional import require

FRONT = "index.html"

FrontPage = Callable[[Sequence[Outcome]], str]


def run_labs(
    labs: Sequence[Lab],
    site: Site | None = None,
    *,
    seed: int = 0,
    quick: bool = False,
    progress: Progress = lambda share, what: None,
) -> Iterator[Outcome]:
    """Run labs one after the other; yield how each ended, as soon as it has.

    A lab that raises an error is an outcome with the reason, and the others still run. A ``site`` shows every
    outcome before it is yielded, and a lab whose result it holds already is not run again.
    ``progress(share, what)`` gets the share of all labs, each as much as another. Raises OSError where the
    site cannot be written.
    """
    for k, lab in enumerate(labs):
        place = f"{lab.name} ({k + 1} of {len(labs)})"

        def show(share: float, what: str, k: int = k, place: str = place) -> None:
            progress((k + share) / len(labs), f"{place}: {what}" if what else place)

        show(0.0, "")
        if site is not None and site.outcome(lab).ran:
            yield site.outcome(lab)
            continue
        try:
            result = run_lab(lab, seed=seed, quick=quick, progress=show)
            outcome = Outcome.of(result) if site is None else site.keep(result)
        except Exception as error:  # one lab's mistake must not cost the results of the others
            outcome = Outcome.of_error(lab, error)
            if site is not None:
                site.refuse(outcome)
        yield outcome


class Site:
    """A folder with the front page ``index.html``, and a folder of each lab.

    Every page is there from the start; one without a result says so. With ``resume``, the results of an
    earlier run with the same seed and size stay, else they are cleared away. ``front`` makes the front page
    of all outcomes; by default it shows every row of the mission. ``home`` is what the other pages call it.
    Raises ImportError without jinja2, OSError where the folder cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        labs: Sequence[Lab],
        *,
        seed: int = 0,
        quick: bool = False,
        resume: bool = False,
        front: FrontPage | None = None,
        home: str = "All experiments",
    ) -> None:
        require("jinja2", "a report page", "learn")
        self.folder, self._labs, self._home = folder, list(labs), home
        self._front = front or (lambda outcomes: front_page(outcomes, seed, quick))
        folder.mkdir(parents=True, exist_ok=True)
        kept = {lab.name: self._kept(lab, seed, quick) if resume else None for lab in labs}
        self._outcomes = {lab.name: Outcome(lab, kept[lab.name]) for lab in labs}
        for outcome in self._outcomes.values():
            if not outcome.ran:
                self._write_without_result(outcome)
        self._write_front()

    @property
    def outcomes(self) -> list[Outcome]:
        """How every lab stands, in order."""
        return list(self._outcomes.values())

    def outcome(self, lab: Lab) -> Outcome:
        """How a lab stands."""
        return self._outcomes[lab.name]

    def keep(self, result: LabResult) -> Outcome:
        """Write what a lab found."""
        result.artifacts = write_artifacts(result, self.folder / result.lab.name, self._links(result.lab))
        outcome = Outcome.of(result)
        self._outcomes[result.lab.name] = outcome
        self._write_front()
        return outcome

    def refuse(self, outcome: Outcome) -> None:
        """Write why a lab has no result."""
        self._outcomes[outcome.lab.name] = outcome
        self._write_without_result(outcome)
        self._write_front()

    def _write_without_result(self, outcome: Outcome) -> None:
        folder = self.folder / outcome.lab.name
        folder.mkdir(exist_ok=True)
        (folder / NUMBERS).unlink(missing_ok=True)
        write_whole(folder / PAGE, render("not_run.html.j2", outcome=outcome, links=self._links(outcome.lab)))

    def _write_front(self) -> None:
        write_whole(self.folder / FRONT, self._front(self.outcomes))

    def _kept(self, lab: Lab, seed: int, quick: bool) -> dict[str, Any] | None:
        try:
            content: dict[str, Any] = json.loads((self.folder / lab.name / NUMBERS).read_text("utf-8"))
            same = (content["name"], content["seed"], content["quick"]) == (lab.name, seed, quick)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None  # nothing there, or not a result: the lab runs again
        return content if same else None

    def _links(self, lab: Lab) -> tuple[Link, ...]:
        place = self._labs.index(lab)
        links = [Link(f"../{FRONT}", self._home)]
        if place > 0:
            before = self._labs[place - 1]
            links.append(Link(f"../{address(before)}", f"← {before.title}", "prev"))
        if place + 1 < len(self._labs):
            after = self._labs[place + 1]
            links.append(Link(f"../{address(after)}", f"{after.title} →", "next"))
        return tuple(links)


def front_page(outcomes: Sequence[Outcome], seed: int = 0, quick: bool = False) -> str:
    """The front page: every row of the mission, who answers it, and whether the claims hold."""
    parts = [
        (part.title, [(row, [one for one in outcomes if row.number in one.lab.rows]) for row in part.rows])
        for part in PARTS
    ]
    seconds = sum(outcome.seconds for outcome in outcomes)
    return render(
        "index.html.j2",
        links=(),
        parts=parts,
        others=[outcome for outcome in outcomes if place_of(outcome.lab.rows) == len(ROWS)],
        failing=[outcome for outcome in outcomes if outcome.failing],
        idle=[outcome for outcome in outcomes if not outcome.ran],
        summary=standing_of_all(outcomes),
        quick=quick,
        shown=shown,
        address=address,
        ending=f"wengert {wengert.__version__}, seed {seed}, {seconds:.0f} seconds of computing.",
    )


def standing_of_all(outcomes: Sequence[Outcome]) -> str:
    """How many claims hold, how many labs did not run, and how many rows have no lab yet, in sentences."""
    claims = [claim for outcome in outcomes for claim in outcome.claims]
    failing = sum(not claim["holds"] for claim in claims)
    idle = sum(not outcome.ran for outcome in outcomes)
    answered = {number for outcome in outcomes for number in outcome.lab.rows}
    open_rows = sum(row.number not in answered for row in ROWS)
    sentences = [
        f"✗ {failing} of {counted(len(claims), 'claim')} {'fails' if failing == 1 else 'fail'}."
        if failing
        else f"✓ All claims hold: {counted(len(claims), 'claim')} of {counted(len(outcomes) - idle, 'lab')}.",
        f"{counted(idle, 'lab')} did not run." if idle else "",
        f"{counted(open_rows, 'row')} of {len(ROWS)} {'has' if open_rows == 1 else 'have'} no lab yet."
        if open_rows
        else "",
    ]
    if not claims:
        sentences[0] = "No lab has run yet."
    return " ".join(filter(None, sentences))


def address(lab: Lab) -> str:
    """Where the page of a lab is, seen from the front page."""
    return f"{lab.name}/{PAGE}"


def in_mission_order(labs: Sequence[Lab]) -> list[Lab]:
    """The labs by the first row that each answers.

    >>> from wengert.labs import find_lab
    >>> [lab.name for lab in in_mission_order([find_lab("vae"), find_lab("dry-beans-mlp")])]
    ['dry-beans-mlp', 'vae']
    """
    return sorted(labs, key=lambda lab: place_of(lab.rows))
