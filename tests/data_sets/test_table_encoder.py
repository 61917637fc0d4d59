"""The encoder: what each kind of column becomes, what is learned from the training part, what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wengert.data import TableEncoder

pandas = pytest.importorskip("pandas")


def table(count=12, **columns):
    """A table with a target of two classes."""
    return pandas.DataFrame({"kind": ["a", "b"] * (count // 2), **columns})


def encoded(**columns):
    frame = table(len(next(iter(columns.values()))), **columns)
    encoder = TableEncoder().fit(frame, "kind")
    return encoder, encoder.transform(frame)


def test_numbers_are_standardised_by_the_training_part_alone():
    frame = table(area=np.arange(12.0) * 100)
    encoder = TableEncoder().fit(frame.iloc[:6], "kind")
    x = encoder.transform(frame.iloc[:6])
    assert (x.dtype, x.shape) == (np.float32, (6, 1))
    assert abs(x.mean()) < 1e-6 and abs(x.std() - 1) < 1e-6
    assert encoder.transform(frame.iloc[11:])[0, 0] == pytest.approx(
        (1100 - 250) / np.arange(0, 600, 100).std()
    )


def test_missing_numbers_become_the_median_and_are_marked():
    encoder, x = encoded(area=[1.0, 2.0, None, 9.0])
    assert encoder.feature_names == ["area", "area is missing"]
    assert x[:, 1].tolist() == [0, 0, 1, 0]
    assert x[2, 0] == x[1, 0]
    assert encoder.notes == ["column 'area': 1 missing values become the median, 2"]


def test_categories_get_a_feature_each_and_unknown_ones_all_zeros():
    encoder, x = encoded(colour=["red", "blue", "red ", None])
    assert encoder.feature_names == ["colour = blue", "colour = red", "colour is missing"]
    assert x.tolist() == [[0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    new = encoder.transform(pandas.DataFrame({"colour": ["green", "blue", None, "grey"]}))
    assert new.tolist() == [[0, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0]]
    assert encoder.unknown == {"colour": 2}
    encoder.transform(table(colour=["red"] * 12))
    assert encoder.unknown == {}


def test_truth_values_and_dates_are_numbers():
    encoder, x = encoded(
        ripe=[True, False, True, False],
        ripe_or_missing=[True, None, True, False],
        word=["true", "False", "TRUE", "false"],
        day=pandas.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-06"]),
        text_day=["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-06"],
    )
    assert [c.kind for c in encoder.columns] == ["boolean", "boolean", "boolean", "date", "date"]
    np.testing.assert_allclose(x[:, 0], [1, -1, 1, -1])
    np.testing.assert_allclose(x[:, 3], [1, -1, 1, -1])
    np.testing.assert_allclose(x[:, 4], x[:, 5])
    np.testing.assert_allclose(x[:, 4].std(), 1, rtol=1e-6)


@pytest.mark.parametrize(
    "dtype", ["Int64", "Float64", "boolean", "int8", "uint64", "float32", "category", "string"]
)
def test_pandas_own_dtypes_are_read(dtype):
    cells = pandas.Series([1, 0, 1, 1], dtype=object if dtype in ("category", "string") else None)
    if dtype in ("category", "string"):
        cells = pandas.Series(["x", "y", "x", "x"])
    _, x = encoded(column=cells.astype(dtype))
    assert np.isfinite(x).all() and x.shape[1] in (1, 2)
    assert x[0, 0] != x[1, 0]


def test_numbers_kept_as_texts_are_numbers():
    encoder, x = encoded(area=np.array(["1", " 2.5", "4e0", " "], dtype=object))
    assert encoder.feature_names == ["area", "area is missing"]
    assert x[3, 1] == 1


def test_constant_empty_and_naming_columns_are_dropped_with_a_note():
    count = 200
    frame = table(
        count,
        one=[7] * count,
        same=["x"] * count,
        none=[None] * count,
        x=np.arange(count),
        y=["p", "q"] * 100,
    )
    frame["id"] = [f"row {number}" for number in range(count)]
    encoder = TableEncoder().fit(frame, "kind")
    assert encoder.feature_names == ["x", "y = p", "y = q"]
    said = "\n".join(encoder.notes)
    for part in (
        "'one' is dropped: it is constant (7)",
        "'same'",
        "'none' is dropped: it holds no values",
        "'id'",
    ):
        assert part in said
    encoder.transform(frame[["x", "y"]])  # dropped columns are not asked for


def test_rare_categories_count_as_unknown():
    texts = [f"c{number % 70:02}" for number in range(700)]
    encoder, x = encoded(colour=texts)
    assert x.shape == (700, 50)
    assert encoder.unknown == {"colour": 200}
    assert "20 rare categories" in encoder.notes[0]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([1.0, 2.0, np.inf, 4.0], r"column 'area', row 2 .*expected finite numbers, got 'inf'"),
        (["1", "2", "three", "4"], "column 'area', row 2 .*expected numbers, .*got 'three'"),
        (["1", "2", "-inf", "4"], "row 2 .*expected finite numbers"),
        ([1 + 2j, 2, 3, 4], "holds complex128"),
        ([[1], [2], [3], [4]], "column 'area' holds list objects"),
        (["2024-01-01", "2024-02-30", "2024-01-03", "2024-01-04"], "row 1 .*expected dates"),
    ],
)
def test_cells_that_cannot_be_read_are_named(cells, said):
    with pytest.raises(ValueError, match=said):
        encoded(area=cells)


def test_rows_are_named_by_the_index_of_the_whole_table():
    frame = table(area=[1.0] * 5 + [np.inf] + [2.0] * 6)
    with pytest.raises(ValueError, match="column 'area', row 5 "):
        TableEncoder().fit(frame.iloc[3:9], "kind")


def test_cells_of_another_kind_at_prediction_are_named():
    encoder, _ = encoded(area=[1.0, 2.0, 3.0, 4.0])
    with pytest.raises(ValueError, match=r"column 'area', row 1 .*expected numbers, got 'big'"):
        encoder.transform(pandas.DataFrame({"area": ["1", "big"]}))
    with pytest.raises(ValueError, match=r"row 1 .*near those of the training part"):
        encoder.transform(pandas.DataFrame({"area": [1.0, 1e300]}))


def test_missing_columns_are_listed_and_others_ignored():
    encoder, x = encoded(area=[1.0, 2.0, 3.0, 4.0], size=[1, 2, 3, 5], colour=["r", "g", "r", "g"])
    frame = table(4, area=[1.0, 2.0, 3.0, 4.0], size=[1, 2, 3, 5], colour=["r", "g", "r", "g"], other=[0] * 4)
    np.testing.assert_array_equal(encoder.transform(frame[["other", "colour", "size", "area"]]), x)
    with pytest.raises(ValueError, match=r"lacks the columns 'area', 'size' .*did you mean 'Area'"):
        encoder.transform(frame.rename(columns={"area": "Area"})[["Area", "colour"]])


def test_large_numbers_do_not_overflow():
    _, x = encoded(area=[1e300, -1e300, 1e300, -1e300])
    np.testing.assert_allclose(x[:, 0], [1, -1, 1, -1])


# -- the target


@pytest.mark.parametrize(
    ("cells", "task", "classes"),
    [
        (["b", "a", "b", "a"], "classification", ["a", "b"]),
        ([True, False, True, False], "classification", [False, True]),
        ([3, 1, 3, 1], "classification", [1, 3]),
        ([3.0, 1.0, 3.0, 1.0], "classification", [1, 3]),
        ([0.5, 1.5, 2.5, 1.0], "regression", []),
        ([1, 2, 3, 4], "regression", []),
    ],
)
def test_the_task_follows_from_the_target(cells, task, classes):
    frame = pandas.DataFrame({"x": [1, 2, 3, 4], "y": cells})
    encoder = TableEncoder().fit(frame, "y")
    assert (encoder.task, encoder.classes, encoder.target) == (task, classes, "y")
    back = encoder.decode_target(encoder.encode_target(frame))
    np.testing.assert_allclose(back, cells) if task == "regression" else None
    assert task == "regression" or back.tolist() == cells


def test_many_whole_numbers_are_a_regression_unless_said():
    frame = pandas.DataFrame({"x": range(100), "y": [number % 30 for number in range(100)]})
    assert TableEncoder().fit(frame, "y").task == "regression"
    assert TableEncoder().fit(frame, "y", task="classification").classes == list(range(30))


def test_regression_targets_are_standardised_and_come_back():
    frame = pandas.DataFrame({"x": range(50), "y": np.linspace(1e5, 2e5, 50)})
    encoder = TableEncoder().fit(frame, "y")
    y = encoder.encode_target(frame)
    assert y.dtype == np.float32 and abs(y.mean()) < 1e-6 and abs(y.std() - 1) < 1e-6
    np.testing.assert_allclose(encoder.decode_target(y), frame.y, rtol=1e-6)


@pytest.mark.parametrize(
    ("columns", "target", "task", "said"),
    [
        ({"Class": ["a", "b"]}, "Clas", "auto", "no column 'Clas' to predict; did you mean 'Class'"),
        ({"Class": ["a", "b"]}, "zzz", "auto", "no column 'zzz' to predict. There are x, Class"),
        ({"y": ["a", "a"]}, "y", "auto", "has one class: all 2 rows hold 'a'"),
        ({"y": [1.5, 1.5]}, "y", "auto", "is constant: all 2 rows hold 1.5"),
        ({"y": ["a", None]}, "y", "auto", r"missing in 1 of 2 rows, first in row 1"),
        (
            {"y": ["a", "b"]},
            "y",
            "regression",
            "row 0 .*expected numbers, which task='regression' needs, got 'a'",
        ),
        ({"y": [0.5, 1.5]}, "y", "classification", "expected labels"),
        ({"y": [0.5, np.inf]}, "y", "auto", "row 1 .*expected finite numbers"),
        ({"y": ["a", "b"]}, "y", "guess", "task: expected one of auto, classification, regression"),
        ({"y": pandas.to_datetime(["2024-01-01", "2024-01-02"])}, "y", "auto", "holds dates"),
    ],
)
def test_targets_that_teach_nothing_say_why(columns, target, task, said):
    frame = pandas.DataFrame({"x": [1.0, 2.0], **columns})
    with pytest.raises(ValueError, match=said):
        TableEncoder().fit(frame, target, task=task)


def test_names_of_rows_are_no_classes():
    frame = pandas.DataFrame({"x": range(100), "id": [f"r{number}" for number in range(100)]})
    with pytest.raises(ValueError, match="100 different labels in 100 rows"):
        TableEncoder().fit(frame, "id")


def test_labels_unseen_in_training_are_named():
    encoder, _ = encoded(x=[1, 2, 3, 4])
    with pytest.raises(ValueError, match=r"column 'kind', row 1 .*seen in training \(a, b\), got 'c'"):
        encoder.encode_target(pandas.DataFrame({"kind": ["a", "c"]}))


def test_tables_that_cannot_be_learned_from():
    with pytest.raises(ValueError, match="no column is left to predict 'kind' from: column 'x' is dropped"):
        encoded(x=[1, 1, 1, 1])
    with pytest.raises(ValueError, match="the table has no other column"):
        TableEncoder().fit(table(), "kind")
    with pytest.raises(ValueError, match="has no rows"):
        TableEncoder().fit(table(x=range(12)).iloc[:0], "kind")
    with pytest.raises(ValueError, match="the columns 'x' occur more than once"):
        TableEncoder().fit(pandas.DataFrame([[1, 2, "a"]], columns=["x", "x", "kind"]), "kind")
    with pytest.raises(ValueError, match="call fit first"):
        TableEncoder().transform(table())
    with pytest.raises(TypeError, match="expected a pandas data frame, got ndarray"):
        TableEncoder().fit(np.ones((2, 2)), "y")


# -- saved and given back

CELLS = {
    "numbers": st.none() | st.floats(-1e9, 1e9),
    "whole": st.integers(-5, 5),
    "texts": st.none() | st.sampled_from(["a", "b", "ü \n", "1"]),
    "flags": st.booleans(),
}
ROWS = st.lists(st.fixed_dictionaries(CELLS), min_size=4, max_size=20)


@given(train=ROWS, new=ROWS)
def test_an_encoder_comes_back_from_json_with_the_same_numbers(train, new):
    frame = pandas.DataFrame(train).assign(kind=[number % 2 for number in range(len(train))])
    try:
        encoder = TableEncoder().fit(frame, "kind")
    except ValueError as error:
        assert "no column is left" in str(error) or "expected numbers" in str(error)
        return
    twin = TableEncoder.from_dict(json.loads(json.dumps(encoder.to_dict(), allow_nan=False)))
    try:
        expected = encoder.transform(pandas.DataFrame(new))
    except ValueError as error:
        assert str(error).startswith("column ")  # cells of another kind than in training
        return
    np.testing.assert_array_equal(twin.transform(pandas.DataFrame(new)), expected)
    assert np.isfinite(expected).all() and expected.shape == (len(new), len(encoder.feature_names))
    assert (twin.classes, twin.task, twin.notes, twin.unknown) == (
        [0, 1],
        encoder.task,
        encoder.notes,
        encoder.unknown,
    )


def test_data_that_is_no_encoder_is_refused():
    encoder, _ = encoded(x=[1, 2, 3, 4])
    plain = encoder.to_dict()
    with pytest.raises(ValueError, match="format 1, got 9"):
        TableEncoder.from_dict({**plain, "format": 9})
    del plain["target"]
    with pytest.raises(ValueError, match="incomplete"):
        TableEncoder.from_dict(plain)


def test_a_million_rows_of_three_columns():
    count = 1_000_000
    generator = np.random.default_rng(0)
    frame = pandas.DataFrame(
        {
            "x": generator.normal(size=count),
            "c": generator.choice(["p", "q"], count),
            "y": np.arange(count) % 3,
        }
    )
    encoder = TableEncoder().fit(frame, "y")
    x = encoder.transform(frame)
    assert x.shape == (count, 3) and x.nbytes == 12 * count
    assert np.bincount(encoder.encode_target(frame)).tolist() == [333334, 333333, 333333]
