"""Every row of the table on outlines: the shape and the dtype are those of the value."""

from __future__ import annotations

import numpy as np
import pytest
from cases import Sample, samples

from wengert.numbers.outlines import outlined
from wengert.ops.arithmetic import multiply


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sample", samples(lambda s: not s.is_scalar))
def test_an_outline_has_the_shape_and_the_dtype_of_the_value(sample: Sample, dtype: str) -> None:
    args, params = sample.bound(dtype)
    outlines = [outlined(multiply, (a, 1), {}) if a.dtype.kind == "f" else a for a in args]
    value, outline = sample.op.apply(tuple(args), params), outlined(sample.op, tuple(outlines), params)
    if isinstance(value, tuple):
        return  # a factorisation, which is computed
    assert (np.shape(outline), outline.dtype) == (np.shape(value), value.dtype)
    np.testing.assert_array_equal(np.asarray(outline), value)
