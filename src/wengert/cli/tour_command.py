"""``wengert tour``: the guided walk."""

from __future__ import annotations

import click


@click.command("tour", short_help="See what wengert does, in under a minute.")
@click.option("--out", default="wengert-tour", show_default=True, type=click.Path(file_okay=False), help="Folder to write.")
@click.option("--seed", default=0, show_default=True, help="Of the network's weights and the data's order.")
def command(out: str, seed: int) -> None:
    """Explain a textbook function and a network step by step, then train a classifier of handwritten digits.

    Offline. Writes tables, the graph and the loss curve to a folder, and says where they are.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from wengert import tour
    from wengert.worksheets.explain import explain

    console = Console()
    console.print(f"[bold]1. A function[/]   f = {tour.TEXTBOOK}   at x1 = 1, x2 = 1.5, x3 = 2\n", highlight=False)
    width = max(60, min(console.width, 120))
    click.echo(explain(tour.TEXTBOOK, *tour.AT, wrt="x2", mode="forward").to_text(width=width))
    click.echo(explain(tour.TEXTBOOK, *tour.AT).to_text(width=width))
    console.print("[bold]2. Two networks[/]\n")
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f}%"), TimeRemainingColumn(),
        console=console,
    ) as bar:  # fmt: skip
        task = bar.add_task("starting", total=None)
        result = tour.run(out, seed, lambda done, total, what: bar.update(task, completed=done, total=total, description=what))
    console.print(
        f"\nBoth modes agree: ∂f/∂x2 = {result.forward:.4f} forward, {result.reverse:.4f} reverse.\n"
        f"The 64-32-10 network reads {result.accuracy:.2%} of {tour.HELD_OUT} held-out digits right.\n",
        highlight=False,
    )
    console.print(f"[bold]Everything is in {result.folder.resolve()}[/]", soft_wrap=True, highlight=False)
    for name, what in (
        ("textbook-reverse.svg", "the graph of the function, to open in a browser"),
        ("textbook-reverse.txt", "the table above; also .md, .tex, .json, .dot, .mmd"),
        ("network.txt", "every value and adjoint of a three-layer network; also .md, .json, .svg"),
        ("loss.png", "the loss curve"),
    ):
        console.print(f"  {name:22} {what}", highlight=False)
