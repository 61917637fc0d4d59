"""What native code may count on: the processor, how wide its vectors are, and how many it has.

LLVM names the processor at hand. Code can also be made for a lesser one, whose vectors are narrower: so the
tests meet every width on one machine. The environment variable ``WENGERT_VECTOR_BITS`` (128, 256 or 512)
does so for a whole process; it is read once.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wengert.optional import require

WIDTHS = (128, 256, 512)
"""How many bits a vector can have."""

_NEEDED = {512: ("avx512f", "avx512vl", "avx512dq", "avx512bw", "avx2", "fma"), 256: ("avx2", "fma")}
_LESSER = {512: "x86-64-v4", 256: "x86-64-v3", 128: "x86-64"}


@dataclass(frozen=True)
class Machine:
    """A processor to make code for.

    ``cpu`` and ``features`` are named as LLVM names them; ``triple`` is the system that the code runs on.
    """

    triple: str
    cpu: str
    features: str
    vector_bits: int

    @property
    def is_x86(self) -> bool:
        """Whether the processor is of the 64-bit Intel and AMD kind."""
        return self.triple.startswith(("x86_64", "amd64"))

    @property
    def registers(self) -> int:
        """How many vectors the processor holds at once."""
        return 16 if self.is_x86 and self.vector_bits < 512 else 32

    def lanes(self, element_bytes: int) -> int:
        """How many entries of so many bytes a vector holds.

        >>> Machine("x86_64-unknown-linux-gnu", "x86-64-v3", "", 256).lanes(4)
        8
        """
        return self.vector_bits // 8 // element_bytes

    def limited(self, vector_bits: int) -> Machine:
        """This machine taken for a lesser one, whose vectors have ``vector_bits`` bits.

        128 stands for SSE2 alone, 256 for AVX2 with fused multiplication and addition, 512 for AVX-512.
        Raises ValueError for any other number, and for more bits than this machine's vectors have.
        """
        if vector_bits not in WIDTHS or vector_bits > self.vector_bits:
            allowed = " or ".join(str(bits) for bits in WIDTHS if bits <= self.vector_bits)
            raise ValueError(f"vector_bits: expected {allowed} on this machine, got {vector_bits}")
        if vector_bits == self.vector_bits:
            return self
        return Machine(self.triple, _LESSER[vector_bits], "", vector_bits)


@functools.cache
def this_machine() -> Machine:
    """The machine that this process runs on, or the lesser one that ``WENGERT_VECTOR_BITS`` asks for.

    Raises ImportError where llvmlite is not installed, ValueError for a width that the machine does not have.
    """
    llvm = binding()
    triple = llvm.get_process_triple()
    features = llvm.get_host_cpu_features()
    machine = Machine(triple, llvm.get_host_cpu_name(), features.flatten(), _widest(triple, features))
    chosen = os.environ.get("WENGERT_VECTOR_BITS", "")
    if not chosen:
        return machine
    try:
        return machine.limited(int(chosen))
    except ValueError:
        allowed = " or ".join(str(bits) for bits in WIDTHS if bits <= machine.vector_bits)
        raise ValueError(
            f"WENGERT_VECTOR_BITS: expected {allowed} on this machine, got {chosen!r}; "
            "unset it to use the widest vectors"
        ) from None


def available_threads() -> int:
    """How many threads this process may run at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _widest(triple: str, features: Mapping[str, bool]) -> int:
    if triple.startswith(("x86_64", "amd64")):
        for bits, needed in _NEEDED.items():
            if all(features.get(name, False) for name in needed):
                return bits
    return 128


@functools.cache
def binding() -> Any:
    """llvmlite's binding, ready to make code for this machine.

    Raises ImportError where llvmlite is not installed.
    """
    llvm = require("llvmlite.binding", "native code", "native")
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm
