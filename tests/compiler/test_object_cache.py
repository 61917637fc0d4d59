"""The cache of native code: what is in it is used, and nothing that happens to it does any harm."""

from __future__ import annotations

import ctypes
import dataclasses
import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from wengert.compiler.llvm import engines, objects
from wengert.compiler.llvm.engines import NativeModule
from wengert.compiler.llvm.machine import this_machine
from wengert.compiler.llvm.modules import module_texts
from wengert.compiler.llvm.objects import build, cache_folder, lookup, native
from wengert.compiler.llvm.text import Code

COUNT = 64


def adding(name: str, number: float, calls: str = "") -> str:
    """A module with a function that adds a number to 64 floats; first it calls another function on them."""
    machine = this_machine()
    code = Code(name, machine.lanes(4))
    entries = code.parameter()
    if calls:
        code.declarations.add(f"declare void @{calls}(ptr)")
        code.do(f"call void @{calls}({entries})")
    with code.loop(0, COUNT, code.lanes) as k:
        place = code.at(entries, k, "float")
        code.store(code.binary("fadd", code.load(place, "float"), code.constant(number, "float")), place)
    (text,) = module_texts([], [code], machine.vector_bits)
    return text


def added(module: NativeModule, name: str = "f") -> float:
    entries = np.zeros(COUNT, np.float32)
    module.function(name, ctypes.c_void_p)(entries.ctypes.data)
    assert (entries == entries[0]).all()
    return float(entries[0])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WENGERT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "native"


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many modules each compilation had."""
    counts: list[int] = []

    def counted(texts: list[str], machine: object) -> list[bytes]:
        counts.append(len(texts))
        return engines.compiled(texts, machine)  # type: ignore[arg-type]

    monkeypatch.setattr(objects, "compiled", counted)
    return counts


def only_entry(folder: Path) -> Path:
    (entry,) = folder.glob("*.wengert")
    return entry


def test_code_is_compiled_once(compilations: list[int]) -> None:
    for _ in range(3):
        assert added(native(adding("f", 2.5), this_machine())) == 2.5
    assert compilations == [1]


def test_metadata_comes_back() -> None:
    assert lookup("k", this_machine()) is None
    build(adding("f", 3.0), "k", this_machine(), {"slots": [1, 2], "bytes": 10**12})
    found = lookup("k", this_machine())
    assert found is not None
    assert (added(found[0]), found[1]) == (3.0, {"slots": [1, 2], "bytes": 10**12})


def test_modules_call_each_other(compilations: list[int]) -> None:
    texts = [adding("f", 1.0), adding("g", 10.0, calls="f")]
    for _ in range(2):
        assert added(native(texts, this_machine()), "g") == 11.0
    assert compilations == [2]


def test_a_function_keeps_its_code_alive() -> None:
    function = native(adding("f", 4.0), this_machine()).function("f", ctypes.c_void_p)
    gc.collect()
    entries = np.zeros(COUNT, np.float32)
    function(entries.ctypes.data)
    assert entries[0] == 4.0


def test_a_missing_function_is_named() -> None:
    with pytest.raises(KeyError, match="absent"):
        native(adding("f", 1.0), this_machine()).address("absent")


def test_text_that_is_no_code_is_refused_and_not_kept(folder: Path) -> None:
    with pytest.raises(RuntimeError, match="expected function name"):
        native("define void @", this_machine())
    assert not list(folder.glob("*"))


def test_every_region_of_an_entry_is_checked(folder: Path, compilations: list[int]) -> None:
    text = adding("f", 5.0)
    native(text, this_machine())
    whole = only_entry(folder).read_bytes()
    places = sorted({*range(0, 80), *range(80, len(whole), 101), len(whole) - 1})
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 0x40
        only_entry(folder).write_bytes(changed)
        assert objects._unpacked(bytes(changed)) is None
    assert added(native(text, this_machine())) == 5.0
    assert compilations == [1, 1]
    assert only_entry(folder).read_bytes() == whole


@pytest.mark.parametrize("size", [0, 1, 16, 17, 48, 49, 60, 200, -1])
def test_an_entry_cut_short_is_made_again(folder: Path, size: int, compilations: list[int]) -> None:
    native(adding("f", 6.0), this_machine())
    whole = only_entry(folder).read_bytes()
    only_entry(folder).write_bytes(whole[:size])
    assert added(native(adding("f", 6.0), this_machine())) == 6.0
    assert compilations == [1, 1]
    assert only_entry(folder).read_bytes() == whole


def test_a_foreign_file_in_the_place_of_an_entry_is_replaced(folder: Path) -> None:
    native(adding("f", 7.0), this_machine())
    only_entry(folder).write_bytes(b"\x7fELF" + os.urandom(5000))
    assert lookup(adding("f", 7.0), this_machine()) is None
    assert not list(folder.glob("*.wengert"))
    assert added(native(adding("f", 7.0), this_machine())) == 7.0


def test_other_versions_and_other_machines_have_entries_of_their_own(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    machine = this_machine()
    build(adding("f", 1.0), "k", machine)
    assert lookup("k", dataclasses.replace(machine, features=machine.features + ",+nothing")) is None
    assert lookup("k", dataclasses.replace(machine, cpu="generic")) is None
    monkeypatch.setattr(objects, "versions", lambda: "llvmlite 0.1, LLVM 1.0")
    assert lookup("k", machine) is None
    assert only_entry(folder).exists()


def test_a_folder_that_cannot_be_made_costs_only_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compilations: list[int]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WENGERT_CACHE", str(tmp_path / "file" / "below"))
    for _ in range(2):
        assert added(native(adding("f", 8.0), this_machine())) == 8.0
    assert compilations == [1, 1]


def test_a_folder_that_cannot_be_written_costs_only_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch, compilations: list[int]
) -> None:
    def refused(path: Path, content: bytes) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(objects, "write_whole", refused)
    for _ in range(2):
        assert added(native(adding("f", 8.0), this_machine())) == 8.0
    assert compilations == [1, 1]


def test_the_entries_used_last_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = this_machine()
    for k in range(4):
        build(adding("f", 1.5 + k), f"key {k}", machine)
        os.utime(objects._entry(f"key {k}", machine), (k, k))
    assert lookup("key 0", machine) is not None  # used, so it is the newest now
    size = objects._entry("key 0", machine).stat().st_size
    monkeypatch.setattr(objects, "LARGEST", 3 * size + 10)
    build(adding("f", 5.5), "key 4", machine)
    assert [k for k in range(5) if lookup(f"key {k}", machine) is not None] == [0, 3, 4]


def test_what_killed_processes_left_is_cleared_away(folder: Path) -> None:
    native(adding("f", 1.0), this_machine())
    old, new = folder / ".old.wengert.x1", folder / ".new.wengert.x2"
    for file in (old, new):
        file.write_bytes(b"half of an entry")
    os.utime(old, (1, 1))
    native(adding("f", 2.0), this_machine())
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/wengert"),
        ("linux", {"XDG_CACHE_HOME": ""}, "~/.cache/wengert"),
        ("darwin", {}, "~/Library/Caches/wengert"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/wengert/cache"),
    ],
)
def test_each_platform_has_its_folder(
    platform: str, variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WENGERT_CACHE")
    monkeypatch.setattr(sys, "platform", platform)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected).expanduser()


WRITER = """
import sys
sys.path.insert(0, sys.argv[1])
from test_object_cache import added, adding
from wengert.compiler.llvm.machine import this_machine
from wengert.compiler.llvm.objects import build, lookup
print("ready", flush=True)
for k in range(int(sys.argv[2])):
    number = float(k % 3)
    if k % 2:
        build(adding("f", number), f"key {k % 3}", this_machine(), number)
    else:
        found = lookup(f"key {k % 3}", this_machine())
        assert found is None or added(found[0]) == found[1] == number, (k, found)
"""


def writer(rounds: int) -> subprocess.Popen[bytes]:
    here = str(Path(__file__).parent)
    return subprocess.Popen([sys.executable, "-c", WRITER, here, str(rounds)], stdout=subprocess.PIPE)


def test_two_processes_share_the_cache(folder: Path) -> None:
    processes = [writer(30), writer(30)]
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0, 0]
    assert len(list(folder.glob("*"))) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="there is no signal that cannot be caught")
def test_a_process_killed_while_writing_leaves_a_cache_that_works(folder: Path) -> None:
    for delay in (0.01, 0.05, 0.083):
        process = writer(10**6)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        for k in range(3):
            found = lookup(f"key {k}", this_machine())
            assert found is None or added(found[0]) == found[1] == k
    assert added(native(adding("f", 9.0), this_machine())) == 9.0
