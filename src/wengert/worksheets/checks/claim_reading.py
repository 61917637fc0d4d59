"""What a person claims of a derivative, and where: read, and compared with the inputs of the function."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wengert.expression_tree import nearest
from wengert.expressions import CONSTANTS, parse
from wengert.worksheets.checks.written_numbers import WrittenNumber, as_written, read_number
from wengert.worksheets.number_choice import functions
from wengert.worksheets.tracing import function_of


def point_of(f: Callable[..., Any] | str, at: Any) -> tuple[list[str], list[Any]]:
    """The names of the inputs, and where."""
    given = dict(at) if isinstance(at, Mapping) else None
    if given is None:
        values = list(at) if isinstance(at, (list, tuple)) else [at]
        return function_of(f, values, None)[1], values
    if isinstance(f, str):
        names = list(parse(f, functions(), [name for name in CONSTANTS if name not in given]).names)
    else:
        names = _parameters(f, given)
    missing = [name for name in names if name not in given]
    extra = [name for name in given if name not in names]
    if missing or extra:
        what = f"no value for {', '.join(missing)}" if missing else f"got {', '.join(map(str, extra))}"
        raise ValueError(f"at: {what}; the inputs of f are {', '.join(names) or 'none'}")
    return names, [given[name] for name in names]


def _parameters(f: Callable[..., Any], given: Mapping[str, Any]) -> list[str]:
    found = inspect.signature(f).parameters.values()
    named = [p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    optional = {p.name for p in found if p.default is not p.empty}
    return [name for name in named if name in given or name not in optional]


def claims_of(claimed: Any, names: Sequence[str]) -> dict[str, Any]:
    if claimed is None:
        raise ValueError(f"claimed: expected a dict such as {{{names[0]!r}: 2.6955}}, got None")
    if not isinstance(claimed, Mapping):
        if len(names) != 1:
            known = ", ".join(names)
            raise ValueError(f"claimed: f has the inputs {known}; say which, as in {{{names[0]!r}: …}}")
        claimed = {names[0]: claimed}
    for name in claimed:
        if name not in names:
            hint = nearest(str(name), names)
            raise ValueError(f"claimed: {name!r} is no input; the inputs are {', '.join(names)}{hint}")
    if not claimed:
        raise ValueError("claimed: expected at least one claim, got an empty dict")
    return {name: _read(name, claim, names) for name, claim in claimed.items()}


def _read(name: str, claim: Any, names: Sequence[str]) -> Any:
    """A claim as a written number, an expression or a function."""
    if callable(claim):
        return claim
    if not isinstance(claim, str):
        try:
            return as_written(claim)
        except TypeError as error:
            raise TypeError(f"claimed: {name}: {error}") from None
    known = functions()
    if "[" not in claim:
        number = _plain_number(claim)
        if number is not None:
            return number
        expression = parse(claim, known, [constant for constant in CONSTANTS if constant not in names])
        unknown = [word for word in expression.names if word not in names]
        if unknown:
            inputs = ", ".join(names)
            hint = nearest(unknown[0], names)
            raise ValueError(f"claimed: {name}: {unknown[0]!r} is no input; the inputs are {inputs}{hint}")
        if expression.names:
            return expression
    number = read_number(claim)
    if number is None:
        raise ValueError(f"claimed: {name}: expected a number or a formula, got {claim!r}")
    return number


def _plain_number(text: str) -> WrittenNumber | None:
    """A number that is no expression, such as ``2,6955``."""
    if not re.fullmatch(r"\s*[-+−]?\s*[0-9.,]+(?:\s*[eE][-+−]?[0-9]+)?\s*", text):
        return None
    return read_number(text)
