"""The sample calls of a row: bound to values, and written as Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wengert.ops.constants import Constant
from wengert.ops.op import Case, Op


def bound(op: Op, case: Case) -> tuple[list[Any], Mapping[str, Any]]:
    """The arguments of a sample call as numbers and arrays, and its complete parameters."""
    listed = op.arity is None and len(case.args) == 1
    words: list[Any] = [[as_value(a) for a in case.args[0]]] if listed else list(map(as_value, case.args))
    args, params = op.bind(tuple(words), dict(case.params))
    return [as_value(a) for a in args], params


def as_value(a: Any) -> Any:
    """A list as an array; numbers, texts and indices as they are."""
    return np.asarray(a) if isinstance(a, list) else a


def is_scalar(case: Case) -> bool:
    """Whether a sample consists of plain numbers."""
    return bool(case.args) and all(isinstance(a, (bool, int, float)) for a in case.args)


def of_arrays(op: Op) -> Case | None:
    """A sample that a reader can follow: arrays of a few entries where there are some, else numbers."""
    small = [case for case in op.sample if len(repr(case)) <= 120]
    arrays = [case for case in small if not is_scalar(case)]
    return next(iter(arrays or small), None)


def signature(op: Op, home: str) -> str:
    """How the row is called: ``wengert.softmax(x, axis=-1)``."""
    if op.name == "getitem":
        return "x[key]"
    if op.arity is None:
        names = ["subscripts", "*arrays"] if op.name == "einsum" else ["arrays"]
        settings = {} if op.name == "einsum" else op.parameters
    else:
        names = ["x"] if op.arity == 1 else list("abcdefgh"[: op.arity])
        settings = op.parameters
    words = [*names, *(f"{name}={_spelled(value)}" for name, value in settings.items())]
    return f"{home}{op.name}({', '.join(words)})"


def _spelled(value: Any) -> str:
    return value.text if isinstance(value, Constant) else repr(value)


def call(op: Op, case: Case, home: str) -> str:
    """A sample as a call on tensors."""
    if op.name == "getitem":
        return f"wengert.tensor({rounded(case.args[0])})[{index(case.args[1])}]"
    if op.arity is None and len(case.args) == 1:
        args = [f"[{', '.join(map(_argument, case.args[0]))}]"]
    else:
        args = [_argument(a) for a in case.args]
    args += [f"{name}={value!r}" for name, value in case.params.items()]
    return f"{home}{op.name}({', '.join(args)})"


def _argument(a: Any) -> str:
    return f"wengert.tensor({rounded(a)})" if isinstance(a, list) else repr(a)


def rounded(a: Any) -> Any:
    """Nested lists with two decimals: samples are numbers without any order, not numbers to read."""
    if isinstance(a, list):
        return [rounded(entry) for entry in a]
    return round(a, 2) if isinstance(a, float) else a


def index(key: Any) -> str:
    """An index as it stands between square brackets."""
    if not isinstance(key, tuple):
        return repr(key)
    return ", ".join(_index_entry(entry) for entry in key)


def _index_entry(entry: Any) -> str:
    if isinstance(entry, slice):
        return ":".join("" if part is None else str(part) for part in (entry.start, entry.stop, entry.step))
    return "..." if entry is Ellipsis else repr(entry)
