"""Faces and their ages: the real files where they can be had, generated ones of the same sizes elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wengert.data.checksums import DataFile
from wengert.data.datasets import TensorDataset
from wengert.data.fetching import MissingData, fetch, find
from wengert.data.images import ORIGINAL, ImageSet, as_rows
from wengert.random import Generator

SIDE = 48
TRAIN, TEST = 5000, 2500
GENERATED = "generated images of the same sizes with a spectrum like 1/f², not faces of people"
Floats = NDArray[np.floating[Any]]


def load_faces(
    name: str, files: tuple[DataFile, ...], *, flat: bool = True, generated: bool | None = None
) -> ImageSet:
    """The age-regression set: ages in years. ``generated`` chooses; by default real where they can be had."""
    real = None
    if not generated:
        real = _real_or_none(files) if generated is None else _real(files)
    arrays = _generated() if real is None else real
    train, test = (
        TensorDataset(as_rows(faces, flat), ages.astype(np.float32))
        for faces, ages in (arrays[:2], arrays[2:])
    )
    return ImageSet(name, train, test, (), GENERATED if real is None else ORIGINAL)


def generated_faces(count: int, generator: Generator) -> tuple[Floats, Floats]:
    """``count`` images of 48×48 in [0, 1] and their ages.

    An image is a mean picture plus cosine waves (Ahmed, Natarajan and Rao 1974, "Discrete cosine transform")
    of Gaussian height, whose variance falls like 1/f² with the frequency f, plus fine grain. The age is a
    weighted sum of the heights, mostly of the low ones, plus what no image shows.
    """
    wave = np.arange(SIDE)
    basis = np.sqrt(2.0 / SIDE) * np.cos(np.pi * np.outer(wave, 2 * wave + 1) / (2 * SIDE))
    basis[0] /= np.sqrt(2.0)
    frequency = np.hypot(*np.meshgrid(wave, wave, indexing="ij"))
    frequency[0, 0] = 1.0
    heights = generator.normal((count, SIDE, SIDE))
    x = (wave - SIDE / 2 + 0.5) / SIDE
    mean = 0.35 + 0.3 * np.exp(-6.0 * (x[:, None] ** 2 + 1.6 * x[None, :] ** 2))
    pictures = mean + basis.T @ (1.6 * heights / frequency) @ basis + 0.02 * generator.normal(heights.shape)
    weights = Generator(48).normal((SIDE, SIDE)) / frequency**1.5
    weights *= 11.0 / np.sqrt((weights**2).sum())
    ages = 35.0 + np.einsum("nij,ij->n", heights, weights) + 9.0 * generator.normal(count)
    return np.clip(pictures, 0.0, 1.0).astype(np.float32), np.clip(ages, 1.0, 100.0)


def _generated() -> tuple[Floats, Floats, Floats, Floats]:
    generator = Generator(5000)
    return (*generated_faces(TRAIN, generator), *generated_faces(TEST, generator))


def _real_or_none(files: tuple[DataFile, ...]) -> Any:
    try:
        return _real(files)
    except MissingData:
        if any(find(file) for file in files):
            raise  # some are here: say which is missing
        return None


def _real(files: tuple[DataFile, ...]) -> list[Floats]:
    arrays = [np.load(fetch(file), allow_pickle=False) for file in files]
    for faces, ages, file in ((*arrays[:2], files[0]), (*arrays[2:], files[2])):
        if faces.shape[1:] != (SIDE, SIDE) or ages.shape != faces.shape[:1]:
            raise ValueError(f"{file.name}: faces of shape {faces.shape} do not fit ages of {ages.shape}")
    return arrays
