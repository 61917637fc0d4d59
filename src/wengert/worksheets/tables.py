"""The worksheet as Markdown for people, and as CSV and JSON, with every digit, for programs."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

from wengert.worksheets.columns import Entry, entry, heading, marker, names, parts
from wengert.worksheets.values import Json, exact_value, format_value, printable
from wengert.worksheets.worksheet import Row, Worksheet


def to_markdown(sheet: Worksheet) -> str:
    """The worksheet as a Markdown table (GitHub's dialect) between its expression and its result.

    Names are escaped: none can open a tag, a link, a formula or a further cell.
    """
    shown, name = parts(sheet), names(sheet)
    head = ([] if name is None else ["name"]) + [cell for part in shown for cell in (part, "value")]
    rule = ([] if name is None else ["---"]) + [cell for _ in shown for cell in (":---", "---:")]
    lines = [
        f"**f = {_markdown(sheet.expression)}**",
        "",
        _markdown(heading(sheet)),
        "",
        _line(head),
        _line(rule),
    ]
    for index, row in enumerate(sheet.rows):
        cells = [] if name is None else [_markdown(name[index])]
        for part in shown:
            cells += _markdown_cells(sheet, row, part)
        lines.append(_line(cells))
    lines.append("")
    for number, note in enumerate(sheet.footnotes, start=1):
        lines += [_markdown(f"[{number}] {note}"), ""]
    results = [("f", sheet.value), *((f"∂f/∂{key}", value) for key, value in sheet.gradient.items())]
    lines += [f"{_markdown(key)} = {_markdown_value(sheet, value)}  " for key, value in results]
    return "\n".join(lines).rstrip() + "\n"


def to_csv(sheet: Worksheet) -> str:
    """The rows as comma-separated values with a heading, every number with all its digits.

    The columns are the keys of the rows of :func:`to_json`; an array is its JSON. Text that a spreadsheet
    would take for a formula begins with an apostrophe.
    """
    records = _records(sheet)
    keys = list(dict.fromkeys(key for record in records for key in record if key != "line"))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*keys, "line"])
    for record in records:
        writer.writerow([_csv_cell(record.get(key)) for key in (*keys, "line")])
    return text.getvalue()


def to_json(sheet: Worksheet) -> str:
    """The worksheet as JSON, one row a line, every number with all its digits.

    Keys: ``expression``, ``mode``, ``wrt`` (a list), ``value``, ``gradient`` (by name), ``rows``, and
    ``footnotes`` where there are any. A row has ``id``, ``name`` (the label where the user gave none),
    ``op``, ``formula``, ``value``, ``tangent_formula`` and ``tangent`` (forward) or ``adjoint_formula`` and
    ``adjoint`` (reverse), ``update_formula`` and ``update`` if it has any, and ``line``. Exact numbers, NaN
    and the infinities are strings; see :func:`~wengert.worksheets.values.exact_value`.
    """
    gradient = {name: exact_value(value, sheet.numbers) for name, value in sheet.gradient.items()}
    before = {
        "expression": sheet.expression,
        "mode": sheet.mode,
        "wrt": list(sheet.wrt),
        "value": exact_value(sheet.value, sheet.numbers),
        "gradient": gradient,
    }
    lines = [f"  {_dump(key)}: {_dump(value)}," for key, value in before.items()]
    rows = ",\n".join(f"    {_dump(record)}" for record in _records(sheet))
    after = [f'  "footnotes": {_dump(list(sheet.footnotes))}'] if sheet.footnotes else []
    lines += ['  "rows": [', *([rows] if rows else []), "  ]," if after else "  ]", *after]
    return "\n".join(["{", *lines, "}"]) + "\n"


def _records(sheet: Worksheet) -> list[dict[str, Json]]:
    """The rows as the machine-readable formats have them."""
    derived = parts(sheet)[1:]
    return [_record(row, sheet.numbers, derived) for row in sheet.rows]


def _record(row: Row, numbers: str, derived: tuple[str, ...]) -> dict[str, Json]:
    record: dict[str, Json] = {
        "id": row.id,
        "name": row.name or row.label.text,
        "op": row.op,
        "formula": row.formula.text,
        "value": exact_value(row.value, numbers),
    }
    for part in derived:
        formula, value = getattr(row, f"{part}_formula"), getattr(row, part)
        if part != "update" or formula is not None or value is not None:
            record[f"{part}_formula"] = None if formula is None else formula.text
            record[part] = exact_value(value, numbers)
    record["line"] = row.line
    return record


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _csv_cell(value: Json) -> Json:
    if isinstance(value, (bool, list, dict)):
        return _dump(value)
    return _harmless(printable(value)) if isinstance(value, str) else value


def _harmless(text: str) -> str:
    # A leading minus is ordinary in a formula; only with what a spreadsheet's call needs is it a threat.
    is_call = text.startswith(("=", "+", "@")) or re.match(r"-.*[|!\"'=]", text)
    return f"'{text}" if is_call else text


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown_cells(sheet: Worksheet, row: Row, part: str) -> tuple[str, str]:
    found = entry(row, part)
    if found is None:
        return "", ""
    notes = f" {marker(row.notes)}" if part == "primal" and row.notes else ""
    return _markdown(_equation(found) + notes), _markdown_value(sheet, found.value)


def _equation(found: Entry) -> str:
    return found.left.text if found.right is None else f"{found.left} {found.relation} {found.right}"


def _markdown_value(sheet: Worksheet, value: Any) -> str:
    lines = format_value(value, sheet.digits, sheet.numbers).split("\n")
    return "<br>".join(_markdown(line) for line in lines)


def _markdown(text: str) -> str:
    text = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]#|$~])", r"\\\1", text)
