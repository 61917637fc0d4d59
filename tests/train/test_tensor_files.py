"""`wengert.save` and `wengert.load`: one safetensors file, read back unchanged, or refused by name."""

from __future__ import annotations

import errno
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import wengert
from wengert.tensor_files import load, save

FLAT = {
    "0.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "0.bias": np.array([0.1, -0.0, np.inf]),
    "steps": np.array(7),
    "empty": np.zeros((0, 4), np.float32),
    "mask": np.array([True, False]),
}


def same(a: Any, b: Any) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def test_a_state_dict_comes_back_as_tensors_in_its_order(tmp_path: Path) -> None:
    save(FLAT, tmp_path / "state.safetensors")
    back = load(tmp_path / "state.safetensors")
    assert list(back) == list(FLAT)
    for name, array in FLAT.items():
        assert isinstance(back[name], wengert.Tensor)
        assert same(back[name].data, array)
        assert back[name].data.flags.writeable


def test_other_programs_read_a_flat_dict(tmp_path: Path) -> None:
    save(FLAT, tmp_path / "state.safetensors")
    read = load_file(tmp_path / "state.safetensors")
    assert all(same(read[name], FLAT[name]) for name in FLAT)


@pytest.mark.parity
def test_pytorch_reads_and_writes_the_same_files(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file as torch_load
    from safetensors.torch import save_file as torch_save

    save(FLAT, tmp_path / "ours.safetensors")
    read = torch_load(str(tmp_path / "ours.safetensors"))
    assert all(same(read[name].numpy(), FLAT[name]) for name in FLAT)
    torch_save({name: torch.from_numpy(array) for name, array in FLAT.items()}, str(tmp_path / "theirs"))
    back = load(tmp_path / "theirs")
    assert all(same(back[name].data, FLAT[name]) for name in FLAT)


def test_a_file_of_another_program_is_a_dict_of_tensors(tmp_path: Path) -> None:
    save_file({"w": np.ones(2)}, tmp_path / "w.safetensors", metadata={"format": "np"})
    assert load(tmp_path / "w.safetensors")["w"].tolist() == [1.0, 1.0]


def test_a_tree_comes_back_as_it_was(tmp_path: Path) -> None:
    tree = {
        "state": {0: {"step": 3, "exp_avg": wengert.ones(2)}, 1: {}},
        "groups": [{"lr": 0.1, "betas": (0.9, 0.999), "name": None, "on": True}],
        "$odd": "a key with a dollar",
        "a": {"b": np.zeros(1)},
        "a.b": np.ones(1),
        "seed": 2**127,
        "scalar": np.float32(0.1),
        "text": '∂ "quoted" \n',
    }
    save(tree, tmp_path / "tree.safetensors")
    back = load(tmp_path / "tree.safetensors")
    assert list(back) == list(tree)
    assert back["state"][0]["step"] == 3 and back["state"][0]["exp_avg"].tolist() == [1.0, 1.0]
    assert back["state"][1] == {}
    assert back["groups"] == tree["groups"] and type(back["groups"][0]["betas"]) is tuple
    assert (back["a"]["b"].tolist(), back["a.b"].tolist()) == ([0.0], [1.0])
    assert type(back["scalar"]) is np.float32 and back["scalar"] == np.float32(0.1)
    for name in ("$odd", "seed", "text"):
        assert back[name] == tree[name]


numbers = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
trees = st.recursive(
    numbers,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(trees)
def test_any_tree_of_plain_values_survives(tmp_path_factory: pytest.TempPathFactory, tree: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    save(tree, path)
    assert repr(load(path)) == repr(tree)  # repr tells NaN, -0.0 and tuples apart


def test_the_layout_in_memory_is_kept(tmp_path: Path) -> None:
    arrays = {
        "columns": np.arange(6.0).reshape(2, 3).T,
        "moved": np.arange(24.0).reshape(2, 3, 4).transpose(1, 2, 0),
        "strided": np.arange(10.0)[::2],
        "reversed": np.arange(4.0)[::-1],
    }
    save(arrays, tmp_path / "layout.safetensors")
    back = load(tmp_path / "layout.safetensors")
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name].data, array)
    assert back["columns"].data.strides == arrays["columns"].strides
    assert back["moved"].data.strides == arrays["moved"].strides


def test_bytes_of_the_other_order_are_turned(tmp_path: Path) -> None:
    save({"w": np.arange(3, dtype=">f8")}, tmp_path / "w.safetensors")
    assert load(tmp_path / "w.safetensors")["w"].tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (lambda whole: b"", "it is empty"),
        (lambda whole: b"PK\x03\x04 a spreadsheet", "of another format"),
        (lambda whole: b"\x80\x04\x95", "of another format"),
        (lambda whole: whole[:20], "it is truncated"),
        (lambda whole: whole[:-1], "truncated or damaged"),
        (lambda whole: whole.replace(b"[2,3]", b"[2,4]"), "truncated or damaged"),
        (lambda whole: whole.replace(b'"F32"', b'"BF1"'), "truncated or damaged"),
        (lambda whole: whole.replace(rb"\"$tensor\": \"", rb"\"$tensor\": \"9"), ""),
    ],
)
def test_what_is_no_whole_file_is_refused_by_name(tmp_path: Path, content: Any, complaint: str) -> None:
    path = tmp_path / "model.safetensors"
    save(FLAT, path)
    whole = path.read_bytes()
    spoilt = content(whole)
    path.write_bytes(spoilt)
    if spoilt == whole:
        pytest.fail("the file was not spoilt")
    with pytest.raises(ValueError, match=r"model\.safetensors") as error:
        load(path)
    assert complaint in str(error.value)


@given(st.data())
def test_no_cut_and_no_flipped_byte_of_the_header_does_worse_than_a_value_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.safetensors"
    save({"a": {"b": np.zeros((2, 2))}, "n": (1, math.nan)}, path)
    whole = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        whole[place] ^= data.draw(st.integers(1, 255))
    else:
        del whole[place:]
    path.write_bytes(bytes(whole))
    try:
        load(path)
    except ValueError as error:
        assert "cut.safetensors" in str(error)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nowhere.safetensors")


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"model": {"f": len}}, "'model.f' is builtin_function_or_method"),
        ({"w": np.array([None])}, "'w' holds object"),
        ([1, {2, 3}], "'1' is set"),
        ({(1, 2): {b"key": 1}}, r"a key of the entry '\(1, 2\)' is b'key'"),
    ],
)
def test_what_no_file_can_hold_is_named_by_its_place(tmp_path: Path, tree: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        save(tree, tmp_path / "no.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.safetensors"
    save({"w": np.ones(2)}, path)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: .*model\.safetensors"):
        save({"w": np.zeros(2)}, path)
    assert load(path)["w"].tolist() == [1.0, 1.0]
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_file_size_limit_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save({"w": np.ones(2)}, path)
    script = (
        "import resource, signal, sys, numpy, wengert\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n    wengert.save({'w': numpy.zeros(10_000)}, sys.argv[1])\n"
        "except OSError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert "model.safetensors" in done.stdout
    assert load(path)["w"].tolist() == [1.0, 1.0]
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]
