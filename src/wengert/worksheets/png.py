"""The computational graph of a worksheet as a PNG picture."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from wengert.optional import require
from wengert.worksheets.folding import Fold
from wengert.worksheets.svg import to_svg
from wengert.worksheets.worksheet import Worksheet

LARGEST = 16_000
"""Pixels along a side; larger pictures cannot be opened everywhere."""


def to_png(sheet: Worksheet, fold: Fold = None, derivatives: bool = False, zoom: float = 2.0) -> bytes:
    """The drawing of `to_svg` as the bytes of a PNG file, ``zoom`` pixels for each unit, fewer where the
    picture would have more than 16,000 along a side.

    Raises `ImportError` where ``resvg_py`` or ``fast-sugiyama`` is not installed
    (``pip install 'wengert[draw]'``), and `ValueError` for a zoom that is not positive.
    """
    if not zoom > 0:
        raise ValueError(f"zoom: expected a positive number, got {zoom!r}")
    resvg = require("resvg_py", "drawing a graph as PNG", "draw")
    svg = to_svg(sheet, fold, derivatives)
    longest = max(float(svg.split(f'{side}="', 1)[1].split('"', 1)[0]) for side in ("width", "height"))
    found: bytes = resvg.svg_to_bytes(
        svg_string=svg, zoom=min(zoom, LARGEST / longest), font_dirs=_fonts(), font_family="DejaVu Sans"
    )
    return bytes(found)


def _fonts() -> list[str]:
    """The fonts that matplotlib brings, for machines that have none."""
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        return []
    return [str(Path(found.origin).parent / "mpl-data" / "fonts" / "ttf")]
