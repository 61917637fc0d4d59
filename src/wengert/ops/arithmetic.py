"""Arithmetic: the four operations, powers, roots, and comparisons."""

from __future__ import annotations

from typing import Any

from wengert.ops.kinds import Case, Over, discrete, elementwise, select
from wengert.ops.op import Op, later

add = elementwise(
    "add",
    partials=(lambda a, b, y: 1, lambda a, b, y: 1),
    infix="+",
    precedence=10,
    tex="{0} + {1}",
    chain_rule="sum rule",
    sample=[Case(1.5, -0.5), Case([[1.0, 2.0, -0.5]], [[0.25], [-1.5]])],
)
subtract = elementwise(
    "subtract",
    partials=(lambda a, b, y: 1, lambda a, b, y: -1),
    infix="-",
    precedence=10,
    tex="{0} - {1}",
    aliases=("sub",),
    chain_rule=("sum rule", "sum rule with a minus sign"),
    sample=[Case(1.5, -0.5), Case([1.0, 2.0], [[0.25], [-1.5]])],
)
multiply = elementwise(
    "multiply",
    partials=(lambda a, b, y: b, lambda a, b, y: a),
    infix="·",
    precedence=20,
    tex=r"{0} \cdot {1}",
    aliases=("mul",),
    chain_rule="product rule",
    sample=[Case(1.5, -0.5), Case([1.0, 2.0], [[0.25], [-1.5]])],
)
divide: Op = elementwise(
    "divide",
    partials=(lambda a, b, y: Over(b), lambda a, b, y: -divide(y, b)),
    infix="/",
    precedence=20,
    tex=r"\frac{{{0}}}{{{1}}}",
    domain="b ≠ 0",
    aliases=("div", "true_divide"),
    chain_rule=("quotient rule for the numerator", "quotient rule for the denominator"),
    sample=[Case(1.5, -0.5), Case([1.0, 2.0], [[0.25], [-1.5]])],
)
ratio: Op = elementwise(
    "ratio",
    partials=(
        lambda a, b, y: ratio(ones_like(a), b),
        lambda a, b, y: -ratio(y, b),
    ),
    definition=lambda a, b: where(equal(b, 0), zeros_like(a), divide(a, where(equal(b, 0), ones_like(b), b))),
    precedence=20,
    text="{0}/{1}",
    tex=r"\frac{{{0}}}{{{1}}}",
    kink="a ratio a/b and its derivatives are taken as 0 where b = 0",
    chain_rule=("quotient rule for the numerator", "quotient rule for the denominator"),
    sample=[Case(1.5, -0.5), Case([1.0, 2.0], [[0.25], [-1.5]])],
)
negative = elementwise(
    "negative",
    partials=(lambda x, y: -1,),
    precedence=15,
    tex="-{0}",
    text="-{0}",
    aliases=("neg",),
    chain_rule="the sign stays",
    sample=[Case(1.5), Case([0.5, -2.0])],
)
power: Op = elementwise(
    "power",
    partials=(
        lambda a, b, y: _power_partial(a, b),
        lambda a, b, y: later.xlogy(y, a),
    ),
    infix="^",
    precedence=30,
    tex="{{{0}}}^{{{1}}}",
    domain="a > 0, or b a whole number (a ≠ 0 where b < 0)",
    aliases=("pow",),
    chain_rule=("power rule", "exponential rule"),
    sample=[Case(1.5, 2.0), Case([0.5, 2.0], [[0.25], [-1.5]])],
)


def _power_partial(a: Any, b: Any) -> Any:
    """b·a^(b − 1), where b is the number 0 or 2 without a power."""
    if type(b) is int and b in (0, 2):
        return zeros_like(a) if b == 0 else 2 * a
    return b * power(a, b - 1)


reciprocal: Op = elementwise(
    "reciprocal",
    partials=(lambda x, y: -(y * y),),
    tex=r"\frac{{1}}{{{0}}}",
    text="1/{0}",
    precedence=20,
    domain="x ≠ 0",
    definition=lambda x: divide(1, x),
    chain_rule="quotient rule",
    sample=[Case(1.5), Case([0.5, -2.0])],
)
square = elementwise(
    "square",
    partials=(lambda x, y: 2 * x,),
    tex="{0}^{{2}}",
    text="{0}²",
    precedence=30,
    definition=lambda x: x * x,
    chain_rule="power rule",
    sample=[Case(-1.5), Case([0.5, -2.0])],
)
sqrt = elementwise(
    "sqrt",
    partials=(lambda x, y: Over(2 * y),),
    tex=r"\sqrt{{{0}}}",
    domain="x ≥ 0",
    sample=[Case(2.25), Case([0.5, 2.0])],
)
rsqrt = elementwise(
    "rsqrt",
    partials=(lambda x, y: -divide(y, 2 * x),),
    tex=r"\frac{{1}}{{\sqrt{{{0}}}}}",
    domain="x > 0",
    definition=lambda x: reciprocal(sqrt(x)),
    sample=[Case(2.25), Case([0.5, 2.0])],
)
abs = select(
    "abs",
    choose=(lambda g, x, y: where(greater(x, 0), g, where(less(x, 0), -g, zeros_like(g))),),
    tex=r"|{0}|",
    text="|{0}|",
    kink="the derivative of |x| at 0 is taken as 0",
    aliases=("absolute", "fabs"),
    sample=[Case(-1.5), Case([0.5, -2.0])],
)
_locally_constant = {"choose": (lambda g, x, y: zeros_like(g),)}
sign = select(
    "sign", **_locally_constant, tex=r"\operatorname{{sign}} {0}", sample=[Case(-1.5), Case([0.5, -2.0])]
)
floor = select(
    "floor", **_locally_constant, tex=r"\lfloor {0} \rfloor", sample=[Case(-1.25), Case([0.5, -2.25])]
)
ceil = select("ceil", **_locally_constant, tex=r"\lceil {0} \rceil", sample=[Case(-1.25), Case([0.5, -2.25])])
round = select(
    "round",
    **_locally_constant,
    tex=r"\operatorname{{round}} {0}",
    sample=[Case(-1.25), Case([0.75, -2.25])],
    doc="To the nearest whole number; halves go to the even one.",
)


def only(condition: object, g: object) -> object:
    """An adjoint where the condition holds, and zero elsewhere; of a single number then None, as nothing
    flows."""
    if type(g) is float and type(condition) is bool:
        return g if condition else None
    return where(condition, g, zeros_like(g))


def _tie(g: object, wins: object, ties: object) -> object:
    return where(wins, g, where(ties, divide(g, 2), zeros_like(g)))


maximum = select(
    "maximum",
    choose=(lambda g, a, b, y: _tie(g, a > b, equal(a, b)), lambda g, a, b, y: _tie(g, b > a, equal(a, b))),
    tex=r"\max({0}, {1})",
    kink="where both arguments of maximum are equal, each takes half",
    definition=lambda a, b: where(a > b, a, b),
    sample=[Case(1.5, -0.5), Case([1.0, -2.0], [[0.25], [-1.5]])],
)
minimum = select(
    "minimum",
    choose=(lambda g, a, b, y: _tie(g, a < b, equal(a, b)), lambda g, a, b, y: _tie(g, b < a, equal(a, b))),
    tex=r"\min({0}, {1})",
    kink="where both arguments of minimum are equal, each takes half",
    definition=lambda a, b: where(a < b, a, b),
    sample=[Case(1.5, -0.5), Case([1.0, -2.0], [[0.25], [-1.5]])],
)
where: Op = select(
    "where",
    choose=(
        None,
        lambda g, c, a, b, y: only(c, g),
        lambda g, c, a, b, y: where(c, zeros_like(g), g),
    ),
    tex=r"\begin{{cases}}{1} & {0}\\{2}\end{{cases}}",
    chain_rule="selection (only where this branch was taken)",
    sample=[Case(True, 1.5, -0.5), Case([True, False], [1.0, 2.0], [[0.25], [-1.5]])],
)
clip = select(
    "clip",
    choose=(
        lambda g, x, lo, hi, y: where(x < lo, zeros_like(g), where(x > hi, zeros_like(g), g)),
        lambda g, x, lo, hi, y: where(x < lo, g, zeros_like(g)),
        lambda g, x, lo, hi, y: where(x > hi, g, zeros_like(g)),
    ),
    tex=r"\operatorname{{clip}}({0}, {1}, {2})",
    kink="at a bound of clip the argument itself receives the derivative",
    definition=lambda x, lo, hi: minimum(maximum(x, lo), hi),
    aliases=("clamp",),
    sample=[Case(1.5, -0.5, 1.0), Case([1.0, -2.0, 0.5], -1.0, 0.75)],
)

equal: Op = discrete(
    "equal", arity=2, infix="=", precedence=5, tex="{0} = {1}", sample=[Case(1.5, -0.5), Case(1.0, 1.0)]
)
not_equal = discrete(
    "not_equal", arity=2, infix="≠", precedence=5, tex=r"{0} \ne {1}", sample=[Case(1.5, -0.5)]
)
less: Op = discrete(
    "less", arity=2, infix="<", precedence=5, tex="{0} < {1}", sample=[Case(1.5, -0.5)], aliases=("lt",)
)
less_equal = discrete(
    "less_equal",
    arity=2,
    infix="≤",
    precedence=5,
    tex=r"{0} \le {1}",
    sample=[Case(1.5, -0.5)],
    aliases=("le",),
)
greater: Op = discrete(
    "greater", arity=2, infix=">", precedence=5, tex="{0} > {1}", sample=[Case(1.5, -0.5)], aliases=("gt",)
)
greater_equal = discrete(
    "greater_equal",
    arity=2,
    infix="≥",
    precedence=5,
    tex=r"{0} \ge {1}",
    sample=[Case(1.5, -0.5)],
    aliases=("ge",),
)
isnan = discrete("isnan", arity=1, sample=[Case(1.5)])
isfinite = discrete("isfinite", arity=1, sample=[Case(1.5)])
logical_and = discrete(
    "logical_and", arity=2, infix="∧", precedence=4, tex=r"{0} \land {1}", sample=[Case(True, False)]
)
logical_or = discrete(
    "logical_or", arity=2, infix="∨", precedence=3, tex=r"{0} \lor {1}", sample=[Case(True, False)]
)
logical_not = discrete("logical_not", arity=1, tex=r"\lnot {0}", sample=[Case(True)])
zeros_like: Op = discrete("zeros_like", arity=1, sample=[Case(1.5), Case([1.5, 2.0])])
ones_like: Op = discrete("ones_like", arity=1, sample=[Case(1.5), Case([1.5, 2.0])])
stop_gradient = discrete(
    "stop_gradient",
    arity=1,
    tex="{0}",
    definition=lambda x: x,
    doc="The value itself, through which nothing flows.",
)
