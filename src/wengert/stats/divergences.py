"""Kullback–Leibler divergences, in nats."""

from __future__ import annotations

from typing import Any

import numpy as np

import wengert
from wengert.stats.arguments import numbers, plain

SUM_TOLERANCE = 1e-6


def kl_divergence(p: Any, q: Any, axis: int = -1) -> Any:
    """KL(p‖q) = Σ p ln(p/q) of discrete distributions, summed along ``axis``.

    ``p`` and ``q`` broadcast. A p of zero adds nothing (0 ln 0 = 0); where q is zero and p is not, the
    divergence is infinite. Raises ValueError for negative numbers and for sums along the axis other than 1.
    Source: Kullback & Leibler 1951, "On information and sufficiency", equation 2.4.

    >>> round(float(kl_divergence([0.5, 0.5], [0.25, 0.75])), 6)
    0.143841
    >>> float(kl_divergence([0.5, 0.5], [1.0, 0.0]))
    inf
    """
    first, second = _distribution("p", p, axis), _distribution("q", q, axis)
    _same_length(first, second, axis)
    return _terms(first, second).sum(axis=axis)


def normal_kl(mean: Any, deviation: Any, other_mean: Any = 0.0, other_deviation: Any = 1.0) -> Any:
    """KL(N(μ, σ²) ‖ N(μ₀, σ₀²)) of one-dimensional normal distributions, elementwise.

    ln(σ₀/σ) + (σ² + (μ − μ₀)²)/(2σ₀²) − 1/2. For diagonal covariances, sum over the coordinates. By default
    the divergence from N(0, 1), as in a variational autoencoder (Kingma & Welling 2014, appendix B). Raises
    ValueError for a deviation that is not positive.

    >>> float(normal_kl(1.0, 1.0))
    0.5
    """
    mu, sigma = numbers("mean", mean), _positive("deviation", deviation)
    mu_0, sigma_0 = numbers("other_mean", other_mean), _positive("other_deviation", other_deviation)
    ratio = sigma / sigma_0
    return (ratio**2 + ((mu - mu_0) / sigma_0) ** 2 - 1) / 2 - wengert.log(ratio)


def binary_kl(p: Any, q: Any) -> Any:
    """KL of the two-valued distributions (p, 1 − p) and (q, 1 − q), elementwise.

    p ln(p/q) + (1 − p) ln((1 − p)/(1 − q)). Raises ValueError for a probability outside [0, 1].

    >>> round(float(binary_kl(1.0, 0.5)), 6)
    0.693147
    """
    first, second = _probability("p", p), _probability("q", q)
    return _terms(first, second) + _terms(1 - first, 1 - second)


def binary_kl_with_logits(logits: Any, p: Any) -> Any:
    """`binary_kl` of p and q = σ(logits), without ever forming a q that rounds to 0 or 1.

    p ln p + (1 − p) ln(1 − p) + p softplus(−z) + (1 − p) softplus(z). For a label p = y of 0 or 1 the first
    two terms vanish, and what is left is binary cross entropy from logits. Raises ValueError for a p outside
    [0, 1].

    >>> float(binary_kl_with_logits(-1000.0, 1.0))
    1000.0
    """
    z, first = numbers("logits", logits), _probability("p", p)
    negative_entropy = wengert.xlogy(first, first) + wengert.xlogy(1 - first, 1 - first)
    return negative_entropy + first * wengert.softplus(-z) + (1 - first) * wengert.softplus(z)


def _terms(p: Any, q: Any) -> Any:
    """p ln p − p ln q, with 0 where p is 0, and infinity where only q is."""
    with np.errstate(divide="ignore"):
        return wengert.xlogy(p, p) - wengert.xlogy(p, q)


def _distribution(name: str, values: Any, axis: int) -> Any:
    given = numbers(name, values)
    array = plain(given)
    if not array.ndim:
        raise ValueError(f"{name}: expected the probabilities of a distribution, got the number {array}")
    if (array < 0).any():
        raise ValueError(f"{name}: expected probabilities of at least 0, got {array.min():.6g}")
    sums = array.sum(axis=axis)
    worst = np.abs(sums - 1).max()
    if worst > SUM_TOLERANCE * (1 if array.dtype == np.float64 else 100):
        raise ValueError(
            f"{name}: expected probabilities that sum to 1 along axis {axis}, got a sum off by {worst:.3g}"
        )
    return given


def _same_length(p: Any, q: Any, axis: int) -> None:
    if plain(p).shape[axis] != plain(q).shape[axis]:
        raise ValueError(
            f"p, q: expected as many outcomes in both along axis {axis}, got {p.shape} and {q.shape}"
        )


def _probability(name: str, values: Any) -> Any:
    given = numbers(name, values)
    outside = (plain(given) < 0) | (plain(given) > 1)
    if outside.any():
        raise ValueError(
            f"{name}: expected probabilities from 0 to 1, got {plain(given)[outside].flat[0]:.6g}"
        )
    return given


def _positive(name: str, values: Any) -> Any:
    given = numbers(name, values)
    if (plain(given) <= 0).any():
        raise ValueError(f"{name}: expected a standard deviation above 0, got {plain(given).min():.6g}")
    return given
