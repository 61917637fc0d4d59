"""The arguments of a call: which of them are inputs of the program, and what a program was compiled for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.numbers.graph import Node
from wengert.ops.op import Traced
from wengert.tensors import Tensor

TRACED = object()
"""Marks an argument that is traced already."""


def described(value: Any, inputs: list[Any]) -> Hashable:
    """What a program may rely on in an argument; arrays, tensors and floats in it are appended to ``inputs``.

    An array is described by its shape and dtype, a tensor also by whether it requires a gradient, a float by
    its type; everything else by itself, for it becomes part of the program.
    """
    kind = type(value)
    if kind is np.ndarray:
        inputs.append(value)
        return (value.shape, value.dtype)
    if isinstance(value, Tensor):
        data = value.data
        if not isinstance(data, (np.ndarray, np.generic)):
            return (TRACED, _Same(value))
        inputs.append(value)
        return ("tensor", data.shape, data.dtype, value.requires_grad)
    if kind is float:
        inputs.append(value)
        return float
    if kind is tuple or kind is list:
        return (kind, tuple([described(v, inputs) for v in value]))
    if isinstance(value, dict):
        return (kind, tuple([(key, described(v, inputs)) for key, v in value.items()]))
    if isinstance(value, (tuple, list)):
        return (kind, tuple([described(v, inputs) for v in value]))
    if isinstance(value, (np.ndarray, np.generic)):
        inputs.append(value)
        return (value.shape, value.dtype)
    try:
        hash(value)
    except TypeError:
        return (kind, _Same(value))
    return (kind, value)


class _Same:
    """An object without a hash of its own, equal to itself only."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)

    def __repr__(self) -> str:
        return repr(self.value)


def replaced(value: Any, supply: Iterator[Any]) -> Any:
    """The argument with its inputs, in the order of `described`, replaced from the supply."""
    kind = type(value)
    if kind is float or isinstance(value, (np.ndarray, np.generic, Tensor)):
        return next(supply)
    if isinstance(value, dict):
        return {key: replaced(v, supply) for key, v in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return kind(*[replaced(v, supply) for v in value])
    if isinstance(value, (list, tuple)):
        return kind([replaced(v, supply) for v in value])
    return value


def is_traced(key: Any) -> bool:
    """Whether a differentiation, a vmap or another trace is going on in the arguments that were described."""
    if isinstance(key, tuple):
        return any(map(is_traced, key))
    return key is TRACED or isinstance(key, (Traced, Node))


def argument_names(
    function: Callable[..., Any], args: Sequence[Any], words: Mapping[str, Any]
) -> list[tuple[str, Any]]:
    """Every argument with the name of its parameter."""
    names: list[str] = []
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    for parameter in parameters:
        if parameter.kind is parameter.VAR_POSITIONAL:
            names += [f"{parameter.name}[{k}]" for k in range(len(args) - len(names))]
        elif parameter.kind is not parameter.KEYWORD_ONLY:
            names.append(parameter.name)
    names += [f"argument{k + 1}" for k in range(len(names), len(args))]
    return [*zip(names, args, strict=False), *words.items()]


def input_names(named: Sequence[tuple[str, Any]]) -> list[str]:
    """A name for every input, in the order of `described`: ``x``, ``batch[0]``, ``batch.image``."""
    return [name for word, value in named for name, leaf in _named_leaves(word, value) if _is_input(leaf)]


def require_numbers(named: Sequence[tuple[str, Any]]) -> None:
    """Raise TypeError for an array of anything but machine numbers."""
    for word, value in named:
        for name, leaf in _named_leaves(word, value):
            dtype = getattr(leaf, "dtype", None) if _is_input(leaf) else None
            if dtype is not None and dtype.kind not in "biufc":
                raise TypeError(
                    f"{name}: a compiled step takes arrays of machine numbers, got dtype {dtype}; convert it "
                    f"with .astype(float), or call the function uncompiled"
                )


def _is_input(value: Any) -> bool:
    return type(value) is float or isinstance(value, (np.ndarray, np.generic, Tensor))


def _named_leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, branch in value.items():
            yield from _named_leaves(f"{name}.{key}", branch)
    elif isinstance(value, (list, tuple)):
        for k, branch in enumerate(value):
            yield from _named_leaves(f"{name}[{k}]", branch)
    else:
        yield name, value


def difference(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Which argument changed between two calls, and how: ``x: shape (32, 16) became (8, 16)``."""
    changes = []
    for name in [*before, *(name for name in now if name not in before)]:
        old, new = before.get(name), now.get(name)
        if old == new:
            continue
        if old is None or new is None:
            changes.append(f"{name}: {'new' if old is None else 'left out'}")
        else:
            changes.append(f"{name}: {_change(old, new)}")
    return "; ".join(changes) or "what is recorded (no_grad) or the default dtype changed"


def _change(old: str, new: str) -> str:
    one, other = old.rpartition(" of shape "), new.rpartition(" of shape ")
    if one[0] and one[0] == other[0]:
        return f"shape {one[2]} became {other[2]}"
    if one[0] and other[0] and one[2] == other[2]:
        return f"{one[0]} became {other[0]}"
    return f"{old} became {new}"


def in_words(named: Sequence[tuple[str, Any]]) -> dict[str, str]:
    """What each leaf of the arguments is, in words."""
    return {name: _words(leaf) for word, value in named for name, leaf in _named_leaves(word, value)}


def _words(value: Any) -> str:
    if isinstance(value, Tensor):
        gradient = " with requires_grad" if value.requires_grad else ""
        return f"tensor of {value.dtype}{gradient} of shape {value.shape}"
    if isinstance(value, (np.ndarray, np.generic)):
        return f"array of {value.dtype} of shape {value.shape}"
    return "float" if type(value) is float else f"{value!r:.40}"
