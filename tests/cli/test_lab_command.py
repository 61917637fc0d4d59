"""``wengert lab``: lists, runs, writes, and fails where a claim fails."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from wengert.cli import main
from wengert.labs import Context, Item, Lab, Table, at_least, lab_names, registry


def counting(context: Context) -> Iterator[Item]:
    numbers = list(context.track(context.seeds(4, 2), "number"))
    yield Table("Numbers", ("n",), [(n,) for n in numbers])
    yield at_least("how far we count", numbers[-1], 1)


def broken(context: Context) -> Iterator[Item]:
    raise FileNotFoundError("beans.csv is missing")
    yield "never"


LABS = {
    "counting": Lab(
        "counting", ("M0",), "Counting", "How far can we count?", "two of four numbers", counting
    ),
    "hopeful": Lab("hopeful", ("M0",), "Hope", "Is 0 ≥ 1?", "nothing", lambda context: [at_least("0", 0, 1)]),
    "broken": Lab("broken", ("M0",), "Broken", "Where are the beans?", "nothing", broken),
}


@pytest.fixture
def small_labs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command with labs that take no time."""
    real = registry.find_lab
    monkeypatch.setattr("wengert.labs.find_lab", lambda name: LABS.get(name) or real(name))
    monkeypatch.setattr("wengert.labs.all_labs", lambda: list(LABS.values()))


def call(*words: str) -> Result:
    return CliRunner().invoke(main, ["lab", *words])


def test_the_list_names_every_lab_and_its_rows() -> None:
    result = call("list")
    assert result.exit_code == 0, result.output
    for word in (*lab_names(), "M9", "M34"):
        assert word in result.stdout
    entries = json.loads(call("list", "--format", "json").stdout)
    assert [entry["name"] for entry in entries] == lab_names()
    assert all(set(entry) == {"name", "rows", "title", "question"} for entry in entries)


@pytest.mark.usefixtures("small_labs")
def test_a_run_prints_what_it_found() -> None:
    result = call("run", "counting")
    assert result.exit_code == 0, result.output
    assert "✓ holds" in result.stdout
    assert "The claim holds, after" in result.stdout
    assert "counting:   0% number 1 of 4" in result.stderr


@pytest.mark.usefixtures("small_labs")
def test_json_stands_alone_on_standard_output() -> None:
    result = call("run", "counting", "--format", "json", "--seed", "5")
    content = json.loads(result.stdout)
    assert content["name"] == "counting"
    assert content["rows"] == ["M0"]
    assert content["seed"] == 5
    assert content["claims"] == [{"claim": "how far we count", "value": 8, "expected": "≥ 1", "holds": True}]
    assert content["artifacts"] == []


@pytest.mark.usefixtures("small_labs")
def test_quick_says_so() -> None:
    assert "two of four numbers" in call("run", "counting", "--quick").stdout
    content = json.loads(call("run", "counting", "--quick", "--format", "json").stdout)
    assert content["quick"] is True
    assert "two of four numbers" in content["note"]
    assert content["claims"][0]["value"] == 1


@pytest.mark.usefixtures("small_labs")
def test_a_claim_that_fails_fails_the_command_after_all_is_written(tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="the page is made with jinja2")
    result = call("run", "hopeful", "--format", "json", "--out", str(tmp_path / "hope"))
    assert result.exit_code == 1
    assert json.loads(result.stdout)["claims"][0]["holds"] is False
    assert "1 of 1 claims fail: 0." in result.stderr
    assert all(Path(path).is_file() for path in json.loads(result.stdout)["artifacts"])
    assert "✗ fails" in call("run", "hopeful").stdout


@pytest.mark.usefixtures("small_labs")
def test_missing_data_are_named() -> None:
    result = call("run", "broken")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "wengert: beans.csv is missing" in result.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "vea"], "did you mean 'vae'?"),
        (["run", "frobnicate"], "; the labs are "),
        (["run", "../vae"], "no lab '../vae'"),
        (["run", "vae", "--seed", "-1"], "-1 is not in the range"),
        (["run", "vae", "--format", "yaml"], "yaml"),
        (["run"], "Missing argument 'NAME'"),
        (["run", "vae", "--all"], "either the lab 'vae' or --all"),
        (["run", "--all", "--resume"], "--resume needs --out"),
        (["run", "vae", "--resume", "--out", "report"], "--resume goes with --all"),
    ],
)
def test_slips_are_answered_with_code_2(words: list[str], says: str) -> None:
    result = call(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.usefixtures("small_labs")
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="the page is made with jinja2")
    (tmp_path / "file").write_text("")
    result = call("run", "counting", "--out", str(tmp_path / "file" / "report"))
    assert result.exit_code == 2
    assert str(tmp_path / "file") in result.stderr


# -- all of them ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_labs")
def test_all_labs_make_one_site_and_an_error_costs_only_itself(tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="the pages are made with jinja2")
    result = call("run", "--all", "--out", str(tmp_path / "report"))
    assert result.exit_code == 1
    for words in (
        "counting: ✓ the claim holds (",
        "hopeful: ✗ 1 of 1 claim fails",
        "✗ 0: 0, expected ≥ 1",
        "broken: – not run: beans.csv is missing",
        "1 of 2 claims fails. 1 lab did not run.",
        f"Open {(tmp_path / 'report' / 'index.html').resolve()}",
    ):
        assert words in result.stdout
    assert "labs:   0% counting (1 of 3)" in result.stderr
    assert (tmp_path / "report" / "index.html").is_file()
    assert all((tmp_path / "report" / name / "report.html").is_file() for name in LABS)


@pytest.mark.usefixtures("small_labs")
def test_all_labs_as_json(tmp_path: Path) -> None:
    result = call("run", "--all", "--quick", "--seed", "3", "--format", "json")
    assert result.exit_code == 1
    entries = json.loads(result.stdout)
    assert [entry["name"] for entry in entries] == list(LABS)
    assert entries[0]["quick"] is True
    assert entries[0]["claims"][0]["value"] == 4
    assert entries[2]["error"] == "beans.csv is missing"
    assert "1 lab did not run" in result.stderr


@pytest.mark.usefixtures("small_labs")
def test_the_exit_code_is_0_where_all_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wengert.labs.all_labs", lambda: [LABS["counting"]])
    result = call("run", "--all")
    assert result.exit_code == 0, result.output
    assert "✓ All claims hold: 1 claim of 1 lab." in result.stdout


@pytest.mark.usefixtures("small_labs")
def test_an_interrupted_run_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="the pages are made with jinja2")
    ran = []

    def once(context: Context) -> Iterator[Item]:
        ran.append(len(ran))
        if len(ran) == 1:
            raise KeyboardInterrupt
        yield at_least("runs", len(ran), 2)

    interrupted = Lab("once", ("M2",), "Once", "How often?", "nothing", once)
    monkeypatch.setattr("wengert.labs.all_labs", lambda: [interrupted, LABS["counting"]])
    words = ["run", "--all", "--out", str(tmp_path)]
    first = call(*words)
    assert first.exit_code == 1
    assert f"wengert lab run --all --out {tmp_path} --resume" in first.stderr
    again = call(*words, "--resume")
    assert again.exit_code == 0, again.output
    assert len(ran) == 2
    assert call(*words, "--resume").exit_code == 0
    assert len(ran) == 2


def test_listing_imports_no_optional_package() -> None:
    code = (
        "import sys; from wengert.labs import all_labs; all_labs();"
        "print(sorted({'sklearn', 'matplotlib', 'pandas', 'jinja2', 'optuna', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_help_teaches() -> None:
    overview: Any = call("--help").stdout
    assert "wengert lab run vae --quick" in overview
    assert "exit code is 1 where a claim" in call("run", "--help").stdout
