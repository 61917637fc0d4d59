"""What a lab leaves in a folder: a page to read, the numbers as JSON, and every picture as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from wengert.files import write_whole
from wengert.labs.lab import LabResult, Picture
from wengert.train import plots

if TYPE_CHECKING:
    from wengert.labs.page import Link

PAGE, NUMBERS = "report.html", "result.json"


def write_artifacts(result: LabResult, folder: Path, links: tuple[Link, ...] = ()) -> list[str]:
    """Write the pictures, the page and at last the numbers, which mark the folder as complete.

    ``links`` lead from the page to others. Returns the paths, the page first.
    """
    from wengert.labs.page import page_of

    folder.mkdir(parents=True, exist_ok=True)
    pictures = {picture.file_name: drawn(picture) for picture in result.items if isinstance(picture, Picture)}
    paths = [str(folder / name) for name in (PAGE, NUMBERS, *pictures)]
    result.artifacts = paths
    for name, content in pictures.items():
        write_whole(folder / name, content)
    write_whole(folder / PAGE, page_of(result, pictures, links))
    numbers = json.dumps(result.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    write_whole(folder / NUMBERS, numbers + "\n")
    return paths


def drawn(picture: Picture) -> bytes:
    """The picture as the bytes of its file: the same bytes for the same numbers."""
    if isinstance(picture.drawing, str):
        return picture.drawing.encode()
    picture.drawing.set_label(picture.description)  # what `plots` writes as the text alternative
    if picture.raster:
        return plots.figure_png(picture.drawing)
    return plots.figure_svg(picture.drawing).encode()
