"""A lab's result as one HTML page that needs nothing else: no network, no script, no other file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from wengert.labs.claims import Claim, plain
from wengert.labs.lab import Formula, LabResult, Listing, Picture, Table
from wengert.labs.text import shown, summary
from wengert.optional import require

KINDS = {str: "text", Formula: "formula", Table: "table", Listing: "listing", Picture: "picture"}


@dataclass(frozen=True)
class Link:
    """A way from one page to another: the relative address and its words; ``rel`` is HTML's word for it."""

    address: str
    words: str
    rel: str = ""


def page_of(result: LabResult, pictures: Mapping[str, bytes], links: tuple[Link, ...] = ()) -> str:
    """The page, with the pictures' bytes, by file name, inside. Raises ImportError without jinja2."""
    return render(
        "page.html.j2",
        result=result,
        links=links,
        items=[(KINDS[type(item)], item) for item in result.items if not isinstance(item, Claim)],
        shown=shown,
        is_number=lambda cell: isinstance(plain(cell), int | float),
        source=lambda picture: data_address(pictures[picture.file_name], picture.raster),
        summary=summary(result),
    )


def render(template: str, **values: Any) -> str:
    """A template of this package, filled in; every value is escaped. Raises ImportError without jinja2."""
    jinja2 = require("jinja2", "a report page", "learn")
    folder = files("wengert.labs").joinpath("templates")

    def source(name: str) -> str:
        return folder.joinpath(name).read_text(encoding="utf-8")

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FunctionLoader(source),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = source("style.css")
    # Only the style sheet with this digest may take effect, and no script at all.
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    filled: str = environment.get_template(template).render(style=style, style_digest=digest, **values)
    return filled + "\n"


def data_address(content: bytes, raster: bool) -> str:
    """A picture's bytes as an address, so that the page holds it."""
    kind = "png" if raster else "svg+xml"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
