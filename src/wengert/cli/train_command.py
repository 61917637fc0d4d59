"""``wengert train``: from a table to a network, in one command."""

from __future__ import annotations

import click


@click.command("train", short_help="Train a network on a table or a known data set.")
@click.argument("data", required=False)
@click.option("--target", metavar="COL", help="The column to predict. Known data sets have one already.")
@click.option(
    "--task",
    type=click.Choice(["auto", "classification", "regression"]),
    default="auto",
    show_default=True,
    help="Classes or numbers; auto looks at the target.",
)
@click.option(
    "--hidden", metavar="N,…", help="Units of the hidden layers [default: 64,32; with --tune, searched]."
)
@click.option(
    "--tune",
    default=0,
    metavar="N",
    type=click.IntRange(0),
    help="Try N networks first and take the one with the least validation loss.",
)
@click.option(
    "--epochs", default=50, show_default=True, type=click.IntRange(1), help="Passes over the data, at most."
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="Of the split, the weights and the order.",
)
@click.option(
    "--jobs", default=1, show_default=True, type=click.IntRange(1), help="Processes that tune side by side."
)
@click.option(
    "--out", metavar="RUN", type=click.Path(file_okay=False), help="The run's folder [default: run]."
)
@click.option(
    "--resume", metavar="RUN", type=click.Path(file_okay=False), help="Go on with a run that was stopped."
)
@click.pass_context
def command(
    context: click.Context,
    data: str | None,
    target: str | None,
    task: str,
    hidden: str | None,
    tune: int,
    epochs: int,
    seed: int,
    jobs: int,
    out: str | None,
    resume: str | None,
) -> None:
    """Train a network that predicts the column COL of DATA, and keep everything in the folder RUN.

    DATA is a table (.csv, .tsv, .parquet, .xlsx) or a known data set (dry-beans, fashion-mnist, mnist,
    age-regression). The rows are split 60/20/20 into a part to fit, a part to choose by, and a part that is
    scored once, at the end. A run that was killed goes on with --resume.

    \b
    Examples:
      wengert train beans.xlsx --target Class --tune 20 --out beans
      wengert train fashion-mnist --hidden 256,128,64 --epochs 20
      wengert train --resume beans
      wengert predict beans new.csv --out predictions.csv
      wengert export beans --to onnx
    """
    from wengert.cli.run_summary import begun, said_if_slow, summary
    from wengert.tables import Run, begin, carry_on

    if (data is None) == (resume is None):
        raise click.UsageError("give either DATA to train on, or --resume RUN to go on with")
    if resume is not None:
        _refuse_settings(context)
        run = Run.open(resume)
    else:
        units = None if hidden is None else units_of(hidden)
        with said_if_slow(f"reading {data}"):
            run = begin(
                str(data),
                target,
                task=task,
                hidden=units,
                tune=tune,
                epochs=epochs,
                seed=seed,
                jobs=jobs,
                out=out or "run",
            )
    click.echo(begun(run), err=True)
    try:
        click.echo(summary(carry_on(run)))
    except KeyboardInterrupt:
        click.echo(f"wengert: interrupted; go on with wengert train --resume {run.folder}", err=True)
        context.exit(130)


def _refuse_settings(context: click.Context) -> None:
    """Raise UsageError where --resume comes with a setting, which the run has already."""
    for name in context.params:
        given = context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
        if given and name not in ("data", "resume"):
            raise click.UsageError(f"--resume goes on with the run's own settings; leave out --{name}")


def units_of(text: str) -> list[int]:
    """``64,32`` as whole numbers. Raises ValueError for anything else."""
    try:
        units = [int(word) for word in text.split(",")]
    except ValueError:
        units = []
    if not units or min(units) < 1:
        raise ValueError(
            f"--hidden: expected the units of each hidden layer, such as 64,32, got {text!r:.40}"
        )
    return units
