"""Where a known file is looked for: the folder ``WENGERT_DATA``, the user's cache, then the network."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wengert.data.checksums import CorruptedFile, DataFile, checked
from wengert.files import write_whole
from wengert.optional import require

FOLDER_VARIABLE = "WENGERT_DATA"


class MissingData(FileNotFoundError):
    """A file of a known data set that is nowhere to be had."""


def cache_folder() -> Path:
    """The folder of downloaded data sets, in the user's cache."""
    pooch = require("pooch", "downloading a data set", "learn")
    return Path(pooch.os_cache("wengert")) / "data"


def find(file: DataFile) -> Path | None:
    """The file in ``WENGERT_DATA`` or in the cache, checked; None where neither has it.

    Raises CorruptedFile for one that is not what was registered, NotADirectoryError where ``WENGERT_DATA``
    names no folder.
    """
    for folder in (named_folder, cache_folder):  # called in turn: without pooch the first may do
        root = folder()
        path = root / file.folder / file.name if root else None
        if path and path.is_file():
            return checked(path, file)
    return None


def fetch(file: DataFile) -> Path:
    """The file, found or downloaded into the cache. Raises MissingData where it cannot be had."""
    found = find(file)
    if found is not None:
        return found
    failures = []
    for url in file.urls:
        try:
            return checked(_download(file, url), file)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            failures.append(f"  {url}: {_first_line(error)}")
    raise MissingData(_missing(file, failures))


def named_folder() -> Path | None:
    """The folder that ``WENGERT_DATA`` names."""
    named = os.environ.get(FOLDER_VARIABLE)
    if not named:
        return None
    if not Path(named).is_dir():
        raise NotADirectoryError(f"{FOLDER_VARIABLE} names {named!r}, which is no folder")
    return Path(named)


def _download(file: DataFile, url: str) -> Path:
    pooch = require("pooch", "downloading a data set", "learn")
    target = cache_folder() / file.folder / file.name
    archive = url.endswith(".zip")
    with tempfile.TemporaryDirectory() as temporary, _bar(file.name) as bar, _quiet(pooch.get_logger()):
        downloader = pooch.HTTPDownloader(progressbar=bar)
        if not archive:
            known, folder = f"sha256:{file.sha256}", target.parent
            pooch.retrieve(url, known, fname=file.name, path=folder, downloader=downloader)
            return target
        # The archive's own bytes may change with the packer; the file inside is what is checked.
        packed = pooch.retrieve(url, None, fname="archive.zip", path=temporary, downloader=downloader)
        unpacked = Path(temporary) / file.name
        unpacked.write_bytes(_member(packed, file.name))
        checked(unpacked, file)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, unpacked.read_bytes())
    return target


def _member(archive: str, name: str) -> bytes:
    with zipfile.ZipFile(archive) as packed:
        for member in packed.namelist():
            if member.rpartition("/")[2] == name:
                return packed.read(member)
    raise CorruptedFile(f"the archive holds no {name}")


class _Bar:
    """What pooch asks of a progress bar, drawn by rich."""

    def __init__(self, progress: Any, name: str) -> None:
        self.progress = progress
        self.task = progress.add_task(name, total=None)

    @property
    def total(self) -> Any:
        return self.progress.tasks[self.task].total

    @total.setter
    def total(self, total: int) -> None:
        self.progress.update(self.task, total=total or None)

    def update(self, count: int) -> None:
        self.progress.advance(self.task, count)

    def reset(self) -> None:
        self.progress.update(self.task, completed=0)

    def close(self) -> None:
        self.progress.refresh()


@contextlib.contextmanager
def _bar(name: str) -> Iterator[_Bar]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        console.print(f"downloading {name}", highlight=False)
    columns = (
        TextColumn("downloading {task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield _Bar(progress, name)


@contextlib.contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Without pooch's own announcements: the bar says as much."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _missing(file: DataFile, failures: list[str]) -> str:
    named = named_folder()
    size = f" ({file.size:,} bytes)" if file.size else ""
    looked = f"in {FOLDER_VARIABLE}={named}" if named else f"in a folder named by {FOLDER_VARIABLE} (not set)"
    tried = "\n".join(failures) if failures else "  it has no address to download it from"
    return (
        f"{file.name}{size} is missing: it is neither {looked} nor in {cache_folder()}, and could not be "
        f"downloaded:\n{tried}\nDownload it by other means into the folder {file.folder}/ of a folder of "
        f"your choice, and set {FOLDER_VARIABLE} to that folder; or try again when the network is back"
    )


def _first_line(error: Exception) -> str:
    text = str(error).partition("\n")[0] or type(error).__name__
    return text if len(text) < 200 else text[:200] + "…"
