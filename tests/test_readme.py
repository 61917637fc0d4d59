"""What the documents show beside their examples is what is there."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def section(title: str) -> str:
    """The text from one heading to the next."""
    return (
        (ROOT / "README.md").read_text(encoding="utf-8").partition(f"## {title}\n")[2].partition("\n## ")[0]
    )


def namespace_after_first_block(text: str) -> dict[str, Any]:
    """What the first block of Python leaves behind."""
    import numpy as np

    import wengert
    from wengert import optim

    names: dict[str, Any] = {"np": np, "wengert": wengert, "optim": optim}
    block = text.partition("```python\n")[2].partition("```")[0]
    for example in doctest.DocTestParser().get_examples(block):
        exec(compile(example.source, "README.md", "single"), names)
    return names


def test_the_page_and_the_report_of_a_compiled_step_are_real() -> None:
    text = section("Compile")
    step = namespace_after_first_block(text)["step"]
    page, report = (part.partition("```")[0] for part in text.split("```text\n")[1:])
    assert page in step.source
    assert report in step.report()


def test_the_map_of_the_compiler_names_every_file_and_no_other() -> None:
    folder = ROOT / "src" / "wengert" / "compiler"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")}
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    chapter = text.partition("## The compiler, file by file\n")[2].partition("\n### ")[0]
    named = re.findall(r"^- `([\w/]+\.py)`:", chapter, re.MULTILINE)
    assert sorted(named) == sorted(files - {"__init__.py", "llvm/__init__.py"})
