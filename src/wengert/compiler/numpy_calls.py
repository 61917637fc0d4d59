"""Rows that are no canonical lines, as calls of NumPy's functions; the others keep their own names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.compiler.lines import Line
from wengert.compiler.numpy_windows import WINDOWS, plain_settings
from wengert.ops.indexing import Slot

Template = Callable[..., str]


def call(line: Line, words: Sequence[str]) -> tuple[str, set[str]]:
    """The call, and the functions that NumPy lacks in it."""
    settings = {k: v for k, v in line.params.items() if k != "parts"}
    if _agrees(line):
        if line.name in _NUMPY:
            return _NUMPY[line.name](*words, **settings), set()
        if line.name in _SAME:
            return f"np.{line.name}({_listed(words, settings)})", set()
        if line.name in WINDOWS and (plain := plain_settings(line)) is not None:
            return f"{line.name}({_listed(words, plain)})", {line.name}
    if line.name == "scatter_add":
        return _scatter_add(*words, **settings), {line.name}
    if line.name == "put_along_axis":
        return f"{line.name}({_listed(words, settings)})", {line.name}
    return f"{OWN}{line.name}({_listed(words, settings)})", {f"{OWN}{line.name}"}


def _listed(words: Sequence[str], settings: Mapping[str, Any]) -> str:
    return ", ".join([*words, *(f"{k}={setting(v)}" for k, v in settings.items())])


def _agrees(line: Line) -> bool:
    """Whether NumPy's function answers in the dtype that the row has."""
    floats = {a.dtype for a in line.args if a.dtype.kind in "fc" and not a.weak}
    return line.dtype.kind not in "fc" or len(floats) == 1 or line.name in _ANY


def _getitem(x: str, *arrays: str, key: Sequence[Any]) -> str:
    return f"{x}[{', '.join(_entry(entry, arrays) for entry in key)}]"


def _scatter_add(g: str, *arrays: str, key: Sequence[Any], shape: Any) -> str:
    entries = [arrays[e.number] if isinstance(e, Slot) else setting(e) for e in key]
    return f"scatter_add({g}, ({', '.join(entries)},), {setting(tuple(shape))})"


def _entry(entry: Any, arrays: Sequence[str]) -> str:
    if isinstance(entry, Slot):
        return arrays[entry.number]
    if isinstance(entry, slice):
        bounds = (entry.start, entry.stop, *([] if entry.step is None else [entry.step]))
        return ":".join("" if bound is None else str(bound) for bound in bounds)
    return "..." if entry is Ellipsis else setting(entry)


OWN = "wengert_"
"""Stands before the name of a row that only this package carries out."""

_ANY = ("getitem", "take_along_axis", "component")
"""The rows that hand on entries as they are."""

_SAME = ("roll", "tile", "repeat", "pad", "tril", "triu", "cumsum", "matmul")
"""The rows whose NumPy function has the same parameters."""

_NUMPY: Mapping[str, Template] = {
    "getitem": _getitem,
    "component": lambda x, *, index: f"{x}[{index}]",
    "take_along_axis": lambda x, i, *, axis: f"np.take_along_axis({x}, {i}, {axis})",
    "argmax": lambda x, *, axis, keepdims: f"np.argmax({x}, axis={axis}, keepdims={keepdims})",
    "argmin": lambda x, *, axis, keepdims: f"np.argmin({x}, axis={axis}, keepdims={keepdims})",
    "argsort": lambda x, *, axis: f"np.argsort({x}, axis={axis})",
    "diag": lambda x, *, k: f"np.diag({x}, {k})",
    "real": lambda x: f"np.real({x})",
    "imag": lambda x: f"np.imag({x})",
    "einsum": lambda *xs, subscripts: (
        f"np.einsum({subscripts!r}, {', '.join(xs)}{', optimize=True' if len(xs) > 2 else ''})"
    ),
    "inv": lambda a: f"np.linalg.inv({a})",
    "solve": lambda a, b: f"np.linalg.solve({a}, {b})",
    "det": lambda a: f"np.linalg.det({a})",
    "cholesky": lambda a: f"np.linalg.cholesky({a})",
    "slogdet": lambda a: f"np.linalg.slogdet({a})",
    "qr": lambda a: f"np.linalg.qr({a})",
    "eigh": lambda a: f"np.linalg.eigh({a})",
    "svd": lambda a: f"np.linalg.svd({a}, full_matrices=False)",
    "eigensystem": lambda a: f"np.linalg.eig({a})",
    "pinv": lambda a: f"np.linalg.pinv({a})",
}


def setting(value: Any) -> str:
    """A parameter as Python writes it. Raises TypeError for what has no written form."""
    if value is None or value is Ellipsis or type(value) in (bool, int, str):
        return repr(value)
    if isinstance(value, float):
        return repr(value) if np.isfinite(value) else f'float("{value}")'
    if isinstance(value, slice):
        return f"slice({setting(value.start)}, {setting(value.stop)}, {setting(value.step)})"
    if isinstance(value, tuple):
        return f"({', '.join(map(setting, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{', '.join(map(setting, value))}]"
    if isinstance(value, np.dtype):
        return repr(value.name)
    if isinstance(value, (np.ndarray, np.generic)):
        return f"np.array({setting(value.tolist())}, {value.dtype.name!r})"
    raise TypeError(f"a parameter of type {type(value).__name__} cannot be written as source: {value!r:.60}")
