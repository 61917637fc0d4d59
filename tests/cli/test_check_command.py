"""`wengert check`, as a student uses it."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wengert.cli import main

TEXTBOOK = ["check", "(x1*x2*sin(x3) + exp(x1*x2))/x3", "--at", "x1=1,x2=1.5,x3=2"]
PRODUCT = ["check", "x*y + sin(x)", "--at", "x=2,y=3"]


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(importlib.import_module("wengert.cli.main").COMMANDS, "check", "Check a derivative.")


def call(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


@pytest.mark.parametrize(
    "claim",
    ["x2=2.6955", "x2=2,6955", "x2 = 2.70", "x2=3", "df/dx2=2.6955", "x2=(x1*sin(x3) + x1*exp(x1*x2))/x3"],
)
def test_right_claims_exit_with_0(claim: str) -> None:
    result = call(*TEXTBOOK, "--claim", claim)
    assert result.exit_code == 0, result.output
    assert "Right: " in result.stdout


@pytest.mark.parametrize(
    ("claim", "slip"),
    [
        ("x2=-2.6955", "sign"),
        ("x2=2.2408", "missing term"),
        ("x2=2.6954", "rounding"),
        ("x2=4.0432", "other input"),
        ("x2=x1*sin(x3)/x3", "missing term"),
    ],
)
def test_wrong_claims_exit_with_1_and_name_the_slip(claim: str, slip: str) -> None:
    result = call(*TEXTBOOK, "--claim", claim)
    assert result.exit_code == 1
    assert "Wrong: ∂f/∂x2 is 2.6955 here" in result.stdout
    assert f"likely slip, {slip}" in result.stdout


def test_several_claims() -> None:
    assert call(*TEXTBOOK, "--claim", "x2=2.6955", "--claim", "x1=4.0432").exit_code == 0
    assert call(*TEXTBOOK, "--claim", "x2=2.6955,x1=4.0432").exit_code == 0
    result = call(*TEXTBOOK, "--claim", "x2=2.6955", "--claim", "x1=1")
    assert (result.exit_code, result.stdout.count("Right"), result.stdout.count("Wrong")) == (1, 1, 1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*TEXTBOOK, "--claim", "x2"], "expected NAME=NUMBER, such as x2=2.6955"),
        ([*TEXTBOOK, "--claim", "x2=1", "--claim", "x2=2"], "two claims about x2"),
        ([*TEXTBOOK, "--claim", "q=1"], "'q' is no input; the inputs are x1, x2, x3"),
        ([*TEXTBOOK, "--claim", "x2=abc"], "'abc' is no input"),
        ([*TEXTBOOK, "--claim", "x2=__import__('os')"], "x2=__import__"),
        ([*TEXTBOOK], "give either --claim NAME=NUMBER"),
        (["check", "x+y", "--at", "x=1", "--claim", "x=1"], "no value for y; add --at y=1"),
        (["check", "x+", "--at", "x=1", "--claim", "x=1"], "the text ends too early"),
    ],
)
def test_bad_input_exits_with_2(words: list[str], message: str) -> None:
    result = call(*words)
    assert result.exit_code == 2
    assert message.split("x2=__")[0] in result.stderr
    assert "Traceback" not in result.output


def test_a_table(tmp_path: Path) -> None:
    path = tmp_path / "homework.md"
    right = (
        "| line | value | adjoint |\n|--|--|--|\n| v1 | 6 | 1 |\n| v2 | 0.9093 | 1 |\n| v3 | 6.9093 | 1 |\n"
    )
    path.write_text(right + "| x | 2 | 2.5839 |\n| y | 3 | 2 |\n", encoding="utf-8")
    result = call(*PRODUCT, "--table", str(path))
    assert (result.exit_code, result.stdout) == (0, "Right: all 10 numbers.\n")

    path.write_text(right + "| x | 2 | 3 |\n| y | 3 | 2 |\n", encoding="utf-8")
    result = call(*PRODUCT, "--table", str(path))
    assert result.exit_code == 1
    assert "likely slip, missing term: v₋₁ is used twice, in v₁ and v₂" in result.stdout


def test_a_table_of_tangents(tmp_path: Path) -> None:
    path = tmp_path / "homework.csv"
    path.write_text("line;value;tangent\nv1;6;3\nv2;0,9093;-0,4161\nv3;6,9093;2,5839\n", encoding="utf-8")
    assert call(*PRODUCT, "--table", str(path), "--mode", "forward", "--wrt", "x").exit_code == 0
    result = call(*PRODUCT, "--table", str(path), "--mode", "forward", "--wrt", "y")
    assert result.exit_code == 1
    result = call(*PRODUCT, "--table", str(path), "--mode", "forward")
    assert result.exit_code == 2
    assert "name one of x, y" in result.stderr


def test_help_teaches_with_examples() -> None:
    out = call("check", "--help").stdout
    assert "--claim x2=2.6955" in out
    assert "exit status is 0 where all is right" in " ".join(out.split())
