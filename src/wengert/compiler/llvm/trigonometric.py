"""Trigonometric functions over the lanes of vectors.

x = n π/2 + r with |r| ≤ π/4, where π/2 is subtracted in three parts by fused multiplications and additions
(Cody and Waite 1980; Muller, Elementary Functions, 3rd edition, section 11.2). Where that would lose digits,
beyond `REDUCIBLE`, the C library's function is called for the lanes concerned.
"""

from __future__ import annotations

import math

from wengert.compiler.llvm import coefficients
from wengert.compiler.llvm.lanes import (
    Lanes,
    fast_two_sum,
    fused,
    multiply_add,
    polynomial,
    two_product,
    two_sum,
    where,
)

HALF_PI = {
    "float": (1.5707963705062866, -4.371138828673793e-8, -1.7151245100058819e-15),
    "double": (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33),
}
"""π/2 as a sum of three numbers of the format."""

REDUCIBLE = {"float": 2.0**16, "double": 2.0**22}
"""Up to this magnitude x is reduced by n·π/2 in place."""


def sin(x: Lanes) -> Lanes:
    """The sine."""
    quadrant, r = _reduced(x)
    y = _turned(quadrant, r)
    return _beyond(x, where(x.equals(0), x, y), "sin")


def cos(x: Lanes) -> Lanes:
    """The cosine."""
    quadrant, r = _reduced(x)
    return _beyond(x, _turned(quadrant + 1, r), "cos")


def tan(x: Lanes) -> Lanes:
    """The tangent: of r, or -1/tan r in every other quarter turn.

    r and its tangent are kept as sums, so that their roundings do not add to the division's.
    """
    quadrant, n, exact = _turns(x)
    _, middle, last = HALF_PI[x.element]
    product, product_low = two_product(n, x.like(-middle))
    r, r_low = two_sum(exact, product)
    r_low = fused(n, -last, r_low + product_low)
    z = r * r
    correction = r * (z * polynomial(coefficients.TAN[x.element], z)) + (r_low + r_low * z)
    t = r + correction
    lost = correction - (t - r)
    inverse = 1 / t
    remainder = fused(-t, inverse, 1.0) - inverse * lost
    turned = -multiply_add(inverse, remainder, inverse)
    odd = (quadrant & 1).equals(1)
    return _beyond(x, where(x.equals(0), x, where(odd, turned, t)), "tan")


def _turns(x: Lanes) -> tuple[Lanes, Lanes, Lanes]:
    """A whole number whose last two bits say which quarter turn, n, and x less n times the first part of π/2,
    which is exact."""
    shifter = x.format.shifter
    shifted = multiply_add(x, 2 / math.pi, shifter)
    n = shifted - shifter
    return shifted.bits(), n, fused(n, -HALF_PI[x.element][0], x)


def _reduced(x: Lanes) -> tuple[Lanes, Lanes]:
    """A whole number whose last two bits say which quarter turn, and the rest r of x."""
    quadrant, n, r = _turns(x)
    _, middle, last = HALF_PI[x.element]
    return quadrant, fused(n, -last, fused(n, -middle, r))


def _turned(quadrant: Lanes, r: Lanes) -> Lanes:
    """sin(r + quadrant·π/2)."""
    element = r.element
    z = r * r
    sine = multiply_add(r, z * polynomial(coefficients.SIN[element], z), r)
    cosine = multiply_add(z * z, polynomial(coefficients.COS[element], z), 1 - 0.5 * z)
    y = where((quadrant & 1).equals(1), cosine, sine)
    sign = (quadrant & 2) << (r.format.mantissa + (7 if element == "float" else 10))
    return (y.bits() ^ sign).number(element)


def _beyond(x: Lanes, y: Lanes, function: str) -> Lanes:
    """y, but the C library's function of x in the lanes where x is too large to be reduced."""
    code, element = x.code, x.element
    large = x.magnitude() > REDUCIBLE[element]
    name = f"llvm.vector.reduce.or.v{code.lanes}i1"
    some = code.call(name, "i1", large.register)
    result, entries = code.alloca(y.register.type), code.alloca(y.register.type)
    code.do(f"store {y.register}, {result}, align 64")
    with code.when(some):
        code.do(f"store {x.register}, {entries}, align 64")
        with code.loop(0, code.lanes) as lane:
            place = code.at(entries, lane, element)
            number = code.load_scalar(place, element)
            if element == "float":
                number = code.emit(f"fpext {number} to double", "double")
            number = code.call(function, "double", number)
            if element == "float":
                number = code.emit(f"fptrunc {number} to float", "float")
            code.store_scalar(number, place)
        called = Lanes(code, code.emit(f"load {y.register.type}, {entries}, align 64", y.register.type))
        code.do(f"store {where(large, called, y).register}, {result}, align 64")
    return Lanes(code, code.emit(f"load {y.register.type}, {result}, align 64", y.register.type))


def atan(x: Lanes) -> Lanes:
    """The arc tangent: a polynomial up to 1, beyond that π/2 - arctan(1/x)."""
    a = x.magnitude()
    beyond = a > 1
    angle = _angle(where(beyond, 1 / a, a))
    return where(beyond, _turn_less(angle), angle).signed_as(x)


def atan2(y: Lanes, x: Lanes) -> Lanes:
    """The angle of the point (x, y), from -π to π; zeros and infinities as in the C standard's annex F."""
    a, b = y.magnitude(), x.magnitude()
    steep = a > b
    ratio = where(steep, b, a) / where(steep, a, b)
    ratio = where(a.equals(b), where(a.equals(0), a, a.like(1.0)), ratio)
    angle = _angle(ratio)
    angle = where(steep, _turn_less(angle), angle)
    left = x.bits().compare("slt", 0)
    return where(left, _turn_less(angle, 2), angle).signed_as(y)


def _angle(t: Lanes) -> Lanes:
    """arctan t for 0 ≤ t ≤ 1."""
    z = t * t
    return multiply_add(t, z * polynomial(coefficients.ATAN[t.element], z), t)


def _turn_less(angle: Lanes, times: int = 1) -> Lanes:
    """π/2, or π, less an angle."""
    high, low, _ = HALF_PI[angle.element]
    return times * high - (angle - times * low)


def asin(x: Lanes) -> Lanes:
    """The arc sine: a polynomial up to ½, beyond that π/2 - 2 arcsin √((1 - |x|)/2)."""
    a = x.magnitude()
    beyond = a > 0.5
    s, rest = _half_angle(a, beyond)
    high, low, _ = HALF_PI[x.element]
    far, lost = fast_two_sum(x.like(high), -(s + s))
    far = far - (rest + rest - (low + lost))
    return where(beyond, far, s + rest).signed_as(x)


def acos(x: Lanes) -> Lanes:
    """The arc cosine: π/2 - arcsin x up to ½, beyond that 2 arcsin √((1 - |x|)/2), or π less it."""
    a = x.magnitude()
    beyond = a > 0.5
    s, rest = _half_angle(a, beyond)
    angle = s + rest
    double = angle + angle
    far = where(x < 0, _turn_less(double, 2), double)
    return where(beyond, far, _turn_less(angle.signed_as(x)))


def _half_angle(a: Lanes, beyond: Lanes) -> tuple[Lanes, Lanes]:
    """arcsin a, or beyond ½ the arc sine of √((1 - a)/2): the argument, and what is to be added to it."""
    z = where(beyond, (1 - a) * 0.5, a * a)
    s = where(beyond, z.intrinsic("sqrt"), a)
    return s, s * (z * polynomial(coefficients.ASIN[a.element], z))
