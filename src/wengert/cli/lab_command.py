"""``wengert lab``: the experiments."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wengert.cli.progress_lines import shown_progress

if TYPE_CHECKING:
    from wengert.labs.outcomes import Outcome


@click.group("lab", short_help="Run the experiments, each with claims computed in the run.")
def command() -> None:
    """Experiments that state a question, compute, and claim only what their numbers show.

    \b
    wengert lab list
    wengert lab run vae --quick
    wengert lab run dry-beans-mlp --out beans-report
    wengert lab run --all --out report
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
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--all", "every", is_flag=True, help="Run every lab, and make one site of them with --out.")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Write a report page, its pictures and the numbers there.",
)
@click.option("--resume", is_flag=True, help="With --all: keep the results that DIR holds already.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of everything random.")
@click.option("--quick", is_flag=True, help="The same claims and thresholds, on less data or fewer repeats.")
@FORMAT
def run(
    name: str | None, every: bool, out: str | None, resume: bool, seed: int, quick: bool, form: str
) -> None:
    """Run the lab NAME, or every lab, and print what it finds.

    The exit code is 1 where a claim fails, or where one of all labs does not run. JSON goes to standard
    output alone; the progress goes to standard error.

    \b
    wengert lab run vae
    wengert lab run --all --out report     then open report/index.html
    """
    if every:
        _check_all(name, out, resume)
        holds = _run_all(out, resume, seed, quick, form)
    else:
        if name is None:
            raise click.UsageError("Missing argument 'NAME': a lab of 'wengert lab list', or --all for all.")
        if resume:
            raise click.UsageError("--resume goes with --all: a single lab starts from the beginning.")
        holds = _run_one(name, out, seed, quick, form)
    if not holds:
        sys.exit(1)


def _check_all(name: str | None, out: str | None, resume: bool) -> None:
    if name is not None:
        raise click.UsageError(f"either the lab {name!r:.60} or --all, not both.")
    if resume and out is None:
        raise click.UsageError("--resume needs --out DIR, the folder that holds the results so far.")


def _run_one(name: str, out: str | None, seed: int, quick: bool, form: str) -> bool:
    from rich.console import Console

    from wengert.labs import find_lab, run_lab
    from wengert.labs.text import show, summary

    lab = find_lab(name)
    with shown_progress(lab.name) as progress:
        result = run_lab(lab, seed=seed, quick=quick, progress=progress)
    if out is not None:
        result.write(out)
    if form == "json":
        _print_json(result.to_dict())
    else:
        show(result, Console(highlight=False))
    click.echo(summary(result), err=form == "json")
    return result.holds


def _run_all(out: str | None, resume: bool, seed: int, quick: bool, form: str) -> bool:
    from wengert.labs import all_labs
    from wengert.labs.site import FRONT, Site, in_mission_order, run_labs, standing_of_all

    labs = in_mission_order(all_labs())
    site = Site(Path(out), labs, seed=seed, quick=quick, resume=resume) if out is not None else None
    outcomes = []
    try:
        with shown_progress("labs") as progress:
            for outcome in run_labs(labs, site, seed=seed, quick=quick, progress=progress):
                outcomes.append(outcome)
                # `print` goes above the bar, where click would write into it
                print(_ended(outcome), file=sys.stderr if form == "json" else sys.stdout, flush=True)
    except KeyboardInterrupt:
        if out is not None:
            click.echo(f"\nInterrupted; to go on: wengert lab run --all --out {out} --resume", err=True)
        raise
    if form == "json":
        _print_json([outcome.to_dict() for outcome in outcomes])
    click.echo(standing_of_all(outcomes), err=form == "json")
    if site is not None:
        click.echo(f"Open {(site.folder / FRONT).resolve()}", err=form == "json")
    return all(outcome.holds for outcome in outcomes)


def _ended(outcome: Outcome) -> str:
    """How a lab ended, in a line, with its claims that fail or the reason why it did not run."""
    took = f" ({outcome.seconds:.1f} s)" if outcome.ran else f": {outcome.reason}"
    failing = [
        f"    ✗ {claim['claim']}: {claim['value']}, expected {claim['expected']}" for claim in outcome.failing
    ]
    return "\n".join([f"{outcome.lab.name}: {outcome.verdict}{took}", *failing])


def _print_json(content: Any) -> None:
    click.echo(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))
