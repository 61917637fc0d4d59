"""scikit-learn's own checks of what an estimator must do, all of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

checks = pytest.importorskip("sklearn.utils.estimator_checks")

from sklearn.exceptions import ConvergenceWarning, DataConversionWarning  # noqa: E402

from wengert.sklearn import Autoencoder, MLPClassifier, MLPRegressor  # noqa: E402


@checks.parametrize_with_checks([MLPClassifier(), MLPRegressor(), Autoencoder()])
def test_scikit_learns_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    with warnings.catch_warnings():
        for expected in (FutureWarning, ConvergenceWarning, DataConversionWarning):
            warnings.simplefilter("ignore", expected)
        check(estimator)
