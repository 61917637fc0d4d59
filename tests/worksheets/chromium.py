"""Headless Chromium for the tests of the page; where it or Playwright is missing, they are skipped."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from wengert.worksheets.page.page import SCRIPTS

NAMES = ("chromium", "chromium-browser", "google-chrome")
STATIC = files("wengert.worksheets.page").joinpath("static")
EVALUATOR = SCRIPTS[: SCRIPTS.index("evaluator.js") + 1]
"""The parts of the page's script that compute, which need no page."""


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser. Skips the test where there is none, and says why."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"needs a browser: none of {', '.join(NAMES)} is installed")
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Page:
    """A page in the browser, and what went wrong on it."""

    def __init__(
        self, browser: Any, file: Path, width: int = 1440, height: int = 900, **options: Any
    ) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, offline=True, reduced_motion="reduce", **options
        )
        self.page = self.context.new_page()
        self.troubles: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.troubles.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri())
        self.page.locator("#table-body tr").first.wait_for(state="attached")

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).first.inner_text())

    def texts(self, selector: str) -> list[str]:
        return [str(text) for text in self.page.locator(selector).all_inner_texts()]

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def settle(self) -> None:
        """Wait until what is drawn before the next frame is there."""
        self.page.evaluate("new Promise(f => requestAnimationFrame(() => requestAnimationFrame(f)))")

    def close(self) -> None:
        self.context.close()


def evaluating(browser: Any) -> Any:
    """An empty page with the evaluator in it."""
    page = browser.new_page()
    parts = [STATIC.joinpath(name).read_text("utf-8") for name in EVALUATOR]
    exported = "OPERATIONS, Evaluator, Unsupported, decoded, readSetting, formatFloat, formatValue, setup"
    page.evaluate(
        "text => { (0, eval)(text); }", "\n".join([*parts, f"globalThis.evaluator = {{ {exported} }};"])
    )
    return page
