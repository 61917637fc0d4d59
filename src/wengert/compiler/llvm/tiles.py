"""How a product of matrices is cut into pieces.

A tile is as many rows, times as many vectors of columns, as the processor's registers hold: one pass over the
inner extent finishes it. A panel is the columns of a tile, over all the rows. The cut depends on the shape
and the machine alone, so every entry is computed the same way by whatever thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import BYTES, Index

HEIGHTS = {
    16: {1: 12, 2: 6, 3: 4, 4: 2, 5: 2},
    32: {1: 24, 2: 13, 3: 9, 4: 6, 5: 5, 6: 4, 7: 3, 8: 3, 9: 3, 10: 2, 11: 2, 12: 2, 13: 2, 14: 2},
}
"""The most rows of a tile, by the number of vector registers and of the tile's vectors in a row."""

SIDE_BY_SIDE = 8
"""So many sums must grow side by side for none to wait: two multiply-adds begin at a time, and each is done
four times later."""

LONGEST_BYTES = 128 << 10
"""A panel of the right matrix with at most so many bytes is done in one go."""

NEAR_BYTES = 32 << 10
"""So many bytes stay in the cache next to the processor; a copy shares them with what was copied."""

PANEL_BYTES = 64 << 10
"""Longer ones are cut into blocks of so many bytes."""

CHUNK_BYTES = 1280 << 10
"""So much of the left matrix is multiplied by a panel before the next panel: more would push the panel out of
the cache, less would copy it too often."""

CHUNK_ROWS = 512
"""But not more rows than these."""

WAITING_BYTES = 96 << 10
"""So many bytes of sums wait for the next block."""

Range = tuple[Index, Index]


class Run(NamedTuple):
    """Consecutive pieces of one size along an axis."""

    first: int
    pieces: int
    start: int
    size: int


@dataclass(frozen=True)
class Tiling:
    """The cut of a product: tiles down, panels across, and blocks of the inner extent."""

    lanes: int
    inner: int
    tiles: tuple[Run, ...]
    panels: tuple[Run, ...]
    block: int
    """How much of the inner extent is done at a time; all of it where that is not too much."""
    chunk: int
    """How many tiles share the cache with a panel."""
    group: int
    """How many panels share a copy of these tiles, where the inner extent is cut."""
    by_panels: bool
    """Whether the units are panels; else they are tiles."""

    @property
    def units(self) -> int:
        """How many independent pieces there are."""
        return count(self.panels if self.by_panels else self.tiles)

    @property
    def panel_memory(self) -> int:
        """How many entries a row of the widest panel takes, in whole vectors."""
        return max(len(self.widths(run)) for run in self.panels) * self.lanes

    @property
    def cost(self) -> int:
        """What all steps of all tiles cost, counted in multiply-adds."""
        return self.inner * sum(
            tile.pieces * panel.pieces * work(tile.size, len(self.widths(panel)))
            for tile in self.tiles
            for panel in self.panels
        )

    @property
    def row_vectors(self) -> int:
        """How many vectors a row of the result is handed over in."""
        return sum(run.pieces * len(self.widths(run)) for run in self.panels)

    @property
    def height(self) -> int:
        """The most rows of a tile."""
        return max(run.size for run in self.tiles)

    def widths(self, panel: Run) -> list[int]:
        """How many lanes each vector of a panel uses."""
        return vector_widths(panel.size, self.lanes)


def vector_widths(size: int, lanes: int) -> list[int]:
    """How many lanes each of the vectors uses that hold so many entries."""
    return [min(lanes, size - start) for start in range(0, size, lanes)]


def count(runs: tuple[Run, ...]) -> int:
    """How many pieces there are in all."""
    return sum(run.pieces for run in runs)


def tiling(
    machine: Machine, rows: int, columns: int, inner: int, element: str, packed: bool = False
) -> Tiling:
    """The cut of a product of (rows × inner) and (inner × columns), whose right factor may be packed."""
    lanes, size = machine.lanes(BYTES[element]), BYTES[element]
    heights = HEIGHTS[machine.registers]
    most = near_bytes(packed) // (inner * lanes * size)
    panels = _panels(columns, lanes, _vectors(heights, rows, -(-columns // lanes), most))
    vectors = max(-(-run.size // lanes) for run in panels)
    tiles = balanced(rows, heights[vectors])
    panel = vectors * lanes * size
    block = inner
    if inner * panel > LONGEST_BYTES:
        block = balanced(inner, max(lanes, PANEL_BYTES // panel))[0].size
    height = max(run.size for run in tiles)
    chunk = max(1, min(CHUNK_BYTES // (block * size), CHUNK_ROWS) // height)
    group = max(1, WAITING_BYTES // (chunk * height * panel))
    wide = count(tiles) < 16 and count(panels) > 1
    return Tiling(lanes, inner, tiles, panels, block, chunk, group, by_panels=wide)


def near_bytes(packed: bool) -> int:
    """How much of the right matrix stays in the cache next to the processor."""
    return NEAR_BYTES // 2 if packed else NEAR_BYTES


def work(height: int, vectors: int, reading: int = 1) -> int:
    """What a step costs that multiplies each entry of a column by each of some vectors, in multiply-adds.

    Reading an entry costs ``reading``; reading a vector costs two, since it may lie across two lines of the
    cache.
    """
    return max(height * vectors, reading * height + 2 * vectors, SIDE_BY_SIDE)


def _vectors(heights: Mapping[int, int], rows: int, whole: int, most: int) -> int:
    """How many vectors a panel has: as many as cost least, by preference whole rows, or else two.

    More than three are worth while only where the panel is read once, or has at most as many as stay in the
    cache.
    """

    def cost(vectors: int) -> tuple[float, bool, int]:
        height = min(rows, heights[vectors])
        return work(height, vectors) / (height * vectors), vectors < whole, abs(vectors - 2)

    fitting = [n for n in heights if n <= whole]
    near = [n for n in fitting if n <= 3 or rows <= heights[n] or n <= most]
    return min(near, key=cost)


def balanced(extent: int, most: int) -> tuple[Run, ...]:
    """An extent in as few pieces as may be, whose sizes differ by one at most, the larger ones first.

    >>> balanced(64, 13)
    (Run(first=0, pieces=4, start=0, size=13), Run(first=4, pieces=1, start=52, size=12))
    """
    pieces = -(-extent // most)
    size, larger = divmod(extent, pieces)
    runs = (Run(0, larger, 0, size + 1), Run(larger, pieces - larger, larger * (size + 1), size))
    return tuple(run for run in runs if run.pieces)


def _panels(columns: int, lanes: int, vectors: int) -> tuple[Run, ...]:
    """Panels of so many vectors; what is left over makes a narrower one."""
    whole, rest = divmod(columns, vectors * lanes)
    runs = (Run(0, whole, 0, vectors * lanes), Run(whole, 1, columns - rest, rest))
    return tuple(run for run in runs if run.pieces and run.size)


def pieces(
    code: Code, runs: tuple[Run, ...], first: Index, last: Index
) -> Iterator[tuple[Run, Index, Index]]:
    """Loops over the pieces first … last - 1: the run of each, its number, and where it starts."""
    for run in runs:
        start = code.larger(run.first, first)
        stop = code.smaller(run.first + run.pieces, last)
        if isinstance(start, int) and isinstance(stop, int) and stop <= start:
            continue
        with code.loop(start, stop) as number:
            yield run, number, code.add(run.start, code.multiply(code.subtract(number, run.first), run.size))


def parts(code: Code, range: Range, size: int, whole: int) -> Iterator[Range]:
    """A range in parts of so many pieces; itself where the whole range has no more."""
    if size >= whole:
        yield range
        return
    with code.loop(*range, size) as start:
        yield start, code.smaller(code.add(start, size), range[1])


def start_of(code: Code, runs: tuple[Run, ...], number: Index) -> Index:
    """Where a piece of a balanced cut starts."""
    larger = runs[0].pieces if len(runs) == 2 else 0
    return code.add(code.multiply(number, runs[-1].size), code.smaller(number, larger) if larger else 0)
