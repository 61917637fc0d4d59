"""What the commands about runs say on the terminal."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from wengert.tables import Run

PATIENCE = 2.0
"""Seconds after which silence wants an explanation."""


@contextlib.contextmanager
def said_if_slow(words: str) -> Iterator[None]:
    """Say on standard error what is going on, where it takes more than two seconds."""
    timer = threading.Timer(PATIENCE, click.echo, [f"{words} ..."], {"err": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def begun(run: Run) -> str:
    """What is about to be learned, in a few lines."""
    record = run.record
    sizes = ", ".join(f"{count:,} {part}" for part, count in record["sizes"].items())
    kind = f"{len(run.classes)} classes" if run.classes else "a number"
    lines = [
        f"{run.request.data}: predict {record['target']!r}, {kind}, from {record['features']} features",
        f"rows: {sizes}",
    ]
    return "\n".join([*lines, *(f"note: {note}" for note in record["notes"])])


def summary(run: Run) -> str:
    """How the run ended and where everything is."""
    from wengert.tables.exporting import FORMS

    scores, recipe = run.scores, run.recipe
    assert scores is not None
    hidden = "-".join(map(str, recipe.hidden))
    lines = [f"network {hidden}, best epoch {run.record['best_epoch']} ({run.record['stopped']})"]
    names = [name for name, value in scores["test"].items() if isinstance(value, float)]
    width = max(map(len, names)) + 2
    lines.append(f"{'':{width}}{'validation':>12}{'test':>12}")
    for name in names:
        pair = (scores[part][name] for part in ("validation", "test"))
        lines.append(f"{name.replace('_', ' '):{width}}" + "".join(f"{value:12.4f}" for value in pair))
    lines += [
        f"report:  {run.report_file}",
        f"predict: wengert predict {run.folder} DATA; or, with NumPy alone, {run.folder / FORMS['python']}",
        f"export:  wengert export {run.folder} --to onnx",
    ]
    return "\n".join(lines)
