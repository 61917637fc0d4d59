"""What native code counts on: the width of the machine's vectors, and lesser machines in its place."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

import pytest

pytest.importorskip("llvmlite")

from wengert.compiler.llvm.machine import WIDTHS, Machine, this_machine

WIDE = Machine("x86_64-unknown-linux-gnu", "znver5", "+avx512f", 512)


def asked(bits: str) -> subprocess.CompletedProcess[str]:
    program = "from wengert.compiler.llvm.machine import this_machine; print(this_machine().vector_bits)"
    environment = {**os.environ, "WENGERT_VECTOR_BITS": bits}
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)


def test_this_machine_is_known_once() -> None:
    machine = this_machine()
    assert machine is this_machine()
    assert machine.vector_bits in WIDTHS
    assert machine.lanes(4) == 2 * machine.lanes(8) == machine.vector_bits // 32


@pytest.mark.parametrize(("bits", "registers"), [(128, 16), (256, 16), (512, 32)])
def test_a_machine_is_taken_for_a_lesser_one(bits: int, registers: int) -> None:
    lesser = WIDE.limited(bits)
    assert (lesser.vector_bits, lesser.registers) == (bits, registers)
    assert lesser.limited(bits) is lesser


def test_other_processors_have_short_vectors_and_many_of_them() -> None:
    machine = Machine("aarch64-apple-darwin", "apple-m1", "", 128)
    assert (machine.lanes(4), machine.registers) == (4, 32)


@pytest.mark.parametrize("bits", [0, 64, 512])
def test_more_than_the_machine_has_is_refused(bits: int) -> None:
    with pytest.raises(ValueError, match=f"vector_bits: expected 128 or 256 on this machine, got {bits}"):
        WIDE.limited(256).limited(bits)


def test_a_machine_is_what_it_can_do() -> None:
    assert dataclasses.replace(WIDE) == WIDE
    assert hash(WIDE.limited(256)) != hash(WIDE.limited(128))


def test_the_environment_chooses_the_width() -> None:
    assert asked("128").stdout.split() == ["128"]
    assert asked("").stdout.split() == [str(_widest())]


def test_an_impossible_width_in_the_environment_is_named() -> None:
    for bits in ("96", "wide"):
        assert "WENGERT_VECTOR_BITS: expected 128" in asked(bits).stderr


def _widest() -> int:
    environment = {name: value for name, value in os.environ.items() if name != "WENGERT_VECTOR_BITS"}
    program = "from wengert.compiler.llvm.machine import this_machine; print(this_machine().vector_bits)"
    return int(subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True).stdout)
