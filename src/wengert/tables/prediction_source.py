"""The part of an exported Python file that turns cells into numbers, and outputs into predictions.

It reads a cell as `wengert.data.TableEncoder` does, with the standard library alone.
"""

from __future__ import annotations

IMPORTS = ("import csv", "import math", "import os", "import sys", "from datetime import datetime, timezone")

OF_ARRAYS = '''

def predict(x):
    """The predicted class (or number) of each row of an array of shape (rows, features)."""
    outputs = forward(x)
    return [CLASSES[k] for k in outputs.argmax(axis=1)] if CLASSES else outputs[:, 0].tolist()
'''

OF_ROWS = '''

MISSING = {
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
}
TRUTHS = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}


def number(column, cell):
    """A cell as the number that stands for it."""
    text = "" if cell is None or str(cell) in MISSING else str(cell).strip()
    if column["kind"] == "category":
        known = column["categories"]
        if not text:
            return len(known) if column["missing"] else -1
        return known.index(text) if text in known else -1
    if not text or text in MISSING:
        return math.nan
    if column["kind"] == "boolean":
        return TRUTHS[text.lower()]
    if column["kind"] == "date":
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        return moment.timestamp() / 86400
    value = float(text)
    if math.isinf(value):
        raise ValueError("expected a finite number")
    return value


def numbers(rows):
    """The cells of all rows as numbers, one list per row."""
    found = []
    for place, row in enumerate(rows):
        found.append([])
        for column in COLUMNS:
            if column["name"] not in row:
                raise ValueError(f"the table lacks the column {column['name']!r}")
            try:
                found[-1].append(number(column, row[column["name"]]))
            except (KeyError, ValueError):
                cell = row[column["name"]]
                where = f"column {column['name']!r}, row {place} (the first is 0)"
                raise ValueError(f"{where}: expected a {column['kind']}, got {cell!r}") from None
    return found


def predict(rows):
    """The predicted class (or number) of each row, a dict from column names to cells."""
    rows = list(rows)
    if not rows:
        return []
    outputs = forward(numbers(rows))
    return [CLASSES[k] for k in outputs.argmax(axis=1)] if CLASSES else outputs[:, 0].tolist()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python " + sys.argv[0] + " table.csv")
    with open(sys.argv[1], newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        reader.fieldnames = [name.strip() for name in reader.fieldnames or []]
        try:
            predictions = predict(reader)
        except ValueError as error:
            sys.exit(f"{sys.argv[1]}: {error}")
    try:
        print(*predictions, sep="\\n", flush=True)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os._exit(1)
'''
