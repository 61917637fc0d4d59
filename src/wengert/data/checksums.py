"""Files known by their sha256: one that differs in a single bit is named, and never used."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DataFile:
    """A file of a known data set: where it lies, what it is, and where it can be had.

    ``urls`` are tried in turn. One that ends in ``.zip`` is an archive that holds the file.
    """

    folder: str
    name: str
    sha256: str
    size: int | None = None
    urls: tuple[str, ...] = ()


class CorruptedFile(ValueError):
    """A file that is not the one its name says."""


def checked(path: Path, file: DataFile) -> Path:
    """The path itself, once its content is what was registered. Raises CorruptedFile naming what differs.

    A file is hashed once per process, and again when its size or its time of change differs.
    """
    status = path.stat()
    if file.size is not None and status.st_size != file.size:
        raise CorruptedFile(
            f"{path} is truncated or is another file: expected {file.size:,} bytes, found "
            f"{status.st_size:,}. It is not used; delete it, or put the original in its place"
        )
    key = (str(path.resolve()), status.st_size, status.st_mtime_ns, status.st_ino)
    if key not in _known:
        _known[key] = sha256_of(path)
    if _known[key] != file.sha256:
        raise CorruptedFile(
            f"{path} is corrupted or is another file: expected the sha256 {file.sha256}, found "
            f"{_known[key]}. It is not used; delete it, or put the original in its place"
        )
    return path


def sha256_of(path: str | Path) -> str:
    """The sha256 of a file's content, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_known: dict[tuple[str, int, int, int], str] = {}
