"""A claim holds by its numbers, a lab reports in reading order, and what it writes is whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from wengert.labs import (
    Claim,
    Context,
    Formula,
    Item,
    Lab,
    LabResult,
    Listing,
    Picture,
    Table,
    above,
    all_labs,
    at_least,
    at_most,
    below,
    equals,
    find_lab,
    lab_names,
    run_lab,
    within,
)

SQUARE = '<svg xmlns="http://www.w3.org/2000/svg"><rect width="1" height="1"/></svg>'


def experiment(context: Context) -> Iterator[Item]:
    repeats = context.choose(full=4, quick=2)
    values = [seed**2 for seed in context.track(context.seeds(4, 2), "repeat")]
    yield "Squares, with <b>no markup</b> and [red]no colour[/red]."
    yield Formula("y = x²")
    yield Table("Squares & more", ("x", "y"), list(enumerate(values)))
    yield Listing("A program", "for x in range(4):\n    print(x**2)")
    yield Picture("square", "A square", "A black square.", SQUARE)
    yield equals("how many", len(values), repeats)
    yield at_most("the largest", float(max(values)), 100.0)


LAB = Lab("squares", ("M0", "M00"), "Squares", "How fast do squares grow?", "two of four", experiment)


def lab_that_claims(*claims: Claim) -> Lab:
    return Lab("small", ("M0",), "Small", "What?", "nothing", lambda context: list(claims))


# -- claims --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "expected", "holds"),
    [
        (at_least("a", 0.92, 0.92), "≥ 0.92", True),
        (at_least("a", 0.9199, 0.92), "≥ 0.92", False),
        (at_most("a", 110.0, 110), "≤ 110", True),
        (below("a", 1e-9, 1e-9), "< 1e-09", False),
        (above("a", 2, 1.1), "> 1.1", True),
        (equals("a", (2, 4), (2, 4)), "= 2, 4", True),
        (equals("a", Fraction(1, 3), 1 / 3), "= 0.3333333333333333", False),
        (within("a", 2.69551, 2.6955, 5e-5), "2.6955 ± 5e-05", True),
        (within("a", 2.6957, 2.6955, 5e-5), "2.6955 ± 5e-05", False),
        (at_least("a", float("nan"), 0), "≥ 0", False),
        (at_most("a", np.float32("nan"), 0), "≤ 0", False),
        (within("a", float("nan"), 0, 1.0), "0 ± 1.0", False),
    ],
)
def test_a_claim_holds_by_its_value_and_threshold(claim: Claim, expected: str, holds: bool) -> None:
    assert (claim.expected, claim.holds) == (expected, holds)
    assert type(claim.holds) is bool


def test_nobody_can_say_that_a_claim_holds() -> None:
    with pytest.raises(TypeError):
        Claim("a", 0.0, "≥", 1.0, holds=True)  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        at_least("a", 0.0, 1.0).holds = True  # type: ignore[misc]


def test_claims_are_plain_data() -> None:
    claim = at_least("a", np.float64(0.5), np.float32(0.25))
    assert claim.to_dict() == {"claim": "a", "value": 0.5, "expected": "≥ 0.25", "holds": True}
    for value in (float("inf"), float("nan"), Fraction(2, 3), (1, Fraction(1, 2))):
        json.dumps(equals("a", value, value).to_dict(), allow_nan=False)


# -- labs ----------------------------------------------------------------------------------------------------


def test_a_result_is_the_contract() -> None:
    content = run_lab(LAB).to_dict()
    assert content["name"] == "squares"
    assert content["rows"] == ["M0", "M00"]
    assert content["claims"] == [
        {"claim": "how many", "value": 4, "expected": "= 4", "holds": True},
        {"claim": "the largest", "value": 9.0, "expected": "≤ 100.0", "holds": True},
    ]
    assert content["artifacts"] == []
    assert content["tables"] == [
        {"title": "Squares & more", "columns": ["x", "y"], "rows": [[0, 0], [1, 1], [2, 4], [3, 9]]}
    ]
    assert not content["quick"]
    assert content["note"] == ""
    json.dumps(content, allow_nan=False)


def test_a_quick_run_says_what_it_left_out() -> None:
    result = run_lab(LAB, quick=True)
    assert result.claims[0].value == 2
    assert "the same claims and thresholds: two of four" in result.to_dict()["note"]
    assert "two of four" in result.to_text()
    assert "two of four" not in run_lab(LAB).to_text()


def test_seeds_are_declared_by_the_first() -> None:
    assert list(Context(seed=7).seeds(3, 1)) == [7, 8, 9]
    assert list(Context(seed=7, quick=True).seeds(3, 1)) == [7]


def test_progress_goes_from_nothing_to_all() -> None:
    seen: list[tuple[float, str]] = []
    context = Context(progress=lambda share, what: seen.append((round(share, 6), what)))
    for _ in context.track("ab", "seed"):
        for _ in context.track("xyz", "epoch"):
            pass
    shares = [share for share, _ in seen]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert (round(1 / 2 + 1 / 6, 6), "seed 2 of 2, epoch 2 of 3") in seen


def test_a_loop_that_is_left_early_spoils_no_other() -> None:
    seen: list[tuple[float, str]] = []
    context = Context(progress=lambda share, what: seen.append((share, what)))
    for _ in context.track(range(2), "seed"):
        for _ in context.track(range(10), "epoch"):
            break
    assert seen[-1][0] == 1.0
    assert all(what.count("epoch") <= 1 for _, what in seen)


def test_one_failing_claim_fails_the_lab() -> None:
    assert run_lab(lab_that_claims(at_least("a", 2, 1))).holds
    assert not run_lab(lab_that_claims(at_least("a", 2, 1), at_least("b", 0, 1))).holds


def test_a_lab_without_claims_is_refused() -> None:
    with pytest.raises(RuntimeError, match="'small' makes no claim"):
        run_lab(lab_that_claims())


# -- reading it ----------------------------------------------------------------------------------------------


def test_the_text_holds_everything_in_order() -> None:
    text = run_lab(LAB).to_text(width=80)
    parts = ["Squares (M0, M00)", "How fast", "<b>no markup</b> and [red]no colour[/red]", "y = x²"]
    parts += ["Squares & more", "print(x**2)", "A black square", "Claims", "✓ holds", "how many"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text


def test_a_failing_claim_is_marked() -> None:
    assert "✗ fails" in run_lab(lab_that_claims(at_least("a", 0, 1))).to_text()


# -- keeping it ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LabResult]:
    pytest.importorskip("jinja2", reason="the page is made with jinja2")
    folder = tmp_path_factory.mktemp("labs") / "new" / "squares"
    result = run_lab(LAB)
    result.write(folder)
    return folder, result


def test_a_folder_gets_the_page_the_numbers_and_the_pictures(written: tuple[Path, LabResult]) -> None:
    folder, result = written
    assert {path.name for path in folder.iterdir()} == {"report.html", "result.json", "square.svg"}
    assert sorted(result.artifacts) == sorted(str(path) for path in folder.iterdir())
    assert json.loads((folder / "result.json").read_text()) == json.loads(json.dumps(result.to_dict()))
    ElementTree.parse(folder / "square.svg")


def test_the_page_stands_alone_and_escapes(written: tuple[Path, LabResult]) -> None:
    page = (written[0] / "report.html").read_text()
    assert "&lt;b&gt;no markup&lt;/b&gt;" in page
    assert "<b>no markup" not in page
    assert "A black square." in page
    assert "How fast do squares grow?" in page
    assert "y = x²" in page
    assert not re.search(r'(?:src|href)="https?:', page)
    for claim in written[1].claims:
        assert claim.claim in page


def test_figures_become_the_same_bytes_every_time(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    from wengert.labs.artifacts import drawn
    from wengert.labs.drawing import curves, signed_images

    pictures = [
        Picture("a", "A", "Two & three.", curves({"one": [1, 2], "two": [2.0, 1.0]}, "loss")),
        Picture("b", "B", "An eye.", signed_images({"eye": np.eye(4) - 0.5}), raster=True),
    ]
    assert [picture.file_name for picture in pictures] == ["a.svg", "b.png"]
    for picture in pictures:
        assert drawn(picture) == drawn(picture)
    assert drawn(pictures[1]).startswith(b"\x89PNG")
    assert ElementTree.fromstring(drawn(pictures[0])).get("aria-label") == "Two & three."


# -- the registry --------------------------------------------------------------------------------------------


def test_every_lab_says_what_it_is() -> None:
    labs = all_labs()
    assert [lab.name for lab in labs] == lab_names()
    assert {row for lab in labs for row in lab.rows} >= {"M9", "M10", "M12", "M24", "M33", "M34"}
    for lab in labs:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", lab.name)
        assert all(re.fullmatch(r"M\d+", row) for row in lab.rows)
        assert lab.question.endswith("?")
        assert lab.title and lab.quick and not lab.quick.endswith(".")


def test_an_unknown_lab_suggests_one() -> None:
    with pytest.raises(ValueError, match=r"no lab 'fashion'.*did you mean 'fashion-mnist'"):
        find_lab("fashion")
    with pytest.raises(ValueError, match=r"the labs are .*dry-beans-baselines"):
        find_lab("frobnicate")
    with pytest.raises(ValueError, match="no lab '__init__'"):
        find_lab("__init__")
