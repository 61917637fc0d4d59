"""``wengert lab``: the experiments."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

QUIET_SECONDS = 2.0
"""Where no terminal is, a line of progress at most this often."""


@click.group("lab", short_help="Run the experiments, each with claims computed in the run.")
def command() -> None:
    """Experiments that state a question, compute, and claim only what their numbers show.

    \b
    wengert lab list
    wengert lab run vae --quick
    wengert lab run dry-beans-mlp --out beans-report
    """


FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)


@command.command("list")
@FORMAT
def list_labs(form: str) -> None:
    """The names of the labs, and what each asks."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from wengert.labs import all_labs

    labs = all_labs()
    if form == "json":
        entries = [
            {"name": lab.name, "rows": list(lab.rows), "title": lab.title, "question": lab.question}
            for lab in labs
        ]
        click.echo(json.dumps(entries, indent=2, ensure_ascii=False))
        return
    grid = Table("name", "rows", "question", box=box.SIMPLE_HEAD, pad_edge=False)
    for lab in labs:
        grid.add_row(Text(lab.name, "bold"), ", ".join(lab.rows), Text(lab.question))
    Console(highlight=False).print(grid)


@command.command("run")
@click.argument("name", metavar="NAME")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Write a report page, its pictures and the numbers there.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of everything random.")
@click.option("--quick", is_flag=True, help="The same claims and thresholds, on less data or fewer repeats.")
@FORMAT
def run(name: str, out: str | None, seed: int, quick: bool, form: str) -> None:
    """Run the lab NAME and print what it finds. The exit code is 1 where a claim fails.

    JSON goes to standard output alone; the progress goes to standard error.
    """
    from rich.console import Console

    from wengert.labs import find_lab, run_lab
    from wengert.labs.text import show, summary

    lab = find_lab(name)
    with _progress(lab.name) as progress:
        result = run_lab(lab, seed=seed, quick=quick, progress=progress)
    if out is not None:
        result.write(out)
    if form == "json":
        click.echo(json.dumps(result.to_dict(), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        show(result, Console(highlight=False))
    click.echo(summary(result), err=form == "json")
    if not result.holds:
        sys.exit(1)


@contextmanager
def _progress(name: str) -> Iterator[Callable[[float, str], None]]:
    """A bar on standard error; plain lines where it is no terminal."""
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

    said = -QUIET_SECONDS

    def say(share: float, what: str) -> None:
        nonlocal said
        if monotonic() - said >= QUIET_SECONDS:
            said = monotonic()
            click.echo(f"{name}: {share:4.0%} {what}", err=True)

    return say
