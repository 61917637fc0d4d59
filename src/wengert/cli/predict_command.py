"""``wengert predict``: what a run says of new rows."""

from __future__ import annotations

import click


@click.command("predict", short_help="Predict the rows of a table with a trained run.")
@click.argument("run", metavar="RUN", type=click.Path(file_okay=False))
@click.argument("data", metavar="DATA")
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write there (.csv, .tsv, .parquet, .xlsx).",
)
def command(run: str, data: str, out: str | None) -> None:
    """Predict every row of DATA with the network of the folder RUN.

    DATA is a table with the columns of the training data; the target may be missing, and further columns are
    ignored. The result has a column `prediction`, and for classes a probability of each.

    \b
    Examples:
      wengert predict beans new.csv
      wengert predict beans new.xlsx --out predictions.parquet
    """
    from wengert.cli.run_summary import said_if_slow
    from wengert.tables import Run
    from wengert.tables.prediction import predict_file, write_table

    with said_if_slow(f"predicting the rows of {data}"):
        predictions = predict_file(Run.open(run), data)
    for note in predictions.attrs["notes"]:
        click.echo(f"note: {note}", err=True)
    if out is None:
        click.echo(predictions.to_csv(index=False).rstrip("\n"))
    else:
        write_table(predictions, out)
        click.echo(f"{len(predictions)} predictions written to {out}", err=True)
