"""Table files: what is read, and how a bad one is named."""

from __future__ import annotations

import pytest

from wengert.data import read_table

pandas = pytest.importorskip("pandas")


def frame():
    return pandas.DataFrame({"area": [1.5, 2.5, None], "count": [1, 2, 3], "kind": ["a", "ü", None]})


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".xlsx", ".CSV"])
def test_every_format_gives_the_same_table(tmp_path, suffix):
    path = tmp_path / f"table{suffix}"
    if suffix == ".parquet":
        frame().to_parquet(path)
    elif suffix == ".xlsx":
        frame().to_excel(path, index=False)
    else:
        frame().to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    found = read_table(path)
    assert found.area.tolist()[:2] == [1.5, 2.5] and found["count"].tolist() == [1, 2, 3]
    assert found.isna().sum().tolist() == [1, 0, 1]
    assert found.kind[1] == "ü"


def test_a_mark_of_byte_order_and_blanks_around_names_are_taken_off(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"\xef\xbb\xbfarea , kind\n1,a\n")
    assert list(read_table(path).columns) == ["area", "kind"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "empty.csv is empty: it has 0 bytes"),
        ("blank.csv", b"\n\n", "blank.csv is empty: it holds no column names"),
        ("header.csv", b"a,b\n", r"header.csv has columns \(a, b, ...\) but no rows"),
        ("twice.csv", b"a,b,a,b\n1,2,3,4\n", "the columns 'a', 'b' are named more than once"),
        ("twice.csv", b"a, a\n1,2\n", "the column 'a' is named more than once"),
        ("latin.csv", b"a,b\n1,caf\xe9\n", "is not UTF-8 text: byte 0xe9"),
        ("long.csv", b"a,b\n1,2\n3,4,5\n", "(?i)long.csv.*(expected 2 fields in line 3|more cells)"),
        ("longer.csv", b"a,b\n1,2,3\n3,4,5\n", "rows have more cells than the header, which names 2"),
        ("half.csv", b'a,b\n1,"2\n', "half.csv is no regular table"),
        ("semicolons.csv", b"a;b\n1,5;2\n", "semicolons"),
        ("table.json", b"{}", r"expected a table in .csv, .tsv, .parquet, .xlsx, got the suffix '.json'"),
        ("table.xls", b"old", "save it as .xlsx"),
        ("not.xlsx", b"a,b\n1,2\n", "not.xlsx is damaged or no Excel file"),
        ("not.parquet", b"a,b\n1,2\n", "not.parquet is damaged or no Parquet file"),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=said):
        read_table(tmp_path / name)


@pytest.mark.parametrize("suffix", [".xlsx", ".parquet"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_truncated_file_is_named(tmp_path, suffix, kept):
    path = tmp_path / f"table{suffix}"
    frame().to_excel(path) if suffix == ".xlsx" else frame().to_parquet(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(ValueError, match=f"table{suffix} is damaged or no"):
        read_table(path)


def test_columns_named_twice_in_excel_and_parquet(tmp_path):
    twice = pandas.DataFrame([[1, 2]], columns=["a", "a"])
    twice.to_excel(tmp_path / "twice.xlsx", index=False)
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    column = pyarrow.array([1])
    parquet.write_table(pyarrow.table([column, column], names=["a", "a"]), tmp_path / "twice.parquet")
    for name in ("twice.xlsx", "twice.parquet"):
        with pytest.raises(ValueError, match=f"{name}: the column 'a' is named more than once"):
            read_table(tmp_path / name)


def test_sheets_without_rows(tmp_path):
    pandas.DataFrame().to_excel(tmp_path / "empty.xlsx")
    with pytest.raises(ValueError, match=r"empty.xlsx is empty: it holds no column names"):
        read_table(tmp_path / "empty.xlsx")


def test_a_file_that_is_not_there_and_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*beans.csv"):
        read_table(tmp_path / "beans.csv")
    with pytest.raises(ValueError, match="is a folder"):
        read_table(tmp_path)
