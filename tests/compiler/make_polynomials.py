"""Makes `wengert/compiler/llvm/coefficients.py`: minimax polynomials, by Remez's exchange algorithm.

Run as a program: ``python tests/compiler/make_polynomials.py > src/wengert/compiler/llvm/coefficients.py``.
Every coefficient is rounded to the number format that it is for, lowest power first, and where they can be
the others are fitted anew to what the rounding left over (Muller, Elementary Functions, 3rd edition,
chapter 3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath
import numpy as np

HEAD = '''"""Minimax polynomials for float and double, lowest power first.

Fitted by Remez's exchange algorithm in 60 digits, and rounded one coefficient after another (Muller,
Elementary Functions, 3rd edition, chapter 3). The comments give the relative error of the result.
"""'''

mpmath.mp.dps = 60
Function = Callable[[Any], Any]
LOG_2 = mpmath.log(2)


class Fit(NamedTuple):
    """f(x) is to be met by a polynomial of so many terms on [0 or low, high]; ``weight`` turns its error into
    the relative error of the result."""

    meaning: str
    f: Function
    weight: Function
    interval: tuple[float, float]
    terms: tuple[int, int]


def series(f: Function, g: Function, order: int = 40) -> Function:
    """f, but near zero, where f loses its digits, the Taylor polynomial of g there, which is the same."""
    taylor = mpmath.taylor(g, 0, order)
    return lambda x: f(x) if abs(x) > 0.01 else mpmath.polyval(taylor[::-1], x)


def _root(f: Function) -> Function:
    """(f(√z)/√z - 1)/z, for an odd function f."""
    return lambda z: (f(mpmath.sqrt(z)) / mpmath.sqrt(z) - 1) / z


def odd(name: str, f: Function, limit: float, terms: tuple[int, int]) -> Fit:
    """f(x) = x + x³ p(x²) for an odd function with f'(0) = 1."""
    taylor = mpmath.taylor(f, 0, 61)

    def near(z: Any) -> Any:
        return mpmath.fsum(taylor[2 * k + 3] * z**k for k in range(29))

    far = _root(f)
    return Fit(
        f"{name} x = x + x³ p(x²)",
        lambda z: near(z) if z < 0.02 else far(z),
        lambda z: z / (1 + z * (near(z) if z < 0.02 else far(z))),
        (0, limit**2),
        terms,
    )


def atanh(z: Any, first: int = 3) -> Any:
    """(2 artanh s - 2 s)/s³ for z = s², or without further terms at the beginning of the series."""
    return mpmath.fsum(2 * z**k / (2 * k + first) for k in range(60))


def cos(z: Any) -> Any:
    """(cos x - 1 + x²/2)/x⁴ for z = x²."""
    return mpmath.fsum((-z) ** k / mpmath.factorial(2 * k + 4) for k in range(30))


def erf(z: Any) -> Any:
    """erf(x)/x for z = x²."""
    terms = ((-z) ** k / (mpmath.factorial(k) * (2 * k + 1)) for k in range(60))
    return mpmath.fsum(terms) * 2 / mpmath.sqrt(mpmath.pi)


def fits() -> dict[str, Fit]:
    """Every polynomial, by the name that it has in the file."""
    half = float(LOG_2 / 2) * 1.0001
    low, high = float(mpmath.sqrt(0.5) - 1), float(mpmath.sqrt(2) - 1)
    quarter = float(mpmath.pi / 4) * 1.0001
    exp = series(
        lambda r: (mpmath.expm1(r) - r) / r**2,
        lambda r: mpmath.fsum(r**k / mpmath.factorial(k + 2) for k in range(45)),
    )
    log = series(
        lambda f: (mpmath.log1p(f) - f + f * f / 2) / f**3,
        lambda f: mpmath.fsum((-f) ** k / (k + 3) for k in range(45)),
    )
    return {
        "EXP": Fit(
            "e^r = 1 + r + r² p(r), |r| ≤ ln 2 / 2",
            exp,
            lambda r: r**2 / mpmath.exp(r),
            (-half, half),
            (5, 10),
        ),
        "EXPM1": Fit(
            "e^r - 1 = r + r² p(r)", exp, lambda r: r**2 / mpmath.expm1(r) if r else r, (-half, half), (6, 11)
        ),
        "LOG": Fit(
            "ln(1 + f) = f - f²/2 + f³ p(f), √½ ≤ 1 + f ≤ √2",
            log,
            lambda f: f**3 / mpmath.log1p(f) if f else f,
            (low, high),
            (9, 0),
        ),
        "ATANH": Fit(
            "2 artanh s = 2 s + s³ p(s²), |s| ≤ 3 - 2√2", atanh, lambda z: z / 2, (0, 0.0296), (0, 7)
        ),
        "POWER_LOG": Fit("the same, for x^y of float", atanh, lambda z: z / 2, (0, 0.0296), (0, 4)),
        "ATANH_REST": Fit(
            "2 artanh s = 2 s + s³ (2/3 + s² p(s²))",
            lambda z: atanh(z, 5),
            lambda z: z * z / 2,
            (0, 0.0296),
            (0, 8),
        ),
        "POWER_EXP": Fit(
            "e^r = 1 + r + r² p(r), for x^y of float",
            exp,
            lambda r: r**2 / mpmath.exp(r),
            (-half, half),
            (0, 6),
        ),
        "TANH": odd("tanh", mpmath.tanh, 0.6251, (5, 11)),
        "SINH": odd("sinh", mpmath.sinh, 1.0001, (4, 8)),
        "SIN": odd("sin", mpmath.sin, quarter, (3, 6)),
        "COS": Fit("cos x = 1 - x²/2 + x⁴ p(x²)", cos, lambda z: z * z, (0, quarter**2), (3, 6)),
        "TAN": odd("tan", mpmath.tan, quarter, (7, 14)),
        "ATAN": odd("arctan", mpmath.atan, 1.0, (9, 21)),
        "ASIN": odd("arcsin", mpmath.asin, 0.5, (5, 12)),
        "ERF": Fit(
            "erf x = x + x p(x²), |x| ≤ 1", lambda z: erf(z) - 1, lambda z: 1 / erf(z), (0, 1.0001), (8, 13)
        ),
        "ERFC": Fit(
            "ln erfc x = p(x), x ≥ 1", lambda x: mpmath.log(mpmath.erfc(x)), mpmath.erfc, (1, 6), (8, 19)
        ),
    }


def minimax(f: list[Any], weight: list[Any], grid: list[Any], powers: list[int]) -> tuple[list[Any], Any]:
    """The coefficients of these powers whose greatest weighted error on the grid is least, and that error."""
    count = len(powers)
    middle, radius = (grid[0] + grid[-1]) / 2, (grid[-1] - grid[0]) / 2
    wanted = [
        middle - radius * mpmath.cos(mpmath.pi * (2 * k + 1) / (2 * count + 2)) for k in range(count + 1)
    ]
    places = [min(range(len(grid)), key=lambda i, w=w: abs(grid[i] - w)) for w in wanted]
    places = [p if weight[p] > 1e-6 * max(weight) else p + 1 for p in places]
    for _ in range(30):
        matrix = mpmath.matrix(count + 1, count + 1)
        right = mpmath.matrix(count + 1, 1)
        for row, p in enumerate(places):
            for column, power in enumerate(powers):
                matrix[row, column] = grid[p] ** power
            matrix[row, count] = (-1) ** row / weight[p]
            right[row] = f[p]
        solution = mpmath.lu_solve(matrix, right)
        coefficients, level = list(solution[:count]), abs(solution[count])
        errors = [
            w * (v - mpmath.fsum(c * x**p for c, p in zip(coefficients, powers, strict=True)))
            for x, v, w in zip(grid, f, weight, strict=True)
        ]
        peaks: list[int] = []
        for i, error in enumerate(errors):
            if not error:
                continue
            if peaks and (errors[peaks[-1]] > 0) == (error > 0):
                if abs(error) > abs(errors[peaks[-1]]):
                    peaks[-1] = i
            else:
                peaks.append(i)
        while len(peaks) > count + 1:
            peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
        greatest = max(map(abs, errors))
        if len(peaks) < count + 1 or greatest <= level * 1.001:
            break
        places = peaks
    return coefficients, greatest


def rounded(number: Any, bits: int) -> float:
    """To a float32 (24 bits) or a float64 (53)."""
    return float(np.float32(float(number))) if bits == 24 else float(number)


def fitted(fit: Fit, terms: int, bits: int) -> tuple[list[float], float]:
    """Rounded coefficients, lowest power first, and the relative error that they leave."""
    low, high = map(mpmath.mpf, fit.interval)
    count = 40 * (terms + 2)
    grid = [(low + high) / 2 - (high - low) / 2 * mpmath.cos(mpmath.pi * k / count) for k in range(count + 1)]
    f, weight = [fit.f(x) for x in grid], [abs(fit.weight(x)) for x in grid]
    rest: list[Any] = list(f)
    made: list[float] = []
    coefficients, _ = minimax(rest, weight, grid, list(range(terms)))
    for power in range(terms):
        if power and low >= 0:  # where x changes its sign, its powers alone have no minimax polynomial
            coefficients, _ = minimax(rest, weight, grid, list(range(power, terms)))
        made.append(rounded(coefficients[0], bits))
        coefficients = coefficients[1:]
        rest = [r - made[-1] * x**power for r, x in zip(rest, grid, strict=True)]
    return made, float(max(abs(w * r) for w, r in zip(weight, rest, strict=True)))


def main() -> None:
    print(HEAD)
    for name, fit in fits().items():
        print(f"\n# {fit.meaning}")
        print(f"{name} = {{")
        for element, bits, terms in (("float", 24, fit.terms[0]), ("double", 53, fit.terms[1])):
            if terms:
                coefficients, error = fitted(fit, terms, bits)
                print(f'    "{element}": (  # error 2^{float(mpmath.log(error, 2)):.1f}')
                words = [str(np.float32(c)) if bits == 24 else repr(c) for c in coefficients]
                for row in range(0, terms, 4):
                    print(f"        *({', '.join(words[row : row + 4])}{',' * (row + 1 == terms)}),")
                print("    ),")
        print("}", flush=True)


if __name__ == "__main__":
    main()
