"""The worksheet as a LaTeX table."""

from __future__ import annotations

from wengert.worksheets.columns import LEAVES, Entry, entry, heading, leading_leaves, marker, names, parts
from wengert.worksheets.latex import latex_name, latex_text, latex_value
from wengert.worksheets.worksheet import Row, Worksheet


def to_table(sheet: Worksheet, across_pages: bool = False) -> str:
    """The worksheet as a ``tabular``, its footnotes and its result; needs amsmath and no other package.
    ``across_pages`` makes it a ``longtable``, of the package of that name.

    User names and footnotes are escaped; characters that pdfLaTeX cannot set are spelled by their code point.
    """
    shown, name = parts(sheet), names(sheet)
    groups = " ".join(["r@{\\;}l r"] * len(shown))
    heads = " & ".join(rf"\multicolumn{{2}}{{l}}{{{part}}} & value" for part in shown)
    prefix = ("l ", "name & ") if name is not None else ("", "")
    leaves = leading_leaves(sheet)
    environment, end = ("longtable", r" \\[4pt]") if across_pages else ("tabular", r" \\")
    rule = r"\hline\noalign{\vskip 4pt}" if across_pages else r"\hline"
    lines = [
        rf"\begin{{{environment}}}{{{prefix[0]}{groups}}}",
        rule,
        rf"{prefix[1]}{heads} \\",
        rule,
    ]
    for index, row in enumerate(sheet.rows):
        cells = [] if name is None else [latex_text(name[index])]
        cells += [_part_cells(sheet, row, part) for part in shown]
        lines.append(" & ".join(cells) + end)
        if index + 1 in (leaves, len(sheet.rows)):
            lines.append(rule)
    lines += [rf"\end{{{environment}}}", ""]
    for number, note in enumerate(sheet.footnotes, start=1):
        lines += [rf"{{\footnotesize {latex_text(f'[{number}] {note}')}\par}}", ""]
    function = latex_text(sheet.expression) if sheet.function is None else f"${sheet.function.latex}$"
    title = rf"\noindent $f$ = {function}\\" + "\n" + latex_text(heading(sheet))
    return f"{title}\n\n\\noindent\n" + "\n".join(lines) + f"\n\\noindent\n{_results(sheet)}\n"


def _part_cells(sheet: Worksheet, row: Row, part: str) -> str:
    found = entry(row, part)
    if found is None:
        return " & & "
    notes = (
        rf"\,\textsuperscript{{{latex_text(marker(row.notes))}}}" if part == "primal" and row.notes else ""
    )
    value = latex_value(found.value, sheet.digits, sheet.numbers)
    return f"{_left(found)} & {_right(row, found)}{notes} & {f'${value}$' if value else ''}"


def _left(found: Entry) -> str:
    return f"${found.left.latex} {found.relation.latex}$"


def _right(row: Row, found: Entry) -> str:
    if found.right is None:
        return ""
    is_name = row.op in LEAVES and found.right.text == row.name
    return f"${latex_name(row.name) if is_name else found.right.latex}$"


def _results(sheet: Worksheet) -> str:
    shown = [("f", sheet.value)]
    shown += [(rf"\partial f / \partial {latex_name(name)}", value) for name, value in sheet.gradient.items()]
    return "\\quad\n".join(
        f"${left} = {latex_value(value, sheet.digits, sheet.numbers)}$" for left, value in shown
    )
