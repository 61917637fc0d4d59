"""Data: rows, batches of rows, and parts that keep training honest.

>>> import numpy as np
>>> parts = train_validation_test(np.arange(20.0).reshape(10, 2), np.arange(10.0))
>>> loader = DataLoader(parts.train, batch_size=4)
>>> [x.shape for x, y in loader]
[(4, 2), (2, 2)]
>>> parts.test
HeldOut(2 rows, not scored)
"""

from wengert.data.checksums import CorruptedFile
from wengert.data.datasets import ConcatDataset, Dataset, Subset, TensorDataset, random_split
from wengert.data.descents import DescentSequence
from wengert.data.encoder import TableEncoder
from wengert.data.fetching import MissingData
from wengert.data.held_out import HeldOut, HeldOutAlreadyScored
from wengert.data.idx import read_idx
from wengert.data.images import ImageSet
from wengert.data.loader import DataLoader, collate
from wengert.data.records import TableSet
from wengert.data.registry import available, describe, load
from wengert.data.splits import Split, split_indices, train_validation_test
from wengert.data.tables import read_table

__all__ = [
    "ConcatDataset",
    "CorruptedFile",
    "DataLoader",
    "Dataset",
    "DescentSequence",
    "HeldOut",
    "HeldOutAlreadyScored",
    "ImageSet",
    "MissingData",
    "Split",
    "Subset",
    "TableEncoder",
    "TableSet",
    "TensorDataset",
    "available",
    "collate",
    "describe",
    "load",
    "random_split",
    "read_idx",
    "read_table",
    "split_indices",
    "train_validation_test",
]
