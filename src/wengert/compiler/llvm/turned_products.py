"""Products computed as their transposes, so that vectors lie along the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.compiler.llvm.products import OuterProducts
from wengert.compiler.llvm.tiles import Range, Run, pieces, vector_widths
from wengert.compiler.llvm.transposes import transposed_block
from wengert.compiler.llvm.values import Index, Register


class TurnedProducts(OuterProducts):
    """The writing of a product AB by way of BᵀAᵀ, whose factors and cut are given.

    The epilogue is that of AB: a tile is transposed before it is handed over.
    """

    def tile_vectors(self) -> int:
        """How many vectors a tile of the result has."""
        return self.cut.panel_memory * len(vector_widths(self.cut.height, self.cut.lanes))

    def columns(self, panel: Run, start: Index) -> list[Any]:
        """The result's columns are the rows of this product: they are known with each tile."""
        return []

    def finish(
        self, height: int, row: Index, column: Index, widths: list[int], sums: Sequence[Register],
        states: Sequence[Any],
    ) -> None:  # fmt: skip
        """The epilogue of a tile in the registers."""
        code, lanes = self.code, self.cut.lanes
        across = vector_widths(height, lanes)
        zeros = [code.constant(0, self.element)] * (len(across) * lanes - height)
        turned: list[Register] = []
        for j, width in enumerate(widths):
            column_vectors = [*sums[j :: len(widths)], *zeros]
            blocks = [
                transposed_block(code, column_vectors[start : start + lanes])
                for start in range(0, height, lanes)
            ]
            turned += [block[n] for n in range(width) for block in blocks]
        finished = self.finished
        finished.tile(sum(widths), column, row, across, turned, finished.columns(row, across))

    def finish_waiting(self, chunk: Range, place: Index, panel: Run, column: Index) -> None:
        """The epilogue of the chunk's tiles that wait at a place of the group."""
        widths = self.cut.widths(panel)
        for tile, _, row in pieces(self.code, self.cut.tiles, *chunk):
            waiting = self.places(chunk, place, row, tile.size, widths)
            sums = [self.code.load(at, self.element) for at in waiting]
            self.finish(tile.size, row, column, widths, sums, [])
