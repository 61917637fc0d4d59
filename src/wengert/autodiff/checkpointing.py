"""`checkpoint`: memory against time. Nothing inside is kept, and the reverse sweep computes it again."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from wengert.autodiff.custom import CustomOp, Function
from wengert.autodiff.levels import enable_grad, is_recording
from wengert.autodiff.reverse import Variable, next_sequence, sweep
from wengert.ops.op import traced_level


class Stream(Protocol):
    """A source of random numbers that can be taken back to an earlier state."""

    def get_state(self) -> Any:
        """The state as it is now."""

    def set_state(self, state: Any) -> None:
        """Continue from a state."""


STREAMS: list[Stream] = []
"""What draws random numbers behind a function's back: the second run must draw those of the first."""


def checkpoint(f: Function) -> Function:
    """The same function with less memory: nothing inside is kept, and the reverse sweep computes it again.

    What f reads from its surroundings (a module's weights) receives its gradient as well, and random numbers
    of the default generator are drawn the same in both runs. Outside a recording, f simply runs.

    >>> import wengert
    >>> wengert.grad(wengert.checkpoint(lambda x: x * x * x))(2.0)
    12.0
    """

    @functools.wraps(f)
    def recomputed(*args: Any, **words: Any) -> Any:
        level = max((traced_level(a) for a in args), default=-1)
        if not any(isinstance(a, Variable) and a.level == level for a in args) or not is_recording(level):
            return f(*args, **words)
        op = _Checkpoint(functools.partial(f, **words), args, level)
        return op.apply((*args, *op.outside), {})

    return recomputed


class _Checkpoint(CustomOp):
    """One call of a function as one operation, of its arguments and of what it read from outside."""

    def __init__(self, f: Function, args: Sequence[Any], level: int) -> None:
        name = getattr(getattr(f, "func", f), "__name__", "f")
        super().__init__(f"checkpoint({name})", self._value, self._run_again)
        self.f = f
        self.args = args
        self.level = level
        self.states = [stream.get_state() for stream in STREAMS]
        start = next_sequence()
        fresh = [_fresh(a, level) for a in args]
        with enable_grad():
            out = f(*fresh)
        self.outside = _read_from_outside(_results(out), {id(a) for a in fresh}, start)
        self.value = tuple(map(self._below, out)) if isinstance(out, tuple) else self._below(out)

    def kept_again(self, args: tuple[Any, ...], result: Any, kept: Any) -> Any:
        return args

    def _value(self, *everything: Any) -> tuple[Any, None]:
        return self.value, None

    def _run_again(self, recorded: Any, adjoint: Any) -> list[Any]:
        """``recorded`` holds the arguments where the sweep itself is recorded, else None."""
        inputs = (
            [_fresh(a, self.level) for a in self.args] if recorded is None else recorded[: len(self.args)]
        )
        with enable_grad(), _replayed(self.states):
            out = self.f(*inputs)
        pairs = zip(_results(out), adjoint if isinstance(out, tuple) else [adjoint], strict=True)
        roots = [(y, g) for y, g in pairs if g is not None and isinstance(y, Variable) and y.requires_grad]
        ends = [v for v in (*inputs, *self.outside) if isinstance(v, Variable)]
        found = sweep(
            [y for y, _ in roots],
            [g for _, g in roots],
            create_graph=recorded is not None,
            wanted=ends,
            stops=ends,
        )
        return [found.get(id(v)) for v in (*inputs, *self.outside)]

    def _below(self, y: Any) -> Any:
        return y.data if isinstance(y, Variable) and y.level == self.level else y


def _results(out: Any) -> Sequence[Any]:
    return out if isinstance(out, tuple) else (out,)


def _fresh(a: Any, level: int) -> Any:
    if isinstance(a, Variable) and a.level == level:
        return a.result_type(a.data, a.requires_grad, level)
    return a


@contextmanager
def _replayed(states: Sequence[Any]) -> Iterator[None]:
    """Random numbers from the given states inside the block, and afterwards as if none had been drawn."""
    now = [stream.get_state() for stream in STREAMS]
    for stream, state in zip(STREAMS, states, strict=False):
        stream.set_state(state)
    try:
        yield
    finally:
        for stream, state in zip(STREAMS, now, strict=True):
            stream.set_state(state)


def _read_from_outside(results: Sequence[Any], own: set[int], start: int) -> list[Variable]:
    """The variables older than ``start`` that the results depend on, without the function's own arguments."""
    seen: set[int] = set()
    found: list[Variable] = []
    stack = [y for y in results if isinstance(y, Variable)]
    while stack:
        v = stack.pop()
        if id(v) in seen or not v.requires_grad:
            continue
        seen.add(id(v))
        if v.op is None or v.sequence < start:
            if id(v) not in own:
                found.append(v)
        else:
            stack.extend(a for a in v.args or () if a is not None)
    return found
