"""``wengert report``: a run as a page for people."""

from __future__ import annotations

import click


@click.command("report", short_help="Write the report of a trained run.")
@click.argument("run", metavar="RUN", type=click.Path(file_okay=False))
def command(run: str) -> None:
    """Write the report of the folder RUN again.

    It is one HTML file with data, network, curves, scores and plots, and can be read without a connection.
    """
    from wengert.tables import Run

    found = Run.open(run)
    if not found.finished:
        raise ValueError(f"{run} is not trained to the end; go on with wengert train --resume {run}")
    click.echo(f"written to {found.write_report()}")
