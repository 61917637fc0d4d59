"""Statistics that the experiments rest on: principal components, subspaces, lines, divergences, exact fits.

A data matrix has one row per sample. Functions of arrays take tensors too, and are differentiable then.

>>> from wengert import stats
>>> found = stats.pca([[2.0, 0.0], [0.0, 1.0], [-2.0, 0.0], [0.0, -1.0]], k=1)
>>> found.components, found.explained_variance_ratio
(array([[1., 0.]]), array([0.8]))
"""

from wengert.stats.absolute_fits import L1Fit, l1_loss, l1_regression
from wengert.stats.divergences import binary_kl, binary_kl_with_logits, kl_divergence, normal_kl
from wengert.stats.lines import project_on_line, squared_distance_to_line, variance_along
from wengert.stats.principal_components import PCA, pca
from wengert.stats.proportions import wilson_interval
from wengert.stats.relu_interpolants import ReluInterpolant, relu_interpolant
from wengert.stats.subspaces import Alignment, align, projector, subspace_distance

__all__ = [
    "PCA",
    "Alignment",
    "L1Fit",
    "ReluInterpolant",
    "align",
    "binary_kl",
    "binary_kl_with_logits",
    "kl_divergence",
    "l1_loss",
    "l1_regression",
    "normal_kl",
    "pca",
    "project_on_line",
    "projector",
    "relu_interpolant",
    "squared_distance_to_line",
    "subspace_distance",
    "variance_along",
    "wilson_interval",
]
