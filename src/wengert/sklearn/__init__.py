"""Estimators for scikit-learn: for its pipelines, searches and cross-validation, with its parameter names.

>>> from sklearn.datasets import load_iris
>>> from sklearn.pipeline import make_pipeline
>>> from sklearn.preprocessing import StandardScaler
>>> X, y = load_iris(return_X_y=True)
>>> model = make_pipeline(StandardScaler(), MLPClassifier((32,), learning_rate_init=0.01, random_state=0))
>>> bool(model.fit(X, y).score(X, y) > 0.95)
True

`MLPClassifier` and `MLPRegressor` stand where scikit-learn's own of these names stood; `Autoencoder` is a
transformer. Needs scikit-learn: ``pip install 'wengert[learn]'``.
"""

from wengert.optional import require

require("sklearn.base", "wengert.sklearn", "learn")

from wengert.sklearn.autoencoder import Autoencoder  # noqa: E402
from wengert.sklearn.classifier import MLPClassifier  # noqa: E402
from wengert.sklearn.regressor import MLPRegressor  # noqa: E402

__all__ = ["Autoencoder", "MLPClassifier", "MLPRegressor"]
