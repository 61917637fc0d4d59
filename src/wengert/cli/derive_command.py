"""``wengert derive``: the gradient of an expression as a formula, step by step."""

from __future__ import annotations

import click

FORMATS = ("text", "latex", "pdf")


@click.command("derive", short_help="The gradient as a formula, step by step.")
@click.argument("expression", metavar="EXPR")
@click.option("--wrt", metavar="NAME", help="With respect to which input (default: all).")
@click.option("--steps", is_flag=True, help="Show every step of the chain rule and every simplification.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option(
    "--out", metavar="FILE", type=click.Path(dir_okay=False), help="Write there instead of to the terminal."
)
def command(expression: str, wrt: str | None, steps: bool, form: str, out: str | None) -> None:
    """Derive the gradient of EXPR with respect to its inputs, as formulas.

    EXPR is arithmetic over named inputs, with the functions of wengert's table. It is parsed, never executed.

    \b
    Examples:
      wengert derive "x*sin(x)"
      wengert derive "x*sin(x)" --steps
      wengert derive "sigmoid(w*x + b)" --wrt w --steps --format latex
      wengert derive "x*sin(x)" --format pdf --out derivation.pdf
    """
    from wengert.files import write_whole
    from wengert.worksheets.derive import derive

    if form == "pdf" and out is None:
        raise ValueError("a terminal does not show pdf: add --out derivation.pdf")
    derivation = derive(expression, wrt=wrt)
    if form == "pdf":
        assert out is not None
        derivation.to_pdf(out)
    else:
        text = derivation.to_text() if steps else str(derivation)
        rendered = text if form == "text" else derivation.to_latex(steps=steps)
        if out is None:
            click.echo(rendered.rstrip("\n"))
        else:
            write_whole(out, rendered)
    if out is not None:
        click.echo(f"written to {out}", err=True)
