"""The worksheet in a notebook: the page in a frame of its own, and a plain table where that is not shown."""

from __future__ import annotations

from html import escape
from typing import Any

from wengert.worksheets.columns import entry, heading, leading_leaves, marker, names, parts
from wengert.worksheets.page.page import to_html
from wengert.worksheets.values import format_value, printable
from wengert.worksheets.worksheet import Row, Worksheet

CELL = "padding:.15em .6em;text-align:left;vertical-align:top;white-space:pre-wrap"
NUMBER = (
    "padding:.15em .6em;text-align:right;vertical-align:top;white-space:pre;font-variant-numeric:tabular-nums"
)
ARRAY = "padding:.15em .6em;text-align:left;vertical-align:top;white-space:pre;font-family:monospace"
RULE = "border-bottom:1px solid currentColor"


FRAME = "width:100%;height:760px;border:1px solid #b8b8b8;border-radius:8px;resize:vertical;overflow:auto"
BUDGET = 1_000_000  # bytes of array entries, because a notebook keeps every output


def to_notebook(sheet: Worksheet) -> str:
    """The page of the worksheet in a frame, and below it a plain table that needs no script.

    The frame is sandboxed: its script reaches nothing of the notebook. A front end that drops frames, as
    GitHub does, still shows the table.
    """
    page = escape(to_html(sheet, BUDGET))
    title = escape(f"Worksheet of {printable(sheet.expression)}")
    frame = f'<iframe srcdoc="{page}" sandbox="allow-scripts" title="{title}" style="{FRAME}"></iframe>'
    table = to_html_table(sheet)
    return f"<div>{frame}</div>\n<details><summary>The same as a plain table</summary>\n{table}</details>\n"


def to_html_table(sheet: Worksheet) -> str:
    """The worksheet as one ``<table>`` with its styles inline: no script, no link, every text escaped."""
    shown, name = parts(sheet), names(sheet)
    heads = ([] if name is None else ["name"]) + [cell for part in shown for cell in (part, "value")]
    leaves = leading_leaves(sheet)
    body = []
    for index, row in enumerate(sheet.rows):
        cells = [] if name is None else [_cell(_text(name[index]), CELL)]
        for part in shown:
            cells += _part_cells(sheet, row, part)
        ruled = f' style="{RULE}"' if index + 1 in (leaves, len(sheet.rows)) else ""
        body.append(f"<tr{ruled}>{''.join(cells)}</tr>")
    head = "".join(f'<th scope="col" style="{CELL}">{cell}</th>' for cell in heads)
    return (
        '<table style="border-collapse:collapse;font-size:90%">\n'
        f'<caption style="text-align:left;caption-side:top"><b>f = {_text(sheet.expression)}</b><br>'
        f"{_text(heading(sheet))}</caption>\n"
        f'<thead><tr style="{RULE}">{head}</tr></thead>\n'
        "<tbody>\n" + "\n".join(body) + "\n</tbody>\n"
        f"<tfoot>\n{_foot(sheet, len(heads))}\n</tfoot>\n</table>\n"
    )


def _part_cells(sheet: Worksheet, row: Row, part: str) -> list[str]:
    found = entry(row, part)
    if found is None:
        return [_cell("", CELL), _cell("", NUMBER)]
    left = _text(found.left.text)
    equation = left if found.right is None else f"{left} {found.relation} {_text(found.right.text)}"
    notes = f" <sup>{_text(marker(row.notes))}</sup>" if part == "primal" and row.notes else ""
    text = _value(sheet, found.value)
    return [_cell(equation + notes, CELL), _cell(text, ARRAY if "\n" in text else NUMBER)]


def _foot(sheet: Worksheet, width: int) -> str:
    notes = [_text(f"[{number}] {note}") for number, note in enumerate(sheet.footnotes, start=1)]
    gradient = [f"∂f/∂{_text(name)} = {_value(sheet, value)}" for name, value in sheet.gradient.items()]
    results = [f"<b>{result}</b>" for result in (f"f = {_value(sheet, sheet.value)}", *gradient)]
    return "\n".join(f'<tr><td colspan="{width}" style="{CELL}">{line}</td></tr>' for line in notes + results)


def _cell(content: str, style: str) -> str:
    return f'<td style="{style}">{content}</td>'


def _value(sheet: Worksheet, value: Any) -> str:
    return escape(format_value(value, sheet.digits, sheet.numbers))


def _text(text: str) -> str:
    return escape(printable(text))
