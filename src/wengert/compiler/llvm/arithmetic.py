"""The elementwise rows on vectors: which instructions carry out each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from wengert.compiler.lines import DType, Line
from wengert.compiler.llvm.mathematics import FUNCTIONS, emit
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import Register, element_type, is_float

Instruction = Callable[[Code, list[Register], bool], Register]
COMPUTED = frozenset(map(np.dtype, ("bool", "int32", "int64", "float32", "float64")))
"""The dtypes that kernels compute with."""


def _arithmetic(floating: str, whole: str) -> Instruction:
    return lambda code, args, floats: code.binary(floating if floats else whole, *args)


def _negative(code: Code, args: list[Register], floats: bool) -> Register:
    (x,) = args
    if floats:
        return code.emit(f"fneg {x}", x.type)
    return code.binary("sub", Register("zeroinitializer", x.type), x)


def _abs(code: Code, args: list[Register], floats: bool) -> Register:
    (x,) = args
    if floats:
        return code.intrinsic("fabs", x)
    zero = Register("zeroinitializer", x.type)
    return code.select(code.compare("slt", x, zero), code.binary("sub", zero, x), x)


def _sign(code: Code, args: list[Register], floats: bool) -> Register:
    """-1, 0 or 1; a NaN stays, as in NumPy."""
    (x,) = args
    element = code.element(x.type)
    zero, one, less = (code.constant(v, element) for v in (0, 1, -1))
    above, below = ("ogt", "olt") if floats else ("sgt", "slt")
    rest = code.select(code.compare("oeq", x, zero), zero, x) if floats else zero
    return code.select(
        code.compare(above, x, zero), one, code.select(code.compare(below, x, zero), less, rest)
    )


def extreme(code: Code, a: Register, b: Register, larger: bool, floats: bool) -> Register:
    """The larger or smaller of two; a NaN wins, and of zeros with different signs the second, as in NumPy."""
    if not floats:
        return code.select(code.compare("sgt" if larger else "slt", a, b), a, b)
    order = "ogt" if larger else "olt"
    if _is_written(a):
        return code.select(code.compare(order, a, b), a, b)
    if _is_written(b):
        return code.select(code.compare("u" + order[1:], a, b), a, b)
    wins = code.binary("or", code.compare(order, a, b), code.compare("uno", a, a))
    return code.select(wins, a, b)


def _is_written(x: Register) -> bool:
    """Whether a vector is a number of the program, and no NaN."""
    return x.name.startswith("<") and "0x7FF8" not in x.name


def _comparison(floating: str, whole: str) -> Instruction:
    return lambda code, args, floats: code.compare(floating if floats else whole, *args)


def _truth(code: Code, x: Register) -> Register:
    """Whether entries are not zero."""
    element = code.element(x.type)
    if element == "i1":
        return x
    condition = "une" if is_float(element) else "ne"
    return code.compare(condition, x, Register("zeroinitializer", x.type))


def _logical(instruction: str) -> Instruction:
    return lambda code, args, floats: code.binary(instruction, *(_truth(code, a) for a in args))


def _logical_not(code: Code, args: list[Register], floats: bool) -> Register:
    return code.binary("xor", _truth(code, args[0]), code.constant(True, "i1"))


def _isnan(code: Code, args: list[Register], floats: bool) -> Register:
    return code.compare("uno", args[0], args[0])


def _isfinite(code: Code, args: list[Register], floats: bool) -> Register:
    (x,) = args
    infinity = code.constant(np.inf, code.element(x.type))
    return code.compare("olt", code.intrinsic("fabs", x), infinity)


def _rounding(intrinsic: str) -> Instruction:
    return lambda code, args, floats: code.intrinsic(intrinsic, args[0]) if floats else args[0]


INSTRUCTIONS: Mapping[str, Instruction] = {
    "add": _arithmetic("fadd contract", "add"),
    "subtract": _arithmetic("fsub contract", "sub"),
    "multiply": _arithmetic("fmul contract", "mul"),
    "divide": _arithmetic("fdiv", "sdiv"),
    "negative": _negative,
    "abs": _abs,
    "sign": _sign,
    "sqrt": _rounding("sqrt"),
    "floor": _rounding("floor"),
    "ceil": _rounding("ceil"),
    "round": _rounding("rint"),
    "maximum": lambda code, args, floats: extreme(code, args[0], args[1], True, floats),
    "minimum": lambda code, args, floats: extreme(code, args[0], args[1], False, floats),
    "equal": _comparison("oeq", "eq"),
    "not_equal": _comparison("une", "ne"),
    "less": _comparison("olt", "slt"),
    "less_equal": _comparison("ole", "sle"),
    "greater": _comparison("ogt", "sgt"),
    "greater_equal": _comparison("oge", "sge"),
    "isnan": _isnan,
    "isfinite": _isfinite,
    "logical_and": _logical("and"),
    "logical_or": _logical("or"),
    "logical_not": _logical_not,
}
"""How each row is computed, for vectors of one type: ``floats`` says whether it is floating-point."""

_ALWAYS_FLOATING = frozenset(FUNCTIONS) | {"divide", "sqrt", "isnan", "isfinite"}


def is_native(line: Line) -> bool:
    """Whether an elementwise line can be computed by instructions."""
    if any(a.dtype not in COMPUTED for a in (*line.args, line)):
        return False
    if line.name in ("where", "astype"):
        return True
    if line.name == "power":
        return line.dtype.kind == "f" and line.args[0].dtype.kind == "f"
    if line.name in ("negative", "sign") and line.dtype.kind == "b":
        return False
    if line.name in INSTRUCTIONS and line.dtype.kind == "b" and line.args[0].dtype.kind == "b":
        return line.name in ("equal", "not_equal", "logical_and", "logical_or", "logical_not")
    return line.name in INSTRUCTIONS or line.name in FUNCTIONS


def converted(code: Code, x: Register, source: DType, target: DType) -> Register:
    """Entries of one dtype in another."""
    if source == target:
        return x
    if target.kind == "b":
        return _truth(code, x)
    element = element_type(target)
    if source.kind == "f" and target.kind == "f":
        return code.convert("fpext" if target.itemsize > source.itemsize else "fptrunc", x, element)
    if target.kind == "f":
        return code.convert("uitofp" if source.kind == "b" else "sitofp", x, element)
    if source.kind == "f":
        return code.convert("fptosi", x, element)
    if source.kind == "b":
        return code.convert("zext", x, element)
    return code.convert("sext" if target.itemsize > source.itemsize else "trunc", x, element)


def computed(code: Code, line: Line, args: list[Register]) -> Register:
    """An elementwise line on the vectors of its arguments."""
    if line.name == "where":
        return code.select(*args)
    source = line.args[0].dtype
    if line.name == "astype":
        return converted(code, args[0], source, line.dtype)
    if line.name in _ALWAYS_FLOATING and source.kind != "f":
        args = [converted(code, a, source, np.dtype(np.float64)) for a in args]
        source = np.dtype(np.float64)
    floats = source.kind == "f"
    if line.name in INSTRUCTIONS:
        value = INSTRUCTIONS[line.name](code, args, floats)
    else:
        value = emit(line.name, code, *args)
    made: Any = np.dtype(bool) if code.element(value.type) == "i1" else source
    return converted(code, value, made, line.dtype)
