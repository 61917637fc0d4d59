"""Convolution and pooling in native code, against the rows on NumPy."""

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from native_code import at_widths, by_units, machine_with, native

from wengert.compiler.llvm import convolutions, pooling, walks
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import BYTES, MEMORY_TYPES
from wengert.numbers.convolutions import Convolutions
from wengert.numbers.windows import Windows

CONVOLUTIONS = [
    # images, outputs, kernel, stride, padding, dilation, groups
    ((2, 3, 8, 9), 4, (3, 3), (1, 1), 0, (1, 1), 1),
    ((2, 3, 8, 9), 14, (3, 3), (1, 1), 1, (1, 1), 1),
    ((1, 1, 28, 28), 8, (5, 5), (1, 1), 2, (1, 1), 1),
    ((1, 4, 9, 11), 6, (3, 2), (2, 1), ((1, 2), (0, 3)), (1, 2), 2),
    ((2, 2, 7, 40), 3, (3, 3), (2, 2), 1, (1, 1), 1),
    ((1, 3, 12, 12), 5, (4, 4), (4, 4), 0, (1, 1), 1),
    ((2, 2, 10, 9), 2, (2, 3), (3, 2), ((-1, 0), (2, -1)), (2, 1), 1),
    ((3, 4, 6, 6), 4, (3, 3), (1, 1), 1, (1, 1), 4),
    ((2, 5, 6, 6), 7, (1, 1), (1, 1), 0, (1, 1), 1),
    ((2, 5, 6, 6), 7, (1, 1), (2, 2), 0, (1, 1), 1),
    ((1, 2, 1, 1), 2, (2, 2), (3, 3), ((3, 0), (3, 0)), (1, 1), 1),
    ((1, 16, 5, 5), 20, (3, 3), (2, 2), 1, (1, 1), 1),
]
POOLINGS = [
    # images, kernel, stride, padding, dilation, ceil_mode
    ((2, 8, 8), 2, 2, 0, 1, False),
    ((2, 9, 40), 3, 2, 1, 1, False),
    ((2, 9, 11), 3, 2, 1, 1, True),
    ((1, 7, 7), (2, 3), (1, 1), 0, (2, 1), False),
    ((2, 5, 5), 2, 2, 0, 1, True),
    ((1, 12, 13), (4, 3), 3, (2, 1), 1, True),
    ((2, 6, 70), (1, 2), (3, 2), 0, (1, 1), False),
    ((1, 20, 37), 5, 2, 2, 1, False),
    ((1, 40, 1), 2, 1, ((0, 0), (0, 1)), 1, False),
]


def made_natively(emit, inputs, like, number, vector_bits, *settings):
    """What a row makes of some arrays in native code."""
    machine = machine_with(vector_bits)
    element = MEMORY_TYPES[like.dtype.name]
    code = Code("row", machine.lanes(BYTES[element]))
    pointers = [code.parameter() for _ in range(len(inputs) + 1)]
    first, last = code.parameter("i64"), code.parameter("i64")
    emit(code, *settings, *pointers, element, first, last)
    return by_units(native(code, machine), inputs, like, number)


@at_widths(CONVOLUTIONS)
def test_the_three_maps_of_a_convolution(case, vector_bits):
    shape, outputs, kernel, stride, padding, dilation, groups = case
    dtype = "float64" if shape[0] == 2 else "float32"
    placement = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    convolution = convolutions.Convolution.of(shape, outputs, kernel, stride, padding, dilation, groups)
    rng = np.random.default_rng(3)
    x = rng.standard_normal(shape).astype(dtype)
    weight = rng.standard_normal((outputs, shape[1] // groups, *kernel)).astype(dtype)
    a = rng.standard_normal((shape[0], outputs, *convolution.placement.counts)).astype(dtype)
    machine = machine_with(vector_bits)
    images = convolutions.units(convolution)
    weight_units = convolutions.weight_units(machine, convolution, MEMORY_TYPES[dtype])
    for emit, inputs, expected, number in (
        (convolutions.emit_conv2d, [x, weight], Convolutions.conv2d(x, weight, **placement), images),
        (
            convolutions.emit_conv_transpose2d,
            [a, weight],
            Convolutions.conv_transpose2d(a, weight, shape=shape[-2:], **placement),
            images,
        ),
        (
            convolutions.emit_conv2d_weight,
            [x, a],
            Convolutions.conv2d_weight(x, a, kernel_size=kernel, **placement),
            weight_units,
        ),
    ):
        found = made_natively(emit, inputs, expected, number, vector_bits, machine, convolution)
        tolerance = 1e-12 if dtype == "float64" else 1e-4
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@at_widths(POOLINGS)
def test_pooling_at_maxima_with_ties_and_nan(case, vector_bits):
    shape, kernel, stride, padding, dilation, ceil_mode = case
    dtype = ("float32", "float64", "int64", "float64")[POOLINGS.index(case) % 4]
    windows = walks.Pooling.of(*case)
    rng = np.random.default_rng(5)
    x = rng.integers(-3, 4, shape).astype(dtype)
    if dtype.startswith("float"):
        x[rng.random(shape) < 0.05] = np.nan
        x[rng.random(shape) < 0.2] = -np.inf
    v = rng.integers(-9, 9, shape).astype(dtype)
    g = rng.integers(-9, 9, (shape[0], *windows.placement.counts)).astype(dtype)
    settings = {
        "kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation,
        "ceil_mode": ceil_mode,
    }  # fmt: skip
    for emit, inputs, expected in (
        (pooling.emit_max_pool2d, [x], Windows.max_pool2d(x, **settings)),
        (pooling.emit_pool_at_maxima, [v, x], Windows.pool_at_maxima(v, x, **settings)),
        (pooling.emit_unpool_at_maxima, [g, x], Windows.unpool_at_maxima(g, x, **settings)),
    ):
        found = made_natively(emit, inputs, expected, shape[0], vector_bits, windows)
        assert np.array_equal(found, expected, equal_nan=dtype.startswith("float"))


@at_widths([case for case in POOLINGS if case[4] in (1, (1, 1))])
def test_average_pooling(case, vector_bits):
    count_include_pad = POOLINGS.index(case) % 2 == 0
    shape, kernel, stride, padding, _, ceil_mode = case
    windows = walks.Pooling.of(*case)
    counts = walks.Counts.of(
        shape, kernel, stride, padding, ceil_mode, count_include_pad, windows.placement.counts
    )
    settings = {
        "kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil_mode,
        "count_include_pad": count_include_pad,
    }  # fmt: skip
    rng = np.random.default_rng(6)
    x = rng.standard_normal(shape)
    mean = Windows.avg_pool2d(x, **settings)
    found = made_natively(pooling.emit_avg_pool2d, [x], mean, shape[0], vector_bits, windows, counts)
    np.testing.assert_allclose(found, mean, rtol=1e-14, atol=1e-15)


@at_widths([case for case in POOLINGS if not case[5]])
def test_windows_and_their_sums(case, vector_bits):
    shape, kernel, stride, padding, dilation, _ = case
    windows = walks.Pooling.of(*case)
    placement = {"stride": stride, "padding": padding, "dilation": dilation}
    rng = np.random.default_rng(7)
    x = rng.standard_normal(shape).astype("float32")
    taken = np.ascontiguousarray(Windows.windows(x, kernel_size=kernel, **placement))
    found = made_natively(pooling.emit_windows, [x], taken, shape[0], vector_bits, windows)
    assert np.array_equal(found, taken)
    g = rng.standard_normal(taken.shape).astype("float32")
    sums = Windows.overlap_add(g, shape=shape[-2:], **placement)
    found = made_natively(pooling.emit_overlap_add, [g], sums, shape[0], vector_bits, windows)
    assert np.array_equal(found, sums)


@pytest.mark.parity
def test_convolution_agrees_with_pytorch():
    torch = pytest.importorskip("torch")
    shape, outputs, kernel, stride, padding, dilation, groups = (
        (2, 6, 15, 17),
        8,
        (3, 3),
        (2, 2),
        1,
        (1, 1),
        2,
    )
    convolution = convolutions.Convolution.of(shape, outputs, kernel, stride, padding, dilation, groups)
    rng = np.random.default_rng(8)
    x = rng.standard_normal(shape)
    weight = rng.standard_normal((outputs, 3, *kernel))
    expected = torch.nn.functional.conv2d(
        torch.from_numpy(x), torch.from_numpy(weight), stride=stride, padding=padding, groups=groups
    ).numpy()
    found = made_natively(
        convolutions.emit_conv2d, [x, weight], expected, 4, 128, machine_with(128), convolution
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
