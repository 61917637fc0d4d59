"""Circular and hyperbolic functions, and their inverses."""

from __future__ import annotations

from wengert.ops.arithmetic import divide, rsqrt, square
from wengert.ops.exponential import exp
from wengert.ops.kinds import Case, Over, elementwise
from wengert.ops.op import Op

sin = elementwise(
    "sin", partials=(lambda x, y: cos(x),), tex=r"\sin {0}", sample=[Case(0.5), Case([0.5, -2.0])]
)
cos: Op = elementwise(
    "cos", partials=(lambda x, y: -sin(x),), tex=r"\cos {0}", sample=[Case(0.5), Case([0.5, -2.0])]
)
tan = elementwise(
    "tan",
    partials=(lambda x, y: 1 + square(y),),
    tex=r"\tan {0}",
    domain="x is not an odd multiple of π/2",
    definition=lambda x: sin(x) / cos(x),
    sample=[Case(0.5), Case([0.5, -1.0])],
)
asin = elementwise(
    "asin",
    partials=(lambda x, y: rsqrt(1 - square(x)),),
    tex=r"\arcsin {0}",
    domain="-1 ≤ x ≤ 1",
    aliases=("arcsin",),
    sample=[Case(0.5), Case([0.5, -0.75])],
)
acos = elementwise(
    "acos",
    partials=(lambda x, y: -rsqrt(1 - square(x)),),
    tex=r"\arccos {0}",
    domain="-1 ≤ x ≤ 1",
    aliases=("arccos",),
    sample=[Case(0.5), Case([0.5, -0.75])],
)
atan = elementwise(
    "atan",
    partials=(lambda x, y: Over(1 + square(x)),),
    tex=r"\arctan {0}",
    aliases=("arctan",),
    sample=[Case(0.5), Case([0.5, -2.0])],
)
atan2 = elementwise(
    "atan2",
    partials=(
        lambda a, b, y: divide(b, square(a) + square(b)),
        lambda a, b, y: -divide(a, square(a) + square(b)),
    ),
    tex=r"\operatorname{{atan2}}({0}, {1})",
    domain="not both 0",
    aliases=("arctan2",),
    sample=[Case(0.5, -1.0), Case([1.0, 2.0], [[0.25], [-1.5]])],
)
sinh = elementwise(
    "sinh",
    partials=(lambda x, y: cosh(x),),
    tex=r"\sinh {0}",
    definition=lambda x: divide(exp(x) - exp(-x), 2),
    sample=[Case(0.5), Case([0.5, -2.0])],
)
cosh: Op = elementwise(
    "cosh",
    partials=(lambda x, y: sinh(x),),
    tex=r"\cosh {0}",
    definition=lambda x: divide(exp(x) + exp(-x), 2),
    sample=[Case(0.5), Case([0.5, -2.0])],
)
tanh = elementwise(
    "tanh",
    partials=(lambda x, y: 1 - square(y),),
    tex=r"\tanh {0}",
    definition=lambda x: 1 - divide(2, exp(2 * x) + 1),
    sample=[Case(0.5), Case([0.5, -2.0])],
)
