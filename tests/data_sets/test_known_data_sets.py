"""The registry: where files are looked for, that each is checked, and what is said of one that is missing."""

from __future__ import annotations

import dataclasses
import functools
import gzip
import hashlib
import http.server
import io
import os
import threading
import zipfile

import numpy as np
import pytest
from test_idx_files import idx_bytes

from wengert import data
from wengert.data import checksums, faces, fetching, registry
from wengert.random import Generator

pandas = pytest.importorskip("pandas")
pytest.importorskip("pooch")


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A small set of each kind, registered in the place of the real ones: a folder, and an empty cache."""
    generator = np.random.default_rng(0)
    images = [generator.integers(0, 256, (count, 4, 4), dtype=np.uint8) for count in (7, 3)]
    labels = [np.arange(count, dtype=np.uint8) for count in (7, 3)]
    beans = pandas.DataFrame({"Area": [1, 2, 3], "Class": ["a", "b", "a"]})
    sheet = io.BytesIO()
    beans.to_excel(sheet, index=False)
    pictures = [generator.random((count, 48, 48), dtype=np.float32) for count in (4, 2)]
    contents = {
        "mnist": [gzip.compress(idx_bytes(part)) for part in (images[0], labels[0], images[1], labels[1])],
        "dry-beans": [beans.to_csv(index=False).encode(), sheet.getvalue()],
        "names": ["emma\nzoë\n".encode()],
        "age-regression": [
            npy(part) for part in (pictures[0], np.arange(4.0), pictures[1], np.arange(2.0) + 20)
        ],
    }
    patched = {}
    for name, parts in contents.items():
        known = registry.DATA_SETS[name]
        files = []
        for file, content in zip(known.files, parts, strict=True):
            path = tmp_path / "named" / file.folder / file.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            sha256 = hashlib.sha256(content).hexdigest()
            files.append(dataclasses.replace(file, sha256=sha256, size=len(content), urls=()))
        patched[name] = dataclasses.replace(known, files=tuple(files))
    monkeypatch.setattr(registry, "DATA_SETS", patched)
    monkeypatch.setattr(fetching, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setenv("WENGERT_DATA", str(tmp_path / "named"))
    return tmp_path


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def path_of(folder, name, place=0):
    file = registry.DATA_SETS[name].files[place]
    return folder / file.folder / file.name


def test_images_come_as_rows_or_as_pictures(elsewhere):
    flat, pictures = data.load("mnist"), data.load("mnist", flat=False)
    x, y = flat.train.tensors
    assert (x.shape, x.dtype, y.dtype) == ((7, 16), np.float32, np.int64)
    assert x.numpy().min() >= 0 and x.numpy().max() <= 1
    assert pictures.test.tensors[0].shape == (3, 1, 4, 4)
    np.testing.assert_array_equal(pictures.train.tensors[0].numpy().reshape(7, 16), x.numpy())
    assert flat.classes == tuple("0123456789") and "original" in flat.origin


def test_tables_and_lines(elsewhere):
    beans = data.load("dry-beans")
    assert (beans.frame.shape, beans.target) == ((3, 2), "Class")
    path_of(elsewhere / "named", "dry-beans").unlink()
    assert data.load("dry-beans").frame.equals(beans.frame)  # from the Excel file
    assert data.load("names") == ["emma", "zoë"]


def test_the_cache_serves_where_the_named_folder_does_not(elsewhere, monkeypatch):
    os.rename(elsewhere / "named", elsewhere / "cache")
    monkeypatch.delenv("WENGERT_DATA")
    assert data.load("names") == ["emma", "zoë"]


@pytest.mark.parametrize("where", ["named", "cache"])
def test_a_flipped_bit_is_named_and_the_file_stays_unused(elsewhere, monkeypatch, where):
    if where == "cache":
        os.rename(elsewhere / "named", elsewhere / "cache")
        monkeypatch.delenv("WENGERT_DATA")
    path = path_of(elsewhere / where, "mnist", 2)
    content = bytearray(path.read_bytes())
    content[30] ^= 1
    path.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    with pytest.raises(data.CorruptedFile) as caught:
        data.load("mnist")
    for part in (str(path), registry.DATA_SETS["mnist"].files[2].sha256, sha256, "not used"):
        assert part in str(caught.value)


def test_a_truncated_file_is_named_with_both_sizes(elsewhere):
    path = path_of(elsewhere / "named", "names")
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(data.CorruptedFile, match=r"names\.txt is truncated .* expected 10 bytes, found 8"):
        data.load("names")


def test_a_file_is_hashed_once_until_it_changes(elsewhere, monkeypatch):
    calls = []
    monkeypatch.setattr(
        checksums, "sha256_of", lambda path, real=checksums.sha256_of: calls.append(path) or real(path)
    )
    data.load("names")
    data.load("names")
    assert len(calls) == 1
    path = path_of(elsewhere / "named", "names")
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(1, 1))
    with pytest.raises(data.CorruptedFile):
        data.load("names")


def test_what_is_missing_is_said_plainly(elsewhere):
    path_of(elsewhere / "named", "names").unlink()
    with pytest.raises(data.MissingData) as caught:
        data.load("names")
    for part in (
        "names.txt (10 bytes)",
        str(elsewhere / "named"),
        str(elsewhere / "cache"),
        "names/",
        "no address",
    ):
        assert part in str(caught.value)
    assert isinstance(caught.value, FileNotFoundError)


def test_a_named_folder_that_is_none_is_refused(elsewhere, monkeypatch):
    monkeypatch.setenv("WENGERT_DATA", str(elsewhere / "nowhere"))
    with pytest.raises(NotADirectoryError, match=r"WENGERT_DATA names .*nowhere"):
        data.load("names")


def test_an_unknown_name_gets_the_near_one():
    with pytest.raises(ValueError, match=r"no data set is called 'fashion'; .* There are age-regression"):
        data.load("fashion")


def test_real_faces_are_used_where_they_are(elsewhere):
    real = data.load("age-regression")
    assert "original" in real.origin
    assert real.train.tensors[0].shape == (4, 2304) and real.test.tensors[1].tolist() == [20.0, 21.0]
    path_of(elsewhere / "named", "age-regression", 3).unlink()
    with pytest.raises(data.MissingData, match="age_regression_yte"):  # rather than others in their place
        data.load("age-regression")


def test_faces_are_generated_where_none_are_to_be_had(elsewhere, monkeypatch):
    for place in range(4):
        path_of(elsewhere / "named", "age-regression", place).unlink()
    monkeypatch.setattr(faces, "TRAIN", 300)
    monkeypatch.setattr(faces, "TEST", 50)
    made = data.load("age-regression")
    assert made.origin.startswith("generated")
    x, y = made.train.tensors
    assert (x.shape, y.shape, made.test.tensors[0].shape) == ((300, 2304), (300,), (50, 2304))
    assert x.numpy().min() >= 0 and x.numpy().max() <= 1 and y.numpy().min() >= 1
    again = data.load("age-regression", generated=True, flat=False)
    np.testing.assert_array_equal(again.train.tensors[0].numpy().reshape(300, 2304), x.numpy())
    with pytest.raises(data.MissingData):
        data.load("age-regression", generated=False)


def test_generated_faces_have_the_spectrum_of_pictures():
    pictures, _ = faces.generated_faces(400, Generator(0))
    power = (np.abs(np.fft.fft2(pictures - pictures.mean(0))) ** 2).mean(0)
    frequency = np.arange(2, 16)
    slope = np.polyfit(np.log(frequency), np.log(power[frequency, frequency]), 1)[0]
    assert -2.4 < slope < -1.6


# -- downloads, from a server of our own


@pytest.fixture
def server(elsewhere):
    """Serves the folder that was named, which is named no longer."""
    folder = elsewhere / "named"
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def serve(monkeypatch, name, *urls, **changes):
    known = registry.DATA_SETS[name]
    files = tuple(dataclasses.replace(file, urls=urls, **changes) for file in known.files[-1:])
    changed = {**registry.DATA_SETS, name: dataclasses.replace(known, files=files)}
    monkeypatch.setattr(registry, "DATA_SETS", changed)


def test_a_download_is_checked_kept_and_announced(elsewhere, server, monkeypatch, capfd):
    monkeypatch.delenv("WENGERT_DATA")
    serve(monkeypatch, "names", f"{server}/absent.txt", f"{server}/names/names.txt")
    assert data.load("names") == ["emma", "zoë"]
    assert "downloading names.txt" in capfd.readouterr().err
    assert path_of(elsewhere / "cache", "names").is_file()
    assert data.load("names") == ["emma", "zoë"]
    assert "downloading" not in capfd.readouterr().err


def test_a_download_of_other_content_is_not_kept(elsewhere, server, monkeypatch):
    monkeypatch.delenv("WENGERT_DATA")
    serve(monkeypatch, "names", f"{server}/names/names.txt", sha256="0" * 64)
    with pytest.raises(data.MissingData, match=r"names/names\.txt: .*hash"):
        data.load("names")
    assert not list((elsewhere / "cache").rglob("*.txt"))


def test_a_failed_download_says_from_where(elsewhere, server, monkeypatch):
    monkeypatch.delenv("WENGERT_DATA")
    serve(monkeypatch, "names", f"{server}/absent.txt", "http://127.0.0.1:1/names.txt")
    with pytest.raises(data.MissingData) as caught:
        data.load("names")
    for part in (
        "absent.txt: 404",
        "http://127.0.0.1:1/names.txt: ",
        "WENGERT_DATA (not set)",
        "by other means",
    ):
        assert part in str(caught.value)


def test_a_file_is_taken_out_of_its_archive_and_checked(elsewhere, server, monkeypatch):
    monkeypatch.delenv("WENGERT_DATA")
    folder = elsewhere / "named" / "dry-bean"
    with zipfile.ZipFile(folder / "beans.zip", "w") as archive:
        archive.write(folder / "Dry_Bean_Dataset.xlsx", "DryBeanDataset/Dry_Bean_Dataset.xlsx")
    with zipfile.ZipFile(folder / "other.zip", "w") as archive:
        archive.writestr("DryBeanDataset/Dry_Bean_Dataset.xlsx", b"something else")
    serve(monkeypatch, "dry-beans", f"{server}/dry-bean/other.zip")
    with pytest.raises(data.MissingData, match=r"Dry_Bean_Dataset.xlsx is truncated or is another file"):
        data.load("dry-beans")
    serve(monkeypatch, "dry-beans", f"{server}/dry-bean/beans.zip")
    assert data.load("dry-beans").frame.shape == (3, 2)
    assert path_of(elsewhere / "cache", "dry-beans").is_file()


# -- the real files, where they are at hand

real = pytest.mark.skipif(
    "WENGERT_DATA" not in os.environ, reason="WENGERT_DATA names no folder of data sets"
)


@real
def test_every_known_file_at_hand_is_the_original():
    for known in registry.DATA_SETS.values():
        for file in known.files:
            path = fetching.named_folder() / file.folder / file.name
            assert not path.is_file() or fetching.find(file) == path


@real
def test_the_real_fashion_images():
    fashion = data.load("fashion-mnist")
    assert fashion.train.tensors[0].shape == (60000, 784) and len(fashion.test) == 10000
    assert np.bincount(fashion.train.tensors[1].numpy()).tolist() == [6000] * 10


@real
def test_the_real_beans_and_names():
    beans = data.load("dry-beans").frame
    assert beans.shape == (13611, 17) and beans.duplicated().sum() == 68 and beans.Class.nunique() == 7
    names = data.load("names")
    assert len(names) == 32033 and names[0] == "emma"
