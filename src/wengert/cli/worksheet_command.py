"""``wengert worksheet``: exercises to hand out, with their solutions, and checked when they come back."""

from __future__ import annotations

import click

FORMATS = ("text", "markdown", "latex")
TOPICS = ("forward", "reverse", "backprop", "convergence")


@click.command("worksheet", short_help="Exercises in friendly numbers, with blanks or solved.")
@click.option(
    "--topic",
    type=click.Choice(TOPICS),
    required=True,
    help="forward, reverse: the table of a function. backprop: a network of two layers. convergence: "
    "gradient descent on a quadratic.",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="The number of the worksheet: the same number is the same worksheet everywhere.",
)
@click.option("--blanks", is_flag=True, help="Leave the answers out.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option(
    "--out", metavar="FILE", type=click.Path(dir_okay=False), help="Write there instead of to the terminal."
)
@click.option(
    "--solution", metavar="FILE", type=click.Path(dir_okay=False), help="Write the solution there as well."
)
@click.option(
    "--check",
    "filled",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="Check a sheet (text or Markdown) that was filled in.",
)
def command(
    topic: str,
    seed: int,
    blanks: bool,
    form: str,
    out: str | None,
    solution: str | None,
    filled: str | None,
) -> None:
    """A fresh exercise on a topic, in small whole numbers and simple fractions.

    With --blanks it is a sheet to hand out, without them its solution. Filled in as text or Markdown, it can
    be checked: --check names the first wrong line and the likely slip, and the exit status is then 1. The
    status is 0 where all is right.

    \b
    Examples:
      wengert worksheet --topic reverse --seed 7 --blanks
      wengert worksheet --topic reverse --seed 7 --blanks --format latex --out sheet.tex --solution key.tex
      wengert worksheet --topic backprop --seed 3 --blanks --format markdown --out sheet.md
      wengert worksheet --topic backprop --seed 3 --check sheet.md
    """
    from pathlib import Path

    from wengert.files import write_whole
    from wengert.worksheets.exercises.topics import exercise

    found = exercise(topic, seed)
    if filled is not None:
        verdict = found.check(Path(filled))
        click.echo(str(verdict))
        click.get_current_context().exit(0 if verdict else 1)
    write = {"text": found.to_text, "markdown": found.to_markdown, "latex": found.to_latex}[form]
    if solution is not None:
        write_whole(solution, write())
        click.echo(f"solution written to {solution}", err=True)
    if out is None:
        click.echo(write(blanks).rstrip("\n"))
    else:
        write_whole(out, write(blanks))
        click.echo(f"written to {out}", err=True)
