"""The idx format: what is read, and which damage is named."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from wengert.data import read_idx

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array):
    code = CODES[array.dtype.str[1:]]
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, code, array.ndim]) + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes()


@given(st.data(), st.sampled_from(sorted(CODES)), st.booleans())
def test_arrays_of_every_type_come_back(tmp_path_factory, data, code, packed):
    array = data.draw(arrays.arrays(code, arrays.array_shapes(min_side=0, max_dims=4, max_side=4)))
    path = tmp_path_factory.mktemp("idx") / "array"
    content = idx_bytes(array)
    path.write_bytes(gzip.compress(content) if packed else content)
    found = read_idx(path)
    assert found.dtype == array.dtype and found.dtype.isnative
    np.testing.assert_array_equal(found, array)


WHOLE = idx_bytes(np.arange(12, dtype=np.uint8).reshape(3, 4))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no idx file.* found nothing"),
        (b"\x1f\x8b\x08", "inside its compression"),
        (b"PK\x03\x04" + WHOLE, "is no idx file.* found 50 4b 03 04"),
        (b"\0\0\x07\x01" + WHOLE, "is no idx file"),
        (WHOLE[:7], "ends inside its 2 sizes"),
        (WHOLE[:-1], r"is truncated: shape \(3, 4\) of uint8 takes 12 bytes after the sizes, found 11"),
        (WHOLE + b"\0", "goes on after its last entry.* takes 12 bytes .* found 13"),
        (gzip.compress(WHOLE, mtime=0)[:-9], "inside its compression"),
        (gzip.compress(WHOLE, mtime=0)[:-6] + b"\0" * 6, "inside its compression"),
        (bytes([0, 0, 8, 2]) + b"\xff" * 8, "is truncated: shape"),
    ],
)
def test_damage_is_named_with_the_file(tmp_path, content, said):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"(?s)train-images.*" + said):
        read_idx(path)
