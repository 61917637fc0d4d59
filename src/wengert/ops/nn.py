"""The activations of neural networks, in their stable forms."""

from __future__ import annotations

from typing import Any

from wengert.ops.arithmetic import abs as _abs
from wengert.ops.arithmetic import clip, divide, maximum, only, reciprocal, sqrt, square, where, zeros_like
from wengert.ops.constants import Constant
from wengert.ops.exponential import erf, exp, expm1, log1p
from wengert.ops.kinds import Case, SumOfProducts, elementwise, select
from wengert.ops.trigonometric import tanh

_CURVE = [Case(0.5), Case([0.5, -2.0, 3.0])]

sum_of_products = SumOfProducts(
    "sum_of_products",
    public=False,
    arity=None,
    sample=[Case([0.5, 2.0, -1.0, 3.0, 0.25])],
    definition=lambda *terms: _sum_of_products(*terms),
    doc="x₁y₁ + … + xₙyₙ + b, called with [x₁, …, xₙ, y₁, …, yₙ, b].",
)


def _sum_of_products(*terms: Any) -> Any:
    n = len(terms) // 2
    total = terms[-1]
    for x, y in zip(terms[:n], terms[n : 2 * n], strict=True):
        total = total + x * y
    return total


relu = select(
    "relu",
    choose=(lambda g, x, y: only(x > 0, g),),
    tex=r"\operatorname{{ReLU}}({0})",
    kink="the derivative of relu at 0 is taken as 0",
    definition=lambda x: maximum(x, 0),
    sample=_CURVE,
)
leaky_relu = select(
    "leaky_relu",
    choose=(lambda g, x, y, *, negative_slope: where(x > 0, g, g * negative_slope),),
    parameters={"negative_slope": Constant("0.01")},
    tex=r"\operatorname{{LeakyReLU}}({0})",
    kink="the derivative of leaky_relu at 0 is taken as the negative slope",
    definition=lambda x, *, negative_slope: where(x > 0, x, x * negative_slope),
    sample=_CURVE,
)
hardtanh = select(
    "hardtanh",
    choose=(
        lambda g, x, y, *, min_val, max_val: where(
            x > min_val, where(x < max_val, g, zeros_like(g)), zeros_like(g)
        ),
    ),
    parameters={"min_val": -1, "max_val": 1},
    tex=r"\operatorname{{hardtanh}}({0})",
    kink="the derivative of hardtanh at its two corners is taken as 0",
    definition=lambda x, *, min_val, max_val: clip(x, min_val, max_val),
    sample=_CURVE,
)
sigmoid = elementwise(
    "sigmoid",
    partials=(lambda x, y: y * (1 - y),),
    tex=r"\sigma({0})",
    definition=lambda x: reciprocal(1 + exp(-x)),
    sample=_CURVE,
)
softplus = elementwise(
    "softplus",
    partials=(lambda x, y: sigmoid(x),),
    tex=r"\operatorname{{softplus}}({0})",
    definition=lambda x: maximum(x, 0) + log1p(exp(-_abs(x))),
    sample=_CURVE,
)
log_sigmoid = elementwise(
    "log_sigmoid",
    partials=(lambda x, y: sigmoid(-x),),
    tex=r"\ln \sigma({0})",
    definition=lambda x: -softplus(-x),
    aliases=("logsigmoid",),
    sample=_CURVE,
)
elu = elementwise(
    "elu",
    partials=(lambda x, y, *, alpha: where(x > 0, 1, y + alpha),),
    parameters={"alpha": 1},
    tex=r"\operatorname{{ELU}}({0})",
    kink="the derivative of elu at 0 is taken from the left, as alpha",
    definition=lambda x, *, alpha: where(x > 0, x, expm1(where(x > 0, zeros_like(x), x)) * alpha),
    sample=_CURVE,
)
_SELU_SCALE = Constant("1.0507009873554804934193349852946")
_SELU_ALPHA = Constant("1.6732632423543772848170429916717")
selu = elementwise(
    "selu",
    partials=(lambda x, y: where(x > 0, zeros_like(x) + _SELU_SCALE, y + _selu_floor(x)),),
    tex=r"\operatorname{{SELU}}({0})",
    kink="the derivative of selu at 0 is taken from the left",
    definition=lambda x: where(
        x > 0, x * _SELU_SCALE, expm1(where(x > 0, zeros_like(x), x)) * _selu_floor(x)
    ),
    sample=_CURVE,
)


def _selu_floor(x: Any) -> Any:
    return (zeros_like(x) + _SELU_SCALE) * _SELU_ALPHA


silu = elementwise(
    "silu",
    partials=(lambda x, y: sigmoid(x) + y * (1 - sigmoid(x)),),
    tex=r"\operatorname{{SiLU}}({0})",
    definition=lambda x: x * sigmoid(x),
    sample=_CURVE,
)
mish = elementwise(
    "mish",
    partials=(lambda x, y: tanh(softplus(x)) + x * sigmoid(x) * (1 - square(tanh(softplus(x)))),),
    tex=r"\operatorname{{mish}}({0})",
    definition=lambda x: x * tanh(softplus(x)),
    sample=_CURVE,
)


def _gelu(x: Any, *, approximate: str) -> Any:
    if approximate == "none":
        return x * _normal_cdf(x)
    if approximate == "tanh":
        return divide(x * (1 + tanh(_gelu_inner(x))), 2)
    raise ValueError(f"gelu: approximate should be 'none' or 'tanh', got {approximate!r}")


def _normal_cdf(x: Any) -> Any:
    return divide(1 + erf(x / sqrt(zeros_like(x) + 2)), 2)


def _gelu_inner(x: Any) -> Any:
    return sqrt(divide(zeros_like(x) + 2, zeros_like(x) + Constant("pi"))) * (
        x + x * x * x * Constant("0.044715")
    )


def _gelu_partial(x: Any, y: Any, *, approximate: str) -> Any:
    if approximate == "none":
        density = exp(divide(-(x * x), 2)) / sqrt(zeros_like(x) + Constant("tau"))
        return _normal_cdf(x) + x * density
    t = tanh(_gelu_inner(x))
    slope = sqrt(divide(zeros_like(x) + 2, zeros_like(x) + Constant("pi"))) * (
        1 + x * x * 3 * Constant("0.044715")
    )
    return divide(1 + t, 2) + divide(x * (1 - t * t) * slope, 2)


gelu = elementwise(
    "gelu",
    partials=(_gelu_partial,),
    parameters={"approximate": "none"},
    tex=r"\operatorname{{GELU}}({0})",
    definition=_gelu,
    sample=[*_CURVE, Case([0.5, -2.0], approximate="tanh")],
    doc="Hendrycks & Gimpel 2016; approximate='none' is x·Φ(x), 'tanh' its approximation.",
)
