"""The site of all labs: whole after every lab, linked, escaped, and honest about what did not run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from wengert.labs import Context, Item, Lab, LabResult, Picture, at_least, at_most, lab_names, run_lab
from wengert.labs.mission import PARTS, ROWS, place_of
from wengert.labs.outcomes import Outcome
from wengert.labs.site import Site, address, front_page, in_mission_order, run_labs, standing_of_all

pytest.importorskip("jinja2", reason="the pages are made with jinja2")

SQUARE = '<svg xmlns="http://www.w3.org/2000/svg"><rect width="1" height="1"/></svg>'


def fine(context: Context) -> Iterator[Item]:
    for _ in context.track(range(2), "half"):
        pass
    yield Picture("square", "A square", "A black & white square.", SQUARE)
    yield at_least("seed", context.seed, 0)


def failing(context: Context) -> Iterator[Item]:
    yield at_most("<b>two</b>", 2, 1)
    yield at_most("one", 1, 1)


def broken(context: Context) -> Iterator[Item]:
    raise FileNotFoundError("beans.csv is missing:\n  <try> again")
    yield "never"


def lab(name: str, rows: tuple[str, ...], run: Any) -> Lab:
    return Lab(name, rows, f"The {name} & more", f"What of {name}?", "nothing", run)


FINE, FAILING, BROKEN = (
    lab("fine", ("M2", "M3"), fine),
    lab("failing", ("M3",), failing),
    lab("broken", ("M30",), broken),
)
LABS = (FINE, FAILING, BROKEN)


class Page(HTMLParser):
    """What a reader, a screen reader and a browser's security find on a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.alternatives: list[str | None] = []
        self.policy = ""
        self.words: list[str] = []
        self.tags: set[str] = set()
        self._hidden = False
        self.feed(path.read_text("utf-8"))
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.add(tag)
        self._hidden = tag == "style"
        if tag == "a":
            self.links.append(values["href"] or "")
        if tag == "img":
            self.alternatives.append(values.get("alt"))
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"] or ""

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, list[Outcome]]:
    folder = tmp_path / "new" / "report"
    site = Site(folder, LABS)
    return folder, list(run_labs(LABS, site))


def pages(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.html"))


# -- the rows ------------------------------------------------------------------------------------------------


def test_the_mission_has_its_34_rows_in_order() -> None:
    assert [row.number for row in ROWS] == [f"M{number}" for number in range(1, 35)]
    assert sum(len(part.rows) for part in PARTS) == 34
    assert len({row.title for row in ROWS}) == 34
    assert place_of(("M34", "M2")) == 1


def test_labs_are_shown_in_the_order_of_the_mission() -> None:
    assert in_mission_order([BROKEN, lab("new", ("M0",), fine), FAILING, FINE])[:3] == [FINE, FAILING, BROKEN]


# -- what ran and what did not -------------------------------------------------------------------------------


def test_a_lab_that_does_not_run_stops_no_other(made: tuple[Path, list[Outcome]]) -> None:
    outcomes = [*made[1], *run_labs([BROKEN, FINE])]
    assert [outcome.standing for outcome in outcomes] == ["holds", "fails", "idle", "idle", "holds"]
    assert outcomes[2].reason == "beans.csv is missing:\n  <try> again"
    assert (
        standing_of_all(made[1]) == "✗ 1 of 3 claims fails. 1 lab did not run. 31 rows of 34 have no lab yet."
    )


def test_an_error_that_is_a_mistake_is_named() -> None:
    def mistaken(context: Context) -> Iterator[Item]:
        yield str(1 / 0)

    (outcome,) = run_labs([lab("mistaken", ("M1",), mistaken)])
    assert outcome.reason == "ZeroDivisionError: division by zero"


def test_every_outcome_has_the_keys_of_a_result() -> None:
    result = run_lab(FINE).to_dict()
    assert Outcome.of(run_lab(FINE)).to_dict().keys() == result.keys()
    without = Outcome(FINE).to_dict()
    assert without.keys() - result.keys() == {"error"}
    assert (without["claims"], without["rows"]) == ([], ["M2", "M3"])


def test_progress_is_of_all_labs_together() -> None:
    said: list[tuple[float, str]] = []
    list(run_labs([FINE, BROKEN], progress=lambda share, what: said.append((share, what))))
    shares = [share for share, _ in said]
    assert shares == sorted(shares)
    assert (0.25, "fine (1 of 2): half 2 of 2") in said
    assert (0.5, "broken (2 of 2)") in said


def test_an_interruption_is_no_outcome(tmp_path: Path) -> None:
    def interrupted(context: Context) -> Iterator[Item]:
        raise KeyboardInterrupt
        yield "never"

    labs = [FINE, lab("interrupted", ("M5",), interrupted), FAILING]
    with pytest.raises(KeyboardInterrupt):
        list(run_labs(labs, Site(tmp_path, labs)))
    front = Page(tmp_path / "index.html")
    assert "✓ the claim holds" in front.text
    assert "It has not been run yet." in Page(tmp_path / address(labs[1])).text
    assert_links_lead_somewhere(tmp_path)


# -- the pages -----------------------------------------------------------------------------------------------


def assert_links_lead_somewhere(folder: Path) -> None:
    for path in pages(folder):
        for link in Page(path).links:
            assert (path.parent / link).is_file(), f"{path}: {link}"


def test_the_front_page_has_every_row_and_says_in_words_how_it_stands(
    made: tuple[Path, list[Outcome]],
) -> None:
    front = Page(made[0] / "index.html")
    for row in ROWS:
        assert f" {row.number} {row.title}" in front.text
    assert front.text.count("– no lab yet") == 31
    for words in ("✓ the claim holds", "✗ 1 of 2 claims fails", "– not run", "beans.csv is missing:"):
        assert words in front.text
    assert "<b>two</b> is 2, expected ≤ 1" in front.text
    assert front.text.count("The fine & more") == 2, "a lab stands in each of its rows"


def test_links_are_relative_and_lead_somewhere(made: tuple[Path, list[Outcome]]) -> None:
    assert len(pages(made[0])) == 1 + len(LABS)
    assert_links_lead_somewhere(made[0])
    assert Page(made[0] / address(FAILING)).links == [
        "../index.html",
        f"../{address(FINE)}",
        f"../{address(BROKEN)}",
    ]


def test_pages_need_no_network_and_no_script(made: tuple[Path, list[Outcome]]) -> None:
    for path in pages(made[0]):
        page = Page(path)
        assert page.policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in page.policy
        assert not page.tags & {"script", "link", "iframe", "object", "form"}
        assert not re.search(r'(?:src|href)="(?:https?:|//|/)', path.read_text("utf-8"))
        assert "@media print" in path.read_text("utf-8")
        assert "prefers-color-scheme: dark" in path.read_text("utf-8")


def test_the_policy_admits_the_style_sheet_of_the_page(made: tuple[Path, list[Outcome]]) -> None:
    import base64
    import hashlib

    content = (made[0] / "index.html").read_text("utf-8")
    style = content.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in content


def test_what_labs_say_is_escaped(made: tuple[Path, list[Outcome]]) -> None:
    for path in pages(made[0]):
        assert "<b>two" not in path.read_text("utf-8")
        assert "<try>" not in path.read_text("utf-8")
    assert "<try> again" in Page(made[0] / address(BROKEN)).text


def test_every_picture_has_words(made: tuple[Path, list[Outcome]]) -> None:
    assert Page(made[0] / address(FINE)).alternatives == ["A black & white square."]


def test_a_lab_of_no_row_is_shown_too() -> None:
    extra = lab("extra", ("M0",), fine)
    page = front_page([Outcome.of(run_lab(extra))])
    assert "Other experiments" in page
    assert "extra/report.html" in page
    assert "Other experiments" not in front_page([Outcome(FINE)])
    assert "No lab has run yet." in front_page([Outcome(FINE)])


def test_a_quick_run_says_so_in_front() -> None:
    assert "A quick run" in front_page([], quick=True)
    assert "A quick run" not in front_page([])


def test_registered_labs_have_a_place() -> None:
    from wengert.labs import all_labs

    page = front_page([Outcome(one) for one in all_labs()])
    assert all(f"{name}/report.html" in page for name in lab_names())


# -- going on ------------------------------------------------------------------------------------------------


def test_a_run_goes_on_where_it_was_interrupted(made: tuple[Path, list[Outcome]]) -> None:
    folder, _ = made
    ran: list[str] = []

    def counted(one: Lab) -> Lab:
        def run(context: Context) -> Iterator[Item]:
            ran.append(one.name)
            yield at_least("seed", context.seed, 0)

        return Lab(one.name, one.rows, one.title, one.question, one.quick, run)

    labs = [counted(one) for one in LABS]
    outcomes = list(run_labs(labs, Site(folder, labs, resume=True)))
    assert ran == ["broken"]
    assert [outcome.standing for outcome in outcomes] == ["holds", "fails", "holds"]
    list(run_labs(labs, Site(folder, labs, resume=True, seed=1), seed=1))
    assert ran == ["broken", "fine", "failing", "broken"], "another seed is another run"


def test_without_resume_old_results_are_cleared_away(made: tuple[Path, list[Outcome]]) -> None:
    folder, _ = made
    (folder / "mine.txt").write_text("keep")
    assert not any(outcome.ran for outcome in Site(folder, LABS).outcomes)
    assert "not run" in Page(folder / address(FINE)).text
    assert not any(outcome.ran for outcome in Site(folder, LABS, resume=True).outcomes)
    assert (folder / "mine.txt").read_text() == "keep"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"name": "other", "seed": 0, "quick": false}'])
def test_a_file_that_is_no_result_is_not_resumed(tmp_path: Path, content: str) -> None:
    (tmp_path / "fine").mkdir()
    (tmp_path / "fine" / "result.json").write_text(content)
    assert not Site(tmp_path, [FINE], resume=True).outcomes[0].ran


def test_results_are_on_disk_before_the_next_lab_runs(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []

    def looks(context: Context) -> Iterator[Item]:
        seen.append(json.loads((tmp_path / "fine" / "result.json").read_text()))
        yield at_least("one", 1, 1)

    labs = [FINE, lab("looks", ("M9",), looks)]
    list(run_labs(labs, Site(tmp_path, labs)))
    assert seen[0]["claims"][0]["holds"]


def test_a_folder_that_cannot_be_written_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        Site(tmp_path / "file" / "report", LABS)


def test_a_single_page_has_no_way_to_a_site_that_is_not_there(tmp_path: Path) -> None:
    result: LabResult = run_lab(FINE)
    result.write(tmp_path)
    assert Page(tmp_path / "report.html").links == []
