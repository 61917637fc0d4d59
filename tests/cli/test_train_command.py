"""``wengert train``, ``predict``, ``export`` and ``report``: from a table to predictions, and bad input."""

from __future__ import annotations

import gzip
import io
import json
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

pandas = pytest.importorskip("pandas")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

from wengert.cli import main  # noqa: E402
from wengert.random import Generator  # noqa: E402
from wengert.tables import problems  # noqa: E402


def call(*words: Any) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def beans(rows: int = 120) -> Any:
    numbers = Generator(1)
    kinds = np.arange(rows) % 2
    return pandas.DataFrame(
        {"area": 4.0 * kinds + numbers.normal(rows), "kind": np.array(["SIRA", "CALI"])[kinds]}
    )


@pytest.fixture(autouse=True)
def nothing_read_yet() -> None:
    """The data sets that these tests put in place of known ones are not kept for the next test."""
    problems._read.cache_clear()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    beans().to_csv(tmp_path / "beans.csv", index=False)
    return tmp_path / "beans.csv"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    beans().to_csv(folder / "beans.csv", index=False)
    words = ("train", folder / "beans.csv", "--target", "kind", "--hidden", "8", "--epochs", "10")
    done = call(*words, "--out", folder / "run")
    assert done.exit_code == 0, done.output
    return folder / "run"


# -- the way through
# -----------------------------------------------------------------------------------------------------------


def test_one_command_trains_tunes_and_reports(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = call("train", table, "--target", "kind", "--tune", 2, "--epochs", 3, "--out", out)
    assert done.exit_code == 0, done.output
    assert "network" in done.stdout and "accuracy" in done.stdout and f"{out / 'report.html'}" in done.stdout
    assert "predict 'kind', 2 classes, from 1 features" in done.stderr
    assert "72 train, 24 validation, 24 test" in done.stderr
    assert len(json.loads((out / "run.json").read_text(encoding="utf-8"))["search"]["trials"]) == 2


def test_predictions_are_a_clean_table_on_standard_output(run: Path, table: Path, tmp_path: Path) -> None:
    done = call("predict", run, table)
    assert done.exit_code == 0 and not done.stderr
    found = pandas.read_csv(io.StringIO(done.stdout))
    assert list(found.columns) == ["prediction", "probability of CALI", "probability of SIRA"]
    assert (found["prediction"] == beans()["kind"]).mean() > 0.9
    done = call("predict", run, table, "--out", tmp_path / "found.csv")
    assert not done.stdout and "120 predictions written to" in done.stderr
    pandas.testing.assert_frame_equal(pandas.read_csv(tmp_path / "found.csv"), found)


def test_every_export_is_written_where_it_is_wanted(run: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    for form, name in (
        ("onnx", "model.onnx"),
        ("safetensors", "weights.safetensors"),
        ("python", "predict.py"),
    ):
        assert str(run / name) in call("export", run, "--to", form).stdout
        assert (run / name).exists()
        assert call("export", run, "--to", form, "--out", tmp_path / name).exit_code == 0
        assert (tmp_path / name).read_bytes() == (run / name).read_bytes()


def test_a_report_is_written_again(run: Path) -> None:
    (run / "report.html").unlink()
    assert str(run / "report.html") in call("report", run).stdout
    assert (run / "report.html").read_text(encoding="utf-8").startswith("<!")


def test_an_interruption_says_how_to_go_on(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*words: Any, **settings: Any) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "run"
    words = ("train", table, "--target", "kind", "--epochs", 2, "--out", out)
    with monkeypatch.context() as patch:
        patch.setattr("wengert.tables.training.fit", interrupted)
        done = call(*words)
    assert done.exit_code == 130 and not done.stdout
    assert f"interrupted; go on with wengert train --resume {out}" in done.stderr
    assert "accuracy" in call("train", "--resume", out).stdout


def test_a_finished_run_resumes_to_its_summary_without_its_data(run: Path) -> None:
    data = run.parent / "beans.csv"
    content = data.read_bytes()
    data.unlink()
    try:
        done = call("train", "--resume", run)
    finally:
        data.write_bytes(content)
    assert done.exit_code == 0 and "accuracy" in done.stdout


def test_images_are_learned_by_the_name_of_their_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wengert.data import registry
    from wengert.data.datasets import TensorDataset
    from wengert.data.images import ImageSet

    numbers = Generator(2)

    def images(count: int) -> TensorDataset:
        labels = np.arange(count) % 2
        pixels = np.float32(0.5 * labels[:, None] + 0.1 * numbers.normal((count, 9)))
        return TensorDataset(pixels, labels.astype(np.int64))

    known = ImageSet("mnist", images(100), images(20), ("low", "high"), "made for this test")
    monkeypatch.setattr(registry, "load", lambda name: known)
    monkeypatch.chdir(tmp_path)
    done = call("train", "mnist", "--hidden", "16", "--epochs", 100)
    assert done.exit_code == 0, done.output
    assert "80 train, 20 validation, 20 test" in done.stderr
    found = pandas.read_csv(io.StringIO(call("predict", "run", "mnist").stdout))
    assert found["prediction"].tolist() == ["low", "high"] * 10
    assert call("train", "mnist", "--target", "kind", "--out", "other").exit_code == 2
    refused = call("train", "mnist", "--task", "regression", "--out", "other")
    assert "mnist is a classification, got regression" in refused.stderr


# -- bad input
# -----------------------------------------------------------------------------------------------------------


def refusal(done: Result) -> str:
    assert done.exit_code == 2, done.output
    assert not done.stdout
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.stderr


FRAMES = {
    "no such column": (beans(), "weight", "there is no column 'weight' to predict"),
    "misspelled column": (beans(), "kidn", "did you mean 'kind'"),
    "constant": (beans().assign(kind=2.5), "kind", "'kind' is constant|'kind' has one class"),
    "one class": (beans().assign(kind="SIRA"), "kind", "'kind' has one class: all 120 rows hold 'SIRA'"),
    "text among numbers": (
        beans().astype({"area": object}).replace({"area": {beans()["area"][7]: "large"}}),
        "kind",
        "column 'area', row 7 .*expected numbers.*got 'large'",
    ),
    "infinity": (beans().replace({"area": {beans()["area"][5]: np.inf}}), "kind", "'area', row 5.*finite"),
    "missing target": (beans().replace({"kind": {"CALI": None}}), "kind", "'kind' is missing in 60 of 120"),
    "nothing to learn from": (beans()[["kind"]], "kind", "no column is left"),
    "two rows": (beans(2), "kind", "too few|would be empty|at least"),
    "no target named": (beans(), None, "with --target; .* has area, kind"),
    "numbers asked of words": (beans(), "kind --task regression", "'kind', row 0.*expected numbers"),
}


@pytest.mark.parametrize("case", FRAMES)
def test_bad_tables_are_refused_in_a_sentence(case: str, tmp_path: Path) -> None:
    frame, target, complaint = FRAMES[case]
    frame.to_csv(tmp_path / "beans.csv", index=False)
    words = ["--target", *target.split()] if target else []
    message = refusal(call("train", tmp_path / "beans.csv", *words, "--out", tmp_path / "run"))
    assert re.search(complaint, message), message
    assert not (tmp_path / "run").exists()


CONTENTS = {
    "beans.csv": (b"", "is empty: it has 0 bytes"),
    "header.csv": (b"area,kind\n", "has columns .* but no rows"),
    "twice.csv": (b"area,area,kind\n1,2,a\n3,4,b\n", "'area' is named more than once"),
    "beans.xlsx": (b"no workbook", "is damaged or no Excel file"),
    "beans.parquet": (b"no parquet", "is damaged or no Parquet file"),
    "beans.txt": (b"area,kind\n1,a\n", "expected a table in .csv, .tsv, .parquet, .xlsx"),
    "latin.csv": ("größe,kind\n1,a\n".encode("latin-1"), "not UTF-8 text"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_bad_files_are_named(name: str, tmp_path: Path) -> None:
    content, complaint = CONTENTS[name]
    (tmp_path / name).write_bytes(content)
    message = refusal(call("train", tmp_path / name, "--target", "kind", "--out", tmp_path / "run"))
    assert name in message and re.search(complaint, message), message


def test_missing_numbers_are_learned_from_and_noted(tmp_path: Path) -> None:
    frame = beans()
    frame.loc[::7, "area"] = np.nan
    frame.to_csv(tmp_path / "beans.csv", index=False)
    words = ("train", tmp_path / "beans.csv", "--target", "kind", "--epochs", 2, "--out", tmp_path / "run")
    done = call(*words)
    assert done.exit_code == 0
    assert "missing values become the median" in done.stderr


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["train"], "give either DATA to train on, or --resume RUN"),
        (["train", "fashon-mnist"], "did you mean 'fashion-mnist'"),
        (["train", "lost.csv", "--target", "kind"], "there is no file"),
        (["train", "mnist", "--hidden", "64,,32"], "--hidden: expected the units of each hidden layer"),
        (["train", "mnist", "--hidden", "many"], "--hidden: expected the units of each hidden layer"),
        (["train", "mnist", "--hidden", "0"], "--hidden: expected the units of each hidden layer"),
        (["train", "mnist", "--epochs", "0"], "--epochs"),
        (["train", "--resume", "nowhere"], "nowhere holds no run"),
        (["train", "--resume", "nowhere", "--epochs", "3"], "leave out --epochs"),
        (["predict", "nowhere", "beans.csv"], "nowhere holds no run"),
        (["export", "nowhere", "--to", "onnx"], "nowhere holds no run"),
        (["export", "nowhere", "--to", "pickle"], "pickle"),
        (["report", "nowhere"], "nowhere holds no run"),
    ],
)
def test_bad_arguments_are_refused(
    words: list[str], complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert complaint in refusal(call(*words))
    assert not any(tmp_path.iterdir())


def test_bad_predictions_are_refused(run: Path, table: Path, tmp_path: Path) -> None:
    beans().rename(columns={"area": "aera"}).to_csv(tmp_path / "renamed.csv", index=False)
    assert "lacks the column 'area'" in refusal(call("predict", run, tmp_path / "renamed.csv"))
    assert "there is no file" in refusal(call("predict", run, tmp_path / "lost.csv"))
    message = refusal(call("predict", run, table, "--out", tmp_path / "found.json"))
    assert "got the suffix '.json'" in message
    assert "No such file" in refusal(call("predict", run, table, "--out", tmp_path / "lost" / "found.csv"))


def test_a_run_is_not_overwritten(run: Path) -> None:
    before = {file.name: file.read_bytes() for file in run.iterdir()}
    message = refusal(call("train", run.parent / "beans.csv", "--target", "kind", "--out", run))
    assert "holds a run already; go on with --resume" in message
    assert {file.name: file.read_bytes() for file in run.iterdir()} == before


def test_words_are_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wengert.data import registry

    monkeypatch.setattr(registry, "load", lambda name: ["emma", "olivia"])
    assert "nothing to predict" in refusal(call("train", "names", "--out", tmp_path / "run"))


def test_a_known_set_with_a_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mnist"
    folder.mkdir()
    images = struct.pack(">HBB3I", 0, 8, 3, 1, 28, 28) + bytes(784)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
    monkeypatch.setenv("WENGERT_DATA", str(tmp_path))
    assert "train-images-idx3-ubyte.gz" in refusal(call("train", "mnist", "--out", tmp_path / "run"))


@pytest.mark.slow
def test_a_million_rows_are_learned(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0)
    x = numbers.normal(size=(1_000_000, 2)).round(4)
    frame = pandas.DataFrame({"x": x[:, 0], "y": x[:, 1], "inside": (x**2).sum(axis=1) < 1.4})
    frame.to_csv(tmp_path / "disc.csv", index=False)
    done = call(
        "train", tmp_path / "disc.csv", "--target", "inside", "--epochs", 1, "--out", tmp_path / "run"
    )
    assert done.exit_code == 0, done.output
    scores = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))["scores"]
    assert scores["test"]["accuracy"] > 0.98
