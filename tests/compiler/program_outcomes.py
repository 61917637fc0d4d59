"""What a program computes: its values in its way, or what is left behind by a step that changes tensors."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from step_programs import Array, RandomProgram, float_places, is_float_array, total_of

import wengert


def trained(
    program: RandomProgram,
    compiled: Callable[[Callable[..., Any]], Callable[..., Any]],
    wide: bool = False,
    noise: Callable[[Any], Any] = lambda x: x,
    steps: int = 3,
) -> list[Any]:
    """What some training steps leave behind: every loss, the parameters, and the optimizer's moments.

    The floating-point inputs are parameters, the others data.
    """
    places = float_places(program)
    arrays = program.arrays(wide)
    parameters = [wengert.tensor(arrays[k], requires_grad=True) for k in places]
    total = total_of(program.function(wide, noise))
    size = sum(len(s.args) for s in program.steps)
    if size % 2:
        optimizer: Any = wengert.optim.SGD(parameters, lr=1e-3, momentum=0.9)
    else:
        # A large eps keeps gradients that are zero but for rounding from moving a parameter.
        optimizer = wengert.optim.Adam(parameters, lr=1e-3, eps=0.1)
    others = [a for k, a in enumerate(arrays) if k not in places]

    def step(*data: Any) -> Any:
        rest = iter(data)
        full = [parameters[places.index(k)] if k in places else next(rest) for k in range(len(arrays))]
        optimizer.zero_grad()
        loss = total(*full)
        loss.backward()
        optimizer.step()
        return loss

    run = compiled(step)
    losses = [run(*others) for _ in range(steps)]
    moments = [
        value
        for p in parameters
        for _, value in sorted(optimizer.state.get(p, {}).items())
        if hasattr(value, "shape")
    ]
    return [bare(x) for x in (*losses, *parameters, *moments)]


def remembered(
    program: RandomProgram,
    compiled: Callable[[Callable[..., Any]], Callable[..., Any]],
    wide: bool = False,
    noise: Callable[[Any], Any] = lambda x: x,
    steps: int = 3,
) -> list[Any]:
    """Some calls of a step that writes into the tensors that it reads: its outputs, and what is left.

    The floating-point inputs are such tensors. Each gets an output of its shape and dtype, another tensor's
    old content, or its own entries in another order.
    """
    places = float_places(program)
    arrays = program.arrays(wide)
    tensors = [wengert.tensor(arrays[k]) for k in places]
    others = [a for k, a in enumerate(arrays) if k not in places]
    f = program.function(wide, noise)

    def step(*data: Any) -> Any:
        rest = iter(data)
        outputs = f(*(tensors[places.index(k)] if k in places else next(rest) for k in range(len(arrays))))
        old = [t.detach() for t in tensors]
        for k, t in enumerate(tensors):
            choices = [
                v for v in (*outputs, *old) if is_float_array(v) and v.shape == t.shape and v.dtype == t.dtype
            ]
            if t.shape:
                choices.append(wengert.flip(old[k]))
            if len(t.shape) == 2 and t.shape[0] == t.shape[1]:
                choices.append(wengert.transpose(old[k]))
            t.copy_(choices[(5 * k + len(program.steps)) % len(choices)])
        return outputs

    run = compiled(step)
    found = [flat(run(*others)) for _ in range(steps)]
    return [bare(x) for x in (*flat(found), *tensors)]


def bare(value: Any) -> Array:
    """The array of a tensor."""
    return np.array(value.data if hasattr(value, "requires_grad") else value)


def outcome(
    program: RandomProgram,
    compiled: Callable[[Callable[..., Any]], Callable[..., Any]],
    wide: bool = False,
    noise: Callable[[Any], Any] = lambda x: x,
) -> list[Array]:
    """All that a program computes, as a flat list of arrays. ``compiled`` may be the identity."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if program.way == "training":
            return trained(program, compiled, wide, noise)
        if program.way == "state":
            return remembered(program, compiled, wide, noise)
        return [np.array(v) for v in flat(compiled(program.used(wide, noise))(*program.arrays(wide)))]


def flat(value: Any) -> list[Any]:
    """The leaves of nested tuples and lists."""
    if isinstance(value, (tuple, list)):
        return [leaf for part in value for leaf in flat(part)]
    return [value]
