"""Each line of a program as a NumPy statement."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from wengert.compiler.casts import PYTHON_TYPES
from wengert.compiler.lines import DType, Line
from wengert.compiler.numpy_blocks import Group
from wengert.compiler.numpy_calls import call
from wengert.compiler.numpy_formulas import slice_text
from wengert.compiler.numpy_memory import Memory
from wengert.compiler.numpy_order import REDUCTIONS, Kinds, is_known

FLOATS = (np.dtype("float32"), np.dtype("float64"))
OPERATORS = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/",
    "equal": "==", "not_equal": "!=", "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=",
}  # fmt: skip
UFUNCS = {"abs": "np.abs", "round": "np.rint"}
PYTHON_FUNCTIONS = (
    *("exp", "expm1", "log", "log1p", "log2", "sin", "cos", "tan", "asin", "acos", "atan", "atan2"),
    *("sinh", "cosh", "tanh", "erf"),
)


def literal(value: Any, dtype: DType) -> str:
    """A number as Python writes it, with no more digits than its dtype has."""
    if dtype == np.float32 and np.float32(float(str(np.float32(value)))) == np.float32(value):
        value = float(str(np.float32(value)))
    if isinstance(value, float) and not math.isfinite(value):
        return "np.nan" if value != value else ("np.inf" if value > 0 else "-np.inf")
    if isinstance(value, complex) and not (math.isfinite(value.real) and math.isfinite(value.imag)):
        return f'complex("{value}")'
    return repr(value)


class Statements:
    """Writes the statements of one program. ``functions`` collects what they use beside NumPy. Where
    ``boxes`` is a dictionary, numbers among arrays are names in it: NumPy takes an array without axes faster
    than a Python number."""

    def __init__(self, kinds: Kinds, memory: Memory, names: Mapping[int, str]) -> None:
        self.kinds, self.memory, self.names = kinds, memory, names
        self.boxes: dict[str, Any] | None = None
        self.functions: set[str] = set()

    # -- operands
    # ------------------------------------------------------------------------------------------------------

    def word(self, line: Line) -> str:
        """A line where it is an operand."""
        line = self.kinds.source(line)
        if line.is_number:
            return literal(line.number, line.dtype)
        return self.arranged(line, self.word(line.args[0])) if self.is_inline(line) else self.names[line.id]

    def is_inline(self, line: Line) -> bool:
        """Whether an arrangement of a slot's array or of a function's result is written where it is used."""
        return (
            self.kinds[line] == "view" and not self.is_lasting(line) and len(self.kinds.readers[line.id]) < 2
        )

    def is_lasting(self, line: Line) -> bool:
        """Whether the line is an arrangement of the step's own memory, so that it is made once."""
        while self.kinds[line] == "view":
            line = line.args[0]
        return self.kinds[line] == "constant" or (
            self.kinds[line] == "array" and self.memory.places[line.id].slot is None
        )

    def arranged(self, line: Line, x: str) -> str:
        """A view's line on an operand."""
        if line.name == "reshape":
            return f"{x}.reshape({', '.join(map(str, line.shape))})" if line.shape else f"{x}.reshape(())"
        if line.name == "permute":
            axes = line.params["axes"]
            return f"{x}.T" if axes == (1, 0) else f"{x}.transpose{axes}"
        if line.name == "broadcast_to":
            return f"np.broadcast_to({x}, {line.shape})"
        key, extents = line.params["key"], line.args[0].shape
        entries = [
            slice_text(start, count, step, n) for (start, count, step), n in zip(key, extents, strict=True)
        ]
        return f"{x}[{', '.join(entries)}]"

    # -- statements
    # ------------------------------------------------------------------------------------------------------

    def statement(self, line: Line) -> str:
        """The statement that computes the line."""
        kind = self.kinds[line]
        if kind == "array":
            group = self.kinds.group.get(line.id)
            if group is None:
                return self.into(line, self.names[line.id])
            words = [self._block(a, group) for a in line.args]
            return self.into(line, self._block(line, group), words)
        if kind == "view":
            return f"{self.names[line.id]} = {self.arranged(line, self.word(line.args[0]))}"
        if kind == "fresh" or not is_known(line):
            return f"{self.names[line.id]} = {self._function(line)}"
        return f"{self.names[line.id]} = {self.scalar(line)}"

    def _block(self, line: Line, group: Group) -> str:
        """The rows of an operand that belong to a block."""
        line, word = self.kinds.source(line), self.word(line)
        place = self.memory.places.get(line.id)
        if place is not None and place.block is not None:
            return word if group.is_even else f"{word}[part]"
        alike = line.ndim == group.lines[0].ndim and line.shape[0] == group.count
        return f"{word}[block]" if alike else word

    def _function(self, line: Line) -> str:
        words = [self._argument(a) for a in line.args]
        text, needed = call(line, words)
        self.functions |= needed
        return text

    def _argument(self, line: Line) -> str:
        """An argument of a function that is no ufunc: a Python number stays one."""
        word = self.word(line)
        if line.weak and not line.is_number:
            return f"{PYTHON_TYPES[line.dtype.kind].__name__}({word})"
        if line.is_number and not line.weak:
            return f"np.{line.dtype.name.replace('bool', 'bool_')}({word})"
        return word

    def into(self, line: Line, out: str, words: list[str] | None = None) -> str:
        """The statement that writes the line's entries to ``out``."""
        source = line.args[0] if line.args and self.kinds[line.args[0]] == "folded" else line
        if words is None:
            words = [self.word(a) for a in source.args]
        if source.name in REDUCTIONS:
            axes = source.params["axis"]
            kept = ", keepdims=True" if source is line else ""
            return f"{REDUCTIONS[source.name]}({words[0]}, axis={_axis(axes)}{kept}, out={out})"
        if line.name in ("astype", "broadcast_to") or _is_whole(line):
            casting = (
                ', casting="unsafe"' if not np.can_cast(line.args[0].dtype, line.dtype, "same_kind") else ""
            )
            return f"np.copyto({out}, {words[0]}{casting})"
        if line.name == "reshape":
            inner = line.args[0].shape
            return f"np.copyto({out}.reshape({', '.join(map(str, inner)) or '()'}), {words[0]})"
        if line.name in ("permute", "getitem"):
            return f"np.copyto({out}, {self.arranged(line, words[0])})"
        if line.name == "concatenate":
            return f"np.concatenate(({', '.join(words)}), axis={line.params['axis']}, out={out})"
        if line.name == "matmul":
            return f"{self._product(line)}({words[0]}, {words[1]}, out={out})"
        if line.name == "where":
            return self._where(line, words, out)
        if line.name == "erf":
            self.functions.add("erf")
            return f"np.copyto({out}, erf({words[0]}))"
        if self.boxes is not None or all(self.kinds.source(a).is_number for a in line.args):
            words = [self._typed(a, w) for a, w in zip(line.args, words, strict=True)]
        return f"{UFUNCS.get(line.name, f'np.{line.name}')}({', '.join(words)}, out={out})"

    def _typed(self, line: Line, word: str) -> str:
        """A written number with the dtype that it has; anything else as it is."""
        line = self.kinds.source(line)
        if not line.is_number:
            return word
        if self.boxes is None:
            return f"{_constructor(line.dtype)}({word})"
        name = f"number_{line.id}"
        self.boxes[name] = np.array(line.number, line.dtype)
        return name

    def _product(self, line: Line) -> str:
        """`numpy.dot` costs half a microsecond less; both hand matrices without gaps to the same routine."""
        plain = line.ndim == 2 and line.dtype in FLOATS and all(self.kinds.is_compact(a) for a in line.args)
        return "np.dot" if plain else "np.matmul"

    def _where(self, line: Line, words: list[str], out: str) -> str:
        if line.dtype not in FLOATS:
            return f"np.copyto({out}, np.where({', '.join(words)}))"
        zero = words[2] == "0.0"
        words = [self._typed(a, w) for a, w in zip(line.args, words, strict=True)]
        words[0] = f"np.bool_({words[0]})" if line.args[0].weak else words[0]
        self.functions.add("keep" if zero else "select")
        if zero:
            return f"keep({words[0]}, {words[1]}, out={out})"
        return f"select({', '.join(words)}, out={out})"

    # -- numbers
    # ------------------------------------------------------------------------------------------------------

    def scalar(self, line: Line) -> str:
        """The expression of a number; a weak one follows Python's rules, the others NumPy's."""
        source = line.args[0] if self.kinds[line.args[0]] == "folded" else line
        words = [self.word(a) for a in source.args]
        if source.name in REDUCTIONS:
            return f"{REDUCTIONS[source.name]}({words[0]}, axis=None)"
        if line.name in ("reshape", "getitem", "permute", "broadcast_to"):
            zeros = ", ".join("0" * line.args[0].ndim)
            return f"{words[0]}[{zeros}]" if zeros else self._content(line.args[0])
        if _is_whole(line):
            return self._content(line.args[0])
        if line.name == "astype":
            return _as_type(line.dtype, words[0], line.args[0].dtype)
        if not line.weak and all(a.is_number for a in line.args):
            words = [f"{_constructor(a.dtype)}({w})" for a, w in zip(line.args, words, strict=True)]
        if line.name == "where":
            first, second = map(self._content, line.args[1:])
            chosen = f"{first} if {words[0]} else {second}"
            plain = any(a.is_number for a in line.args[1:]) and not line.weak
            return f"{_constructor(line.dtype)}({chosen})" if plain else chosen
        text = self._entry(line, words)
        return text if _natural(line) == line.dtype else _as_type(line.dtype, text, _natural(line))

    def _content(self, line: Line) -> str:
        """A number that is handed on as it is: of a slot that the step updates, what it holds now."""
        word = self.word(line)
        return f"{word}[()]" if line.slot in self.memory.program.updates else word

    def _entry(self, line: Line, words: list[str]) -> str:
        kinds = {a.dtype.kind for a in line.args}
        if line.name in OPERATORS and "b" not in kinds:
            return f"{words[0]} {OPERATORS[line.name]} {words[1]}"
        if line.weak and line.name == "power":
            return f"{words[0]} ** {words[1]}"
        if line.weak and line.name in PYTHON_FUNCTIONS:
            self.functions.add("of_number")
            return f'of_number("{line.name}", {", ".join(words)})'
        if line.name == "erf":
            self.functions.add("erf")
            return f"erf({words[0]})"
        return f"{UFUNCS.get(line.name, f'np.{line.name}')}({', '.join(words)})"


def _is_whole(line: Line) -> bool:
    """Whether this rounds whole numbers."""
    return line.name == "round" and line.args[0].dtype.kind in "iub"


def _axis(axes: tuple[int, ...]) -> str:
    return str(axes[0]) if len(axes) == 1 else str(axes)


def _constructor(dtype: DType) -> str:
    return f"np.{dtype.name}" if dtype.kind != "b" else "np.bool_"


def _as_type(dtype: DType, word: str, before: DType) -> str:
    if dtype.kind in "fb" or (dtype.kind in "iu" and before.kind in "iub"):
        return f"{_constructor(dtype)}({word})"
    return f'np.asarray({word}).astype("{dtype.name}")[()]'


def _natural(line: Line) -> DType:
    """The dtype that NumPy's function gives on numbers of the arguments' dtypes."""
    return _tried(line.name, tuple(a.dtype for a in line.args))


@functools.cache
def _tried(name: str, dtypes: tuple[DType, ...]) -> DType:
    if name == "erf":
        return dtypes[0]
    function = np.rint if name == "round" else getattr(np, name)
    return np.asarray(function(*(dtype.type(1) for dtype in dtypes))).dtype
