"""`Embedding`: a table of vectors, read by row numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.nn import init
from wengert.nn.linear import blank, size
from wengert.nn.module import Module
from wengert.nn.parameter import Parameter
from wengert.numbers.graph import Node
from wengert.ops.arithmetic import where
from wengert.ops.indexing import getitem
from wengert.ops.op import bottom
from wengert.random import Generator
from wengert.tensors import Tensor


def embedding(indices: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """The rows of ``weight`` at ``indices``: whole numbers of any shape (…), to shape (…, columns).

    The row ``padding_idx`` receives no gradient. Raises TypeError for indices that are no whole numbers, and
    IndexError, with the offender, for one outside 0, …, rows - 1.
    """
    rows = np.asarray(bottom(indices))
    if rows.dtype.kind not in "iu":
        raise TypeError(
            f"embedding: expected whole numbers as indices, got {rows.dtype}; convert them with x.long()"
        )
    count = weight.shape[0]
    outside = (rows < 0) | (rows >= count)
    if outside.any():
        raise IndexError(f"embedding: expected indices from 0 to {count - 1}, got {rows[outside][0]}")
    place = indices if isinstance(indices, (Tensor, Node)) else rows
    found = getitem(weight, (place,))
    if padding_idx is None:
        return found
    return where((place == padding_idx % count)[..., None], getitem(weight.detach(), (place,)), found)


class Embedding(Module):
    """A trained vector for each of ``num_embeddings`` things, from whole numbers of shape (…) to shape (…,
    embedding_dim).

    ``weight`` starts with standard normal numbers; the row ``padding_idx`` starts at 0 and stays there.

    >>> import wengert
    >>> words = Embedding(10, 3, padding_idx=0)
    >>> words(wengert.tensor([[1, 2, 0, 0]])).shape
    (1, 4, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = size("num_embeddings", num_embeddings)
        self.embedding_dim = size("embedding_dim", embedding_dim)
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(f"padding_idx: expected a row of {num_embeddings}, got {padding_idx}")
            padding_idx %= num_embeddings
        self.padding_idx = padding_idx
        self.weight = blank(num_embeddings, embedding_dim, dtype=dtype)
        self.reset_parameters(generator)

    @classmethod
    def from_pretrained(cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None) -> Any:
        """A layer with the given table, a matrix; trained only if it is not frozen."""
        table = np.array(embeddings.data if isinstance(embeddings, Tensor) else embeddings)
        if table.ndim != 2:
            raise ValueError(
                f"embeddings: expected a matrix, one row for each thing, got shape {table.shape}"
            )
        rows, columns = table.shape
        layer = cls(rows, columns, padding_idx, dtype=table.dtype)
        layer.weight = Parameter(table, requires_grad=not freeze)
        return layer

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw new starting values."""
        init.normal_(self.weight, generator=generator)
        if self.padding_idx is not None:
            table = self.weight.data.copy()
            table[self.padding_idx] = 0
            self.weight.data = table

    def forward(self, indices: Any) -> Any:
        """The vectors at the indices."""
        return embedding(indices, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """The sizes."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
