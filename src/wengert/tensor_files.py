"""`save` and `load`: any tree of arrays, numbers and words as one safetensors file.

The arrays are the file's tensors, under dotted keys; everything else is JSON in the file's metadata. Such a
file holds no code, and every reader of safetensors can open it.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save as to_safetensors

from wengert.files import write_whole
from wengert.tensors import Tensor

__all__ = ["load", "save"]

Array = np.ndarray[Any, Any]

STRUCTURE = "wengert"
"""The key of the metadata under which the tree's structure stands."""

_DTYPES = {
    "BOOL": "bool",
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
    "C64": "complex64",
}

_DAMAGE = (SafetensorError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)
"""What reading a damaged file can raise."""


def save(tree: Any, path: str | os.PathLike[str]) -> None:
    """Write a tree of dicts, lists, tuples, arrays, tensors, numbers, strings and None as one file.

    A flat dict of arrays, such as a ``state_dict()``, becomes a plain safetensors file that PyTorch's readers
    open. The file is written whole or not at all. Raises TypeError for a value that no such file can hold,
    and names its place in the tree; OSError where the disk refuses, with the earlier file untouched.

    Source of the format: https://huggingface.co/docs/safetensors

    >>> import pathlib, tempfile, wengert
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "state.safetensors"
    >>> save({"weight": wengert.ones(2), "epoch": 3}, path)
    >>> load(path)
    {'weight': tensor([1., 1.]), 'epoch': 3}
    """
    arrays: dict[str, Array] = {}
    structure = _described(tree, (), arrays)
    words = json.dumps(structure, allow_nan=False, ensure_ascii=False)
    write_whole(Path(path), to_safetensors(arrays, metadata={STRUCTURE: words}))


def load(path: str | os.PathLike[str]) -> Any:
    """Read what `save` wrote; arrays come back as tensors, all else as it was.

    A safetensors file of another program comes back as a dict of tensors. Raises ValueError, naming the file,
    for one that is truncated, damaged or no safetensors file at all; OSError where it cannot be read.
    """
    content = Path(path).read_bytes()
    try:
        entries = deserialize(content)  # type: ignore[no-untyped-call]
        arrays = {name: _array(entry) for name, entry in entries}
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        words = header.get("__metadata__", {}).get(STRUCTURE)
        if words is None:
            return {name: Tensor(array) for name, array in arrays.items()}
        return _rebuilt(json.loads(words), arrays)
    except _DAMAGE as error:
        raise ValueError(
            f"{os.fspath(path)}: expected a whole safetensors file, but it is {_complaint(content)} ({error})"
        ) from error


def _complaint(content: bytes) -> str:
    if not content:
        return "empty"
    announced = int.from_bytes(content[:8], "little")
    if len(content) < 8 or content[8:9] != b"{":
        return "of another format"
    return "truncated" if len(content) < 8 + announced else "truncated or damaged"


def _array(entry: Mapping[str, Any]) -> Array:
    dtype = _DTYPES.get(entry["dtype"])
    if dtype is None:
        raise ValueError(f"NumPy has no dtype for its {entry['dtype']} tensors")
    return np.frombuffer(bytearray(entry["data"]), dtype).reshape(entry["shape"])


def _described(value: Any, place: tuple[str, ...], arrays: dict[str, Array]) -> Any:
    """The value as JSON, with its arrays put aside. What JSON does not know is an object of one ``$`` key."""
    if value is None or type(value) in (bool, int):
        return value
    if isinstance(value, str):
        return str(value)
    if type(value) is float:
        return value if math.isfinite(value) else {"$float": repr(value)}
    if isinstance(value, np.generic):
        dtype = _checked(value, place).dtype.name
        number = value.item()
        return {
            "$number": [dtype, repr(number) if isinstance(number, complex) else _described(number, (), {})]
        }
    if isinstance(value, (Tensor, np.ndarray)):
        return _put_aside(_checked(value, place), place, arrays)
    if isinstance(value, Mapping):
        return _described_mapping(value, place, arrays)
    if isinstance(value, (list, tuple)):
        entries = [_described(entry, (*place, str(k)), arrays) for k, entry in enumerate(value)]
        return {"$tuple": entries} if isinstance(value, tuple) else entries
    if isinstance(value, (int, float)):  # of a subclass, such as an enumeration's member
        return _described(int(value) if isinstance(value, int) else float(value), place, arrays)
    raise TypeError(
        f"save: {_where(place)} is {type(value).__name__}, expected arrays, numbers, strings, None, and "
        f"dicts, lists and tuples of them"
    )


def _described_mapping(tree: Mapping[Any, Any], place: tuple[str, ...], arrays: dict[str, Array]) -> Any:
    for key in tree:
        if type(key) not in (str, int, float, bool, tuple, type(None)):
            raise TypeError(f"save: a key of {_where(place)} is {key!r}, expected strings or numbers as keys")
    entries = {key: _described(entry, (*place, str(key)), arrays) for key, entry in tree.items()}
    if all(type(key) is str and not key.startswith("$") for key in tree):
        return entries
    return {"$pairs": [[_described(key, place, arrays), entry] for key, entry in entries.items()]}


def _put_aside(array: Array, place: tuple[str, ...], arrays: dict[str, Array]) -> dict[str, Any]:
    """A reference to the array, which is kept under its place's dotted name.

    The order of the axes in memory is kept too: matrix products of another layout may round differently, and
    a resumed training would differ in its last bits.
    """
    name = stem = ".".join(place) or "value"
    number = 1
    while name in arrays:
        name, number = f"{stem}#{number}", number + 1
    layout = sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))
    plain = layout == list(range(array.ndim)) or array.flags.c_contiguous
    arrays[name] = np.asarray(array, array.dtype.newbyteorder("="), order="C")
    return {"$tensor": name} if plain else {"$tensor": name, "layout": layout}


def _checked(value: Any, place: tuple[str, ...]) -> Array:
    array = value.data if isinstance(value, Tensor) else value
    array = np.asarray(array) if isinstance(array, (np.ndarray, np.generic)) else array
    if not isinstance(array, np.ndarray) or array.dtype.name not in _DTYPES.values():
        found = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise TypeError(f"save: {_where(place)} holds {found}, expected one of {', '.join(_DTYPES.values())}")
    return array


def _where(place: tuple[str, ...]) -> str:
    return f"the entry {'.'.join(place)!r}" if place else "the tree"


def _rebuilt(tree: Any, arrays: Mapping[str, Array]) -> Any:
    if isinstance(tree, list):
        return [_rebuilt(entry, arrays) for entry in tree]
    if not isinstance(tree, dict):
        return tree
    if "$tensor" in tree:
        return Tensor(_laid_out(arrays[tree["$tensor"]], tree.get("layout")))
    if "$tuple" in tree:
        return tuple(_rebuilt(entry, arrays) for entry in tree["$tuple"])
    if "$pairs" in tree:
        return {_rebuilt(key, arrays): _rebuilt(entry, arrays) for key, entry in tree["$pairs"]}
    if "$float" in tree:
        return float(tree["$float"])
    if "$number" in tree:
        dtype, number = tree["$number"]
        rebuilt = complex(number) if dtype.startswith("complex") else _rebuilt(number, arrays)
        return np.dtype(dtype).type(rebuilt)
    return {key: _rebuilt(entry, arrays) for key, entry in tree.items()}


def _laid_out(array: Array, layout: list[int] | None) -> Array:
    if layout is None:
        return array
    return np.ascontiguousarray(array.transpose(layout)).transpose(np.argsort(layout))
