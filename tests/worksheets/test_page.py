"""The page as a file: what it holds, what it may do, and what it folds."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from page_subjects import five_thousand_rows, row_m5, training_step_of_fashion_mnist
from sheets import m6, network, training_step

import wengert
from wengert import nn
from wengert.worksheets.page.data import page_data
from wengert.worksheets.page.page import to_html
from wengert.worksheets.worksheet import Worksheet

EVIL = "</script><img src=x onerror=alert(1)>"


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="worksheet">(.*?)</script>', page, re.S)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def rows_in(members: list[Any]) -> list[int]:
    return [
        row
        for member in members
        for row in ([member] if isinstance(member, int) else rows_in(member["members"]))
    ]


def titles_in(members: list[Any]) -> list[str]:
    found = []
    for member in members:
        if not isinstance(member, int):
            found += [member["title"], *titles_in(member["members"])]
    return found


def test_nothing_is_loaded_and_only_the_page_s_own_script_and_style_may_run():
    page = row_m5().to_html()
    assert re.findall(r'\b(?:src|href)="(?!#)', page) == []
    assert not re.search(r"@import|url\((?!#)|fetch\(|XMLHttpRequest|\beval\(|innerHTML", page)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None and "unsafe" not in policy[1] and "default-src 'none'" in policy[1]
    script = re.search(r"<script>(.*)</script>\n</body>", page, re.S)
    style = re.search(r"<style>(.*)</style>", page, re.S)
    assert script is not None and style is not None
    for kind, text in (("script-src", script[1]), ("style-src", style[1])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy[1]


def test_names_and_formulas_cannot_leave_their_place():
    sheet = wengert.explain(lambda x, y: x * y, 2.0, 3.0, names=[EVIL, "\u202ey"])
    page = sheet.to_html()
    assert EVIL not in page
    assert "\u202e" not in page
    assert data_of(page)["rows"][0]["name"] == EVIL
    assert EVIL not in sheet._repr_html_()


def test_the_numbers_are_the_engine_s():
    sheet = row_m5()
    for row, told in zip(sheet.rows, page_data(sheet)["rows"], strict=True):
        assert told["id"] == row.id and told["primal"]["value"] == ["float", row.value]
        assert told["derivative"]["value"] == ["float", row.adjoint]
        assert [term["term"]["value"][1] for term in told["terms"]] == [term.value for term in row.terms]


def test_equal_steps_are_told_once():
    sheet = row_m5()
    steps = [json.dumps(step) for step in page_data(sheet)["steps"] if step[0] != "input"]
    assert len(set(steps)) == len(steps)


@pytest.mark.parametrize(
    ("numbers", "x", "reason"),
    [
        ("exact", Fraction(1, 3), "Exact numbers are shown"),
        ("symbolic", 1, "Symbols have no value"),
        ("interval", 1, "Intervals are shown"),
        ("mp:50", 1, "more digits than this page"),
    ],
)
def test_numbers_of_other_systems_are_texts_with_the_reason(numbers: str, x: Any, reason: str):
    pytest.importorskip("sympy")
    data = page_data(wengert.explain("x*x + 1", x, numbers=numbers))
    assert reason in data["readOnly"]
    assert {row["primal"]["value"][0] for row in data["rows"]} == {"text"}


def test_arrays_beyond_the_budget_are_left_out_but_not_the_inputs():
    sheet = wengert.explain(lambda x: (x * 2.0 + 1.0).sum(), np.arange(1000.0))
    data = page_data(sheet, budget=10_000)
    places = [row["primal"]["value"][3] for row in data["rows"] if row["primal"]["value"][0] == "array"]
    assert places[0] is not None and None in places
    assert data["leftOut"] > 0
    assert sum(len(base64.b64decode(text)) for _, text in data["arrays"]) <= 10_000


def test_a_worksheet_without_a_program_is_shown_and_not_changed():
    for sheet in (m6("reverse"), m6("forward"), training_step(), network()):
        assert "does not say how to compute" in page_data(sheet)["readOnly"]
        assert to_html(sheet).startswith("<!doctype html>")


def test_a_module_folds_with_its_parameters():
    data = page_data(training_step_of_fashion_mnist(examples=2))
    assert [row["id"] for row in data["rows"]] == sorted(rows_in(data["groups"]))
    assert titles_in(data["groups"]) == ["model", "model.0", "model.2", "model.4", "model.6"]
    first = data["groups"][2]["members"][0]
    names = {row["id"]: row["name"] for row in data["rows"]}
    assert [names[row] for row in first["members"]][:2] == ["0.weight", "0.bias"]


def test_a_module_that_is_called_again_is_another_group():
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Sequential(nn.Tanh(), nn.Sigmoid())

        def forward(self, x):
            return self.layer(self.layer(x) * 2.0)

    sheet = wengert.explain(lambda x: Net()(x).sum(), np.array([0.5, 1.0]))
    assert "Net.layer, call 2" in titles_in(page_data(sheet)["groups"])


def test_long_lists_fold_by_runs():
    sheet = five_thousand_rows()
    groups = page_data(sheet)["groups"]
    assert len(sheet.rows) > 4900
    assert sorted(rows_in(groups)) == [row.id for row in sheet.rows]
    assert len(groups) < 80 and max(len(g["members"]) for g in groups if not isinstance(g, int)) < 80


def test_many_inputs_fold_too():
    sheet = wengert.explain(lambda *xs: sum(xs), *[float(k) for k in range(150)])
    groups = page_data(sheet)["groups"]
    assert titles_in(groups)[0] == "150 inputs"
    assert sorted(rows_in(groups)) == [row.id for row in sheet.rows]


def test_a_notebook_shows_the_page_in_a_sandbox_and_a_table_without_scripts():
    shown = row_m5()._repr_html_()
    frame = re.search(r'<iframe srcdoc="([^"]*)" sandbox="allow-scripts"', shown)
    assert frame is not None
    assert html.unescape(frame[1]) == to_html(row_m5(), budget=1_000_000)
    table = shown[frame.end() :]
    assert "<table" in table and "<script" not in table and "2.9228" in table


def test_the_page_of_a_constant_and_of_an_empty_array():
    assert "<!doctype html>" in wengert.explain("x", 2.0).to_html()
    data = page_data(wengert.explain(lambda x: x.sum(), np.zeros((0, 3))))
    assert data["rows"][0]["primal"]["value"] == ["array", "float64", [0, 3], 0, "(0, 3) empty"]


def test_a_page_is_the_same_each_time():
    def page() -> str:
        sheet: Worksheet = wengert.explain("x*y", 2.0, 3.0)
        return sheet.to_html()

    assert page() == page()
