"""``wengert export``: a run for other programs."""

from __future__ import annotations

import click


@click.command("export", short_help="Write a trained run as ONNX, safetensors or a Python file.")
@click.argument("run", metavar="RUN", type=click.Path(file_okay=False))
@click.option(
    "--to",
    "to",
    required=True,
    type=click.Choice(["onnx", "safetensors", "python"]),
    help="The form to write.",
)
@click.option("--out", metavar="FILE", type=click.Path(dir_okay=False), help="The file [default: in RUN].")
def command(run: str, to: str, out: str | None) -> None:
    """Write the network of the folder RUN in a form that other programs read.

    \b
    onnx         rows in, probabilities or numbers out; the metadata says what each column is
    safetensors  the weights under PyTorch's names
    python       one file that needs NumPy alone: python predict.py table.csv
    """
    from wengert.tables import Run, export_run

    click.echo(f"written to {export_run(Run.open(run), to, out)}")
