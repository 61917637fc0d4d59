"""Native code reads and writes inside its arrays only: every buffer is put beside memory that may not be
touched, so that one byte too far ends the process."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parent / "guarded_memory.py"
HERE = pytest.mark.skipif(not hasattr(mmap, "MAP_ANONYMOUS"), reason="needs mprotect")


def run_guarded(first: int, last: int, folder: Path, *settings: str) -> None:
    """Run these programs in a process of their own; a crash names the program."""
    environment = {**os.environ, "WENGERT_CACHE": str(folder), "PYTHONFAULTHANDLER": "1"}
    source = Path(__file__).parents[2] / "src"
    environment["PYTHONPATH"] = os.pathsep.join([str(source), environment.get("PYTHONPATH", "")])
    for setting in settings:
        name, _, value = setting.partition("=")
        environment[name] = value
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(first), str(last)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seeds = done.stdout.split()
    assert done.returncode == 0, f"seed {seeds[-1] if seeds else 'none'}:\n{done.stderr[-3000:]}"
    assert len(seeds) == last - first


@HERE
def test_programs_stay_inside_their_arrays(tmp_path: Path) -> None:
    pytest.importorskip("llvmlite")
    run_guarded(0, 40, tmp_path)


@HERE
@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 4000, 250))
def test_thousands_of_programs_stay_inside_their_arrays(first: int, tmp_path: Path) -> None:
    pytest.importorskip("llvmlite")
    run_guarded(first, first + 250, tmp_path)


@HERE
@pytest.mark.slow
@pytest.mark.parametrize("bits", [128, 256])
def test_narrow_vectors_stay_inside_too(bits: int, tmp_path: Path) -> None:
    pytest.importorskip("llvmlite")
    run_guarded(5000, 5250, tmp_path, f"WENGERT_VECTOR_BITS={bits}")


@HERE
@pytest.mark.parametrize("at_end", [False, True])
def test_the_guards_guard(at_end: bool) -> None:
    """Touching the byte beside a guarded array does end a process."""
    program = f"""
import ctypes
from guarded_memory import guarded
array = guarded((3, 5), "float32", {at_end})
place = array.ctypes.data + ({array_bytes()} if {at_end} else -1)
print(ctypes.c_char.from_address(array.ctypes.data).value is not None, flush=True)
ctypes.c_char.from_address(place).value
"""
    source = Path(__file__).parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=SCRIPT.parent,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "True\n"
    assert done.returncode < 0


def array_bytes() -> int:
    """The size of the array in that test."""
    return np.empty((3, 5), np.float32).nbytes
