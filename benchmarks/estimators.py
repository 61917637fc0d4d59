"""`partial_fit` of the scikit-learn estimators, against scikit-learn's own network."""

from __future__ import annotations

from functools import partial

import numpy as np
from sklearn.neural_network import MLPClassifier as Reference

from benchmarks.report import Report, Verdict, table_of_times
from benchmarks.timing import interleave
from wengert.sklearn import MLPClassifier

SHAPES = {"32 rows of 16": (32, 16, (64,), 7), "64 rows of 784": (64, 784, (256, 128, 64), 10)}


def partial_fit(peers: frozenset[str], rounds: int) -> Report:
    """One call on a batch that the estimator has not seen before."""
    report = Report("partial_fit against scikit-learn's MLPClassifier")
    for title, (rows, columns, hidden, classes) in SHAPES.items():
        rng = np.random.default_rng(0)
        x, labels = rng.standard_normal((rows, columns)), np.arange(classes)
        y = rng.integers(0, classes, rows)
        estimators = {
            "wengert.sklearn": MLPClassifier(hidden_layer_sizes=hidden, random_state=0),
            "scikit-learn": Reference(hidden_layer_sizes=hidden, random_state=0),
        }
        for estimator in estimators.values():
            estimator.partial_fit(x, y, classes=labels)
        calls = {name: partial(e.partial_fit, x, y) for name, e in estimators.items()}
        times = interleave(calls, rounds=rounds, calls=50)
        table = table_of_times(title, times, "scikit-learn")
        report.columns = ["batch", *table.columns]
        report.rows += [[f"{title}, float64", *row] for row in table.rows]
        ratio = times["wengert.sklearn"].median / times["scikit-learn"].median
        report.verdicts.append(
            str(Verdict(f"Budget: faster than scikit-learn, {title}", f"{ratio:.3f}", ratio < 1))
        )
    return report
