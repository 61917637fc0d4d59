"""Rows M17 and M18: a signal from the squares of its projections, by Newton and by Gauss–Newton."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

import wengert
from wengert.labs.claims import at_least, at_most, equals
from wengert.labs.lab import Context, Formula, Item, Lab, Listing, Picture, Table
from wengert.labs.line_drawings import lines_and_dots
from wengert.labs.squared_measurements import (
    CURVED,
    KINDS,
    MEASUREMENTS,
    METHODS,
    SPECTRAL,
    STATIONARY,
    UNKNOWNS,
    ZERO,
    End,
    Problem,
    descended,
)
from wengert.random import Generator
from wengert.solve import Share
from wengert.train.descent_plots import convergence, success_rates

Array = np.ndarray[Any, Any]


# -- the parts of the report ---------------------------------------------------------------------------------


def the_hessian(problem: Problem, generator: Generator) -> Iterator[Item]:
    """The Hessian by hand, against the engine."""
    yield (
        "Write s = aᵀx and r = s² − y for one measurement. A step δ turns r into r + 2s·aᵀδ + (aᵀδ)². In a "
        "quarter of its square, the terms of second order in δ are ¼(4s² + 2r)(aᵀδ)² = ½(3s² − y)(aᵀδ)², so"
    )
    yield Formula("f(x) = ¼ Σ (yᵢ − sᵢ²)²,   ∇f = Σ (sᵢ² − yᵢ) sᵢ aᵢ,   ∇²f = Σ (3sᵢ² − yᵢ) aᵢaᵢᵀ")
    x = generator.normal((UNKNOWNS,))
    pairs = [
        (problem.gradient(x), wengert.grad(problem.loss)(x)),
        (problem.hessian(x), wengert.hessian(problem.loss)(x)),
    ]
    apart = [float(np.abs(hand - engine).max() / np.abs(hand).max()) for hand, engine in pairs]
    yield at_most("∇f by hand against the engine, relative difference at a random x", apart[0], 1e-12)
    yield at_most("∇²f by hand against the engine, relative difference at a random x", apart[1], 1e-12)
    yield (
        "The Hessian is indefinite where 3s² < y for many measurements, as near 0, so Newton's step may lead "
        "uphill, to a saddle or to a maximum. The modified method replaces the eigenvalues by their absolute "
        "values and searches along the step. Gauss–Newton drops the residuals' own curvature:"
    )
    yield Formula("Newton: Σ (2sᵢ² + rᵢ) aᵢaᵢᵀ,   Gauss–Newton: Σ 2sᵢ² aᵢaᵢᵀ,   rᵢ = sᵢ² − yᵢ")
    yield "That matrix is never indefinite, and where all residuals are 0 the two agree."


def random_starts(problem: Problem, starts: Sequence[Array], context: Context) -> Iterator[Item]:
    """Every method from every random start; each end with what it is."""
    ends = {
        method: [descended(method, problem, start) for start in starts]
        for method in context.track(METHODS, "method")
    }
    yield Table(
        f"The ends of {len(starts)} random starts",
        ("method", *KINDS, "median of steps"),
        [
            (
                method,
                *(_count(found, kind) for kind in KINDS),
                float(np.median([e.iterations for e in found])),
            )
            for method, found in ends.items()
        ],
    )
    shares = {method: Share(_count(found, KINDS[0]), len(found)) for method, found in ends.items()}
    yield Table(
        "How often the global minimum is found, with Wilson's 95% interval",
        ("method", "found", "rate", "from", "to"),
        [
            (method, f"{share.count} of {share.total}", share.rate, *share.interval)
            for method, share in shares.items()
        ],
    )
    steps = {kind: _median_steps(ends["Gauss–Newton"], kind) for kind in KINDS[:2]}
    yield (
        f"Gauss–Newton takes {steps[KINDS[0]]} steps to a global minimum and {steps[KINDS[1]]} to a local "
        f"one (medians). At a local minimum the residuals are not 0, so their curvature counts, and the "
        f"convergence is linear only."
    )
    yield Picture(
        "success",
        "How often a random start leads to the signal",
        "A dot per method at its rate of success, on a bar for the 95% interval.",
        success_rates(list(shares), [share.count for share in shares.values()], len(starts)),
    )
    newton, gauss = ends["modified Newton"], ends["Gauss–Newton"]
    yield Table(
        "The same starts side by side: modified Newton in rows, Gauss–Newton in columns",
        ("modified Newton", *KINDS),
        [
            (
                row,
                *(
                    sum(a.kind == row and b.kind == column for a, b in zip(newton, gauss, strict=True))
                    for column in KINDS
                ),
            )
            for row in KINDS
        ],
    )
    yield from _every_end(ends)
    total = sum(len(found) for found in ends.values())
    known = sum(_count(found, kind) for found in ends.values() for kind in KINDS)
    yield equals(f"random starts: ends that are classified, of {total}", known, total)
    yield equals("modified Newton: ends at a saddle", _count(newton, "saddle"), 0)
    right = [problem.distance(end.x) for found in ends.values() for end in found if end.kind == KINDS[0]]
    yield at_most("largest distance of a global minimum found from ±x, relative", max(right), 1e-6)
    for method, found in ends.items():
        yield at_most(f"{method}: the least loss from random starts", min(end.loss for end in found), ZERO)


def _every_end(ends: Mapping[str, Sequence[End]]) -> Iterator[Item]:
    """A line per start, and the picture of all ends."""
    heading = f"{'kind':<15}{'eigenvalue':>9}{'steps':>6}  "
    lines = [" " * 5 + "".join(f"{method:<32}" for method in ends), "     " + heading * len(ends)]
    for k, found in enumerate(zip(*ends.values(), strict=True)):
        cells = (f"{end.kind:<15}{end.least_eigenvalue:>9.4g}{end.iterations:>6}  " for end in found)
        lines.append(f"{k:>3}  " + "".join(cells))
    yield Listing("Every end, with the least eigenvalue of its Hessian", "\n".join(lines))
    dots = {
        kind: [
            (end.loss, end.least_eigenvalue) for found in ends.values() for end in found if end.kind == kind
        ]
        for kind in KINDS
    }
    shown = {kind: points for kind, points in dots.items() if points}
    words = [f"{len(points)} ends: {kind}" for kind, points in shown.items()]
    yield Picture(
        "ends",
        "Every end by its loss and its Hessian's least eigenvalue",
        f"The global minima lie at loss 0 and high up; minima that are only local lie to the right, above "
        f"the level 0 of the eigenvalue, and saddles below it. {'; '.join(words)}.",
        lines_and_dots({}, shown, "loss at the end", "least eigenvalue of the Hessian"),
    )


def spectral_starts(context: Context) -> Iterator[Item]:
    """Every method from a spectral start, each on a problem of its own."""
    yield (
        "A random start knows nothing of y. A measurement is large where aᵢ points along ±x, so the leading "
        "eigenvector of a weighted sum of aᵢaᵢᵀ points roughly along x. The plain weight is that of Candès, "
        "Li and Soltanolkotabi (2015), the optimal one that of Mondelli and Montanari (2019)."
    )
    yield Formula("x₀ = √ȳ · leading eigenvector of Σ T(yᵢ/ȳ) aᵢaᵢᵀ,   ȳ = (1/m) Σ yᵢ ≈ ‖x‖²")
    yield Formula("plain: T(z) = z,   optimal: T(z) = (z − 1)/(z + √(m/n) − 1)")
    count = context.choose(full=100, quick=40)
    problems = [Problem.random(Generator(context.seed).fork("problem", k)) for k in range(count)]
    rows, shares, example = [], {}, {}
    for name, weight in context.track(SPECTRAL.items(), "weight"):
        starts = [problem.spectral_start(weight) for problem in problems]
        closeness = float(np.median([p.distance(x) for p, x in zip(problems, starts, strict=True)]))
        for method in METHODS:
            ends = [descended(method, p, x) for p, x in zip(problems, starts, strict=True)]
            share = shares[name, method] = Share(sum(end.loss <= ZERO for end in ends), count)
            steps = float(np.median([end.iterations for end in ends]))
            rows.append(
                (name, closeness, method, f"{share.count} of {count}", share.rate, *share.interval, steps)
            )
            example[method] = ends[0].losses
    yield Table(
        f"{count} problems, each with a signal and measurements of its own, from a spectral start",
        (
            "weight",
            "distance of the start",
            "method",
            "loss ≤ 10⁻¹²",
            "rate",
            "from",
            "to",
            "median of steps",
        ),
        rows,
    )
    yield Picture(
        "spectral-success",
        "How often a spectral start leads to the signal",
        "A dot per weight and method at its rate of success, on a bar for the 95% interval.",
        success_rates(
            [f"{method}, {name} weight" for name, method in shares],
            [share.count for share in shares.values()],
            count,
        ),
    )
    yield Picture(
        "convergence",
        "The loss per step on the first problem, from the optimal spectral start",
        "On a logarithmic scale all curves bend down ever more steeply, until they meet the rounding: the "
        "number of right digits doubles with every step.",
        convergence(example, ylabel="loss"),
    )
    optimal = {method: shares["optimal", method] for method in METHODS}
    for method in ("modified Newton", "Gauss–Newton"):
        yield at_least(f"spectral start: share in which {method} reaches 10⁻¹²", optimal[method].rate, 0.95)
    told = "; ".join(f"{method} {share}" for method, share in optimal.items())
    yield f"Solved from a spectral start with the optimal weight: {told}."


def _median_steps(ends: Sequence[End], kind: str) -> str:
    steps = [end.iterations for end in ends if end.kind == kind]
    return f"{np.median(steps):g}" if steps else "no"


def _count(ends: Sequence[End], kind: str) -> int:
    return sum(end.kind == kind for end in ends)


def run(context: Context) -> Iterator[Item]:
    generator = Generator(context.seed)
    problem = Problem.random(generator)
    yield (
        f"A signal x of {UNKNOWNS} normal numbers, and {MEASUREMENTS} measurements yᵢ = (aᵢᵀx)² with normal "
        f"aᵢ. The sign of x is lost, so ±x are the two global minima, with loss 0. Random starts have about "
        f"the length of x, which the mean of y tells."
    )
    yield from the_hessian(problem, generator)
    yield (
        f"An end counts as stationary where its gradient is at most {STATIONARY:g} of that at the start. It "
        f"is a saddle where its Hessian has an eigenvalue below −{CURVED:g} of the largest (where all are, "
        f"it is a maximum, and counted here too); else a minimum, "
        f"which is global where the loss is at most {ZERO:g}."
    )
    starts = [problem.random_start(generator) for _ in range(context.choose(full=100, quick=40))]
    items = list(random_starts(problem, starts, context))
    yield from items
    yield from spectral_starts(context)
    counts = {row[0]: row[1] for row in next(item for item in items if isinstance(item, Table)).rows}
    told = ", ".join(f"{method} from {count}" for method, count in counts.items())
    better = np.sign(counts["Gauss–Newton"] - counts["modified Newton"])
    yield (
        f"The answers: Newton's method solves the problem often, but not always. Of {len(starts)} random "
        f"starts, the global minimum is found by {told}. The other ends are minima that are only local, with "
        f"a positive definite Hessian, which no method that goes downhill can leave; and for Newton as it is "
        f"defined, which does not go downhill, saddles too. Gauss–Newton, whose matrix needs no second "
        f"derivatives, does {('worse', 'as well', 'better')[int(better) + 1]} here. But the start decides "
        f"more than the method: from the spectral one, nearly every problem is solved to the last digit."
    )


LAB = Lab(
    name="phase-retrieval",
    rows=("M17", "M18"),
    title="A signal from squared measurements",
    question=(
        "Do Newton's method and Gauss–Newton recover a signal from the squares of 100 random projections, "
        "from which starts, and where do they end otherwise?"
    ),
    quick="40 of the 100 random starts, and 40 of the 100 problems with a spectral start",
    run=run,
)
