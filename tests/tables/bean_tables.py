"""Small tables for the tests: one of measures, one with every kind of column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas

from wengert.random import Generator

EVIL = 'x"""\n\\ )\nraise SystemExit("injected") <script>alert(1)</script> # ∂é'
"""A name that would break out of a careless text."""


def measures(rows: int = 240) -> Any:
    """Two numbers, and three kinds of beans that they tell apart."""
    numbers = Generator(7)
    kinds = np.arange(rows) % 3
    area = 10.0 * kinds + numbers.normal(rows)
    length = np.abs(kinds - 1.0) + 0.3 * numbers.normal(rows)
    return pandas.DataFrame(
        {"area": area, "length": length, "kind": np.array(["SIRA", "CALI", "HOROZ"])[kinds]}
    )


def mixture(rows: int = 200) -> Any:
    """Numbers with gaps, texts, truth values and dates; the target 'price' depends on them."""
    numbers = Generator(8)
    size = numbers.normal(rows)
    place = np.array(["inner", "outer", "café, №1"])[np.arange(rows) % 3]
    garden = np.arange(rows) % 2 == 0
    days = np.arange(rows) * 37 % 1000
    price = 100 + 20 * size + 5 * garden + 0.01 * days + numbers.normal(rows)
    frame = pandas.DataFrame({"size": size, "place": place, "garden": garden, "price": price})
    frame["built"] = (pandas.Timestamp("2001-01-01") + pandas.to_timedelta(days, "D")).strftime("%Y-%m-%d")
    frame.loc[::9, "size"] = np.nan
    frame.loc[4::11, "place"] = None
    return frame


def written(frame: Any, path: Path) -> Path:
    """The frame as a CSV file."""
    frame.to_csv(path, index=False)
    return path
