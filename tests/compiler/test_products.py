"""Products of matrices in native code."""

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from native_code import at_widths, by_units, every_width, machine_with, native

import wengert
from wengert.compiler.llvm.epilogues import Store
from wengert.compiler.llvm.inner_products import inner_tiling
from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.operands import Operand
from wengert.compiler.llvm.product_forms import Form, cheapest
from wengert.compiler.llvm.products import product, units
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.tiles import tiling
from wengert.compiler.llvm.values import MEMORY_TYPES, Index, Register

TOLERANCE = {"float32": 2e-6, "float64": 4e-15}


def strides(a: np.ndarray) -> tuple[int, int]:
    down, right = (n // a.itemsize for n in a.strides)
    return down, right


FORMS = ("outer", "turned", "inner")


def form(name: str, machine: Machine, rows: int, columns: int, inner: int, element: str) -> Form:
    """A way to multiply, whatever it costs."""
    if name == "inner":
        cut = inner_tiling(machine, rows, columns, inner, element, packed=True, following=1)
        assert cut is not None
        return Form(name, cut)
    extents = (columns, rows) if name == "turned" else (rows, columns)
    return Form(name, tiling(machine, *extents, inner, element))


def multiplied(
    a: np.ndarray, b: np.ndarray, vector_bits: int, name: str | None = None, **settings: object
) -> np.ndarray:
    """The product, computed natively from the memory that the factors are views of."""
    machine = machine_with(vector_bits)
    (rows, inner), columns = a.shape, b.shape[1]
    element = MEMORY_TYPES[a.dtype.name]
    code = Code("multiplied", machine.lanes(a.itemsize))
    left, right, result = (code.parameter() for _ in range(3))
    first, last = code.parameter("i64"), code.parameter("i64")
    epilogue = Store(result, columns, element, **settings)
    operands = Operand(left, *strides(a)), Operand(right, *strides(b))
    if name is None:
        chosen = cheapest(machine, rows, columns, inner, element, *operands, 2)
    else:
        chosen = form(name, machine, rows, columns, inner, element)
    chosen.write(code, *operands, element, epilogue, first, last)
    memory = [m.base if m.base is not None else m for m in (a, b)]
    return by_units(native(code, machine), memory, np.empty((rows, columns), a.dtype), chosen.units)


def view(values: np.ndarray, layout: str) -> np.ndarray:
    """The same matrix as rows, as columns, or as every other row and column, of a matrix in memory."""
    if layout == "rows":
        return values
    if layout == "columns":
        return np.ascontiguousarray(values.T).T
    wide = np.zeros((2 * values.shape[0] - 1, 2 * values.shape[1] - 1), values.dtype)
    wide[::2, ::2] = values
    return wide[::2, ::2]


def assert_product(result: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    exact = a.astype(np.longdouble) @ b.astype(np.longdouble)
    scale = np.abs(a).astype(np.longdouble) @ np.abs(b).astype(np.longdouble)
    assert np.all(np.abs(result - exact) <= TOLERANCE[a.dtype.name] * (scale + 1e-30))


def factors(rows: int, inner: int, columns: int, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(rows * 10007 + inner * 101 + columns)
    return rng.standard_normal((rows, inner)).astype(dtype), rng.standard_normal((inner, columns)).astype(
        dtype
    )


SHAPES = [
    (1, 1, 1),
    (3, 5, 7),
    (1, 9, 100),
    (100, 9, 1),
    (24, 17, 10),
    (65, 1, 70),
    (13, 40, 33),
    (64, 48, 40),
]


@at_widths([(shape, dtype) for dtype in ("float32", "float64") for shape in SHAPES])
def test_products_of_any_small_shape(case, vector_bits):
    shape, dtype = case
    a, b = factors(*shape, dtype)
    for left, right in [("rows", "columns"), ("columns", "rows")]:
        assert_product(multiplied(view(a, left), view(b, right), vector_bits), a, b)


@at_widths([(name, shape) for name in FORMS for shape in SHAPES])
def test_every_way_to_multiply(case, vector_bits):
    name, shape = case
    a, b = factors(*shape, "float64")
    layouts = [("rows", "rows"), ("rows", "columns")] if name == "inner" else [("columns", "rows")]
    for left, right in layouts:
        assert_product(multiplied(view(a, left), view(b, right), vector_bits, name), a, b)


@every_width
def test_factors_with_gaps_between_their_entries(vector_bits):
    a, b = factors(30, 21, 37, "float32")
    assert_product(multiplied(view(a, "gaps"), view(b, "gaps"), vector_bits), a, b)


@every_width
def test_a_long_inner_extent_is_done_in_blocks(vector_bits):
    """Rows 8 KiB apart meet in the cache, so that both factors are copied."""
    a, b = factors(40, 2048, 130, "float32")
    layouts = [("rows", "rows"), ("columns", "columns")]
    for left, right in layouts if vector_bits == 128 else layouts[:1]:
        result = multiplied(view(a, left), view(b, right), vector_bits)
        assert_product(result, a, b)


@every_width
def test_a_long_inner_extent_of_a_product_with_few_columns(vector_bits):
    a, b = factors(40, 3000, 10, "float64")
    assert_product(multiplied(view(a, "columns"), b, vector_bits, "turned"), a, b)
    assert_product(multiplied(a, b, vector_bits, "turned", cost=30), a, b)


def test_many_rows_are_done_in_chunks():
    a, b = factors(300, 600, 70, "float32")
    result = multiplied(a, view(b, "columns"), 128, cost=9)
    assert_product(result, a, b)


@every_width
@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("cost", [0, 40])
def test_an_epilogue_sees_rows_and_columns(vector_bits, cost, name):
    """ReLU(ab + bias), scaled row by row."""
    rows, inner, columns = 50, 12, 45
    machine = machine_with(vector_bits)
    a, b = factors(rows, inner, columns, "float32")
    rng = np.random.default_rng(1)
    bias, scale = rng.standard_normal(columns).astype("f4"), rng.standard_normal(rows).astype("f4")
    code = Code("layer", machine.lanes(4))
    left, right, biases, scales, result = (code.parameter() for _ in range(5))
    first, last = code.parameter("i64"), code.parameter("i64")

    class Layer(Store):
        def column(self, code: Code, column: Index, width: int) -> object:
            return code.load(code.at(biases, column, "float"), "float", width)

        def row(self, code: Code, row: Index) -> object:
            factor = code.load_scalar(code.at(scales, row, "float"), "float")
            return code.splat(factor), super().row(code, row)

        def entry(self, code, row, column, width, value, column_state, row_state) -> None:
            factor, start = row_state
            sum = code.binary("fadd", value, column_state)
            positive = code.compare("ogt", sum, code.constant(0, "float"))
            final = code.binary("fmul", code.select(positive, sum, code.constant(0, "float")), factor)
            super().entry(code, row, column, width, final, None, start)

    epilogue = Layer(result, columns, "float", cost)
    operands = Operand(left, inner, 1), Operand(right, columns, 1)
    chosen = form(name, machine, rows, columns, inner, "float")
    chosen.write(code, *operands, "float", epilogue, first, last)
    like = np.empty((rows, columns), "f4")
    found = by_units(native(code, machine), [a, b, bias, scale], like, chosen.units)
    expected = np.maximum(a @ b + bias, 0) * scale[:, None]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_units_depend_on_the_shape_alone():
    machine = machine_with(128)
    assert units(machine, 1, 1, 10, "float") == 1
    assert units(machine, 4096, 8, 10, "float") > 100
    assert units(machine, 8, 4096, 10, "float") > 100


def test_vectors_lie_along_the_longer_extents():
    """Ten columns fill a vector of eight and a quarter of another."""
    machine = Machine("x86_64-unknown-linux-gnu", "x86-64-v4", "", 512)
    pointer = Register("%p0", "ptr")

    def chosen(rows: int, columns: int, inner: int, a: tuple[int, int]) -> str:
        operands = Operand(pointer, *a), Operand(pointer, columns, 1)
        return cheapest(machine, rows, columns, inner, "double", *operands, 1).name

    assert chosen(500, 10, 100, (100, 1)) == "inner"
    assert chosen(100, 10, 500, (1, 100)) == "turned"
    assert chosen(100, 16, 500, (500, 1)) == "outer"


def test_empty_products_are_refused():
    machine, code = machine_with(128), Code("empty", 4)
    operand = Operand(Register("%p0", "ptr"), 1, 1)
    store = Store(Register("%p0", "ptr"), 1, "float")
    with pytest.raises(ValueError, match="3 × 0 and 0 × 2"):
        product(code, machine, 3, 2, 0, operand, operand, "float", store, 0, 1)
    with pytest.raises(ValueError, match="vectors of 2 entries, got 4"):
        product(code, machine, 3, 2, 1, operand, operand, "double", store, 0, 1)
    with pytest.raises(ValueError, match="3 × 0 and 0 × 2"):
        cheapest(machine, 3, 2, 0, "float", operand, operand, 1)
    with pytest.raises(ValueError, match="vectors of 2 entries, got 4"):
        cheapest(machine, 3, 2, 1, "double", operand, operand, 1).write(
            code, operand, operand, "double", store, 0, 1
        )


@pytest.mark.parametrize("count", [2, 3, 9])
def test_stacks_of_products(count):
    rng = np.random.default_rng(count)
    a, b = rng.standard_normal((count, 50, 30)), rng.standard_normal((count, 30, 10))
    found = wengert.compile(lambda a, b: wengert.tanh(a @ b), backend="native")(a, b)
    np.testing.assert_allclose(found, np.tanh(a @ b), rtol=1e-10, atol=1e-12)
