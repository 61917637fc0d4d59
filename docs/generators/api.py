"""The API reference: one page for each public module, with what it exports, read from the docstrings."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import wengert
from generators.operations import anchor, is_public, subjects
from wengert.ops.op import Op

TOP = {
    "explain": (
        "Explain",
        ("wengert.worksheets", "wengert.train.watching", "wengert.train.step_explanation"),
    ),
    "differentiate": ("Differentiate", ("wengert.autodiff",)),
    "compile": ("Compile", ("wengert.compiler",)),
    "tensors": (
        "Tensors",
        (
            *("wengert.tensors", "wengert.creation", "wengert.sampling", "wengert.random"),
            *("wengert.scalar", "wengert.ops", "wengert.tensor_files", "wengert.numbers"),
        ),
    ),
}
"""The pages of the names in `wengert` itself: a title, and the modules that the names come from."""

MODULES = (
    *("nn", "nn.functional", "nn.init", "nn.utils", "optim", "optim.lr_scheduler", "optim.transforms"),
    *("autograd", "linalg", "random", "scalar", "data", "train", "train.metrics", "train.plots"),
    *("train.reports", "tables", "sklearn", "export", "solve", "stats", "labs"),
)

ALSO = {
    "explain": (
        "wengert.worksheets.worksheet.Worksheet",
        "wengert.worksheets.worksheet.Row",
        "wengert.worksheets.worksheet.Term",
        "wengert.worksheets.worksheet.Formula",
        "wengert.worksheets.derivation.Derivation",
        "wengert.worksheets.derivation.DerivationStep",
        "wengert.worksheets.checks.claims.Verdict",
        "wengert.worksheets.checks.step_verdicts.TableVerdict",
        "wengert.worksheets.checks.hand_gradients.GradientComparison",
        "wengert.train.watching.Watch",
        "wengert.train.step_explanation.StepExplanation",
    ),
}
"""Classes that the functions of a page return, and that bear no name in `wengert` itself."""

ABOUT = {
    "explain": "The table, the drawing, the formulas of any function: [Worksheets](../ideas/worksheets.md).",
    "differentiate": "Transforms of functions: [how they nest](../ideas/transforms.md).",
    "compile": "One function, and what it gives back: [how it works](../ideas/compiler.md).",
    "tensors": (
        "Arrays with PyTorch's habits. Every [operation](../operations/index.md) is a function here and a "
        "method of `wengert.Tensor`."
    ),
}


def names_of(page: str) -> list[str]:
    """The names in `wengert` that a page describes, in the order of its modules."""
    return [
        name
        for home in TOP[page][1]
        for name, module in wengert._HOME.items()
        if module.startswith(home) and getattr(getattr(wengert, name), "__module__", "") == module
    ]


def exported(module: ModuleType) -> list[str]:
    """The public names of a module: what it exports, else its own functions and classes."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    own = [
        (inspect.getsourcelines(value)[1], name)
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
    ]
    return [name for _, name in sorted(own)]


@functools.cache
def documented() -> dict[str, str]:
    """Where the reference describes what a docstring calls by its bare or its full name."""
    found: dict[str, str] = {}
    for name in MODULES:
        module = _module(name)
        for member in exported(module):
            path = f"wengert.{name}.{member}"
            value = getattr(module, member)
            target = anchor(value) if isinstance(value, Op) else path
            found |= {path: target}
            found.setdefault(member, target)
    for page in TOP:
        found |= {key: f"wengert.{name}" for name in names_of(page) for key in (name, f"wengert.{name}")}
    for paths in ALSO.values():
        found |= {path.rpartition(".")[2]: path for path in paths}
    return found | {f"wengert.{op.name}": anchor(op) for op in _rows()}


def _rows() -> list[Op]:
    return [op for ops in subjects().values() for op in ops if is_public(op)]


def pages() -> Iterator[tuple[str, str]]:
    """The addresses of the pages and their Markdown."""
    yield "api/index.md", _overview()
    for page, (title, _) in TOP.items():
        names = [f"wengert.{name}" for name in names_of(page)]
        yield f"api/{page}.md", _page(title, ABOUT[page], [*names, *ALSO.get(page, ())])
    for name in MODULES:
        module = _module(name)
        yield f"api/{name}.md", _module_page(name, module)
    yield "api/command-line.md", _command_line()


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"wengert.{name}")


def _overview() -> str:
    lines = [
        "# API",
        "",
        "What is public, by module. The signatures and the texts are those of the source.",
        "",
    ]
    lines += ["| page | names |", "|---|---|"]
    for page, (title, _) in TOP.items():
        lines.append(f"| [{title}]({page}.md) | {_names([f'wengert.{name}' for name in names_of(page)])} |")
    for name in MODULES:
        found = [f"wengert.{name}.{member}" for member in exported(_module(name))]
        lines.append(f"| [`wengert.{name}`]({name}.md) | {_names(found)} |")
    lines.append("| [Command line](command-line.md) | what `wengert` does in a terminal |")
    return "\n".join(lines) + "\n"


def _names(paths: list[str]) -> str:
    from generators.docstrings import link

    return ", ".join(link(path).replace(f">{path}<", f">{path.rpartition('.')[2]}<") for path in paths)


def _page(title: str, about: str, paths: list[str]) -> str:
    return "\n\n".join([f"# {title}", about, *map(_directive, paths)]) + "\n"


def _directive(path: str) -> str:
    return f"::: {path}"


def _module_page(name: str, module: ModuleType) -> str:
    from generators.docstrings import markdown

    members: list[tuple[str, Any]] = [(member, getattr(module, member)) for member in exported(module)]
    operations = [value for _, value in members if isinstance(value, Op)]
    modules = [member for member, value in members if inspect.ismodule(value)]
    described = [
        f"wengert.{name}.{member}"
        for member, value in members
        if not isinstance(value, Op) and not inspect.ismodule(value)
    ]
    parts = [f"# wengert.{name}", markdown(inspect.getdoc(module) or "")]
    known = [
        f"[`wengert.{name}.{member}`]({name}.{member}.md)"
        for member in modules
        if f"{name}.{member}" in MODULES
    ]
    if known:
        parts.append(f"Modules: {', '.join(known)}.")
    if operations:
        rows = ", ".join(
            f'<autoref identifier="{anchor(op)}" optional><code>{op.name}</code></autoref>'
            for op in operations
        )
        parts.append(f"Rows of the rule table, described among the operations: {rows}.")
    return "\n\n".join([*parts, *map(_directive, described)]) + "\n"


def _command_line() -> str:
    """The help of every command, as the terminal prints it."""
    import click

    from wengert.cli.main import COMMANDS, main

    parts = [
        "# Command line",
        "Each command tells with `--help` what it takes. Errors go to the standard error; the exit status is "
        "2 for a wrong call.",
    ]
    context = click.Context(main, info_name="wengert", terminal_width=100)
    parts.append(f"```text\n{main.get_help(context)}\n```")
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        parts += [f"## wengert {name}", _help(command, context, name)]
        if isinstance(command, click.Group):
            inner = click.Context(command, info_name=name, parent=context, terminal_width=100)
            for each in command.list_commands(inner):
                sub = command.get_command(inner, each)
                assert sub is not None
                parts += [f"### wengert {name} {each}", _help(sub, inner, each)]
    return "\n\n".join(parts) + "\n"


def _help(command: Any, parent: Any, name: str) -> str:
    import click

    context = click.Context(command, info_name=name, parent=parent, terminal_width=100)
    return f"```text\n{command.get_help(context)}\n```"
