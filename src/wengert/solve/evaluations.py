"""Evaluations of a function as compiled programs, once there have been enough of them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Hashable
from types import FunctionType
from typing import Any

import numpy as np

from wengert.autodiff.reverse import Variable
from wengert.compiler.fallbacks import reason_of, traces_left, why_not_a_program
from wengert.compiler.steps import CompiledStep
from wengert.compiler.teaching import CaptureError

BACKEND = "auto"
"""What runs programs: native code where llvmlite is installed, else NumPy source."""
WORTH_SECONDS = 0.01
"""Programs are compiled once the evaluations so far took about so long."""
OPERATION_SECONDS = 4e-6
"""What an operation on few numbers takes, nearly all of it Python's."""
_KEPT = "_wengert_programs"
NUMBERS_PER_SECOND, MULTIPLICATIONS_PER_SECOND = 5e8, 1e10


class Programs:
    """A function with the compiled programs of it and of its derivatives, which several descents may share.

    ``many`` says that there will be many evaluations, so that programs are compiled without waiting.
    """

    def __init__(self, f: Callable[[Any], Any], many: bool = False) -> None:
        self.f, self.many = f, many
        self.steps: dict[Hashable, CompiledStep] = {}

    def __call__(self, *args: Any) -> Any:
        return self.f(*args)

    def __getstate__(self) -> tuple[Callable[[Any], Any], bool]:
        return self.f, self.many

    def __setstate__(self, state: tuple[Callable[[Any], Any], bool]) -> None:
        self.__init__(*state)  # type: ignore[misc]


def programs_of(f: Callable[[Any], Any]) -> Programs:
    """The programs of a function, kept with the function: the next descent on it compiles none anew."""
    if not isinstance(f, FunctionType):
        return Programs(f)
    found: Programs | None = f.__dict__.get(_KEPT)
    if found is None or found.f is not f:  # a copy of a function has the attributes of the first
        found = f.__dict__[_KEPT] = Programs(f)
    return found


class Evaluations:
    """Which evaluations of one descent are compiled.

    How many come before is told by the function's operations, never by a clock, so that the same descent
    takes the same steps. ``wanted`` is what `wengert.solve.minimize` calls ``compile``: None for that rule,
    True for all but the first evaluation, False for none.
    """

    def __init__(self, programs: Programs, wanted: bool | None, place: Hashable) -> None:
        self.programs, self.wanted, self.place = programs, wanted, place
        self.reason = "compile=False" if wanted is False else ""
        self.seconds_each: float | None = None
        self.spent = 0.0

    def note(self, output: Any = None, passes: int = 1) -> None:
        """An evaluation of so many ``passes`` has run as it is written. ``output`` is its end on the tape,
        which tells what a pass costs."""
        if self.seconds_each is None and output is not None and not self.reason:
            self.seconds_each = seconds_of(output)
        self.spent += passes * (self.seconds_each or 0.0)

    @property
    def are_due(self) -> bool:
        """Whether evaluations run compiled now."""
        if self.reason or self.seconds_each is None:
            return False
        return bool(self.wanted) or self.programs.many or self.spent >= WORTH_SECONDS

    def run(self, kind: str, function: Callable[..., Any], *arrays: Any) -> Any:
        """What the function gives for these arrays, by its program; None where it runs as it is written.

        ``kind`` names the function. Raises `CaptureError` where compiling was asked for.
        """
        if not self.are_due:
            return None
        key = kind, self.place
        step = self.programs.steps.get(key)
        try:
            if step is not None:
                return step(*arrays)
            step = CompiledStep(_watching(self.programs.f, function), backend=BACKEND)
            before = traces_left()
            result = step(*arrays)
        except Exception as error:
            if key in self.programs.steps and not isinstance(error, CaptureError):
                raise
            if self.wanted:
                raise
            self.reason = reason_of(error)
            return None
        if more := why_not_a_program(before, traces_left()):
            self.reason = more
            if self.wanted:
                raise ValueError(f"compile=True: f cannot be compiled, as {self.reason}")
            return None
        self.programs.steps[key] = step
        return result


def _watching(f: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, said to be f's wrapper: a program is made anew where what f reads outside has changed."""

    def program(*arrays: Any) -> Any:
        return function(*arrays)

    return functools.wraps(f)(program) if inspect.isfunction(inspect.unwrap(f)) else program


def seconds_of(output: Any) -> float:
    """About what one evaluation takes, from the operations on the tape that ends here."""
    seconds, waiting, seen = OPERATION_SECONDS, [output], {id(output)}
    while waiting:
        variable = waiting.pop()
        if not isinstance(variable, Variable) or variable.op is None:
            continue
        seconds += OPERATION_SECONDS + np.size(variable.data) / NUMBERS_PER_SECOND
        args = variable.args or ()
        if variable.op.name == "matmul":
            inner = np.shape(variable.values[0])[-1] if variable.values else 1
            seconds += np.size(variable.data) * inner / MULTIPLICATIONS_PER_SECOND
        for a in args:
            if a is not None and id(a) not in seen:
                seen.add(id(a))
                waiting.append(a)
    return seconds
