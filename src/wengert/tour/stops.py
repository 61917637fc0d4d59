"""Which experiments the tour shows: a handful that take seconds, and none that would download anything."""

from __future__ import annotations

from dataclasses import dataclass

from wengert import data
from wengert.data.fetching import find
from wengert.labs import Lab, all_labs


@dataclass(frozen=True)
class Stop:
    """A row of the mission, what to look at on its page, and the data set that it needs on this computer."""

    row: str
    look: str
    needs: str | None = None


STOPS = (
    Stop("M13", "Most rates stop on the plateau or jump over the minimum. Look at the dots on the curve."),
    Stop("M15", "The steps end in a cycle around the minimum, and theory says how wide it is."),
    Stop("M16", "A descent that lands on a maximum. Fractions prove it, where floats would only suggest it."),
    Stop("M17", "Many starts of one problem. Look at where they end, and at the curvature there."),
    Stop("M26", "Two steps of training by hand: the worksheet to check homework against."),
    Stop("M31", "Weights that are constructed, not trained, and meet every point exactly."),
    Stop(
        "M33",
        "A larger network on real images. Look at the loss on the test set, and at the confusions.",
        "fashion-mnist",
    ),
)


def labs_on_the_way() -> dict[str, tuple[Lab, Stop]]:
    """The labs of the stops, by name, in order. Those whose data are not on this computer are left out."""
    labs = all_labs()
    found: dict[str, tuple[Lab, Stop]] = {}
    for stop in STOPS:
        lab = next((lab for lab in labs if stop.row in lab.rows), None)
        if lab is not None and (stop.needs is None or _is_here(stop.needs)):
            found.setdefault(lab.name, (lab, stop))
    return found


def _is_here(name: str) -> bool:
    """Whether every file of a data set is in ``WENGERT_DATA`` or in the cache."""
    try:
        return all(find(file) is not None for file in data.describe(name).files)
    except (OSError, ValueError, ImportError):
        return False
