"""The cache of native code on disk, so that the next process need not compile it again.

An entry holds object files, and what the caller wants to know about them. It is written whole and carries
its own checksum: an entry that is cut short, changed or from elsewhere is thrown away, and its code made
again. A folder that cannot be written costs time, never a result.

The folder is the one that the environment variable ``WENGERT_CACHE`` names, else ``wengert`` in the
platform's folder for caches.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import struct
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wengert.compiler.llvm.engines import NativeModule, compiled, versions
from wengert.compiler.llvm.machine import Machine
from wengert.files import write_whole

LARGEST = 512 * 2**20
"""So many bytes of entries are kept; beyond that the ones that have gone unused for longest go."""

_MAGIC = b"wengert native 1\n"
_CHECKSUM = 32
_SUFFIX = ".wengert"
_ABANDONED = 3600.0  # seconds after which an unfinished file belongs to a process that was killed


def native(text: str | Sequence[str], machine: Machine) -> NativeModule:
    """The code of one module or several in LLVM's intermediate representation, from the cache if it is
    there."""
    key = text if isinstance(text, str) else "\0".join(text)
    found = lookup(key, machine)
    return found[0] if found else build(text, key, machine)


def lookup(key: str, machine: Machine) -> tuple[NativeModule, Any] | None:
    """The code that was built under a key, and the metadata stored with it; None where there is none."""
    path = _entry(key, machine)
    try:
        data = path.read_bytes()
    except OSError:
        return None
    content = _unpacked(data)
    if content is None:
        with contextlib.suppress(OSError):
            path.unlink()
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # the entries used last are kept longest
    metadata, objects = content
    return NativeModule(objects, machine), metadata


def build(text: str | Sequence[str], key: str, machine: Machine, metadata: Any = None) -> NativeModule:
    """Compile one module or several, and keep the code under a key, which says all that it depends on.

    Several modules are compiled at the same time; they may call each other's exported functions. ``metadata``
    is whatever JSON can hold. Raises RuntimeError with LLVM's words for text that it does not understand.
    """
    objects = compiled([text] if isinstance(text, str) else list(text), machine)
    path = _entry(key, machine)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, _packed(metadata, objects))
        _make_room(path.parent)
    return NativeModule(objects, machine)


def cache_folder() -> Path:
    """Where compiled code is kept."""
    chosen = os.environ.get("WENGERT_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    home = Path("~").expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "wengert" / "cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "wengert"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "wengert"


def _entry(key: str, machine: Machine) -> Path:
    parts = [key, machine.triple, machine.cpu, machine.features, str(machine.vector_bits), versions()]
    digest = hashlib.blake2b(digest_size=20)
    for part in parts:
        encoded = part.encode()
        digest.update(struct.pack("<Q", len(encoded)) + encoded)
    return cache_folder() / "native" / (digest.hexdigest() + _SUFFIX)


def _packed(metadata: Any, objects: Sequence[bytes]) -> bytes:
    """A header with a checksum of all that follows it: how long each part is, and the parts."""
    parts = [json.dumps(metadata).encode(), *objects]
    sizes = struct.pack(f"<{len(parts) + 1}Q", len(parts), *map(len, parts))
    content = b"".join([sizes, *parts])
    return _MAGIC + hashlib.blake2b(content, digest_size=_CHECKSUM).digest() + content


def _unpacked(data: bytes) -> tuple[Any, list[bytes]] | None:
    """The metadata and the object files of an entry; None where the entry is not whole."""
    start = len(_MAGIC) + _CHECKSUM
    content = data[start:]
    checksum = hashlib.blake2b(content, digest_size=_CHECKSUM).digest()
    if data[:start] != _MAGIC + checksum:
        return None
    (count,) = struct.unpack_from("<Q", content)
    sizes = struct.unpack_from(f"<{count}Q", content, 8)
    parts, position = [], 8 * (1 + count)
    for size in sizes:
        parts.append(content[position : position + size])
        position += size
    return json.loads(parts[0]), parts[1:]


def _make_room(folder: Path) -> None:
    """Remove what killed processes left behind and, beyond `LARGEST`, the entries unused for longest."""
    entries = []
    for file in os.scandir(folder):
        with contextlib.suppress(OSError):
            status = file.stat()
            if file.name.endswith(_SUFFIX):
                entries.append((status.st_mtime, status.st_size, file.path))
            elif time.time() - status.st_mtime > _ABANDONED:
                os.unlink(file.path)
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= LARGEST:
            return
        with contextlib.suppress(OSError):
            os.unlink(path)
        total -= size
