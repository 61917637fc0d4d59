"""``wengert tour``: the guided walk."""

from __future__ import annotations

import textwrap

import click

from wengert.cli.progress_lines import shown_progress

SHOWN_FILES = (
    ("index.html", "the guide through all of it: open it in a browser"),
    ("textbook-reverse.html", "the function, to step through"),
    ("textbook-reverse.svg", "its graph"),
    ("textbook-reverse.txt", "its table; also .md .tex .json .dot .mmd"),
    ("network.txt", "all values and adjoints; also .html .md .json .svg"),
    ("loss.png", "the loss curve"),
)
WIDEST = 120


@click.command("tour", short_help="See what wengert does, in about a minute.")
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
    """Explain a textbook function and a network step by step, train a classifier, and run a few experiments.

    Offline; where Fashion-MNIST is on this computer already, one experiment uses it. Writes a page that
    guides, tables, graphs and plots to a folder, and says where they are.
    """
    from rich.console import Console

    from wengert import tour

    console = Console(highlight=False, soft_wrap=True)
    width = max(60, min(console.width, WIDEST))

    def say(text: str = "") -> None:
        console.print(text)

    say("[bold]1. A function of three inputs[/], forwards for x2 and then backwards for all\n")
    click.echo(tour.explain_textbook("forward").to_text(width=width))
    click.echo(tour.explain_textbook("reverse").to_text(width=width))
    say("[bold]2. A network of three layers[/], its gradient derived from the same rules\n")
    click.echo(f"{tour.NETWORK}\n{tour.derive_network()}\n")
    say("[bold]3. A classifier of handwritten digits[/], trained from scratch\n")
    with shown_progress("tour") as progress:
        result = tour.run(out, seed, progress)
    say(f"Both modes agree: ∂f/∂x2 = {result.forward:.4f} forward, {result.reverse:.4f} reverse.")
    say(f"The 64-32-10 network reads {result.accuracy:.2%} of {tour.HELD_OUT} held-out digits right.\n")
    if result.outcomes:
        say("[bold]4. Experiments[/], quick runs, with claims that were computed just now\n")
        for outcome in result.outcomes:
            click.echo(f"{outcome.verdict}: {outcome.lab.title}"[:width])
            look = result.stops[outcome.lab.name].look if outcome.ran else outcome.reason
            click.echo(textwrap.fill(look, width, initial_indent="  ", subsequent_indent="  ") + "\n")
    console.print(f"Everything is in {result.folder.resolve()}", style="bold", markup=False)
    for name, what in SHOWN_FILES:
        say(f"  {name:22} {what}")
