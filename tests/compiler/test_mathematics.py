"""Native mathematical functions: how far from exact at every width, and what they do at the edges.

The references are double for float, and the C library's long double for double. `make_polynomials` fits the
polynomials that they evaluate.
"""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("llvmlite")
pytest.importorskip("mpmath")

from make_polynomials import fits, fitted
from native_code import machine_with

from wengert.compiler.llvm import coefficients
from wengert.compiler.llvm.engines import NativeModule, compiled
from wengert.compiler.llvm.machine import WIDTHS
from wengert.compiler.llvm.mathematics import FUNCTIONS, ULP, emit
from wengert.compiler.llvm.modules import module_texts
from wengert.compiler.llvm.text import Code

TWO_ARGUMENTS = ("atan2", "power")
DTYPES = ("float32", "float64")
NUMPY = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2"}
RANGES = {
    "exp": ((-104, 89), (-746, 710)),
    "expm1": ((-30, 89), (-50, 710)),
    "sinh": ((-90, 90), (-711, 711)),
    "cosh": ((-90, 90), (-711, 711)),
    "tanh": ((-10, 10), (-20, 20)),
    "erf": ((-4.5, 4.5), (-6.5, 6.5)),
    "asin": ((-1, 1), (-1, 1)),
    "acos": ((-1, 1), (-1, 1)),
    "log": ((0, 4), (0, 4)),
    "log2": ((0, 4), (0, 4)),
    "log1p": ((-1, 3), (-1, 3)),
}
"""Where each function is interesting, in both formats."""

has_long_double = pytest.mark.skipif(
    np.finfo(np.longdouble).nmant < 63, reason="this platform has no longer format to compare with"
)


@functools.cache
def function(name: str, dtype: str, vector_bits: int) -> Callable[..., np.ndarray]:
    """The native function on arrays of one length."""
    machine = machine_with(vector_bits)
    element, size = ("float", 4) if dtype == "float32" else ("double", 8)
    code = Code("f", machine.lanes(size))
    inputs = [code.parameter() for _ in range(2 if name in TWO_ARGUMENTS else 1)]
    result, count = code.parameter(), code.parameter("i64")
    with code.loop(0, count, code.lanes) as k:
        values = [code.load(code.at(pointer, k, element), element) for pointer in inputs]
        code.store(emit(name, code, *values), code.at(result, k, element))
    module = NativeModule(compiled(module_texts([], [code], machine.vector_bits), machine), machine)
    call = module.function("f", *[ctypes.c_void_p] * (len(inputs) + 1), ctypes.c_int64)

    def evaluate(*arrays: np.ndarray) -> np.ndarray:
        padded = [np.concatenate([a, np.ones(-len(a) % code.lanes, dtype)]) for a in arrays]
        values = np.empty_like(padded[0])
        call(*(a.ctypes.data for a in (*padded, values)), len(values))
        return values[: len(arrays[0])]

    return evaluate


def exact(name: str, *arrays: np.ndarray) -> np.ndarray:
    """The function in a longer format."""
    wide = np.float64 if arrays[0].dtype == np.float32 else np.longdouble
    with np.errstate(all="ignore"):
        if name != "erf":
            return np.asarray(getattr(np, NUMPY.get(name, name))(*(a.astype(wide) for a in arrays)))
        if wide is np.float64:
            return np.array([math.erf(x) for x in arrays[0]])
    import mpmath

    with mpmath.workprec(80):
        values = [mpmath.erf(float(x)) for x in arrays[0]]
        rest = [float(v - float(v)) if mpmath.isfinite(v) else 0.0 for v in values]
    reference = np.array([np.longdouble(float(v)) for v in values]) + np.array(rest)
    return np.where(arrays[0] == 0, arrays[0], reference)  # mpmath has no negative zero


def error(value: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The distance in units in the last place; infinite where only one of both is infinite or NaN."""
    dtype = value.dtype
    with np.errstate(all="ignore"):
        rounded = reference.astype(dtype)
        size = np.clip(np.abs(rounded), np.finfo(dtype).tiny, np.finfo(dtype).max)
        distance = np.abs(value.astype(reference.dtype) - reference) / np.spacing(size)
    same = (value == rounded) | (np.isnan(value) & np.isnan(rounded))
    plain = np.isfinite(value) & np.isfinite(rounded)
    return np.where(plain, distance, np.where(same, 0, np.inf))


def special(dtype: str) -> np.ndarray:
    form = np.finfo(dtype)
    positive = [
        *(
            0.0,
            form.smallest_subnormal,
            form.tiny / 4,
            form.tiny,
            form.eps,
            1e-5,
            0.5,
            0.625,
            1 - form.epsneg,
            1,
        ),
        *(1 + form.eps, 2, 3, 10, 31, 100, 1e5, 2.0**22, 1e10, 2.0**53 - 1, form.max, np.inf, np.nan),
    ]
    return np.array([*positive, *(-x for x in positive)], dtype)


def samples(name: str, dtype: str, count: int) -> list[np.ndarray]:
    """Numbers of every magnitude, of the function's range, and around zero."""
    generator = np.random.default_rng(len(name))
    whole = np.uint32 if dtype == "float32" else np.uint64
    bits = generator.integers(0, np.iinfo(whole).max, count, dtype=whole).view(dtype)
    low, high = RANGES.get(name, ((-1e4, 1e4),) * 2)[DTYPES.index(dtype)]
    around = generator.standard_normal(count) * 1.5
    return [bits, generator.uniform(low, high, count).astype(dtype), around.astype(dtype)]


def assert_accurate(name: str, dtype: str, bits: int, *arrays: np.ndarray) -> None:
    value = function(name, dtype, bits)(*arrays)
    reference = exact(name, *arrays)
    errors = error(value, reference)
    worst = int(np.argmax(errors))
    at = [float(a[worst]) for a in arrays]
    assert errors[worst] <= ULP[name], f"{name}{at}: {value[worst]}, not {reference[worst]}"
    number = ~np.isnan(value)
    assert (np.signbit(value) == np.signbit(reference))[number].all()


def test_every_function_states_its_accuracy() -> None:
    assert set(ULP) == set(FUNCTIONS)
    assert max(ULP.values()) <= 2


@has_long_double
@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_results_are_as_accurate_as_stated(name: str, dtype: str, bits: int) -> None:
    count = 500 if name == "erf" else 20_000
    edges = special(dtype)
    if name in TWO_ARGUMENTS:
        x, y = (a.ravel() for a in np.meshgrid(edges, edges))
        assert_accurate(name, dtype, bits, x, y)
        for x, y in zip(samples("log", dtype, count), samples(name, dtype, count), strict=True):
            assert_accurate(name, dtype, bits, x, y)
        return
    for x in (edges, *samples(name, dtype, count)):
        assert_accurate(name, dtype, bits, x)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in TWO_ARGUMENTS])
def test_float_is_accurate_all_along_the_line(name: str) -> None:
    """Four million floats, at equal distances of their bits."""
    x = np.arange(7, 2**32, 1021, dtype=np.uint32).view(np.float32)
    assert_accurate(name, "float32", max(b for b in WIDTHS if b <= machine_with(128).vector_bits), x)


@pytest.mark.slow
@has_long_double
@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "erf"])
def test_double_is_accurate_on_many_numbers(name: str) -> None:
    arrays = samples(name, "float64", 1_000_000)
    others = samples("log", "float64", 1_000_000)
    for x, y in zip(others, arrays, strict=True):
        assert_accurate(name, "float64", 128, *((x, y) if name in TWO_ARGUMENTS else (y,)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_powers_with_few_digits_are_exact(dtype: str) -> None:
    x, y = (a.ravel().astype(dtype) for a in np.meshgrid(np.arange(-12.0, 13), np.arange(0.0, 6)))
    assert np.array_equal(function("power", dtype, 128)(x, y), x**y)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_angles_of_any_size_are_reduced(name: str, dtype: str) -> None:
    """The multiples of π/2 nearest to numbers of the format, and beyond where the C library takes over."""
    generator = np.random.default_rng(0)
    turns = generator.integers(1, 2**21, 20_000) * (math.pi / 2)
    huge = np.ldexp(generator.uniform(0.5, 1, 20_000), generator.integers(10, 120, 20_000))
    for x in (turns, huge):
        assert_accurate(name, dtype, 128, x.astype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_results_below_the_normal_numbers_are_right(dtype: str) -> None:
    form = np.finfo(dtype)
    x = np.linspace(math.log(form.smallest_subnormal) - 2, math.log(form.tiny), 5000).astype(dtype)
    value, reference = function("exp", dtype, 128)(x), exact("exp", x)
    assert np.abs(value - reference).max() <= form.smallest_subnormal
    tiny = form.smallest_subnormal * np.arange(1, 2000, dtype=dtype)
    assert error(function("log", dtype, 128)(tiny), exact("log", tiny)).max() <= ULP["log"]
    for name in ("sin", "tan", "asin", "atan", "tanh", "sinh", "expm1", "log1p"):
        assert np.array_equal(function(name, dtype, 128)(tiny), tiny)


@pytest.mark.slow
def test_the_coefficients_are_those_of_the_fits() -> None:
    for name, fit in fits().items():
        for element, bits, terms in (("float", 24, fit.terms[0]), ("double", 53, fit.terms[1])):
            if 0 < terms <= 8:
                made = np.array(fitted(fit, terms, bits)[0], "float32" if bits == 24 else "float64")
                assert np.array_equal(made, np.array(getattr(coefficients, name)[element], made.dtype))
