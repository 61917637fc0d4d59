"""A smaller program that fails as well."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from step_programs import Array, RandomProgram, Step, without_unused


def shrunk(
    program: RandomProgram, fails: Callable[[RandomProgram], bool], most_tries: int = 300
) -> RandomProgram:
    """A smaller program that fails as well: greedily, until nothing smaller does."""
    tries = 0
    while True:
        for smaller in _smaller(program):
            tries += 1
            if tries > most_tries:
                return program
            try:
                worse = fails(smaller)
            except Exception:  # a smaller program that eager evaluation refuses says nothing
                continue
            if worse:
                program = smaller
                break
        else:
            return program


def _smaller(program: RandomProgram) -> Iterator[RandomProgram]:
    if len(program.outputs) > 1:
        for name in program.outputs:
            yield without_unused(dataclasses.replace(program, outputs=(name,)))
        for k in range(len(program.outputs)):
            rest = (*program.outputs[:k], *program.outputs[k + 1 :])
            yield without_unused(dataclasses.replace(program, outputs=rest))
    if program.way not in ("value", "gradient"):
        yield dataclasses.replace(program, way="value")
        yield dataclasses.replace(program, way="gradient")
    elif program.way == "gradient":
        yield dataclasses.replace(program, way="value")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        values = dict(program.inputs)
        for step in program.steps:
            values[step.name] = np.asarray(step.applied(values))
    for name in program.outputs:
        step = next((s for s in program.steps if s.name == name), None)
        if step is not None:
            earlier = tuple(a for a in step.args if type(a) is str)
            rest = tuple(n for n in program.outputs if n != name)
            yield without_unused(dataclasses.replace(program, outputs=(*rest, *earlier)))
    for step in reversed(program.steps):
        yield _with_input(program, step, values[step.name])
    for step in program.steps:
        for a in step.args:
            if type(a) is str and _alike(values[a], values[step.name]):
                yield _without_step(program, step, a)
    for extent in sorted({n for a in program.inputs.values() for n in np.shape(a) if n > 1}, reverse=True):
        for less in sorted({1, 2, 3, extent // 2, extent - 1}):
            if less < extent:
                yield _with_extent(program, extent, less)
    for name, a in program.inputs.items():
        if hasattr(a, "dtype") and a.dtype.kind == "f" and a.size and not (a == np.round(a)).all():
            yield dataclasses.replace(program, inputs={**program.inputs, name: np.round(a)})


def _alike(a: Any, b: Any) -> bool:
    return np.shape(a) == b.shape and getattr(a, "dtype", None) == b.dtype


def _renamed(program: RandomProgram, old: str, new: str) -> RandomProgram:
    steps = tuple(
        dataclasses.replace(s, args=tuple(new if type(a) is str and a == old else a for a in s.args))
        for s in program.steps
        if s.name != old
    )
    outputs = tuple(new if n == old else n for n in program.outputs)
    return without_unused(dataclasses.replace(program, steps=steps, outputs=outputs))


def _with_input(program: RandomProgram, step: Step, value: Array) -> RandomProgram:
    """The step's value given instead of computed."""
    inputs = {**program.inputs, f"x{step.name}": value}
    return _renamed(dataclasses.replace(program, inputs=inputs), step.name, f"x{step.name}")


def _without_step(program: RandomProgram, step: Step, instead: str) -> RandomProgram:
    return _renamed(program, step.name, instead)


def _with_extent(program: RandomProgram, extent: int, less: int) -> RandomProgram:
    """Every axis of that extent cut, in inputs and in parameters."""
    inputs = {
        name: a
        if type(a) is float
        else a[tuple(slice(less) if n == extent else slice(None) for n in a.shape)]
        for name, a in program.inputs.items()
    }
    whole = {name: a for name, a in inputs.items() if hasattr(a, "dtype") and a.dtype.kind == "i"}
    inputs |= {name: a % less for name, a in whole.items()}
    steps = tuple(
        dataclasses.replace(
            s,
            params={
                k: tuple(less if n == extent else n for n in v) if k == "shape" else v
                for k, v in s.params.items()
            },
        )
        for s in program.steps
    )
    return dataclasses.replace(program, inputs=inputs, steps=steps)
