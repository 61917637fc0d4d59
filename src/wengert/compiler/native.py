"""Native programs: made, or taken from the cache as they are."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

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

        code = NativeCode(optimize(program), machine)
        metadata = code.blueprint.to_json() if code.runs_epochs else None
        module = build(code.texts, key, machine, metadata) if found is None else found[0]
        executor = NativeExecutor(program, module, code.blueprint, code.calls(), code.plan)
    executor.built = Built(machine, perf_counter() - began, found is not None)
    return executor


def fingerprint(program: Program) -> str:
    """Equal for programs that have the same code."""
    slots = [f"{s.kind} {s.shape} {s.dtype} {s.weak} {s.name}" for s in program.slots]
    return "\n".join([_compiler(), *slots, program.listing()])


@functools.cache
def _compiler() -> str:
    """Another compiler makes other code."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
