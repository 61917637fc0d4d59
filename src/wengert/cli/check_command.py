"""``wengert check``: a claimed derivative, or a whole table that was filled in by hand."""

from __future__ import annotations

import re

import click


@click.command("check", short_help="Check a derivative, or a table of steps, worked out by hand.")
@click.argument("expression", metavar="EXPR")
@click.option("--at", default="", metavar="NAME=VALUE,…", help="Where: x1=1,x2=pi/2.")
@click.option(
    "--claim",
    "claims",
    multiple=True,
    metavar="NAME=CLAIM",
    help="A derivative with respect to NAME: a number such as 2.6955 or 1/3, or a formula such as "
    "cos(x1)*x2. Repeat it for further inputs.",
)
@click.option(
    "--table",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="A table of all steps: CSV, Markdown, or lines such as v1 = 1.5.",
)
@click.option(
    "--mode",
    type=click.Choice(["forward", "reverse"]),
    default="reverse",
    show_default=True,
    help="What the table holds: tangents or adjoints.",
)
@click.option("--wrt", metavar="NAME", help="In forward mode: with respect to which input.")
def command(
    expression: str, at: str, claims: tuple[str, ...], table: str | None, mode: str, wrt: str | None
) -> None:
    """Is a derivative of EXPR that you worked out by hand right? If not, which slip is likely behind it?

    A claimed number is right when it agrees to the digits that it was given with. A formula is compared at
    the point and at several points near it. A table is judged line by line, each by the numbers before it, so
    an error that is only carried forward is not blamed twice. Nothing of what you write is executed.

    The exit status is 0 where all is right, 1 where something is wrong, and 2 for input that cannot be read.

    \b
    Examples:
      wengert check "(x1*x2*sin(x3) + exp(x1*x2))/x3" --at x1=1,x2=1.5,x3=2 --claim x2=2.6955
      wengert check "sin(x^2)" --at x=0.6 --claim "x=cos(x^2)"
      wengert check "x^2*y" --at x=3,y=2 --claim x=12 --claim y=9
      wengert check "x*y + sin(x)" --at x=2,y=3 --table homework.md
      wengert check "x*y + sin(x)" --at x=2,y=3 --table homework.csv --mode forward --wrt x

    \b
    A table has a line for each step, and names them as `wengert explain` does:
      | line | value  | adjoint |
      |------|--------|---------|
      | v1   | 6      | 1       |
      | v2   | 0.9093 | 1       |
    """
    if bool(claims) == bool(table):
        raise ValueError(
            "give either --claim NAME=NUMBER for one derivative, or --table FILE for a table of all steps"
        )
    verdict = _of_table(expression, at, table, mode, wrt) if table else _of_claims(expression, at, claims)
    click.echo(str(verdict))
    if not verdict:
        click.get_current_context().exit(1)


def _of_claims(expression: str, at: str, claims: tuple[str, ...]) -> object:
    from wengert.cli.explain_command import inputs_of
    from wengert.worksheets.checks.claims import check

    return check(expression, inputs_of(expression, at), claims_of(claims))


def _of_table(expression: str, at: str, table: str, mode: str, wrt: str | None) -> object:
    from pathlib import Path

    from wengert.cli.explain_command import inputs_of
    from wengert.worksheets.checks.step_verdicts import check_steps
    from wengert.worksheets.explain import explain

    values = inputs_of(expression, at)
    sheet = explain(expression, *values.values(), names=list(values), mode=mode, wrt=wrt)
    return check_steps(sheet, Path(table))


def claims_of(claims: tuple[str, ...]) -> dict[str, str]:
    """The claims by input. Raises ValueError for one without a name, and for two about the same input."""
    found: dict[str, str] = {}
    for claim in claims:
        for part in re.split(r",(?=\s*\w+\s*=)", claim):
            name, equals, text = (piece.strip() for piece in part.partition("="))
            name = re.sub(r"^[∂dD]\w*/[∂dD]", "", name)
            if not equals or not name or not text:
                raise ValueError(f"--claim: expected NAME=NUMBER, such as x2=2.6955, got {part!r:.60}")
            if name in found:
                raise ValueError(f"--claim: two claims about {name}")
            found[name] = text
    return found
