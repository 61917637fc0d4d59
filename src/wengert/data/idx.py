"""The idx format of MNIST: a magic number, the sizes, the entries, in big-endian order."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: str | Path) -> NDArray[Any]:
    """The array of an idx file, which may be compressed with gzip.

    Raises ValueError naming the file where it is not one, is too short, or goes on after its last entry.

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "three.idx"
    >>> _ = file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
    >>> read_idx(file)
    array([7, 8, 9], dtype=uint8)
    """
    content = _content(Path(path))
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _DTYPES:
        raise ValueError(
            f"{path} is no idx file: expected it to begin with two zero bytes and the code of a type, "
            f"found {content[:4].hex(' ') or 'nothing'}"
        )
    dtype = np.dtype(_DTYPES[content[2]])
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise ValueError(
            f"{path} is truncated: it ends inside its {content[3]} sizes, after {len(content)} bytes"
        )
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", content[3], offset=4))
    count = math.prod(shape)
    expected, found = count * dtype.itemsize, len(content) - start
    if found != expected:
        what = "is truncated" if found < expected else "goes on after its last entry"
        raise ValueError(
            f"{path} {what}: shape {shape} of {dtype.newbyteorder('=')} takes {expected:,} bytes after the "
            f"sizes, found {found:,}"
        )
    array = np.frombuffer(content, dtype, count, offset=start).reshape(shape)
    return array.astype(dtype.newbyteorder("="))


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path} is truncated or corrupted inside its compression: {error}") from None
