"""Arguments like those of an earlier call, recognised at a glance and made the arrays of its program.

What is recognised here `wengert.compiler.arguments.described` would describe alike; what is not may be alike
all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.compiler.bound_buffers import plain
from wengert.compiler.settings import PLAIN
from wengert.tensors import Tensor

Array = np.ndarray[Any, Any]
Reader = Callable[[Any, list[Array]], bool]
"""Whether an argument is like the earlier one. If so, its arrays are appended to the list."""


def reader(sample: Any) -> Reader | None:
    """What recognises arguments like this one; None where that takes more than a glance."""
    kind = type(sample)
    if kind is np.ndarray:
        return _reader_of_arrays(sample) if sample.dtype.isnative else None
    if isinstance(sample, Tensor):
        data = sample.data
        return _reader_of_tensors(sample) if type(data) is np.ndarray and data.dtype.isnative else None
    if kind is float or isinstance(sample, np.generic):
        return _reader_of_numbers(kind, np.array(sample))
    if isinstance(sample, (tuple, list)):
        return _reader_of_rows(kind, [reader(value) for value in sample])
    if isinstance(sample, dict):
        return _reader_of_dicts(kind, list(sample), [reader(value) for value in sample.values()])
    if kind in PLAIN:
        return lambda value, arrays: type(value) is kind and value == sample
    hashing: Any = kind.__hash__
    if isinstance(sample, np.ndarray) or hashing not in (None, object.__hash__):
        return None
    return lambda value, arrays: value is sample  # equal only to itself


def _reader_of_arrays(sample: Array) -> Reader:
    kind, shape, dtype = np.ndarray, sample.shape, sample.dtype

    def read(value: Any, arrays: list[Array]) -> bool:
        if type(value) is kind and value.shape == shape and value.dtype is dtype:
            arrays.append(value if value.flags.carray else plain(value))
            return True
        return False

    return read


def _reader_of_tensors(sample: Tensor) -> Reader:
    kind, requires_grad, read_data = type(sample), sample.requires_grad, _reader_of_arrays(sample.data)

    def read(value: Any, arrays: list[Array]) -> bool:
        return type(value) is kind and value.requires_grad is requires_grad and read_data(value.data, arrays)

    return read


def _reader_of_numbers(kind: type, array: Array) -> Reader:
    """The numbers go into one array, for a program never keeps an array of its inputs."""

    def read(value: Any, arrays: list[Array]) -> bool:
        if type(value) is kind:
            array[()] = value
            arrays.append(array)
            return True
        return False

    return read


def _reader_of_rows(kind: Any, readers: list[Reader | None]) -> Reader | None:
    if None in readers:
        return None
    known: Any = readers
    count = len(known)

    def read(value: Any, arrays: list[Array]) -> bool:
        if type(value) is not kind or len(value) != count:
            return False
        for read_entry, entry in zip(known, value):  # noqa: B905, SIM110 (in little time)
            if not read_entry(entry, arrays):
                return False
        return True

    return read


def _reader_of_dicts(kind: Any, keys: list[Any], readers: list[Reader | None]) -> Reader | None:
    if None in readers:
        return None
    read_values: Any = _reader_of_rows(list, readers)

    def read(value: Any, arrays: list[Array]) -> bool:
        return type(value) is kind and list(value) == keys and read_values(list(value.values()), arrays)

    return read
