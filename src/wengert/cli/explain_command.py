"""``wengert explain``: the worksheet of an expression."""

from __future__ import annotations

import shutil
import tempfile
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wengert.expressions import CONSTANTS, Expression, Literal, Range, parse, parse_assignments

if TYPE_CHECKING:
    from wengert.worksheets.derivation import Derivation
    from wengert.worksheets.worksheet import Worksheet

FORMATS = (
    *("text", "html", "json", "csv", "markdown", "latex", "pdf"),
    *("svg", "png", "tikz", "dot", "mermaid"),
)
FILES = ("png", "pdf")
"""The formats that no terminal shows."""
DRAWINGS = ("svg", "png", "tikz")
TYPESET = ("latex", "pdf")
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
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="html: a page to step through; latex, pdf: a derivation; svg, png, tikz, dot, mermaid: the graph.",
)
@click.option(
    "--convention",
    type=click.Choice(["gradient", "derivative"]),
    default="gradient",
    show_default=True,
    help="In latex and pdf: the derivative of a column as a column, or as a row.",
)
@click.option("--table", is_flag=True, help="In latex and pdf: the table instead of the derivation.")
@click.option(
    "--derivatives", is_flag=True, help="Write adjoints or tangents into the drawing (svg, png, tikz)."
)
@click.option(
    "--out", metavar="FILE", type=click.Path(dir_okay=False), help="Write there instead of to the terminal."
)
@click.option(
    "--open",
    "opened",
    is_flag=True,
    help="Open the page in the browser (without --out from a temporary file).",
)
def command(
    expression: str,
    at: str,
    wrt: str | None,
    mode: str,
    numbers: str | None,
    digits: int,
    form: str,
    convention: str,
    table: bool,
    derivatives: bool,
    out: str | None,
    opened: bool,
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
      wengert explain "x*y + sin(x)" --at x=2,y=3 --open
      wengert explain "x*y + sin(x)" --at x=2,y=3 --format pdf --out derivation.pdf
      wengert explain "x*y + sin(x)" --at x=2,y=3 --format svg --derivatives --out graph.svg
    """
    from wengert.worksheets.explain import explain

    form = "html" if opened and form == "text" else form
    settings = _settings(form, convention, table, derivatives)
    _check(form, out, opened)
    values = inputs_of(expression, at, symbolic=numbers == "symbolic")
    if numbers is None:
        numbers = "interval" if any(isinstance(v, Range) for v in values.values()) else "float"
    sheet = explain(
        expression, *values.values(), wrt=wrt, mode=mode, numbers=numbers, names=list(values), digits=digits
    )
    if opened:
        out = out or str(Path(tempfile.mkdtemp(prefix="wengert-")) / "explanation.html")
    if form == "pdf":
        assert out is not None
        sheet.to_pdf(out, **settings)
    else:
        if form == "html":
            settings["derivation"] = _derivation(sheet, list(values))
        _deliver(_rendered(sheet, form, settings), out)
    if out is not None:
        click.echo(f"written to {out}", err=True)
    if opened and not webbrowser.open(Path(str(out)).resolve().as_uri()):
        click.echo("no browser was found; open the file yourself", err=True)


def _settings(form: str, convention: str, table: bool, derivatives: bool) -> dict[str, Any]:
    """What the reader of that format is told. Raises ValueError for options that it does not know."""
    if derivatives and form not in DRAWINGS:
        raise ValueError(f"--derivatives belongs to a drawing: add --format {' or '.join(DRAWINGS)}")
    if (table or convention != "gradient") and form not in TYPESET:
        option = "--table" if table else "--convention"
        raise ValueError(f"{option} belongs to a typeset sheet: add --format {' or '.join(TYPESET)}")
    if form in TYPESET:
        return {"table": table, "convention": convention}
    return {"derivatives": derivatives} if form in DRAWINGS else {}


def _check(form: str, out: str | None, opened: bool) -> None:
    """Raises ValueError for a format that cannot go where it is to go."""
    if opened and form != "html":
        raise ValueError(f"--open shows the page, not {form}: leave --format {form} away")
    if form in FILES and out is None:
        raise ValueError(f"a terminal does not show {form}: add --out explanation.{form}")


def _derivation(sheet: Worksheet, names: list[str]) -> Derivation | None:
    """The symbolic derivation for the page; None where the function is too long, or sympy is missing."""
    from wengert.worksheets.derive import derive

    try:
        return derive(sheet.expression, wrt=list(sheet.wrt), names=names) if names else None
    except (ValueError, ImportError):
        return None


def _rendered(sheet: Worksheet, form: str, settings: dict[str, Any]) -> str | bytes:
    if form == "text":
        return sheet.to_text(width=max(NARROWEST, shutil.get_terminal_size().columns))
    rendered: str | bytes = getattr(sheet, f"to_{form}")(**settings)
    return rendered


def _deliver(rendered: str | bytes, out: str | None) -> None:
    from wengert.files import write_whole

    if out is not None:
        write_whole(out, rendered)
    else:
        assert isinstance(rendered, str)
        click.echo(rendered.rstrip("\n"))


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
