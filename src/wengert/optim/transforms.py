"""What optimizers are made of: small transforms that turn a gradient into a step.

A transform is a function ``(u, p, state, n)``: ``u`` is the direction so far (at first the gradient),
``p`` the parameter, ``state`` what the transform keeps from step to step, ``n`` the numbers of the
parameter's group (``n.lr``, ``n.momentum``, …; ``n.step`` counts from 1). It returns the new direction.
An optimizer is a chain of them, and the parameter becomes ``p - u`` at the end.

Transforms are pure arithmetic, in any number system: over arrays they train, over nodes they become part of a
graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.ops.arithmetic import maximum, sqrt

Transform = Callable[[Any, Any, Any, Any], Any]
Chain = tuple[Transform, ...]


def direction(chain: Chain, gradient: Any, parameter: Any, state: Any, numbers: Any) -> Any:
    """What a chain subtracts from the parameter. ``state`` is updated."""
    for transform in chain:
        gradient = transform(gradient, parameter, state, numbers)
    return gradient


def array_slots(chain: Chain) -> dict[str, float | str]:
    """The arrays that a chain keeps for each parameter."""
    return {name: first for t in chain for name, first in getattr(t, "slots", {}).items()}


def number_slots(chain: Chain) -> dict[str, float]:
    """The numbers that a chain keeps for each parameter."""
    return {name: first for t in chain for name, first in getattr(t, "number_slots", {}).items()}


def keeps(**slots: float | str) -> Callable[[Transform], Transform]:
    """Declare arrays of the parameter's shape that a transform keeps, each with the number that it starts
    from, or with the name of the group's entry that holds this number."""

    def declared(transform: Transform) -> Transform:
        transform.slots = slots  # type: ignore[attr-defined]
        return transform

    return declared


def keeps_numbers(**slots: float) -> Callable[[Transform], Transform]:
    """Declare numbers that a transform keeps, each with its first value."""

    def declared(transform: Transform) -> Transform:
        transform.number_slots = slots  # type: ignore[attr-defined]
        return transform

    return declared


def ascend(u: Any, p: Any, state: Any, n: Any) -> Any:
    """−u: to maximise instead of to minimise."""
    return -u


def add_weight_decay(u: Any, p: Any, state: Any, n: Any) -> Any:
    """u + λp: the gradient of ½λ‖p‖² joins the gradient."""
    return u + n.weight_decay * p


def add_decoupled_weight_decay(u: Any, p: Any, state: Any, n: Any) -> Any:
    """u + lr·λp, after the scaling (Loshchilov & Hutter 2019, Algorithm 2)."""
    return u + n.lr * n.weight_decay * p


def scale_by_learning_rate(u: Any, p: Any, state: Any, n: Any) -> Any:
    """lr·u."""
    return n.lr * u


@keeps(momentum_buffer=0)
def momentum(u: Any, p: Any, state: Any, n: Any) -> Any:
    """b ← μb + u, and the step follows b (Sutskever et al. 2013, equation 1, with u not yet scaled)."""
    state["momentum_buffer"] = n.momentum * state["momentum_buffer"] + u
    return state["momentum_buffer"]


@keeps(momentum_buffer=0)
def dampened_momentum(u: Any, p: Any, state: Any, n: Any) -> Any:
    """b ← μb + (1 − d)u; the first step takes u whole."""
    buffer = n.momentum * state["momentum_buffer"] + (1 - n.dampening * (n.step > 1)) * u
    state["momentum_buffer"] = buffer
    return buffer


@keeps(momentum_buffer=0)
def nesterov_momentum(u: Any, p: Any, state: Any, n: Any) -> Any:
    """b ← μb + u, and the step follows u + μb: the gradient as if seen one step ahead."""
    return u + n.momentum * momentum(u, p, state, n)


def _moments(u: Any, state: Any, n: Any) -> tuple[Any, Any]:
    """The running means of u and of u²."""
    m = n.beta1 * state["exp_avg"] + (1 - n.beta1) * u
    v = n.beta2 * state["exp_avg_sq"] + (1 - n.beta2) * (u * u)
    state["exp_avg"], state["exp_avg_sq"] = m, v
    return m, v


@keeps(exp_avg=0, exp_avg_sq=0)
def adam(u: Any, p: Any, state: Any, n: Any) -> Any:
    """lr·m̂/(√v̂ + ε), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ) (Kingma & Ba 2015, Algorithm 1, in the order of
    operations that the end of its section 2 proposes)."""
    m, v = _moments(u, state, n)
    correction = sqrt(1 - n.beta2**n.step)
    rate = n.lr * correction / (1 - n.beta1**n.step)
    return rate * (m / (sqrt(v) + n.eps * correction))


@keeps(exp_avg=0, exp_avg_sq=0, max_exp_avg_sq=0)
def amsgrad(u: Any, p: Any, state: Any, n: Any) -> Any:
    """Adam with the greatest v so far in the place of v (Reddi, Kale & Kumar 2018, Algorithm 2)."""
    m, v = _moments(u, state, n)
    greatest = state["max_exp_avg_sq"] = maximum(state["max_exp_avg_sq"], v)
    correction = sqrt(1 - n.beta2**n.step)
    rate = n.lr * correction / (1 - n.beta1**n.step)
    return rate * (m / (sqrt(greatest) + n.eps * correction))


@keeps(exp_avg=0, exp_avg_sq=0)
@keeps_numbers(mu_product=1.0)
def nadam(u: Any, p: Any, state: Any, n: Any) -> Any:
    """Adam with Nesterov's momentum, whose weight μₜ = β₁(1 − ½·0.96^(tψ)) grows (Dozat 2016)."""
    m, v = _moments(u, state, n)
    now = n.beta1 * (1 - 0.5 * 0.96 ** (n.step * n.momentum_decay))
    after = n.beta1 * (1 - 0.5 * 0.96 ** ((n.step + 1) * n.momentum_decay))
    product = state["mu_product"] = state["mu_product"] * now
    denominator = sqrt(v / (1 - n.beta2**n.step)) + n.eps
    ahead = n.lr * (1 - now) / (1 - product) * u + n.lr * after / (1 - product * after) * m
    return ahead / denominator


def _mean_square(u: Any, state: Any, n: Any) -> Any:
    v = state["square_avg"] = n.alpha * state["square_avg"] + (1 - n.alpha) * (u * u)
    return v


@keeps(square_avg=0)
def rmsprop(u: Any, p: Any, state: Any, n: Any) -> Any:
    """u/(√v + ε) with the running mean v of u² (Tieleman & Hinton 2012, lecture 6e)."""
    return u / (sqrt(_mean_square(u, state, n)) + n.eps)


@keeps(square_avg=0, grad_avg=0)
def centered_rmsprop(u: Any, p: Any, state: Any, n: Any) -> Any:
    """RMSprop that divides by the spread about the running mean of u (Graves 2013, equation 38)."""
    v = _mean_square(u, state, n)
    mean = state["grad_avg"] = n.alpha * state["grad_avg"] + (1 - n.alpha) * u
    return u / (sqrt(v - mean * mean) + n.eps)


@keeps(sum="initial_accumulator_value")
def adagrad(u: Any, p: Any, state: Any, n: Any) -> Any:
    """u/(√s + ε) with the sum s of all u² so far, times a rate that decays as lr/(1 + (t − 1)η) (Duchi,
    Hazan & Singer 2011, section 1.1)."""
    state["sum"] = state["sum"] + u * u
    rate = n.lr / (1 + (n.step - 1) * n.lr_decay)
    return rate * (u / (sqrt(state["sum"]) + n.eps))
