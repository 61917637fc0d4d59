"""The command line as a stranger uses it: in this process, and as a process of its own."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

import wengert
from wengert.cli import main
from wengert.cli.explain_command import FILES, FORMATS

TEXTBOOK = ["explain", "(x1*x2*sin(x3) + exp(x1*x2))/x3", "--at", "x1=1,x2=1.5,x3=2"]


def call(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def read(*words: str) -> str:
    result = call(*words)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def process(*words: str, code: str = "from wengert.cli import main; main()") -> list[str]:
    return [sys.executable, "-c", code, *words]


def run(*words: str, code: str = "from wengert.cli import main; main()") -> subprocess.CompletedProcess[str]:
    return subprocess.run(process(*words, code=code), capture_output=True, text=True, timeout=60, check=False)


# what it prints


def test_text_is_the_table() -> None:
    out = read(*TEXTBOOK)
    assert "v̄₋₁ = v̄₁·v₋₂" in out
    assert out.rstrip().endswith("f = 2.9228    ∂f/∂x1 = 4.0432    ∂f/∂x2 = 2.6955    ∂f/∂x3 = -1.7735")
    assert "∂f/∂x2 = 2.69549" in read(*TEXTBOOK, "--wrt", "x2", "--digits", "5")
    assert "v̇₆ = v̇₅/v₀" in read(*TEXTBOOK, "--mode", "forward", "--wrt", "x2")


def test_json_has_the_stated_keys() -> None:
    for mode, part in (("reverse", "adjoint"), ("forward", "tangent")):
        sheet = json.loads(read(*TEXTBOOK, "--wrt", "x2", "--mode", mode, "--format", "json"))
        assert list(sheet) == ["expression", "mode", "wrt", "value", "gradient", "rows"]
        keys = ["id", "name", "op", "formula", "value", f"{part}_formula", part, "line"]
        assert all(list(row) == keys for row in sheet["rows"])
        assert (sheet["expression"], sheet["mode"], sheet["wrt"]) == (TEXTBOOK[1], mode, ["x2"])
        direct = wengert.explain(TEXTBOOK[1], 1.0, 1.5, 2.0, wrt="x2", mode=mode)
        assert (sheet["value"], sheet["gradient"]) == (direct.value, direct.gradient)  # to the last bit
        assert [row["id"] for row in sheet["rows"]] == [-2, -1, 0, 1, 2, 3, 4, 5, 6]


def test_machines_get_exact_numbers_and_nan_as_strings() -> None:
    exact = json.loads(read("explain", "x*pi/3", "--at", "x=1/3", "--numbers", "exact", "--format", "json"))
    assert (exact["value"], exact["gradient"]) == ("pi/9", {"x": "pi/3"})
    assert exact["rows"][0]["value"] == "1/3"
    nan = json.loads(read("explain", "log(x)", "--at", "x=-1", "--format", "json"))
    assert (nan["value"], nan["gradient"]["x"]) == ("nan", -1.0)
    assert "x > 0" in nan["footnotes"][0]
    rows = list(csv.DictReader(io.StringIO(read("explain", "1/x", "--at", "x=0", "--format", "csv"))))
    assert [row["value"] for row in rows] == ["0.0", "inf"]


@pytest.mark.parametrize(
    ("expression", "at", "numbers", "value", "gradient"),
    [
        ("x^2/(1+x)", "x=1/3", "exact", "1/12", "7/16"),
        ("sin(x)", "x=pi/2", "exact", "1", "0"),
        ("0.1*x", "x=0.1", "exact", "1/100", "1/10"),
        ("x*x", "x=1e-3", "exact", "1/1000000", "1/500"),
        ("x*y", "", "symbolic", "x*y", "y"),
    ],
)
def test_values_stay_exact(expression: str, at: str, numbers: str, value: str, gradient: str) -> None:
    out = read("explain", expression, "--at", at, "--numbers", numbers, "--format", "json")
    assert (json.loads(out)["value"], json.loads(out)["gradient"]["x"]) == (value, gradient)


def test_a_range_is_an_interval() -> None:
    sheet = json.loads(read("explain", "x^2", "--at", "x=1.4..1.6", "--format", "json"))
    (low, high), (steep_low, steep_high) = sheet["value"], sheet["gradient"]["x"]
    assert float(low) <= 1.96 and 2.56 <= float(high) < 2.5601
    assert float(steep_low) <= 2.8 and 3.2 <= float(steep_high) < 3.2001


@pytest.mark.parametrize("form", [form for form in FORMATS if form not in FILES])
def test_every_format_is_printed_and_written(form: str, tmp_path: Path) -> None:
    printed = read(*TEXTBOOK, "--format", form)
    target = tmp_path / "sheet"
    result = call(*TEXTBOOK, "--format", form, "--out", str(target))
    assert (result.exit_code, result.stdout) == (0, "")
    assert str(target) in result.stderr
    written = target.read_text(encoding="utf-8")
    if form == "svg":  # every drawing has identifiers of its own
        assert ElementTree.fromstring(written).tag == ElementTree.fromstring(printed).tag
    else:
        assert written.rstrip("\n") == printed.rstrip("\n")
    assert os.listdir(tmp_path) == ["sheet"]


@pytest.mark.parametrize("form", FILES)
def test_what_no_terminal_shows_is_only_written(form: str, tmp_path: Path) -> None:
    refused = call(*TEXTBOOK, "--format", form)
    assert (refused.exit_code, refused.stderr) == (
        2,
        f"wengert: a terminal does not show {form}: add --out explanation.{form}\n",
    )
    if form == "pdf" and not any(map(shutil.which, ("pdflatex", "lualatex", "xelatex", "tectonic"))):
        pytest.skip("no TeX is installed; tests/worksheets/test_pdf.py covers the error")
    target = tmp_path / f"sheet.{form}"
    assert call(*TEXTBOOK, "--format", form, "--out", str(target)).exit_code == 0
    assert target.read_bytes()[:5] in (b"\x89PNG\r", b"%PDF-")


def test_options_that_do_not_go_with_the_format_are_refused() -> None:
    for words, said in (
        (["--derivatives"], "--derivatives belongs to a drawing: add --format svg or png or tikz"),
        (["--table"], "--table belongs to a typeset sheet: add --format latex or pdf"),
        (["--convention", "derivative", "--format", "svg"], "--convention belongs to a typeset sheet"),
        (["--open", "--format", "svg"], "--open shows the page, not svg: leave --format svg away"),
    ):
        result = call(*TEXTBOOK, *words)
        assert result.exit_code == 2 and said in result.stderr
    assert "-1.4614" in read(*TEXTBOOK, "--format", "svg", "--derivatives")
    assert r"\begin{tabular}" in read(*TEXTBOOK, "--format", "latex", "--table")


def test_open_shows_the_page_in_the_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: bool(shown.append(address)))
    target = tmp_path / "page.html"
    result = call(*TEXTBOOK, "--open", "--out", str(target))
    assert result.exit_code == 0 and shown == [target.resolve().as_uri()]
    assert "no browser was found; open the file yourself" in result.stderr
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_derive_prints_the_gradient_and_its_steps() -> None:
    assert read("derive", "x*sin(x)") == "∇_x f = x·cos(x) + sin(x)\n"
    steps = read("derive", "x*sin(x)", "--steps")
    assert "chain rule through sin: v₁ = sin(x)" in steps and "product rule" in steps
    assert "\\nabla" in read("derive", "x*sin(x)", "--format", "latex")
    assert call("derive", "x", "--format", "pdf").exit_code == 2


# files that cannot be written


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    result = call(*TEXTBOOK, "--out", str(tmp_path / "no" / "sheet.txt"))
    assert result.exit_code == 2
    missing = tmp_path / "no" / "sheet.txt"
    assert result.stderr == f"wengert: {missing}: No such file or directory\n"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    result = call(*TEXTBOOK, "--out", str(tmp_path / "sheet.txt"))
    assert result.exit_code == 2
    assert "Permission denied" in result.stderr


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_whole(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "sheet.txt"
    target.write_text("before")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, full)
    result = call(*TEXTBOOK, "--out", str(target))
    assert result.exit_code == 2
    assert "No space left on device" in result.stderr
    assert (target.read_text(), os.listdir(tmp_path)) == ("before", ["sheet.txt"])


# what it refuses

X, XY = ["--at", "x=1"], ["--at", "x=10,y=9999999999"]
EXACT = ["--numbers", "exact"]
ATTACKS = {
    "unknown function": (["sinn(x)", *X], "did you mean 'sin'"),
    "attribute": (["x.__class__", *X], "attributes are not part of an expression"),
    "dunder": (["__import__('os')"], "'__import__' is not a name"),
    "lambda": (["(lambda: 1)()"], "'lambda' is a word of Python's"),
    "call of a call": (["sin(x)(x)", *X], "expected an operator"),
    "call of a name": (["x(1)", *X], "unknown function 'x'"),
    "subscript": (["x[0]", *X], "lists and subscripts are not part"),
    "string": (["'a'*9"], "strings are not part"),
    "tower of powers": (["9**9**9"], "the exponent is too large"),
    "huge power": (["2**(2**40)"], "the exponent is too large"),
    "huge exponent given": (["x**y", *XY, *EXACT], "more than 200,000 bits"),
    "huge value given": (["x", "--at", "x=9**9**9"], "the exponent is too large"),
    "huge literal": (["1e999999999*x", *X, *EXACT], "the number is too large"),
    "powers of powers": (["((x^1000)^1000)^1000", "--at", "x=3", *EXACT], "too large"),
    "deep nesting": (["(" * 200 + "x" + ")" * 200, *X], "nested too deeply"),
    "million characters": (["MILLION", *X], "at most 10,000 characters"),
    "unknown numbers": (["x", *X, "--numbers", "mp:99999999"], "expected one of float, exact"),
    "unknown wrt": (["x", *X, "--wrt", "z"], "'z' is no input; the inputs are x"),
    "no value": (["x*y", *X], "no value for y; add --at y=1"),
    "value too many": (["x", "--at", "x=1,y=2"], "--at gives y, but the inputs of 'x' are x"),
    "value twice": (["x", "--at", "x=1,x=2"], "given twice"),
    "forward without wrt": (["x*y", "--at", "x=1,y=2", "--mode", "forward"], "name one of x, y"),
    "range in floats": (["x", "--at", "x=1..2", "--numbers", "float"], "needs --numbers interval"),
    "range upside down": (["x", "--at", "x=2..1"], "from its lower to its upper end"),
    "wrong number of arguments": (["sin(x,y)", "--at", "x=1,y=2"], "takes at most 1 arguments, got 2"),
}

# Every attack in one process with bounds on its time and memory, so that none can hide behind a slow machine.
LIMITED = """
import json, resource, sys
from click.testing import CliRunner
from wengert.cli import main
import wengert.worksheets.explain, numpy, sympy, mpmath
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
answers = []
for words in json.load(sys.stdin):
    words = [("x+" * 500_000 + "x") if word == "MILLION" else word for word in words]
    seconds = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 3, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    result = CliRunner().invoke(main, ["explain", *words])
    answers.append((result.exit_code, result.stdout, result.stderr))
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps({"answers": answers, "grown": grown}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="bounds a process by Linux's resource limits")
def test_attacks_and_slips_are_refused_in_bounded_time_and_memory() -> None:
    asked = json.dumps([words for words, _ in ATTACKS.values()])
    done = subprocess.run(
        process(code=LIMITED), input=asked, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr  # a signal here is the limit on the time of one refusal
    answers = json.loads(done.stdout)
    assert answers["grown"] < 100_000  # kilobytes
    for (name, (_, says)), (code, out, err) in zip(ATTACKS.items(), answers["answers"], strict=True):
        assert (code, out) == (2, ""), name
        assert says in err, name
        assert "Traceback" not in err, name
        assert err.startswith("wengert: "), name


def test_a_refusal_marks_the_place() -> None:
    assert call("explain", "2*sinn(x)", "--at", "x=1").stderr.splitlines()[1:] == ["  2*sinn(x)", "    ^"]
    assert call("explain", "2*sin(x,x)", "--at", "x=1").stderr.splitlines()[2:] == ["  2*sin(x,x)", "    ^"]


def test_an_unknown_command_suggests_one() -> None:
    assert "did you mean 'explain'?" in call("explian").stderr
    assert "the commands are train, " in call("frobnicate").stderr
    assert call("frobnicate").exit_code == 2


# help


def test_help_teaches() -> None:
    overview, details = read("--help"), read("explain", "--help")
    for example in ('wengert explain "x*y + sin(x)" --at x=2,y=3', "wengert tour"):
        assert example in overview
    for word in (
        "--at",
        "--wrt",
        "--mode",
        "--numbers",
        "--digits",
        "--format",
        "--out",
        "x=1.4..1.6",
        "1/3",
    ):
        assert word in details
    assert wengert.__version__ in read("--version")


def test_the_examples_of_the_help_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    examples = [
        line for line in read("explain", "--help").splitlines() if line.startswith("    wengert explain")
    ]
    assert len(examples) == 7
    monkeypatch.setattr("webbrowser.open", lambda address: True)
    for example in examples:
        if "--format pdf" not in example or shutil.which("pdflatex"):
            read(*shlex.split(example)[1:])
    ElementTree.parse(tmp_path / "graph.svg")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from wengert.cli import main; main(['--help'], standalone_mode=False); "
        "print(sorted(sys.modules))"
    )
    modules = run(code=code).stdout
    assert "'click'" in modules
    for heavy in ("numpy", "sympy", "mpmath", "rich", "wengert.ops", "wengert.tensors"):
        assert f"'{heavy}'" not in modules


# a process of its own


def test_the_module_is_the_command() -> None:
    words = [sys.executable, "-m", "wengert", "explain", "x*x", "--at", "x=3"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert "∂f/∂x = 6.0000" in done.stdout


@pytest.mark.parametrize(
    ("library", "words", "extra"),
    [
        ("sympy", ["explain", "x", "--at", "x=1", "--numbers", "exact"], "wengert[exact]"),
        ("mpmath", ["explain", "x", "--at", "x=1", "--numbers", "mp:50"], "wengert[exact]"),
        ("fast_sugiyama", ["explain", "x*x", "--at", "x=1", "--format", "svg"], "wengert[draw]"),
        ("sklearn", ["tour"], "wengert[learn]"),
        ("matplotlib", ["tour"], "wengert[learn]"),
    ],
)
def test_a_missing_library_names_its_extra(
    library: str, words: list[str], extra: str, tmp_path: Path
) -> None:
    blocked = f"import sys; sys.modules[{library!r}] = None; from wengert.cli import main; main()"
    if words == ["tour"]:
        words = ["tour", "--out", str(tmp_path / "tour")]
    done = run(*words, code=blocked)
    assert done.returncode == 2
    assert f"pip install '{extra}'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "tour").exists()


def test_floats_need_no_optional_library() -> None:
    blocked = "import sys; sys.modules.update(sympy=None, mpmath=None); from wengert.cli import main; main()"
    assert "∂f/∂x = 6.0000" in run("explain", "x*x", "--at", "x=3", code=blocked).stdout


@pytest.mark.skipif(os.name != "posix", reason="pipes and signals of POSIX")
def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    long = "+".join(["x"] * 1500)  # more than a pipe holds
    pipe = subprocess.PIPE
    with subprocess.Popen(process("explain", long, "--at", "x=1"), stdout=pipe, stderr=pipe) as running:
        assert running.stdout is not None and running.stderr is not None
        assert running.stdout.readline().startswith(b"f =")
        running.stdout.close()
        assert running.stderr.read() == b""


@pytest.mark.skipif(os.name != "posix", reason="pipes and signals of POSIX")
def test_an_interrupt_ends_cleanly(tmp_path: Path) -> None:
    words = process("tour", "--out", str(tmp_path / "tour"))
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        running.stdout.readline()  # the tour has begun
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "Traceback" not in err
    assert err.strip() == "Aborted!"
