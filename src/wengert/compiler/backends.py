"""What runs a program: native code where llvmlite is installed, else its NumPy source."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from wengert.compiler.numpy_source import NumpyExecutor, numpy_source
from wengert.compiler.passes import PassResult, optimized
from wengert.compiler.programs import Program
from wengert.optional import require

BACKENDS = ("auto", "numpy", "native")


class Executor(Protocol):
    """Runs a program on one array per slot; slots with an update are written in place."""

    def run(self, arrays: Sequence[np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
        """The results, as new arrays."""


class Executable:
    """A program after the passes, and what runs it. ``run`` takes one array per slot, writes those with an
    update in place, and returns the results as new arrays."""

    def __init__(self, program: Program, backend: str) -> None:
        self.captured = program
        self.backend = backend
        self.executor: Executor = _EXECUTORS[backend](program)
        self.run = self.executor.run

    @functools.cached_property
    def program(self) -> Program:
        """The program after the passes."""
        return optimized(self.captured)[0]

    @functools.cached_property
    def source(self) -> str:
        """The program as NumPy source: a file that runs by itself."""
        return numpy_source(self.program)

    @functools.cached_property
    def passes(self) -> list[PassResult]:
        """The program before and after each pass."""
        return optimized(self.captured, keep_steps=True)[1]

    def report(self) -> str:
        """What runs the program, and what the back end has to say about it."""
        notes = getattr(self.executor, "report", None)
        return f"back end: {self.backend}" + ("" if notes is None else f"\n{notes()}")


def executor(program: Program, backend: str = "auto") -> Executable:
    """What runs the program, after the passes.

    ``backend`` is ``"native"``, ``"numpy"``, or ``"auto"``: native where llvmlite is installed. Raises
    ValueError for another name, ImportError where native code is wanted without llvmlite.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend should be one of {', '.join(map(repr, BACKENDS))}, got {backend!r}")
    if backend == "auto":
        backend = "native" if importlib.util.find_spec("llvmlite") is not None else "numpy"
    return Executable(program, backend)


def _native(program: Program) -> Executor:
    require("llvmlite", "native code", "native")
    make = importlib.import_module("wengert.compiler.native").native_executor
    found: Executor = make(program, lambda program: optimized(program)[0])
    return found


def _numpy(program: Program) -> Executor:
    return NumpyExecutor(optimized(program)[0])


_EXECUTORS: Mapping[str, Callable[[Program], Executor]] = {"native": _native, "numpy": _numpy}
