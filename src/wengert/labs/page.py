"""A lab's result as one HTML page that needs nothing else: no network, no script, no other file."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from importlib.resources import files

from wengert.labs.claims import Claim, plain
from wengert.labs.lab import Formula, LabResult, Listing, Picture, Table
from wengert.labs.text import shown, summary
from wengert.optional import require

KINDS = {str: "text", Formula: "formula", Table: "table", Listing: "listing", Picture: "picture"}


def page_of(result: LabResult, pictures: Mapping[str, bytes]) -> str:
    """The page, with the pictures' bytes, by file name, inside. Raises ImportError without jinja2."""
    jinja2 = require("jinja2", "a report page", "learn")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = files("wengert.labs").joinpath("templates/page.html.j2").read_text(encoding="utf-8")
    page: str = environment.from_string(template).render(
        result=result,
        items=[(KINDS[type(item)], item) for item in result.items if not isinstance(item, Claim)],
        shown=shown,
        is_number=lambda cell: isinstance(plain(cell), int | float),
        source=lambda picture: _address(picture, pictures[picture.file_name]),
        summary=summary(result),
    )
    return page + "\n"


def _address(picture: Picture, content: bytes) -> str:
    kind = "png" if picture.raster else "svg+xml"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
