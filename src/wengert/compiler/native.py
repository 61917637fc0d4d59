"""Native programs: made, or taken from the cache as they are."""

from __future__ import annotations

import functools
import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from wengert import __version__
from wengert.compiler.blueprints import Blueprint
from wengert.compiler.llvm.machine import Machine, this_machine
from wengert.compiler.llvm.objects import build, lookup
from wengert.compiler.native_execution import NativeExecutor
from wengert.compiler.programs import Program
from wengert.compiler.reports import Built


def native_executor(
    program: Program, optimize: Callable[[Program], Program], machine: Machine | None = None
) -> NativeExecutor:
    """What runs a program natively. Where the cache has its code, nothing of it is made again, not even the
    passes. Raises ImportError where llvmlite is not installed."""
    began = perf_counter()
    machine = machine or this_machine()
    key = fingerprint(program)
    found = lookup(key, machine)
    if found is not None and found[1] is not None:
        executor = NativeExecutor(program, found[0], Blueprint.from_json(found[1]))
    else:
        from wengert.compiler.native_code import NativeCode  # a program from the cache needs none of it

        with _without_collections():
            code = NativeCode(optimize(program), machine)
            metadata = code.blueprint.to_json() if code.runs_epochs else None
            module = build(code.texts, key, machine, metadata) if found is None else found[0]
        executor = NativeExecutor(program, module, code.blueprint, code.calls(), code.plan)
    executor.built = Built(machine, perf_counter() - began, found is not None)
    return executor


@contextmanager
def _without_collections() -> Iterator[None]:
    """Inside the block nobody looks for garbage in cycles: nearly all that a compilation makes is in use
    until its end, so that looking through it again and again only takes time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def fingerprint(program: Program) -> str:
    """Equal for programs that have the same code."""
    slots = [f"{s.kind} {s.shape} {s.dtype} {s.weak} {s.name}" for s in program.slots]
    return "\n".join([_compiler(), *slots, program.listing()])


@functools.cache
def _compiler() -> str:
    """Another compiler makes other code. Its files are told apart as Python tells whether it has to compile
    them again: by their sizes and the times when they were changed."""
    found = [__version__]
    for folder, _, names in sorted(os.walk(Path(__file__).parent)):
        for name in sorted(names):
            if name.endswith(".py"):
                status = os.stat(os.path.join(folder, name))
                found.append(f"{name} {status.st_size} {status.st_mtime_ns}")
    return " ".join(found)
