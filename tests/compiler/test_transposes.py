"""Transposing in native code."""

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from native_code import at_widths, by_units, machine_with, native

from wengert.compiler.llvm.operands import Operand
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.transposes import transpose, units
from wengert.compiler.llvm.values import BYTES, MEMORY_TYPES

DTYPES = ["float32", "float64", "int64", "int32", "bool"]


@at_widths([(shape, dtype) for dtype in DTYPES for shape in [(1, 1), (3, 50), (33, 21), (64, 32)]])
def test_transposes_of_rows_columns_and_gaps(case, vector_bits):
    shape, dtype = case
    machine = machine_with(vector_bits)
    rows, columns = shape
    element = MEMORY_TYPES[dtype]
    values = (
        np.random.default_rng(rows).integers(0, 2 if dtype == "bool" else 99, (rows * columns)).astype(dtype)
    )
    wide = np.zeros((2 * rows - 1, 3 * columns - 2), dtype)
    plain, gaps = values.reshape(shape), wide[::2, ::3]
    gaps[...] = plain
    for source in (plain, values.reshape(columns, rows).T, gaps):
        down, right = (n // source.itemsize for n in source.strides)
        code = Code("transposed", machine.lanes(max(4, BYTES[element])))
        start, target = code.parameter(), code.parameter()
        first, last = code.parameter("i64"), code.parameter("i64")
        transpose(code, rows, columns, Operand(start, down, right), target, rows + 2, element, first, last)
        number = -(-columns // code.lanes)
        assert element == "i8" or number == units(machine, columns, element)
        like = np.zeros((columns, rows + 2), dtype).ravel()[: columns * (rows + 2) - 2]
        memory = source if source.base is None else source.base
        found = by_units(native(code, machine), [memory], like, number)
        padded = np.append(found, np.zeros(2, dtype)).reshape(columns, rows + 2)
        assert np.array_equal(padded[:, :rows], source.T)
        assert np.all(padded[:-1, rows:] == np.full(1, 7).astype(dtype))
