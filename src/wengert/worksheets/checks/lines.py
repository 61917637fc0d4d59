"""The lines of a worksheet as rules: what each must hold, given the numbers in the other lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import wengert.numbers  # noqa: F401 (the number systems make themselves known there)
from wengert.autodiff.forward import push_forward
from wengert.autodiff.reverse import matched
from wengert.ops import lookup
from wengert.ops.arithmetic import zeros_like
from wengert.ops.kinds import Elementwise, Over, shape, total
from wengert.ops.op import Op, later
from wengert.worksheets.columns import LEAVES
from wengert.worksheets.worksheet import Recording, Ref, Row, Worksheet

Place = tuple[str, int]
"""A part (``"primal"``, ``"tangent"``, ``"adjoint"`` or ``"update"``) and the step that computes it."""

Numbers = Mapping[Place, Any]
"""What stands in the lines."""

FAILURES = (ArithmeticError, AttributeError, TypeError, ValueError, IndexError)


@dataclass(frozen=True)
class Operation:
    """One operation of the program behind a worksheet; a `Ref` among its arguments names another step."""

    key: int
    op: Op
    args: tuple[Any, ...]
    params: Mapping[str, Any]


@dataclass(frozen=True)
class Piece:
    """One term of a derivative: the rule of ``operation`` for its argument number ``place``.

    ``upstream`` is the adjoint of the operation, or the tangent of the argument. ``partial`` is the local
    partial derivative where the operation works entry by entry. ``key`` is the operation that uses the value
    (reverse mode), or the argument (forward mode). ``args`` are the values that the operation takes.
    """

    key: int
    operation: Operation
    place: int
    args: tuple[Any, ...]
    upstream: Any
    partial: Any
    value: Any


class Lines:
    """The program of a worksheet, to be evaluated line by line on other numbers than its own.

    ``order`` are the places in the order in which a person fills them in, with the steps that have no row of
    their own among them; ``truth`` is what must stand there. Raises ValueError for a worksheet without
    numbers, or without the program behind it.
    """

    def __init__(self, sheet: Worksheet) -> None:
        if not sheet.recording.steps:
            raise ValueError("worksheet: expected one made by wengert.explain; this one holds no program")
        if sheet.numbers in ("symbolic", "interval"):
            raise ValueError(
                f"worksheet: expected numbers to compare with, got {sheet.numbers} values; "
                f"make it with numbers='float'"
            )
        self.sheet = sheet
        self.part = "adjoint" if sheet.mode == "reverse" else "tangent"
        self.row: dict[int, Row] = {sheet.recording.primal[row.id]: row for row in sheet.rows}
        self.step = sheet.recording.primal
        self.output = self.step[sheet.output]
        self.operations = _operations(sheet.recording, self.row)
        self.readers: dict[int, list[tuple[Operation, int]]] = {}
        for operation in self.operations.values():
            for place, a in enumerate(operation.args):
                if isinstance(a, Ref):
                    self.readers.setdefault(a.step, []).append((operation, place))
        self.moving = self._moving()
        self.fixed: set[Place] = set()
        self.truth: dict[Place, Any] = {}
        self.order = list(self._places())
        for each in self.order:
            self._settle(each)

    def shown(self, place: Place) -> bool:
        """Whether the place has a line in the worksheet."""
        part, key = place
        return key in self.row and (part in ("primal", "update") or getattr(self.row[key], part) is not None)

    def _places(self) -> Iterator[Place]:
        """Values and tangents row by row; in reverse mode all values, then the adjoints from the output."""
        recording = self.sheet.recording
        leaves = [key for key in self.row if key not in self.operations]
        hidden = {a.step for o in self.operations.values() for a in o.args if isinstance(a, Ref)}
        hidden -= self.operations.keys() | set(leaves)
        keys = sorted({*leaves, *hidden, *self.operations})
        for key in keys:
            yield "primal", key
            if self.sheet.mode == "forward" and self._has_derivative(key):
                yield self.part, key
        if self.sheet.mode == "reverse":
            inner = [key for key in reversed(keys) if key in self.operations]
            outer = [key for key in reversed(keys) if key in self.row and key not in self.operations]
            for key in (*inner, *outer):
                if self._has_derivative(key):
                    yield self.part, key
        for row in self.sheet.rows:
            if row.update is not None and row.id in recording.update:
                yield "update", self.step[row.id]

    def _has_derivative(self, key: int) -> bool:
        return key in self.operations or getattr(self.row.get(key), self.part, None) is not None

    def _settle(self, place: Place) -> None:
        """Find what must stand in a place. Where no rule gives what the worksheet says, that is fixed."""
        part, key = place
        row = self.row.get(key)
        stated = None if row is None else plain(row.value if part == "primal" else getattr(row, part))
        if stated is None and key not in self.operations:
            self.fixed.add(place)
            self.truth[place] = plain(evaluated(self.sheet.recording, key))
            return
        try:
            found = self.rule(place, self.truth)
        except FAILURES:
            found = None
        if stated is not None and not _same(found, stated):
            self.fixed.add(place)
        self.truth[place] = found if stated is None else stated

    def _moving(self) -> set[int]:
        """The steps that depend on the input that forward mode follows."""
        found = {key for key, row in self.row.items() if row.op in LEAVES and row.name in self.sheet.wrt}
        for key, operation in self.operations.items():
            if any(isinstance(a, Ref) and a.step in found for a in operation.args):
                found.add(key)
        return found

    def is_given(self, place: Place) -> bool:
        """Whether a place holds what is known from the start: an input, or where the sweep begins."""
        part, key = place
        if part == "primal" or self.sheet.mode == "forward":
            return key not in self.operations
        return part != "update" and key == self.output

    def around(self, place: Place) -> list[Operation]:
        """The operations whose rules give a derivative."""
        part, key = place
        if part in ("primal", "update") or self.is_given(place):
            return []
        if self.sheet.mode == "forward":
            return [self.operations[key]]
        return [operation for operation, _ in self.readers.get(key, ())]

    def reads(self, place: Place) -> list[Place]:
        """The places whose numbers a rule may use."""
        part, key = place
        if part == "update":
            return [("primal", key), (self.part, key)]
        if part == "primal":
            operation = self.operations.get(key)
            return [("primal", a) for a in _steps(operation)] if operation else []
        found: dict[Place, None] = {}
        for operation in self.around(place):
            for a in (*_steps(operation), operation.key):
                found["primal", a] = found[self.part, a] = None
        return [other for other in found if other != place]

    # -- the rule of one place -------------------------------------------------------------------------------

    def rule(self, place: Place, numbers: Numbers) -> Any:
        """What must stand in a place, given the numbers in the others."""
        part, key = place
        if place in self.fixed:
            return self.truth[place]
        if part == "update":
            return self._updated(key, numbers)
        if part == "primal":
            operation = self.operations.get(key)
            return plain(self.row[key].value) if operation is None else self.value(operation, numbers)
        if self.is_given(place):
            return plain(getattr(self.row[key], self.part))
        found = total([piece.value for piece in self.pieces(key, numbers)])
        return plain(zeros_like(numbers["primal", key])) if found is None else found

    def value(self, operation: Operation, numbers: Numbers) -> Any:
        """The value of an operation on the numbers in other lines."""
        return plain(operation.op.apply(self.arguments(operation, numbers), operation.params))

    def arguments(self, operation: Operation, numbers: Numbers) -> tuple[Any, ...]:
        """The values that an operation takes."""
        return tuple(numbers["primal", a.step] if isinstance(a, Ref) else plain(a) for a in operation.args)

    def pieces(self, key: int, numbers: Numbers) -> list[Piece]:
        """The terms of a derivative, in the order of the row's own."""
        found = self._handed_back if self.sheet.mode == "reverse" else self._handed_on
        return list(found(key, numbers))

    def _handed_back(self, key: int, numbers: Numbers) -> Iterator[Piece]:
        for operation, place in self.readers.get(key, ()):
            adjoint = numbers.get((self.part, operation.key))
            if adjoint is None or not operation.op.differentiable:
                continue
            args, result = self.arguments(operation, numbers), numbers["primal", operation.key]
            parents = [a if k == place else None for k, a in enumerate(args)]
            part = operation.op.vjp(adjoint, args, result, operation.params, parents)[place]
            if part is not None:
                value = plain(matched(part, args[place]))
                partial = _partial(operation, args, result, place)
                yield Piece(operation.key, operation, place, args, adjoint, partial, value)

    def _handed_on(self, key: int, numbers: Numbers) -> Iterator[Piece]:
        operation = self.operations[key]
        args, result = self.arguments(operation, numbers), numbers["primal", key]
        for place, a in enumerate(operation.args):
            tangent = numbers.get((self.part, a.step)) if isinstance(a, Ref) else None
            if tangent is None or a.step not in self.moving:
                continue
            tangents = [tangent if k == place else None for k in range(len(args))]
            part = push_forward(operation.op, tangents, args, result, operation.params)
            if part is not None:
                partial = _partial(operation, args, result, place)
                yield Piece(a.step, operation, place, args, tangent, partial, plain(part))

    def _updated(self, key: int, numbers: Numbers) -> Any:
        recording, row = self.sheet.recording, self.row[key]
        known = {key: numbers["primal", key]}
        if row.id in recording.derivative and (self.part, key) in numbers:
            known[recording.derivative[row.id]] = numbers[self.part, key]
        return plain(evaluated(recording, recording.update[row.id], known))


def _steps(operation: Operation) -> list[int]:
    return [a.step for a in operation.args if isinstance(a, Ref)]


def evaluated(recording: Recording, key: int, known: Mapping[int, Any] | None = None) -> Any:
    """The value of one step of a recording, where the values of some other steps are known."""
    values = dict(known or {})
    waiting = [key]
    while waiting:
        at = waiting[-1]
        step = recording.steps[at]
        missing = [a.step for a in step.args if isinstance(a, Ref) and a.step not in values]
        if at in values or not missing:
            waiting.pop()
        if at not in values and not missing:
            args = tuple(values[a.step] if isinstance(a, Ref) else a for a in step.args)
            values[at] = step.value if step.op in LEAVES else lookup(step.op).apply(args, step.params)
        elif at not in values:
            waiting += missing
    return values[key]


def plain(value: Any) -> Any:
    """A value in floats: exact numbers and those of many digits are rounded."""
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    if kind == "O":
        return value.astype(float) if shape(value) else float(value.item())
    if kind is not None or value is None or isinstance(value, (bool, int, float, complex, tuple, list)):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def _operations(recording: Recording, rows: Mapping[int, Row]) -> dict[int, Operation]:
    """The operations that lie between the inputs and the rows, by step, in order."""
    varying = {key for key, row in rows.items()}
    found: dict[int, Operation] = {}
    for key, step in enumerate(recording.steps[: max(rows) + 1]):
        if step.op in LEAVES:
            continue
        if key in varying or any(isinstance(a, Ref) and a.step in varying for a in step.args):
            varying.add(key)
            found[key] = Operation(key, lookup(step.op), step.args, step.params)
    needed = set(rows)
    for key in sorted(found, reverse=True):
        if key in needed:
            needed |= {a.step for a in found[key].args if isinstance(a, Ref)}
    return {key: operation for key, operation in found.items() if key in needed}


def _partial(operation: Operation, args: tuple[Any, ...], result: Any, place: int) -> Any:
    if not isinstance(operation.op, Elementwise):
        return None
    found = operation.op.partials[place](*args, result, **operation.params)
    return plain(later.divide(1, found.denominator) if type(found) is Over else found)


def _same(found: Any, stated: Any) -> bool:
    """Whether two values are the same but for rounding."""
    if found is None or isinstance(stated, tuple) or shape(found) != shape(stated):
        return False
    import numpy as np

    with np.errstate(all="ignore"):
        return bool(np.allclose(found, stated, rtol=1e-6, atol=1e-9, equal_nan=True))
