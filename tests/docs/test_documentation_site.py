"""The whole site: it is built without a warning, and needs nothing from elsewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FETCHED = re.compile(
    r'<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)="(?:https?:)?//', re.IGNORECASE
)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for package in ("mkdocs", "material", "mkdocstrings", "nbclient", "ipykernel"):
        pytest.importorskip(package, reason="needs wengert[docs]")
    folder: Path = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_nothing_is_fetched_from_another_host(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not FETCHED.search(page.read_text(encoding="utf-8")), page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(\s*['\"]?(?:https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_every_formula_is_typeset(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert 'class="arithmatex"' not in page.read_text(encoding="utf-8"), page
    assert "<math" in (site / "tutorial" / "chain-rule.html").read_text(encoding="utf-8")


def test_what_notebooks_draw_is_as_the_kernel_gave_it(site: Path) -> None:
    page = (site / "notebooks" / "a-gradient-step-by-step.html").read_text(encoding="utf-8")
    kept = json.loads((site / "notebooks" / "a-gradient-step-by-step.ipynb").read_text(encoding="utf-8"))
    outputs = [output for cell in kept["cells"] for output in cell.get("outputs", [])]
    drawn = [
        "".join(output["data"]["text/html"]) for output in outputs if "text/html" in output.get("data", {})
    ]
    assert drawn and all(output in page for output in drawn)


def test_it_can_be_searched_from_disk(site: Path) -> None:
    index = (site / "search" / "search_index.js").read_text(encoding="utf-8")
    assert "operations/exponential.html#wengert.exp" in index
    assert (site / "assets" / "iframe-worker.js").is_file()


def test_names_of_the_package_lead_to_their_description(site: Path) -> None:
    page = (site / "how-to" / "from-jax.html").read_text(encoding="utf-8")
    assert re.search(r'href="\.\./[\w./]+#wengert\.where"', page)
