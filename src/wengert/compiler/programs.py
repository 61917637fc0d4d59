"""A program: lines, the arrays that go in, and those that come out or are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wengert.compiler.lines import DType, Line, Lines, Rewrite, Shape, ordered
from wengert.ops.op import Op

Pass = Callable[["Program"], "Program"]
Table = Mapping[str, tuple[Callable[..., Line | None], ...]]
Instead = Callable[[Line, tuple[Line, ...]], Line | None]


@dataclass(frozen=True)
class Slot:
    """A place for one array. ``kind`` is ``input``, ``buffer``, ``number``, ``draw`` or ``constant``; a
    constant brings its ``array``."""

    kind: str
    name: str
    shape: Shape
    dtype: DType
    weak: bool = False
    array: Any = None


@dataclass
class Program:
    """What is computed: ``results`` are handed out, and ``updates`` replace the content of slots at the end.

    ``names`` gives lines' names by the id of their origin, ``sections`` the first origin of the forward pass,
    of the backward pass, of the update, and of what comes after them.
    """

    slots: list[Slot]
    leaves: list[Line]
    results: list[Line]
    updates: dict[int, Line]
    names: Mapping[int, str] = field(default_factory=dict)
    sections: list[tuple[str, int]] = field(default_factory=list)

    def outcomes(self) -> list[Line]:
        """Everything that the program is run for."""
        return [*self.results, *self.updates.values()]

    def lines(self) -> list[Line]:
        """The lines that are needed, each after those that it uses; leaves included."""
        return ordered(self.outcomes())

    def name(self, line: Line) -> str:
        """The user's name for a line; ``""`` where it has none."""
        if line.slot is not None:
            return self.slots[line.slot].name
        return "" if line.origin is None else self.names.get(line.origin, "")

    def listing(self) -> str:
        """The program in short, one line per operation."""
        rows = [f"{line!r:72} {self.name(line)}".rstrip() for line in self.lines()]
        rows += [f"result {k}: t{line.id}" for k, line in enumerate(self.results)]
        rows += [f"{self.slots[place].name} becomes t{line.id}" for place, line in self.updates.items()]
        return "\n".join(rows)


def rebuilt(program: Program, rewrite: Rewrite | None, instead: Instead | None = None) -> Program:
    """The program made anew, every operation under the given rules; what nobody needs is left out.

    ``instead`` may answer a line of this program, with its arguments as they are now, by a new line.
    """
    lines = Lines(rewrite)
    fresh: dict[int, Line] = {}
    for place, slot in enumerate(program.slots):
        fresh[program.leaves[place].id] = lines.slot(place, slot.shape, slot.dtype, slot.weak)
    for line in program.lines():
        if line.id in fresh:
            continue
        lines.origin = line.origin
        if line.op is None:
            fresh[line.id] = lines.number(line.number, line.dtype, line.weak)
        else:
            args = tuple(fresh[a.id] for a in line.args)
            other = instead(line, args) if instead is not None else None
            if other is None:
                other = lines.line(line.op, args, line.params, line.shape, line.dtype, line.weak)
            fresh[line.id] = other
    return Program(
        program.slots,
        [fresh[leaf.id] for leaf in program.leaves],
        [fresh[line.id] for line in program.results],
        {place: fresh[line.id] for place, line in program.updates.items()},
        program.names,
        program.sections,
    )


def rules(table: Table) -> Rewrite:
    """A rewriting by a table: for each operation the patterns that have a better form, tried in order.

    An operation on complex numbers is none of the canonical lines, and stays.
    """

    def rewrite(op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line | None:
        patterns = table.get(op.name, ())
        if patterns and any(not a.is_real for a in args):
            return None
        for rule in patterns:
            better = rule(*args, **params)
            if better is not None and (not better.weak or all(a.weak for a in args)):
                return better
        return None

    return rewrite
