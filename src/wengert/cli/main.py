"""``wengert``: the group of commands. A command's module is imported when it is called."""

from __future__ import annotations

import importlib
from typing import Any

import click

from wengert import __version__

COMMANDS = {
    "train": "Train a network on a table or a known data set; tuned, scored once, resumable.",
    "predict": "Predict the rows of a table with a trained run.",
    "export": "Write a trained run as ONNX, safetensors or a Python file.",
    "report": "Write the report of a trained run.",
    "explain": "The step table of a function: values, adjoints or tangents, formulas, graph.",
    "derive": "The gradient of a function as a formula, step by step.",
    "check": "Check a derivative, or a table of steps, worked out by hand.",
    "worksheet": "Exercises in friendly numbers, with blanks or solved.",
    "lab": "Run the experiments, each with claims that are computed in the run.",
    "tour": "See what wengert does, on data that comes with it, in about a minute.",
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and summaries without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"wengert.cli.{name}_command").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from wengert.expression_tree import nearest

            hint = nearest(args[0], COMMANDS) or f"; the commands are {', '.join(COMMANDS)}"
            raise click.UsageError(f"no command {args[0]!r:.60}{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # the reader, such as `head`, has seen enough: click leaves quietly
        except (ValueError, TypeError, ArithmeticError, ImportError, OSError) as error:
            notes = getattr(error, "__notes__", [])
            click.echo("\n".join([f"wengert: {_in_words(error)}", *notes]), err=True)
            ctx.exit(2)


def _in_words(error: Exception) -> str:
    """The error as a sentence; the system's own errors without their number."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wengert")
def main() -> None:
    """Automatic differentiation that shows its work.

    \b
    wengert explain "x*y + sin(x)" --at x=2,y=3
    wengert explain "exp(x)/x" --at x=1/3 --numbers exact
    wengert tour
    """
