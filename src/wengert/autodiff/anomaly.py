"""Where does the NaN come from? A backward pass that stops at the first operation that makes one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from wengert.numbers.graph import Node, calling_line
from wengert.ops.kinds import shape
from wengert.ops.op import Op, Traced, lookup

_watching: ContextVar[bool] = ContextVar("wengert_watching", default=False)

is_watching = _watching.get
"""Whether this thread is inside `detect_anomaly`."""

WATCHERS: list[object] = []
"""One entry per `detect_anomaly` block that is open in any thread: where empty, nobody watches."""

SAFE_ARGUMENT = {
    "log": "x > 0",
    "log2": "x > 0",
    "log1p": "x > -1",
    "sqrt": "x > 0",
    "rsqrt": "x > 0",
    "reciprocal": "x != 0",
    "asin": "wengert.abs(x) < 1",
    "acos": "wengert.abs(x) < 1",
    "divide": "b != 0",
    "power": "a > 0",
}
"""Where the partial derivatives of an operation are finite."""


class NonFiniteAdjoint(RuntimeError):
    """An operation's derivative turned a finite adjoint into NaN or an infinity, inside `detect_anomaly`."""


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Stop a backward pass at the first operation that turns a finite adjoint into NaN or an infinity.

    Run forward and backward inside the block: every operation then remembers the line that called it. Raises
    `NonFiniteAdjoint`, which names the operation, the shapes, that line, and a cure.

    >>> import wengert
    >>> x = wengert.tensor([0.0, 1.0], requires_grad=True)
    >>> with wengert.detect_anomaly():
    ...     wengert.where(x > 0, wengert.log(x), 0.0).sum().backward()
    Traceback (most recent call last):
    wengert.autodiff.anomaly.NonFiniteAdjoint: log: its derivative made nan of a finite adjoint ...
    """
    token = _watching.set(True)
    WATCHERS.append(token)
    try:
        yield
    finally:
        WATCHERS.remove(token)
        _watching.reset(token)


def note(variable: Any) -> None:
    """Remember the user's line that made a variable, where this thread watches."""
    if is_watching():
        if variable.extras is None:
            variable.extras = {}
        variable.extras["line"] = calling_line()


def check(variable: Any, adjoint: Any, values: Sequence[Any], parts: Sequence[Any]) -> None:
    """Raise `NonFiniteAdjoint` where a variable's operation made non-finite parts of a finite adjoint."""
    if _first_bad(adjoint) is not None:
        return
    for k, (value, part) in enumerate(zip(values, parts, strict=False)):
        bad = _first_bad(part)
        if bad is not None:
            raise NonFiniteAdjoint(_report(variable, adjoint, k, value, part, bad))


def _report(variable: Any, adjoint: Any, k: int, value: Any, part: Any, bad: tuple[int, ...]) -> str:
    op: Op = variable.op
    entry = _entry(part, bad)
    lines = [f"{op.name}: its derivative made {entry} of a finite adjoint ({_shapes(variable, k, value)})"]
    noted = variable.extras or {}
    if "line" in noted:
        lines.append(f"recorded at {noted['line'] or 'a line that is in no file'}")
    else:
        lines.append(
            "its line was not noted: detect_anomaly() notes the lines of tensors that are computed inside it"
        )
    if shape(value) == shape(part) and bad:
        where = f"entry {bad[0] if len(bad) == 1 else bad}"
        lines.append(
            f"at {where} of the argument, which is {_entry(value, bad)}{_arriving(adjoint, part, bad)}"
        )
    elif not shape(value):
        lines.append(f"the argument is {_entry(value, ())}{_arriving(adjoint, part, ())}")
    if op.domain is not None:
        lines.append(f"{op.name} is defined for {op.domain}")
    lines.extend(_cure(op))
    return "\n  ".join(lines)


def _shapes(variable: Any, k: int, value: Any) -> str:
    count = len(variable.values)
    which = "its argument" if count == 1 else f"argument {k} of {count}"
    return f"{which} has shape {shape(value)}, its result {shape(variable)}"


def _arriving(adjoint: Any, part: Any, bad: tuple[int, ...]) -> str:
    return (
        f"; the adjoint that arrives there is {_entry(adjoint, bad)}" if shape(adjoint) == shape(part) else ""
    )


def _cure(op: Op) -> list[str]:
    safe = SAFE_ARGUMENT.get(op.name)
    if safe is None:
        return [
            "look for values too large for the dtype before this operation; scale, clip or normalise them"
        ]
    call = {
        "divide": f"a / wengert.where({safe}, b, 1)",
        "power": f"wengert.where({safe}, a, 1) ** b",
    }.get(op.name, f"wengert.{op.name}(wengert.where({safe}, x, {0.5 if 'abs' in safe else 1}))")
    plain = {"divide": "a / b", "power": "a ** b"}.get(op.name, f"wengert.{op.name}(x)")
    return [
        "an infinite slope times an adjoint of 0 is NaN; a wengert.where() after the function is too late:",
        "select the safe argument before the function.",
        f"wrong:  wengert.where({safe}, {plain}, 0)",
        f"right:  wengert.where({safe}, {call}, 0)",
    ]


def _plain(value: Any) -> Any:
    """The number or array below all layers of differentiation."""
    while isinstance(value, (Traced, Node)):
        for slot in ("data", "value", "primal", "values"):
            if hasattr(value, slot):
                value = getattr(value, slot)
                break
    return value


def _first_bad(value: Any) -> tuple[int, ...] | None:
    """The index of the first entry that is NaN or infinite; None where there is none."""
    if isinstance(value, (list, tuple)):
        return next((bad for bad in map(_first_bad, value) if bad is not None), None)
    value = _plain(value)
    if value is None:
        return None
    finite = lookup("isfinite")(value)
    extents = shape(finite)
    if not extents:
        return None if bool(finite) else ()
    if bool(finite.all()):
        return None
    flat = int(finite.reshape(-1).argmin())
    index = []
    for k in range(len(extents)):
        below = math.prod(extents[k + 1 :])
        index.append(flat // below)
        flat %= below
    return tuple(index)


def _entry(value: Any, index: tuple[int, ...]) -> Any:
    value = _plain(value)
    if isinstance(value, (list, tuple)):
        return "a value that is not finite"
    entry = value[index] if shape(value) else value
    return entry.item() if hasattr(entry, "item") else entry
