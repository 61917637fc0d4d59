"""Which labs there are, in the order of a report."""

from __future__ import annotations

from importlib import import_module

from wengert.expression_tree import nearest
from wengert.labs.lab import Lab

_MODULES = (
    "array_warmups",
    "principal_components",
    "subspaces",
    "aligned_autoencoder",
    "dry_beans_baselines",
    "dry_beans_mlp",
    "age_regression",
    "vae",
    "fashion_mnist",
    "backprop_by_hand",
    "computational_graph",
    "three_layer_network",
    "analytic_gradients",
    "two_steps_by_hand",
    "scalar_framework",
    "sigmoid_and_cross_entropy",
    "kl_divergence",
    "least_squares_mean",
    "relu_network_by_hand",
    "plateau",
    "zig_zag",
    "limit_cycles",
    "landing_on_a_maximum",
    "phase_retrieval",
    "l1_regression",
    "relu_interpolant",
)
"""Each holds one experiment, as ``LAB``, whose name is the module's with hyphens."""


def lab_names() -> list[str]:
    """The names of the labs.

    >>> "vae" in lab_names()
    True
    """
    return [module.replace("_", "-") for module in _MODULES]


def all_labs() -> list[Lab]:
    """Every lab, in the order of a report."""
    return [find_lab(name) for name in lab_names()]


def find_lab(name: str) -> Lab:
    """The lab of a name. Raises ValueError, with the nearest name, where there is none.

    >>> find_lab("vae").rows
    ('M24',)
    """
    if name not in lab_names():
        hint = nearest(name, lab_names()) or f"; the labs are {', '.join(lab_names())}"
        raise ValueError(f"no lab {name!r:.60}{hint}")
    lab: Lab = import_module(f"wengert.labs.{name.replace('-', '_')}").LAB
    return lab
