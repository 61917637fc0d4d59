"""Sets of small grey images in the idx format: MNIST and Fashion-MNIST."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wengert.data.checksums import DataFile
from wengert.data.datasets import TensorDataset
from wengert.data.fetching import fetch
from wengert.data.idx import read_idx

ORIGINAL = "the original files, checked by their sha256"


@dataclass(frozen=True)
class ImageSet:
    """Images and what they show: ``train`` and ``test`` hold (images, targets).

    ``origin`` says whether the images are the original ones; ``classes`` names the labels, and is empty where
    the targets are numbers.
    """

    name: str
    train: TensorDataset
    test: TensorDataset
    classes: tuple[str, ...]
    origin: str


def load_images(
    name: str, files: tuple[DataFile, ...], *, classes: tuple[str, ...], flat: bool = True
) -> ImageSet:
    """The four files of an MNIST-like set: train images and labels, test images and labels."""
    arrays = [read_idx(fetch(file)) for file in files]
    for (images, labels), file in zip((arrays[:2], arrays[2:]), files[::2], strict=True):
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise ValueError(
                f"{file.name}: images of shape {images.shape} do not fit labels of {labels.shape}"
            )
    train, test = (
        TensorDataset(as_rows(images, flat), labels.astype(np.int64))
        for images, labels in (arrays[:2], arrays[2:])
    )
    return ImageSet(name, train, test, classes, ORIGINAL)


def as_rows(images: NDArray[Any], flat: bool) -> NDArray[np.float32]:
    """Images of (N, height, width) as float32: (N, pixels) or (N, 1, height, width). Bytes come to [0, 1]."""
    count, height, width = images.shape
    shape = (count, height * width) if flat else (count, 1, height, width)
    scale = np.float32(255) if images.dtype == np.uint8 else np.float32(1)
    return np.asarray(np.divide(images, scale, dtype=np.float32)).reshape(shape)
