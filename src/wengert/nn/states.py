"""What a module's state is, and how a saved one is loaded: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from wengert.tensors import Tensor


class IncompatibleKeys(NamedTuple):
    """The keys that a loaded state lacked, and those that the module has no place for."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def entries(module: Any, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """Parameters and persistent buffers by path, in PyTorch's order; a shared one under each of its paths."""
    for name, tensor in (*module._parameters.items(), *module._buffers.items()):
        if tensor is not None and name not in module._transient:
            yield prefix + name, tensor
    for name, child in module.named_children():
        yield from entries(child, f"{prefix}{name}.")


def load(module: Any, state: Mapping[str, Any], strict: bool) -> IncompatibleKeys:
    """Copy a state into the module. Raises ValueError before anything has changed."""
    if not isinstance(state, Mapping):
        raise TypeError(f"state: expected a dictionary of tensors by path, got {type(state).__name__}")
    own = dict(entries(module))
    keys = IncompatibleKeys([k for k in own if k not in state], [k for k in state if k not in own])
    arrays = {key: _array(key, state[key]) for key in own if key in state}
    troubles = [
        f"{key}: its shape is {arrays[key].shape}, expected {own[key].shape}"
        for key in arrays
        if arrays[key].shape != own[key].shape
    ]
    if strict:
        troubles += [f"missing: {', '.join(keys.missing_keys)}"] if keys.missing_keys else []
        troubles += [f"unexpected: {', '.join(keys.unexpected_keys)}"] if keys.unexpected_keys else []
    if troubles:
        raise ValueError(f"the state does not fit this {type(module).__name__}:\n  " + "\n  ".join(troubles))
    for key, array in arrays.items():
        own[key].data = np.array(array, own[key].dtype)
    return keys


def _array(key: str, value: Any) -> np.ndarray[Any, Any]:
    """The plain array of a state's entry."""
    array = np.asarray(value.data if isinstance(value, Tensor) else value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"state[{key!r}]: expected a tensor or an array of real numbers, got {array.dtype}")
    return array
