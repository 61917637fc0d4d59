"""Table files as data frames: CSV, TSV, Parquet and Excel, read by pandas."""

from __future__ import annotations

import csv
import warnings
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from wengert.optional import require

SEPARATORS = {".csv": ",", ".tsv": "\t"}
SUFFIXES = (".csv", ".tsv", ".parquet", ".xlsx")


def read_table(path: str | Path) -> Any:
    """The table of a file as a pandas data frame: .csv, .tsv, .parquet, or the first sheet of an .xlsx.

    The first row names the columns. Text is UTF-8. Raises FileNotFoundError where there is no such file, and
    ValueError naming the file where it is empty, has no rows, names a column twice, cannot be decoded, or is
    damaged.

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "beans.csv"
    >>> _ = file.write_text("Area,Class\\n28395,SEKER\\n28734,CALI\\n")
    >>> read_table(file).shape
    (2, 2)
    """
    file = Path(path)
    suffix = file.suffix.lower()
    if not file.exists():
        raise FileNotFoundError(f"there is no file {file}")
    if file.is_dir():
        raise ValueError(f"{file} is a folder; expected a table file ({', '.join(SUFFIXES)})")
    if suffix not in SUFFIXES:
        hint = "; save it as .xlsx" if suffix == ".xls" else ""
        raise ValueError(
            f"{file}: expected a table in {', '.join(SUFFIXES)}, got the suffix {suffix!r}{hint}"
        )
    if not file.stat().st_size:
        raise ValueError(f"{file} is empty: it has 0 bytes")
    pandas = require("pandas", "reading a table", "learn")
    if suffix in SEPARATORS:
        names, frame = _read_text(pandas, file, SEPARATORS[suffix])
    elif suffix == ".xlsx":
        names, frame = _read_excel(pandas, file)
    else:
        names, frame = _read_parquet(pandas, file)
    return _checked(file, [str(name).strip() for name in names], frame)


def _read_text(pandas: Any, file: Path, separator: str) -> tuple[list[Any], Any]:
    try:
        with open(file, encoding="utf-8-sig", newline="") as text:
            names = next((row for row in csv.reader(text, delimiter=separator) if row), [])
        with warnings.catch_warnings():
            # pandas cuts off cells beyond the header's, and only warns.
            warnings.simplefilter("error", pandas.errors.ParserWarning)
            frame = pandas.read_csv(
                file, sep=separator, encoding="utf-8-sig", index_col=False, low_memory=False
            )
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise ValueError(
            f"{file} is not UTF-8 text: byte 0x{byte:02x} means nothing there; save it as UTF-8"
        ) from None
    except pandas.errors.EmptyDataError:
        raise ValueError(f"{file} is empty: it holds no column names") from None
    except pandas.errors.ParserWarning:
        raise ValueError(f"{file}: rows have more cells than the header, which names {len(names)}") from None
    except (pandas.errors.ParserError, csv.Error) as error:
        raise ValueError(f"{file} is no regular table: {_plain(error)}") from None
    if len(names) == 1 and ";" in names[0]:
        raise ValueError(
            f"{file}: the header {names[0]!r:.60} holds semicolons; save the table with commas between cells "
            f"and points in numbers"
        )
    return names, frame


def _read_excel(pandas: Any, file: Path) -> tuple[list[Any], Any]:
    require("openpyxl", "reading an Excel file", "learn")
    damage = (zipfile.BadZipFile, zlib.error, KeyError, EOFError, ParseError, OSError, ValueError)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of styles and extensions, which hold no data
            with pandas.ExcelFile(file, engine="openpyxl") as book:
                header = pandas.read_excel(book, header=None, nrows=1)
                frame = pandas.read_excel(book)
    except damage as error:
        raise ValueError(f"{file} is damaged or no Excel file: {_plain(error)}") from None
    names = [] if header.empty else ["" if cell != cell else cell for cell in header.iloc[0]]
    return names, frame


def _read_parquet(pandas: Any, file: Path) -> tuple[list[Any], Any]:
    parquet = require("pyarrow.parquet", "reading a Parquet file", "learn")
    try:
        frame = parquet.ParquetFile(file).read().to_pandas()
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} is damaged or no Parquet file: {_plain(error)}") from None
    return list(frame.columns), frame


def _checked(file: Path, names: list[str], frame: Any) -> Any:
    twice = sorted(name for name, count in Counter(names).items() if count > 1 and name)
    if twice:
        raise ValueError(f"{file}: {_listed('column', twice)} named more than once; rename one of each")
    if not len(frame.columns):
        raise ValueError(f"{file} is empty: it holds no column names")
    if not len(frame):
        raise ValueError(f"{file} has columns ({', '.join(map(str, frame.columns[:5]))}, ...) but no rows")
    frame.columns = [str(name).strip() for name in frame.columns]
    return frame


def _listed(what: str, names: list[str]) -> str:
    quoted = ", ".join(repr(name) for name in names)
    return f"the {what} {quoted} is" if len(names) == 1 else f"the {what}s {quoted} are"


def _plain(error: Exception) -> str:
    return str(error).replace("Error tokenizing data. C error: ", "").strip().partition("\n")[0]
