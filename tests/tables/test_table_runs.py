"""From a table to predictions: what a run does, keeps and gives away."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pandas = pytest.importorskip("pandas")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")
from bean_tables import EVIL, measures, mixture, written  # noqa: E402

from wengert.tables import Run, carry_on, export_run, train_table  # noqa: E402
from wengert.tables.pipeline import Pipeline  # noqa: E402
from wengert.tables.prediction import predict_file, write_table  # noqa: E402


@pytest.fixture(scope="module")
def beans(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("beans")
    table = written(measures(), folder / "beans.csv")
    return train_table(table, "kind", hidden=[16], epochs=20, out=folder / "run", progress=False)


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("prices")
    table = written(mixture(), folder / "prices.csv")
    return train_table(table, "price", hidden=[32], epochs=60, out=folder / "run", progress=False)


def test_classes_are_learned_and_scored_once(beans: Run) -> None:
    scores = beans.scores
    assert scores is not None and beans.finished
    assert scores["test"]["accuracy"] > 0.9
    assert np.sum(scores["test"]["confusion"]) == beans.record["sizes"]["test"] == 48
    assert beans.classes == ["CALI", "HOROZ", "SIRA"]


def test_numbers_are_learned_in_their_own_unit(prices: Run) -> None:
    assert prices.scores is not None
    assert prices.scores["test"]["r2"] > 0.6
    assert prices.scores["test"]["root_mean_squared_error"] < 15
    assert prices.encoder is not None
    kinds = {column.name: column.kind for column in prices.encoder.columns}
    assert kinds == {"size": "number", "place": "category", "garden": "boolean", "built": "date"}


def test_the_scores_are_those_of_the_saved_network(beans: Run) -> None:
    frame = measures()
    predicted = Run.open(beans.folder).predict(frame)
    assert list(predicted.columns) == ["prediction", *(f"probability of {c}" for c in beans.classes)]
    np.testing.assert_allclose(predicted.iloc[:, 1:].sum(axis=1), 1.0)
    assert (predicted["prediction"] == frame["kind"]).mean() > 0.9


def test_the_target_need_not_be_there_and_further_columns_are_ignored(beans: Run) -> None:
    frame = measures()
    shuffled = frame[["length", "area"]].assign(colour="red")
    pandas.testing.assert_frame_equal(beans.predict(shuffled), beans.predict(frame))


def test_missing_columns_and_wrong_cells_are_named(beans: Run) -> None:
    with pytest.raises(ValueError, match=r"lacks the column 'length'"):
        beans.predict(measures()[["area"]])
    wrong = measures(6).astype({"area": object})
    wrong.loc[4, "area"] = "large"
    with pytest.raises(ValueError, match=r"'area', row 4 .* expected numbers.*got 'large'"):
        beans.predict(wrong)
    with pytest.raises(ValueError, match="trained on a table with the columns area, length"):
        beans.predict(np.zeros((2, 2)))


def test_unknown_categories_are_noted(prices: Run) -> None:
    frame = mixture(9)
    frame.loc[[1, 2], "place"] = "the moon"
    found = prices.predict(frame)
    assert found.attrs["notes"] == ["column 'place': 2 of 9 cells hold a category that training did not see"]


def test_every_run_may_score_its_own_test_part(tmp_path: Path) -> None:
    table = written(measures(60), tmp_path / "beans.csv")
    for name in ("first", "second"):  # in one process, as in a notebook
        assert train_table(table, "kind", hidden=[4], epochs=1, out=tmp_path / name, progress=False).finished


def test_a_finished_run_goes_on_to_nothing_but_a_lost_report(beans: Run) -> None:
    before = beans.model_file.read_bytes(), beans.scores
    beans.report_file.unlink()
    again = carry_on(Run.open(beans.folder))
    assert (again.model_file.read_bytes(), again.scores) == before
    assert again.report_file.exists()


def test_the_same_seed_gives_the_same_run(tmp_path: Path) -> None:
    table = written(measures(90), tmp_path / "beans.csv")
    runs = [
        train_table(table, "kind", epochs=3, tune=2, seed=5, out=tmp_path / name, progress=False)
        for name in ("one", "other")
    ]
    assert runs[0].model_file.read_bytes() == runs[1].model_file.read_bytes()
    assert runs[0].scores == runs[1].scores


def test_given_layers_are_kept_by_a_search(tmp_path: Path) -> None:
    table = written(measures(90), tmp_path / "beans.csv")
    run = train_table(table, "kind", hidden=[5], epochs=2, tune=2, out=tmp_path / "run", progress=False)
    assert run.recipe.hidden == (5,)
    assert "hidden" not in run.record["search"]["space"]


# -- exports
# -----------------------------------------------------------------------------------------------------------


def cells(run: Run, frame: Any) -> Any:
    """The frame's rows as the numbers that the exported network takes."""
    assert run.encoder is not None
    columns = []
    for column in run.encoder.columns:
        values = frame[column.name]
        if column.kind == "category":
            places = {label: place for place, label in enumerate(column.categories)}
            gap = len(places) if column.missing else -1
            columns.append([gap if v != v or v is None else places.get(v, -1) for v in values])
        elif column.kind == "date":
            columns.append((pandas.to_datetime(values) - pandas.Timestamp(0)) / pandas.Timedelta(days=1))
        else:
            columns.append(values.astype(float))
    return np.column_stack(columns).astype(np.float64)


@pytest.mark.parametrize("which", ["beans", "prices"])
def test_onnxruntime_predicts_the_same(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    run = request.getfixturevalue(which)
    frame = measures(40) if which == "beans" else mixture(40)
    session = runtime.InferenceSession(str(export_run(run, "onnx", tmp_path / "model.onnx")))
    (found,) = session.run(None, {"input": cells(run, frame)})
    wanted = run.predict(frame)
    wanted = wanted.iloc[:, 1:] if which == "beans" else wanted[["prediction"]]
    np.testing.assert_allclose(found, wanted.to_numpy(float), rtol=1e-5, atol=1e-5)
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["columns"])[0]["name"] in ("area", "size")
    assert json.loads(metadata["classes"]) == run.classes


@pytest.mark.parametrize("which", ["beans", "prices"])
def test_the_python_file_predicts_the_same(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    run = request.getfixturevalue(which)
    frame = measures(40) if which == "beans" else mixture(40)
    table = written(frame, tmp_path / "new.csv")
    file = export_run(run, "python", tmp_path / "predict.py")
    done = subprocess.run(
        [sys.executable, "-I", file, table], check=True, capture_output=True, encoding="utf-8"
    )
    wanted = predict_file(run, table)["prediction"]
    found = done.stdout.splitlines()
    if which == "beans":
        assert found == wanted.tolist()
    else:
        np.testing.assert_allclose(np.float64(found), wanted, rtol=1e-6)


def test_the_python_file_names_what_it_cannot_read(prices: Run, tmp_path: Path) -> None:
    file = export_run(prices, "python", tmp_path / "predict.py")
    frame = mixture(5).astype({"size": object})
    frame.loc[3, "size"] = "wide"
    table = written(frame, tmp_path / "new.csv")
    done = subprocess.run([sys.executable, "-I", file, table], capture_output=True, encoding="utf-8")
    assert done.returncode == 1 and not done.stdout
    assert "column 'size', row 3 (the first is 0): expected a number, got 'wide'" in done.stderr


@pytest.mark.parity
def test_torch_reads_the_weights(beans: Run, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    weights = load_file(export_run(beans, "safetensors", tmp_path / "weights.safetensors"))
    model = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
    model.load_state_dict(weights, strict=True)
    assert beans.encoder is not None
    with torch.no_grad():
        found = model(torch.from_numpy(beans.encoder.transform(measures(20)))).softmax(1).numpy()
    np.testing.assert_allclose(found, beans.predict(measures(20)).iloc[:, 1:], rtol=1e-5, atol=1e-6)


def test_an_unknown_form_and_an_unfinished_run_are_refused(beans: Run, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected one of onnx, safetensors, python"):
        export_run(beans, "pickle")
    unfinished = Run(tmp_path, {**beans.record, "scores": None})
    with pytest.raises(ValueError, match="not trained to the end; go on with wengert train --resume"):
        export_run(unfinished, "onnx")


def test_names_can_neither_break_nor_enter_what_is_written(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    frame = measures(60)
    frame["kind"] = frame["kind"].replace("SIRA", EVIL)
    frame[f"place {EVIL}"] = np.where(frame["area"] > 5, EVIL, "other")
    frame = frame.rename(columns={"kind": EVIL, "area": f"area {EVIL}"})
    table = tmp_path / f"beans <b>{'é'}'s.csv"
    run = train_table(written(frame, table), EVIL, hidden=[4], epochs=1, out=tmp_path / "run", progress=False)
    page = run.report_file.read_text(encoding="utf-8")
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    export_run(run, "onnx")
    file = export_run(run, "python")
    done = subprocess.run(
        [sys.executable, "-I", file, table], capture_output=True, encoding="utf-8", check=True
    )
    wanted = predict_file(run, table)["prediction"]
    assert done.stdout == "".join(f"{prediction}\n" for prediction in wanted)


def test_the_exported_pipeline_reads_a_row_as_the_encoder_does(prices: Run) -> None:
    frame = mixture(50)
    pipeline = Pipeline(prices)
    assert prices.encoder is not None
    import wengert

    found = pipeline._features(wengert.tensor(cells(prices, frame)))
    np.testing.assert_array_equal(found.numpy(), prices.encoder.transform(frame))


# -- files
# -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".xlsx"])
def test_predictions_are_written_as_any_table(beans: Run, tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("openpyxl")
    from wengert.data import read_table

    predictions = beans.predict(measures(10))
    write_table(predictions, tmp_path / f"predictions{suffix}")
    found = read_table(tmp_path / f"predictions{suffix}")
    pandas.testing.assert_frame_equal(found, predictions, check_dtype=False)


def test_the_report_says_what_matters(beans: Run) -> None:
    page = beans.report_file.read_text(encoding="utf-8")
    for words in ("beans.csv", "2-16-3 units", "accuracy", "HOROZ", "<svg", "wengert predict run DATA"):
        assert words in page
