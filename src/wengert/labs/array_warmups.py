"""Row M11: twelve exercises with arrays, without a loop."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import wengert
from wengert.labs import array_expressions as arrays
from wengert.labs import array_loops as loops
from wengert.labs.claims import at_most, equals, within
from wengert.labs.lab import Context, Formula, Item, Lab, Listing, Table
from wengert.random import Generator, drawing_from

Array = np.ndarray[Any, Any]
SHIFT, VARIANCE = 1.5, 4.0
SAMPLES = 200_000


@dataclass(frozen=True)
class WarmUp:
    """One exercise, answered by an expression and by loops.

    ``deviation`` is the largest difference between the two answers, ``differentiated`` the expression as a
    function of the numbers in ``point``, and ``derivative`` says where it has a derivative.
    """

    letter: str
    task: str
    deviation: float
    differentiated: Callable[..., Any]
    point: tuple[Any, ...]
    derivative: str = "everywhere"


def deviation(result: Any, expected: Any) -> float:
    """The largest difference between an expression's entries and those of the loops."""
    found = np.asarray(result.numpy() if isinstance(result, wengert.Tensor) else result)
    if found.shape != np.shape(expected):
        raise ValueError(f"the expression has the shape {found.shape}, the loops have {np.shape(expected)}")
    return float(np.abs(found - np.asarray(expected)).max())


def simple_warm_ups(generator: Generator) -> Iterator[WarmUp]:
    """Those whose answer is one determined array."""
    A, B, square = generator.normal((3, 4)), generator.normal((3, 4)), generator.normal((4, 4))
    thin, tall, x, y = (generator.normal(shape) for shape in ((3, 4), (4, 3), 6, 6))
    rows: list[tuple[str, str, tuple[Array, ...], Callable[..., Any], Callable[..., Any]]] = [
        ("a", "A + B", (A, B), arrays.matrix_sum, loops.matrix_sum),
        ("b", "AB − C", (A, square, thin), arrays.product_minus, loops.product_minus),
        ("c", "A ⊙ B + Cᵀ", (A, B, tall), arrays.hadamard_plus_transpose, loops.hadamard_plus_transpose),
        ("d", "xᵀy", (x, y), arrays.inner_product, loops.inner_product),
        ("j", "z-scores of x", (x,), arrays.z_scores, loops.z_scores),
        ("l", "pairwise distances", (A, generator.normal((3, 2))), arrays.pairwise_distances,
         loops.pairwise_distances),
    ]  # fmt: skip
    where = {"j": "unless all entries are equal", "l": "0 at equal columns, by choice"}
    for letter, task, given, expression, by_loops in rows:
        found = deviation(expression(*map(wengert.tensor, given)), by_loops(*(a.tolist() for a in given)))
        yield WarmUp(letter, task, found, expression, given, where.get(letter, "everywhere"))
    yield WarmUp(
        "e",
        "sum of the even columns of row i",
        deviation(arrays.even_column_sum(wengert.tensor(A), 1), loops.even_column_sum(A.tolist(), 1)),
        lambda a: arrays.even_column_sum(a, 1),
        (A,),
    )
    yield WarmUp(
        "f",
        "mean of the entries in [c, d]",
        deviation(arrays.mean_between(wengert.tensor(A), -1, 0.5), loops.mean_between(A.tolist(), -1, 0.5)),
        lambda a: arrays.mean_between(a, -1, 0.5),
        (A,),
        "while no entry crosses c or d",
    )
    yield WarmUp(
        "k",
        "k copies of x",
        deviation(arrays.copies(wengert.tensor(x), 3), loops.copies(x.tolist(), 3)),
        lambda a: arrays.copies(a, 3),
        (x,),
    )


def random_warm_ups(generator: Generator) -> Iterator[WarmUp]:
    """Those that draw: the loops are given the same numbers."""
    x, A = generator.normal(5), generator.normal((3, 6))

    def samples(mean: Any, variance: Any) -> Any:
        with drawing_from(Generator(1)):
            return arrays.gaussian_samples(mean, 4, SHIFT, variance)

    def shuffled(matrix: Any) -> Any:
        with drawing_from(Generator(2)):
            return arrays.shuffled_columns(matrix)

    with drawing_from(Generator(1)):
        noise = wengert.randn(5, 4, dtype=wengert.float64).tolist()
    with drawing_from(Generator(2)):
        order = wengert.randperm(6).tolist()
    found = deviation(
        samples(wengert.tensor(x), VARIANCE), loops.shifted_and_scaled(x.tolist(), noise, SHIFT, VARIANCE)
    )
    yield WarmUp("h", "samples of N(x + m·1, s·I)", found, samples, (x, VARIANCE), "in x and s, noise fixed")
    found = deviation(shuffled(wengert.tensor(A)), loops.columns_in_order(A.tolist(), order))
    yield WarmUp("i", "columns in random order", found, shuffled, (A,), "in A, order fixed")


def eigenvector_warm_up(generator: Generator) -> tuple[WarmUp, list[float]]:
    """The leading eigenvectors of a matrix with known eigenvalues, two of them complex; and their sizes."""
    blocks = np.zeros((5, 5))
    blocks[:2, :2] = [[3, -4], [4, 3]]  # 3 ± 4i, of size 5
    blocks[range(2, 5), range(2, 5)] = [-6, 2, 1]
    basis = generator.normal((5, 5)) + 3 * np.eye(5)
    A = basis @ blocks @ np.linalg.inv(basis)
    vectors = arrays.leading_eigenvectors(wengert.tensor(A), 3).numpy()
    values = [complex(v.conj() @ A @ v) for v in vectors.T]  # Rayleigh quotients of unit vectors
    residual = max(
        loops.eigenvector_residual(A.tolist(), value, vector.tolist())
        for value, vector in zip(values, vectors.T, strict=True)
    )
    warm_up = WarmUp(
        "g",
        "eigenvectors of the k largest |λ|",
        residual,
        lambda a: squared_sizes(arrays.leading_eigenvectors(a, 3)),
        (A,),
        "what the phase leaves alone, λ simple",
    )
    return warm_up, [round(abs(value), 9) for value in values]


def squared_sizes(vectors: Any) -> Any:
    """|v|² of complex entries, which no phase changes."""
    return wengert.real(vectors) ** 2 + wengert.imag(vectors) ** 2


def derivatives_agree(warm_up: WarmUp) -> bool:
    """Whether forward mode, reverse mode and finite differences agree."""
    try:
        wengert.check_gradients(warm_up.differentiated, *warm_up.point, order=1)
    except wengert.GradientMismatch:
        return False
    return True


def loop_count() -> int:
    """How many loops and comprehensions the expressions' source holds."""
    kinds = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    return sum(
        isinstance(node, kinds)
        for function in arrays.WARM_UPS.values()
        for node in ast.walk(ast.parse(inspect.getsource(function)))
    )


def run(context: Context) -> Iterator[Item]:
    generator = Generator(context.seed).fork("array-warmups")
    yield (
        "Each exercise is an expression on whole arrays. Beside it stands the same task in plain Python, one "
        "entry at a time, on the same random numbers. Where the task has a derivative, forward mode, reverse "
        "mode and central differences must agree on it."
    )
    eigenvectors, sizes = eigenvector_warm_up(generator)
    warm_ups = [*simple_warm_ups(generator), eigenvectors, *random_warm_ups(generator)]
    warm_ups.sort(key=lambda warm_up: warm_up.letter)
    agree = {w.letter: derivatives_agree(w) for w in context.track(warm_ups, "exercise")}
    rows = [(w.letter, w.task, w.deviation, w.derivative, agree[w.letter]) for w in warm_ups]
    columns = ("", "task", "largest difference from the loops", "differentiable", "derivatives agree")
    yield Table("The exercises", columns, [(*row[:4], "yes" if row[4] else "no") for row in rows])
    yield Listing("The expressions", "\n\n".join(map(inspect.getsource, arrays.WARM_UPS.values())).rstrip())
    yield (
        "In h the covariance is s·I, so a standard normal number is scaled by √s, not by s. In g the matrix "
        "need not be symmetric: eigenvalues and eigenvectors may be complex, and only a general eigensolver "
        "finds them. The phase of an eigenvector is arbitrary, so the derivative is that of the squared "
        "sizes of its entries."
    )
    yield Formula("x + m·1 + √s z,  z ∼ N(0, I)   has the covariance  √s I √s = s I")
    with drawing_from(generator.fork("samples")):
        drawn = arrays.gaussian_samples(wengert.zeros(1, dtype=wengert.float64), SAMPLES, SHIFT, VARIANCE)
        orders = {tuple(arrays.shuffled_columns(wengert.arange(3)[None])[0].tolist()) for _ in range(200)}
    yield equals("exercises", len(warm_ups), 12)
    yield equals("loops in their expressions", loop_count(), 0)
    yield at_most("largest difference from the plain loops", max(w.deviation for w in warm_ups), 1e-12)
    yield equals("exercises whose derivatives agree", sum(agree.values()), 12)
    yield equals("g: sizes of the leading eigenvalues, of −6, 3 ± 4i, 2, 1", sizes, [6.0, 5.0, 5.0])
    variance = float(drawn.numpy().var())
    yield within(f"h: variance of {SAMPLES:,} samples with s = {VARIANCE:g}", variance, VARIANCE, 0.08)
    yield equals("i: different orders of three columns in 200 draws", len(orders), 6)
    yield (
        "All twelve come out as the loops have them, up to rounding. An expression on whole arrays is not "
        "only shorter and faster: as it is made of differentiable operations, its derivative comes with it."
    )


LAB = Lab(
    name="array-warmups",
    rows=("M11",),
    title="Twelve array exercises",
    question=(
        "Can sums, products, selections, eigenvectors, random samples, z-scores and pairwise distances each "
        "be had in an expression without a loop, and differentiated where that has a meaning?"
    ),
    quick="nothing, as the whole takes a second",
    run=run,
)
