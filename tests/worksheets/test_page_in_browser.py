"""The page in a browser: stepping, changing an input, folding, search, the keyboard, and who can use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import Page, chromium
from page_subjects import ROW_M5, five_thousand_rows, row_m5, training_step_of_fashion_mnist

import wengert
from wengert.worksheets.values import format_value
from wengert.worksheets.worksheet import Worksheet

Opened = Callable[..., Page]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def file_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The file of a page, written once for all tests."""
    subjects: dict[str, Callable[[], Worksheet]] = {
        "m5": row_m5,
        "m5 derived": row_m5,
        "m5 forward": lambda: row_m5(mode="forward", wrt="x2"),
        "fashion": training_step_of_fashion_mnist,
        "long": five_thousand_rows,
        "exact": lambda: wengert.explain("x^2/(1+x)", 2, numbers="exact"),
        "arrays": lambda: wengert.explain(lambda w, x: (w @ x).tanh().sum(), W, np.array([0.5, -1.0, 2.0])),
    }
    folder, written = tmp_path_factory.mktemp("pages"), dict[str, Path]()

    def path(name: str) -> Path:
        if name not in written:
            written[name] = folder / f"{name}.html"
            derivation = wengert.derive(ROW_M5) if name == "m5 derived" else None
            written[name].write_text(subjects[name]().to_html(derivation), encoding="utf-8")
        return written[name]

    return path


W = np.arange(6.0).reshape(2, 3) / 4


@pytest.fixture
def opened(browser: Any, file_of: Callable[[str], Path]) -> Iterator[Opened]:
    """Opens a page; at the end of the test nothing must have gone wrong on it, nor been loaded."""
    pages: list[Page] = []

    def open_page(name: str, **options: Any) -> Page:
        page = Page(browser, file_of(name), **options)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        assert page.troubles == []
        assert len(page.requests) == 1 and page.requests[0].startswith("file://")
        page.close()


def values_in_table(page: Page, part: str) -> dict[int, str]:
    cells = page.page.locator(f"#table-body td.value[data-part={part}]")
    rows = cells.evaluate_all("cells => cells.map(c => [c.closest('tr').dataset.row, c.textContent])")
    return {int(row): text for row, text in rows}


def go_to(page: Page, phase: str, row: int) -> None:
    """Step back until a row of that sweep is current."""
    for _ in range(200):
        page.press("ArrowLeft")
        current = page.page.locator(f"#table-body tr.current[data-row='{row}']").count()
        if current and page.text("#step-phase") == phase:
            page.settle()
            return
    raise AssertionError(f"no step of the {phase} computes row {row}")


# -- what is shown -------------------------------------------------------------------------------------------


def test_every_number_in_the_table_is_the_engine_s(opened: Opened):
    page, sheet = opened("m5"), row_m5()
    primal, adjoint = values_in_table(page, "primal"), values_in_table(page, "derivative")
    for row in sheet.rows:
        assert primal[row.id] == format_value(row.value)
        assert adjoint[row.id] == format_value(row.adjoint)
    assert page.texts("#inputs-body output") == [format_value(x) for x in sheet.gradient.values()]


def test_graph_table_formula_and_details_stand_side_by_side(opened: Opened):
    page = opened("m5")
    tops = {}
    for part in ("graph", "table", "details", "inputs"):
        box = page.page.locator(f".panel.{part}").bounding_box()
        assert box["width"] > 300 and box["height"] > 150
        assert box["y"] + box["height"] <= 900
        tops[part] = box["y"]
    assert tops["graph"] == tops["details"]
    assert page.page.locator("#headline .written").count() > 6
    assert page.page.locator(".box").count() == 9
    assert page.page.locator(".edge").count() == 10


# -- stepping ------------------------------------------------------------------------------------------------


def test_values_appear_step_by_step(opened: Opened):
    page = opened("m5")
    page.press("Home")
    assert page.text("#step-phase") == "given"
    assert page.page.locator("#table-body td.value:not(.unknown)").count() == 3
    page.press("ArrowRight")
    assert page.text("#step-phase") == "forward sweep"
    assert page.page.locator("#table-body td.value:not(.unknown)").count() == 4
    for _ in range(6):
        page.press("ArrowRight")
    assert page.text("#step-phase") == "reverse sweep"
    page.press("End")
    assert page.page.locator("td.unknown").count() == 0
    assert page.text("#step-count") == "16 / 16"


def test_the_current_operation_lights_up_everywhere(opened: Opened):
    page = opened("m5")
    go_to(page, "forward sweep", 1)
    assert page.page.locator(".box.current").get_attribute("data-row") == "1"
    assert page.page.locator("#table-body tr.current").get_attribute("data-row") == "1"
    lit = page.page.locator("#headline .written.current")
    assert lit.count() == 2  # x1·x2 stands twice in the formula
    assert "multiply" in page.text("#details-body")
    assert page.page.locator(".edge.used").count() == 2
    assert "forward sweep, v₁ = v₋₂·v₋₁ = 1.5000" in page.text("#announcer")


def test_the_source_line_lights_up(opened: Opened):
    page = opened("fashion")
    go_to(page, "forward sweep", 8)
    assert "cross_entropy" in page.text("#source-body li.current")
    go_to(page, "forward sweep", 1)
    assert "scores = model(x)" in page.text("#source-body li.current")


def test_buttons_and_slider_step_too(opened: Opened):
    page = opened("m5")
    page.page.click("#step-first")
    page.page.click("#step-on")
    page.page.click("#step-on")
    assert page.text("#step-count") == "2 / 16"
    page.page.click("#step-back")
    assert page.text("#step-count") == "1 / 16"
    page.page.fill("#step-slider", "9")
    assert page.text("#step-count") == "9 / 16"
    page.page.focus("#step-slider")
    page.press("ArrowRight")
    assert page.text("#step-count") == "10 / 16"
    page.page.click("#step-play")
    page.page.locator("#step-count", has_text="11 / 16").wait_for()
    page.page.click("#step-play")
    assert page.page.get_attribute("#step-play", "aria-pressed") == "false"


def test_the_details_combine_the_terms_of_the_chain_rule(opened: Opened):
    page = opened("m5")
    go_to(page, "reverse sweep", 1)
    text = page.text("#details-body .part.lit").replace("\n", "")
    for expected in ("4.4817", "0.9093", "0.4546", "2.2408", "2.6955"):
        assert expected in text
    assert page.page.locator(".edge-labels text").all_text_contents() == ["×0.9093", "×4.4817"]


def test_hovering_and_focusing_show_a_row_and_leave_no_trace(opened: Opened):
    page = opened("m5")
    page.page.hover(".box[data-row='3']")
    page.settle()
    assert page.page.get_attribute("#details-title", "aria-label") == "v₃ v₃"
    assert "0.9093" in page.text("#details-body")
    page.page.mouse.move(5, 5)
    page.settle()
    assert page.text("#details-title") == "The result"
    page.page.focus("#table-frame")
    page.press("Tab", "ArrowDown")
    page.settle()
    assert page.page.get_attribute("#details-title", "aria-label") == "v₋₁ x2"


def test_forward_mode_steps_through_values_and_tangents_together(opened: Opened):
    page = opened("m5 forward")
    sheet = row_m5(mode="forward", wrt="x2")
    assert values_in_table(page, "derivative") == {row.id: format_value(row.tangent) for row in sheet.rows}
    go_to(page, "forward sweep", 3)
    assert page.page.locator("td.lit").count() == 4
    assert page.text("#step-count") == "3 / 7"


# -- changing inputs -----------------------------------------------------------------------------------------


def test_a_changed_input_recomputes_all_values(opened: Opened):
    page = opened("m5")
    field = page.page.get_by_label("Value of x2")
    field.fill("0.25")
    field.press("Enter")
    sheet = wengert.explain("(x1*x2*sin(x3)+exp(x1*x2))/x3", 1.0, 0.25, 2.0)
    assert values_in_table(page, "primal") == {row.id: format_value(row.value) for row in sheet.rows}
    assert values_in_table(page, "derivative") == {row.id: format_value(row.adjoint) for row in sheet.rows}
    assert page.texts("#inputs-body output") == [format_value(x) for x in sheet.gradient.values()]
    assert format_value(sheet.value) in page.page.text_content(".box.output")
    page.page.click("#inputs-reset")
    assert values_in_table(page, "primal")[6] == "2.9228"


@pytest.mark.parametrize(
    ("typed", "value"), [("1/4", 0.25), ("-2e-1", -0.2), ("pi/2", np.pi / 2), ("−3", -3.0)]
)
def test_numbers_may_be_typed_as_people_write_them(opened: Opened, typed: str, value: float):
    page = opened("m5")
    page.page.get_by_label("Value of x1").fill(typed)
    page.press("Enter")
    assert values_in_table(page, "primal")[-2] == format_value(float(value))


@pytest.mark.parametrize("typed", ["", "two", "1 2", "alert(1)", "1/", "0x10"])
def test_what_is_no_number_is_refused_with_a_reason(opened: Opened, typed: str):
    page = opened("m5")
    field = page.page.get_by_label("Value of x1")
    field.fill(typed)
    page.press("Enter")
    assert field.get_attribute("aria-invalid") == "true"
    assert "Expected a number such as" in page.text("#inputs-note")
    assert values_in_table(page, "primal")[-2] == "1.0000"


def test_an_entry_of_an_array_is_changed_beside_its_heat_map(opened: Opened):
    page = opened("arrays")
    page.page.click(".box[data-row='-1']")
    page.settle()
    position = page.page.get_by_label("Position in the value of w")
    position.fill("1, 2")
    position.press("Enter")
    assert page.text(".heatmap output") == "= 1.2500"
    page.page.get_by_label("Value of the entry of the value of w").fill("-1")
    page.press("Enter")
    w = W.copy()
    w[1, 2] = -1.0
    sheet = wengert.explain(lambda w, x: (w @ x).tanh().sum(), w, np.array([0.5, -1.0, 2.0]))
    found = values_in_table(page, "primal")
    assert found[sheet.output] == format_value(sheet.value)
    position = page.page.get_by_label("Position in the value of w")
    position.fill("7, 7")
    position.press("Enter")
    assert "expected 2 positions within (2, 3)" in page.text(".heatmap output")


def test_the_heat_map_tells_the_entry_under_the_pointer(opened: Opened):
    page = opened("arrays")
    page.page.click(".box[data-row='-1']")
    page.settle()
    box = page.page.locator(".heatmap canvas").first.bounding_box()
    page.page.mouse.move(box["x"] + box["width"] * 5 / 6, box["y"] + box["height"] / 4)
    assert page.page.get_by_label("Position in the value of w").input_value() == "0, 2"
    assert page.text(".heatmap output") == "= 0.5000"


def test_exact_numbers_are_shown_and_the_page_says_why_they_stay(opened: Opened):
    page = opened("exact")
    assert values_in_table(page, "primal")[3] == "4/3"
    assert page.page.locator("#inputs-body input").count() == 0
    assert "this page cannot compute with fractions" in page.text("#inputs-note")


# -- folding and search --------------------------------------------------------------------------------------


def test_modules_fold_and_unfold(opened: Opened):
    page = opened("fashion")
    assert page.page.locator(".box").count() == 18
    page.page.click("#graph-fold")
    assert page.page.locator(".box").count() == 4
    assert "15 of 18 rows are folded into one box" in page.text("#graph-note")
    group = page.page.locator(".box.group")
    assert group.get_attribute("aria-expanded") == "false"
    assert group.locator("text").all_text_contents()[:2] == ["model", "7 operations, 8 parameters"]
    group.focus()
    page.press("Enter")
    assert page.page.locator(".box").count() > 4
    page.page.click("#graph-unfold")
    assert page.page.locator(".box").count() == 18
    page.page.locator(".fold").first.dispatch_event("click")
    assert page.page.locator(".box").count() == 4


def test_the_current_step_shows_through_a_folded_group(opened: Opened):
    page = opened("fashion")
    page.page.click("#graph-fold")
    go_to(page, "forward sweep", 3)
    assert "current" in page.page.locator(".box.group").get_attribute("class")


def test_search_finds_by_operation_name_and_formula(opened: Opened):
    page = opened("fashion")
    page.press("/")
    page.page.keyboard.type("relu")
    assert page.text("#search-count") == "3 of 18 rows"
    assert page.page.locator("#table-body tr").count() == 3
    page.page.click("#graph-fold")
    assert "match" in page.page.locator(".box.group").get_attribute("class")
    page.page.focus("#search")
    page.press("Enter")
    assert page.page.locator(".box.current").get_attribute("data-row") == "2"
    page.press("Escape")
    assert page.page.locator("#table-body tr").count() == 18
    page.page.fill("#search", "2.weight")
    assert page.page.locator("#table-body tr").count() == 1
    page.page.fill("#search", "no such thing")
    assert page.text("#search-count") == "0 of 18 rows"


# -- large graphs --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_five_thousand_rows_stay_small_in_the_page(opened: Opened):
    page = opened("long")
    assert page.page.locator("#table-body tr[data-row]").count() < 60
    assert page.page.locator(".box").count() < 100
    assert page.page.get_attribute("#table", "aria-rowcount") == str(len(five_thousand_rows().rows) + 1)
    page.page.evaluate("document.getElementById('table-frame').scrollTop = 100000")
    page.settle()
    shown = page.page.locator("#table-body tr[data-row]")
    assert 1500 < int(shown.first.get_attribute("data-row")) < 2300
    assert shown.count() < 60
    page.page.locator(".box.group").first.dispatch_event("click")
    assert 100 < page.page.locator(".box").count() <= 400
    page.page.fill("#search", "v1234")
    page.press("Enter")
    assert page.page.locator(".box.current").get_attribute("data-row") == "1234"


@pytest.mark.slow
def test_every_row_of_a_long_table_has_the_engine_s_number(opened: Opened):
    page, sheet = opened("long"), five_thousand_rows()
    found: dict[int, str] = {}
    for top in range(0, 46 * len(sheet.rows), 700):
        page.page.evaluate(f"document.getElementById('table-frame').scrollTop = {top}")
        page.settle()
        found |= values_in_table(page, "primal")
    assert found == {row.id: format_value(row.value) for row in sheet.rows}


@pytest.mark.slow
def test_an_edit_of_the_training_step_is_the_engine_s_within_single_precision(opened: Opened):
    page = opened("fashion")
    page.page.click(".box[data-row='0']")
    page.settle()
    page.page.get_by_label("Value of the entry of the value of 6.bias").fill("3")
    page.press("Enter")
    loss = float(page.page.evaluate("document.querySelector('.box.output .line-1').textContent"))
    sheet = training_step_of_fashion_mnist()
    scores = sheet["v₇"].value.astype(float)
    scores[:, 0] += 3.0 - sheet["6.bias"].value[0]
    labels = sheet["y"].value
    chosen = scores[np.arange(len(labels)), labels]
    assert loss == pytest.approx((np.log(np.exp(scores).sum(axis=1)) - chosen).mean(), abs=1e-4)


# -- the derivation ------------------------------------------------------------------------------------------


def test_a_symbolic_derivation_stands_beside_the_table(opened: Opened):
    page = opened("m5 derived")
    assert page.page.locator("#table-frame").is_visible()
    page.page.get_by_role("button", name="Derivation").click()
    assert not page.page.locator("#table-frame").is_visible()
    frame = page.page.locator("#derivation-frame")
    assert frame.locator("h3").all_inner_texts()[-1] == "The gradient"
    steps = wengert.derive(ROW_M5).steps
    assert frame.locator("dt").count() == len(steps)
    shown = frame.locator("dd").all_inner_texts()
    for step, text in zip(steps, shown, strict=True):
        assert all(reason.rule in text for reason in step.reasons)
    assert frame.locator("dt math").count() == len(steps)
    assert "\\" not in frame.inner_text()  # nothing of LaTeX is left over
    assert violations(page) == []
    page.page.get_by_role("button", name="Steps", exact=True).click()
    assert page.page.locator("#table-frame").is_visible()


def test_a_page_without_a_derivation_offers_none(opened: Opened):
    page = opened("m5")
    assert not page.page.locator("#table-views").is_visible()


# -- everybody -----------------------------------------------------------------------------------------------


def axe() -> str:
    pytest.importorskip("axe_playwright_python", reason="needs axe: pip install axe-playwright-python")
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    page.page.evaluate(axe())
    found = page.page.evaluate("rules => axe.run(document, { runOnly: rules })", RULES)
    return [f"{v['id']}: {[node['target'] for node in v['nodes']]}" for v in found["violations"]]


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("m5", 1440, "light"),
        ("m5", 390, "dark"),
        *(
            pytest.param(name, width, scheme, marks=pytest.mark.slow)
            for name in ("m5", "fashion", "arrays", "exact")
            for width in (1440, 390)
            for scheme in ("light", "dark")
        ),
    ],
)
def test_the_page_is_accessible(opened: Opened, name: str, width: int, scheme: str):
    page = opened(name, width=width, color_scheme=scheme)
    assert page.page.evaluate("document.documentElement.dataset.theme") == scheme
    assert violations(page) == []
    go_to(page, "reverse sweep", 1)
    assert violations(page) == []
    page.page.click(".box[data-row='0']")
    page.settle()
    assert violations(page) == []
    if name == "fashion":
        page.page.click("#graph-fold")
    page.page.fill("#search", "v")
    assert violations(page) == []
    assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_theme_can_be_chosen(opened: Opened):
    page = opened("m5", color_scheme="light")
    page.page.click("#theme")
    assert page.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.page.get_attribute("#theme", "aria-pressed") == "true"


def test_the_tab_key_reaches_every_part(opened: Opened):
    page = opened("m5")
    page.press("Home", "ArrowRight")
    reached = []
    for _ in range(40):
        page.press("Tab")
        reached.append(
            page.page.evaluate(
                "(document.activeElement.closest('section') ?? document.activeElement).className"
            )
        )
    order = list(dict.fromkeys(name for name in reached if name))
    parts = ["stepper", "panel graph", "panel table", "panel details", "panel inputs"]
    assert [name for name in order if name in parts] == parts


def test_boxes_and_rows_are_walked_with_the_arrow_keys(opened: Opened):
    page = opened("m5")
    page.press("Home", "ArrowRight")
    page.page.focus("#graph-frame")
    page.press("Tab")
    focused = "document.activeElement.dataset.key ?? document.activeElement.closest('tr').dataset.row"
    assert page.page.evaluate(focused) == "r1"
    page.press("ArrowDown", "Enter")
    assert page.text("#step-count") != "1 / 16"
    page.page.focus("#table-frame")
    page.press("Tab", "ArrowDown", "Enter")
    row = page.page.evaluate(focused)
    assert page.page.locator("#table-body tr.current").get_attribute("data-row") == row


def test_paper_has_the_whole_table_and_no_buttons(opened: Opened):
    page = opened("m5", color_scheme="dark")
    page.page.emulate_media(media="print")
    assert page.page.locator("#table-body tr[data-row]").count() == 9
    assert not page.page.is_visible("#step-on")
    assert page.page.evaluate("getComputedStyle(document.body).color") == "rgb(28, 29, 33)"
