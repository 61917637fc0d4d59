"""How a training reports its progress: a live line on a terminal, one plain line per epoch elsewhere."""

from __future__ import annotations

import time
from typing import Any, Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from wengert.train.history import Row

REFRESH = 0.1
"""Seconds between two updates of the live line."""

SHORT = 2.0
"""A training that takes fewer seconds than this shows nothing, unless on a terminal or asked to."""


class Progress(Protocol):
    """What `fit` tells while it runs. ``next_update`` is the time from which `step` wants to be called."""

    next_update: float

    def start(self) -> None:
        """The training begins."""

    def step(self, epoch: int, rows: int, loss: float) -> None:
        """So many rows of this epoch are done, with this mean loss so far."""

    def epoch(self, row: Row, best: bool) -> None:
        """An epoch is done."""

    def note(self, words: str) -> None:
        """Something that is worth a line."""

    def finish(self) -> None:
        """The training is over, or has failed."""


class Silent:
    """Shows nothing."""

    next_update = float("inf")

    def start(self) -> None:
        """Shows nothing."""

    def step(self, epoch: int, rows: int, loss: float) -> None:
        """Shows nothing."""

    def epoch(self, row: Row, best: bool) -> None:
        """Shows nothing."""

    def note(self, words: str) -> None:
        """Shows nothing."""

    def finish(self) -> None:
        """Shows nothing."""


class PlainLines(Silent):
    """One line per epoch, held back until ``delay`` seconds have passed."""

    def __init__(self, console: Console, epochs: int, first_epoch: int, delay: float) -> None:
        self.console, self.epochs, self.first_epoch, self.delay = console, epochs, first_epoch, delay
        self.held: list[str] = []

    def start(self) -> None:
        """Start the clock."""
        self.begun = time.perf_counter()

    def note(self, words: str) -> None:
        """Print the words with the next epoch's line."""
        self.held.append(words)

    def epoch(self, row: Row, best: bool) -> None:
        """Print the epoch's line, and those held back, once the training is long enough."""
        elapsed = time.perf_counter() - self.begun
        left = elapsed / (row["epoch"] - self.first_epoch + 1) * (self.epochs - row["epoch"])
        self.held.append(f"{_line(row, self.epochs)}  {clock(left)} left{_mark(best)}")
        if elapsed >= self.delay:
            for line in self.held:
                self.console.print(line, markup=False, highlight=False, soft_wrap=True)
            self.held = []


class LiveLine:
    """A line that shows the current epoch as it runs, below the lines of the epochs that are done."""

    def __init__(self, console: Console, epochs: int, rows_per_epoch: int, first_epoch: int) -> None:
        self.console, self.epochs, self.total = console, epochs, rows_per_epoch
        self.first_epoch = first_epoch
        self.next_update = 0.0
        self.latest: Row = {}
        self.live = Live(console=console, auto_refresh=False, transient=True)

    def start(self) -> None:
        """Open the line."""
        self.begun = time.perf_counter()
        self.live.start()

    def step(self, epoch: int, rows: int, loss: float) -> None:
        """Update the line."""
        now = time.perf_counter()
        self.next_update = now + REFRESH
        done = (epoch - self.first_epoch) * self.total + rows
        speed = done / max(now - self.begun, 1e-9)
        left = ((self.epochs - epoch + 1) * self.total - rows) / speed
        words = [f"epoch {epoch}/{self.epochs}", f"{rows / self.total:4.0%}", f"{clock(left)} left"]
        words.append(f"loss {loss:.4f}")
        words += [f"{name} {_short(value)}" for name, value in _metrics(self.latest)]
        words.append(f"{speed:,.0f} rows/s")
        self.live.update(Text("  ".join(words), no_wrap=True, overflow="ellipsis"), refresh=True)

    def note(self, words: str) -> None:
        """Print the words above the live line."""
        self.console.print(words, markup=False, highlight=False, soft_wrap=True)

    def epoch(self, row: Row, best: bool) -> None:
        """Print the epoch's line above the live one."""
        self.latest = row
        line = f"{_line(row, self.epochs)}{_mark(best)}"
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def finish(self) -> None:
        """Close the line."""
        self.live.stop()


def progress_for(progress: bool | None, epochs: int, rows_per_epoch: int, first_epoch: int) -> Progress:
    """The kind of progress that was asked for, or with None the one that suits the standard error stream."""
    if progress is False:
        return Silent()
    console = Console(stderr=True)
    if console.is_terminal and not console.is_dumb_terminal:
        return LiveLine(console, epochs, max(rows_per_epoch, 1), first_epoch)
    return PlainLines(console, epochs, first_epoch, 0.0 if progress else SHORT)


def clock(seconds: float) -> str:
    """A duration as people read it.

    >>> clock(5), clock(65), clock(3 * 3600 + 120)
    ('5 s', '1 min 05 s', '3 h 02 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _mark(best: bool) -> str:
    return "  best" if best else ""


def _line(row: Row, epochs: int) -> str:
    width = len(str(epochs))
    words = [f"epoch {row['epoch']:>{width}}/{epochs}", f"loss {_short(row['train_loss'])}"]
    words += [f"{name} {_short(value)}" for name, value in _metrics(row)]
    words.append(f"{row['rows_per_second']:,.0f} rows/s")
    return "  ".join(words)


def _metrics(row: Row) -> list[tuple[str, Any]]:
    """The columns worth a place in the line, under the names that people say."""
    others = [name for name in row if name.startswith(("train_", "validation_")) and name != "train_loss"]
    return [(name.removeprefix("train_").replace("_", " "), row[name]) for name in others]


def _short(value: Any) -> str:
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 else f"{value:.3g}"
