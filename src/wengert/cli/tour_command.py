"""``wengert tour``: the guided walk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from wengert.tour import TourResult

SHOWN_FILES = (
    ("textbook-reverse.svg", "the graph of the function: open it in a browser"),
    ("textbook-reverse.txt", "its table; also .md .tex .json .dot .mmd"),
    ("network.txt", "all values and adjoints; also .md .json .svg"),
    ("loss.png", "the loss curve"),
)
WIDEST = 120


@click.command("tour", short_help="See what wengert does, in under a minute.")
@click.option(
    "--out",
    metavar="FOLDER",
    default="wengert-tour",
    show_default=True,
    type=click.Path(file_okay=False),
    help="Where to write.",
)
@click.option("--seed", default=0, show_default=True, help="Of the network's weights and the data's order.")
def command(out: str, seed: int) -> None:
    """Explain a textbook function and a network step by step, then train a classifier of handwritten digits.

    Offline. Writes tables, the graph and the loss curve to a folder, and says where they are.
    """
    from rich.console import Console

    from wengert import tour
    from wengert.worksheets.explain import explain

    console = Console(highlight=False, soft_wrap=True)
    width = max(60, min(console.width, WIDEST))

    def say(text: str = "") -> None:
        console.print(text)

    say("[bold]1. A function of three inputs[/], forwards for x2 and then backwards for all\n")
    click.echo(explain(tour.TEXTBOOK, *tour.AT, wrt="x2", mode="forward").to_text(width=width))
    click.echo(explain(tour.TEXTBOOK, *tour.AT).to_text(width=width))
    say("[bold]2. A network of three layers[/], its gradient derived from the same rules\n")
    click.echo(f"f = ½‖Y - W3 @ relu(W2 @ relu(W1 @ X))‖²\n{tour.derive_network()}\n")
    say("[bold]3. A classifier of handwritten digits[/], trained from scratch\n")
    result = _run_with_bar(console, out, seed)
    say(f"Both modes agree: ∂f/∂x2 = {result.forward:.4f} forward, {result.reverse:.4f} reverse.")
    say(f"The 64-32-10 network reads {result.accuracy:.2%} of {tour.HELD_OUT} held-out digits right.\n")
    console.print(f"Everything is in {result.folder.resolve()}", style="bold", markup=False)
    for name, what in SHOWN_FILES:
        say(f"  {name:22} {what}")


def _run_with_bar(console: Console, out: str, seed: int) -> TourResult:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from wengert import tour

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f}%"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("starting", total=None)

        def show(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=what)

        return tour.run(out, seed, show)
