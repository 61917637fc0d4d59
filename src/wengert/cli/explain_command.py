"""``wengert explain``: the worksheet of an expression."""

from __future__ import annotations

import shutil

import click

from wengert.expressions import CONSTANTS, Expression, Literal, Range, parse, parse_assignments

FORMATS = ("text", "json", "csv", "markdown", "latex", "dot", "mermaid", "svg")
NARROWEST = 60

Values = dict[str, Expression | Range]


@click.command("explain", short_help="The step table of a function.")
@click.argument("expression", metavar="EXPR")
@click.option(
    "--at",
    default="",
    metavar="NAME=VALUE,…",
    help="Where: x1=1,x2=pi/2; a range x=1.4..1.6 is an interval.",
)
@click.option(
    "--wrt", metavar="NAME", help="With respect to which input (default: all; forward mode takes one)."
)
@click.option("--mode", type=click.Choice(["forward", "reverse"]), default="reverse", show_default=True)
@click.option(
    "--numbers",
    default=None,
    metavar="KIND",
    help="float, exact (fractions, sin(2), pi/2), symbolic, interval (sure bounds), or mp:50 (fifty digits). "
    "Default: float, or interval where --at has a range.",
)
@click.option(
    "--digits",
    default=4,
    show_default=True,
    type=click.IntRange(0, 1000),
    help="Decimals in tables and drawings; JSON and CSV have all.",
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option(
    "--out", metavar="FILE", type=click.Path(dir_okay=False), help="Write there instead of to the terminal."
)
def command(
    expression: str,
    at: str,
    wrt: str | None,
    mode: str,
    numbers: str | None,
    digits: int,
    form: str,
    out: str | None,
) -> None:
    """Trace EXPR and print every step with its value and its adjoint (reverse) or tangent (forward mode).

    EXPR is arithmetic over named inputs, with the functions of wengert's table and the constants pi, e, tau,
    inf. It is parsed, never executed.

    \b
    Examples:
      wengert explain "(x1*x2*sin(x3) + exp(x1*x2))/x3" --at x1=1,x2=1.5,x3=2 --wrt x2
      wengert explain "x^2/(1+x)" --at x=1/3 --numbers exact
      wengert explain "log(x)*y" --at x=2,y=3 --mode forward --wrt x
      wengert explain "sin(x)/x" --at x=1.4..1.6
      wengert explain "x*y + sin(x)" --at x=2,y=3 --format svg --out graph.svg
    """
    from wengert.files import write_whole
    from wengert.worksheets.explain import explain

    values = inputs_of(expression, at, symbolic=numbers == "symbolic")
    if numbers is None:
        numbers = "interval" if any(isinstance(v, Range) for v in values.values()) else "float"
    sheet = explain(
        expression, *values.values(), wrt=wrt, mode=mode, numbers=numbers, names=list(values), digits=digits
    )
    width = max(NARROWEST, shutil.get_terminal_size().columns)
    rendered: str = sheet.to_text(width=width) if form == "text" else getattr(sheet, f"to_{form}")()
    if out is None:
        click.echo(rendered.rstrip("\n"))
    else:
        write_whole(out, rendered)
        click.echo(f"written to {out}", err=True)


def inputs_of(expression: str, at: str, symbolic: bool = False) -> Values:
    """The inputs of an expression, with values from ``--at``. Raises ValueError where they do not match."""
    from wengert.worksheets.number_choice import functions

    known = functions()
    given = parse_assignments(at, known) if at.strip() else {}
    taken = [name for name in CONSTANTS if name not in given]  # a given value takes a constant's place
    names = parse(expression, known, taken).names
    missing = [name for name in names if name not in given]
    if missing and not symbolic:
        example = ",".join(f"{name}=1" for name in missing)
        raise ValueError(f"no value for {', '.join(missing)}; add --at {example}")
    extra = [name for name in given if name not in names]
    if extra:
        found = ", ".join(names) or "none"
        raise ValueError(f"--at gives {', '.join(extra)}, but the inputs of {expression!r:.60} are {found}")
    anything = Expression("0", (), (Literal("0", 0),))  # a symbol needs no value
    return {name: given.get(name, anything) for name in names}
