"""A program as straight-line NumPy, to be read, to be saved, and to be run where there is no native code."""

from __future__ import annotations

import re
import textwrap
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.compiler.alignment import ALIGNMENT
from wengert.compiler.lines import Line
from wengert.compiler.numpy_blocks import Group
from wengert.compiler.numpy_definitions import TEXTS, definitions, functions
from wengert.compiler.numpy_formulas import Formulas
from wengert.compiler.numpy_memory import Memory
from wengert.compiler.numpy_names import named
from wengert.compiler.numpy_order import Kinds
from wengert.compiler.numpy_shapes import plain_shapes
from wengert.compiler.numpy_statements import Statements, literal
from wengert.compiler.programs import Program
from wengert.numbers.arrays import quietly

RESERVED = {"np", "math", "step", "memory", "lookup", "Slot", "block", "part", "erf", *TEXTS}
COMMENT_COLUMN = 62


class NumpySource:
    """The source of a program. ``text`` is a whole file with a function ``step``, which takes the arrays of
    the slots and returns the results."""

    def __init__(self, program: Program) -> None:
        self.program = program = plain_shapes(program)
        self.kinds = Kinds(program)
        self.memory = Memory(program, self.kinds)
        self.names: dict[int, str] = {}
        self.statements = Statements(self.kinds, self.memory, self.names)
        self.names |= named(program, [line for line in self.kinds.order if self._is_named(line)], RESERVED)
        self.labels = self._name_targets()
        self.formulas = Formulas(self.kinds, self.labels)
        self.body = self._body()
        self.functions = self.statements.functions
        self.memory_text = "\n".join(self._memory())
        self.step_text = "\n".join(self._step(self.body))

    def _is_named(self, line: Line) -> bool:
        return self.kinds[line] in ("array", "scalar", "fresh", "constant") or (
            self.kinds[line] == "view" and not self.statements.is_inline(line)
        )

    def _name_targets(self) -> dict[int, str]:
        """A line that is written to a slot's array goes by the name of that; in formulas without its
        shape."""
        labels = dict(self.names)
        for number, place in self.memory.targets.items():
            line, slot = self.memory.places[number].first, self.program.leaves[place]
            word = labels[number] = self.names[slot.id]
            shape = ", ".join(map(str, line.shape))
            self.names[number] = word if line.shape == slot.shape else f"{word}.reshape({shape})"
        return labels

    @property
    def text(self) -> str:
        """The file."""
        imports, texts = definitions(self.functions)
        head = [
            '"""A step as straight-line NumPy, written by wengert."""',
            "",
            *imports,
            "import numpy as np",
            "",
        ]
        parts = ["\n".join(head), *(f"\n{text}" for text in texts)]
        if self.memory_text:
            parts.append(("\n" if texts else "") + self.memory_text + "\n")
        return "\n".join([*parts, f'\n@np.errstate(all="ignore")\n{self.step_text}\n'])

    def for_executor(self) -> tuple[str, dict[str, Any]]:
        """The same statements without definitions, and the names that they use."""
        boxes = self.statements.boxes = {}
        text = "\n".join([self.memory_text, *self._step(self._body())])
        self.statements.boxes = None
        return text, {"np": np, **boxes, **functions(self.statements.functions)}

    # -- memory
    # ------------------------------------------------------------------------------------------------------

    def _memory(self) -> list[str]:
        rows: list[str] = []
        if any(place.slot is None for place in self.memory.places.values()):
            rows.append("# memory: what is not needed at the same time shares a place")
            rows.append(f"memory = np.empty({self.memory.size + ALIGNMENT}, np.uint8)")
            rows.append(f"memory = memory[-memory.ctypes.data % {ALIGNMENT} :]  # from a whole cache line on")
        over: dict[int, list[str]] = {}
        for line in self.kinds.order:
            if line.id in self.memory.places:
                over.setdefault(id(self.memory.places[line.id]), []).append(self.names[line.id])
        for line in self.kinds.order:
            name, kind = self.names.get(line.id, ""), self.kinds[line]
            if kind == "constant":
                value = literal(line.args[0].number, line.dtype)
                rows.append(f'{name} = np.full({line.shape}, {value}, "{line.dtype}")')
            elif kind == "view" and self.statements.is_lasting(line):
                rows.append(f"{name} = {self.statements.arranged(line, self.names[line.args[0].id])}")
            elif kind == "array" and self.memory.places[line.id].first is line:
                place = self.memory.places[line.id]
                if place.slot is None:
                    offset = f", {place.offset}" if place.offset else ""
                    same = " = ".join(over[id(place)])
                    rows.append(f'{same} = np.ndarray({place.shape}, "{line.dtype}", memory{offset})')
        return rows

    # -- the step
    # ------------------------------------------------------------------------------------------------------

    def _step(self, body: list[str]) -> list[str]:
        arguments = [(self.names[leaf.id] + ",", leaf) for leaf in self.program.leaves]
        width = max((len(word) for word, _ in arguments), default=0)
        rows = [f"    {word.ljust(width)}  # {_described(leaf)}" for word, leaf in arguments]
        return ["def step(", *rows, "):", *self._docstring(), *(f"    {row}".rstrip() for row in body)]

    def _docstring(self) -> list[str]:
        """What the step writes and returns, in a docstring."""
        updated = [self.names[self.program.leaves[place].id] for place in self.program.updates]
        results = [
            self.labels.get(line.id) or (str(line.number) if line.op is None else self.formulas.of(line))
            for line in self.program.results
        ]
        words = [f"Updates {', '.join(updated)} in place."] if updated else []
        words += [f"Returns {', '.join(results)}."] if results else []
        text = f'"""{" ".join(words)}"""'
        return textwrap.wrap(text, 100, initial_indent="    ", subsequent_indent="    ") if words else []

    def _body(self) -> list[str]:
        rows: list[str] = []
        section = None
        for line in self.kinds.order:
            if not self._has_statement(line):
                continue
            present = self._section(line) or section
            if present != section:
                rows += ["", f"# {present}"]
                section = present
            group = self.kinds.group.get(line.id)
            if group is None:
                rows += self._commented(line)
                continue
            if group.lines[0] is line:
                rows += self._loop(group)
            rows += [f"    {row}" for row in self._commented(line)]
        rows += self._end()
        return rows[1:] if rows and not rows[0] else rows

    def _loop(self, group: Group) -> list[str]:
        self.statements.functions.add("blocks")
        rows = [f"for block in blocks({group.count}, {group.rows}):"]
        places = [self.memory.places[line.id] for line in group.lines]
        if not group.is_even and any(place.block is group for place in places):
            rows.append("    part = slice(0, block.stop - block.start)")
        return rows

    def _has_statement(self, line: Line) -> bool:
        kind = self.kinds[line]
        if kind == "view":
            return not self.statements.is_lasting(line) and not self.statements.is_inline(line)
        return kind in ("array", "scalar", "fresh")

    def _section(self, line: Line) -> str | None:
        number = self.kinds.section(line)
        return None if number < 0 else re.sub(r"[^\w :,.()&+-]", " ", self.program.sections[number][0])

    def _commented(self, line: Line) -> list[str]:
        """The statement with its comment beside it, or above where there is no room."""
        statement, name = self.statements.statement(line), self.labels[line.id]
        row = "" if line.origin is None or name.startswith(f"v{line.origin}") else f"v{line.origin}: "
        comment = f"# {row}{name} = {self.formulas.of(line)}"
        if len(statement) > COMMENT_COLUMN:
            return [comment, statement]
        return [f"{statement.ljust(COMMENT_COLUMN)}  {comment}"]

    def _end(self) -> list[str]:
        """The results as copies, then the updates that could not be written before, then the return."""
        rows: list[str] = []
        copied = self.memory.copied
        replaced = {self.program.leaves[place].id for place in copied}
        words: dict[int, str] = {}
        for place, line in copied.items():
            words[place] = self.statements.word(line)
            if self.memory.owners[line.id] & (replaced - {self.program.leaves[place].id}):
                rows.append(f"old_{len(rows)} = {words[place]}.copy()")
                words[place] = f"old_{len(rows) - 1}"
        results = [self._result(line) for line in self.program.results]
        for k, line in enumerate(self.program.results):
            if self.memory.owners[line.id] & replaced or (self.kinds[line] == "slot" and not line.shape):
                rows.append(f"result_{k} = {results[k]}")
                results[k] = f"result_{k}"
        for place, word in words.items():
            rows.append(f"{self.names[self.program.leaves[place].id]}[...] = {word}")
        if results:
            rows.append(f"return {', '.join(results)}")
        return rows or ["pass"]

    def _result(self, line: Line) -> str:
        word = self.statements.word(line)
        if line.is_number:
            return f'np.array({word}, "{line.dtype}")'
        if line.shape:
            return f"{word}.copy()"
        if self.kinds[line] == "slot":
            return f"np.array({word})"
        return f"np.{line.dtype.name}({word})" if line.weak else word


def _described(leaf: Line) -> str:
    return f"{leaf.dtype} {leaf.shape}" if leaf.shape else f"{leaf.dtype} number"


def numpy_source(program: Program) -> str:
    """The program as the text of a Python file that needs NumPy alone, with a function ``step``.

    Its arguments are the slots' arrays in order, C-contiguous; those that the step updates are written in
    place, and the results are returned, several as a tuple. Rows that would take pages in NumPy (such as
    ``cofactors``) are imported from this package.

    >>> import numpy as np
    >>> import wengert
    >>> f = wengert.compile(lambda x: (2 * x).exp().sum(), backend="numpy")
    >>> f(np.zeros(3)).item()
    3.0
    >>> print(f.source[f.source.index("    # forward") :].rstrip())
        # forward
        np.multiply(2.0, x, out=v1)                                     # v1 = 2·x
        np.exp(v1, out=v2)                                              # v2 = exp(v1)
        v3 = np.add.reduce(v2, axis=None)                               # v3 = sum(v2)
        return v3
    """
    return NumpySource(program).text


class NumpyExecutor:
    """Runs a program as its NumPy source. One run at a time: its memory serves the next run too."""

    def __init__(self, program: Program) -> None:
        self.program = program
        written = NumpySource(program)
        self.source = written.text
        text, namespace = written.for_executor()
        exec(compile(text, "<step.source>", "exec"), namespace)
        self._step = namespace["step"]
        self._numbers = [k for k, s in enumerate(program.slots) if not s.shape and k not in program.updates]
        self._count = len(program.results)
        self._lock = threading.Lock()

    def run(self, arrays: Sequence[np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
        """One run on an array per slot; the results are new arrays."""
        given: list[Any] = list(arrays)
        for k in self._numbers:
            given[k] = given[k][()]
        with self._lock:
            found = quietly(self._step, *given)
        if self._count < 2:
            found = (found,)[: self._count]
        return [value if type(value) is np.ndarray else np.asarray(value) for value in found]


__all__ = ["NumpyExecutor", "NumpySource", "numpy_source"]
