"""Exponentials, logarithms and the error function."""

from __future__ import annotations

from wengert.ops.arithmetic import equal, ones_like, ratio, rsqrt, square, where, zeros_like
from wengert.ops.constants import Constant
from wengert.ops.kinds import Case, Over, elementwise

exp = elementwise("exp", partials=(lambda x, y: y,), tex="e^{{{0}}}", sample=[Case(0.5), Case([0.5, -2.0])])
expm1 = elementwise(
    "expm1",
    partials=(lambda x, y: y + 1,),
    tex=r"\left(e^{{{0}}} - 1\right)",
    definition=lambda x: exp(x) - 1,
    sample=[Case(0.5), Case([0.5, -2.0])],
)
log = elementwise(
    "log",
    partials=(lambda x, y: Over(x),),
    tex=r"\ln {0}",
    domain="x > 0",
    sample=[Case(0.5), Case([0.5, 2.0])],
)
log1p = elementwise(
    "log1p",
    partials=(lambda x, y: Over(1 + x),),
    tex=r"\ln(1 + {0})",
    domain="x > -1",
    definition=lambda x: log(1 + x),
    sample=[Case(0.5), Case([0.5, -0.75])],
)
log2 = elementwise(
    "log2",
    partials=(lambda x, y: Over(x * Constant("ln2")),),
    tex=r"\log_2 {0}",
    domain="x > 0",
    definition=lambda x: log(x) / Constant("ln2"),
    sample=[Case(0.5), Case([0.5, 3.0])],
)
erf = elementwise(
    "erf",
    partials=(lambda x, y: exp(-square(x)) * 2 * rsqrt(ones_like(x) * Constant("pi")),),
    tex=r"\operatorname{{erf}} {0}",
    sample=[Case(0.5), Case([0.5, -1.25])],
)
xlogy = elementwise(
    "xlogy",
    partials=(lambda x, y, z: log(y), lambda x, y, z: ratio(x, y)),
    tex=r"{0} \ln {1}",
    text="{0}·log({1})",
    precedence=20,
    domain="y > 0, or x = 0",
    definition=lambda x, y: where(equal(x, 0), zeros_like(x), x * log(where(equal(x, 0), ones_like(y), y))),
    sample=[Case(0.5, 2.0), Case([0.5, -1.5], [[0.25], [3.0]])],
    doc="x·ln y, and 0 where x = 0, as in SciPy and PyTorch.",
)
