"""The progress of an experiment on standard error: a bar on a terminal, else plain lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

QUIET_SECONDS = 2.0
"""Where no terminal is, a line of progress at most this often."""


@contextmanager
def shown_progress(name: str) -> Iterator[Callable[[float, str], None]]:
    """A function of the share that is done and of what is being done, which shows them."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _plain_lines(name)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns: tuple[Any, ...] = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:.0f}%"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(name, total=1.0)
        yield lambda share, what: bar.update(task, completed=share, description=f"{name}: {what}")


def _plain_lines(name: str) -> Callable[[float, str], None]:
    from time import monotonic

    started = monotonic()
    said = started - QUIET_SECONDS

    def say(share: float, what: str) -> None:
        nonlocal said
        now = monotonic()
        if now - said >= QUIET_SECONDS:
            said = now
            click.echo(f"{name}: {share:4.0%} {what}{_time_left(share, now - started)}", err=True)

    return say


def _time_left(share: float, elapsed: float) -> str:
    """About how long the rest will take; nothing while there is too little to judge by."""
    if share < 0.02 or elapsed < QUIET_SECONDS:
        return ""
    seconds = elapsed * (1 - share) / share
    return f", about {seconds:.0f} s left" if seconds < 90 else f", about {seconds / 60:.0f} min left"
