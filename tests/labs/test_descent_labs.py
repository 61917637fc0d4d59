"""The labs of descent, Newton's method, ℓ₁ regression and ReLU interpolants: their parts, and every claim."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from wengert import data
from wengert.data import descents, fetching
from wengert.labs import (
    Listing,
    Table,
    find_lab,
    l1_regression,
    landing_on_a_maximum,
    limit_cycles,
    phase_retrieval,
    plateau,
    relu_interpolant,
    run_lab,
    squared_measurements,
    zig_zag,
)
from wengert.random import Generator

QUICK = [
    "plateau",
    "zig-zag",
    "limit-cycles",
    "landing-on-a-maximum",
    "l1-regression",
    "relu-interpolant",
]


@pytest.mark.parametrize("name", QUICK)
def test_every_claim_of_a_quick_run_holds(name: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    pytest.importorskip("jinja2", reason="writes a page")
    pytest.importorskip("sympy", reason="exact numbers and formulas")
    pytest.importorskip("scipy", reason="linear programmes")
    result = run_lab(find_lab(name), quick=True)
    assert result.holds, [claim for claim in result.claims if not claim.holds]
    assert result.items[-1] == [item for item in result.items if isinstance(item, str)][-1], (
        "no closing paragraph"
    )
    assert all(Path(path).is_file() for path in result.write(tmp_path))


# -- the plateau ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "words"),
    [(6.0, "the minimum"), (3.0999, "stalls"), (4.5, "wanders"), (-1e9, "runs away"), (np.nan, "runs away")],
)
def test_the_end_of_a_descent_in_words(end: float, words: str) -> None:
    assert words in plateau.outcome(end)


def test_the_pieces_of_the_plateau_meet_as_printed() -> None:
    places = np.array([-0.1, 3.0, 5.0])
    just_below = np.nextafter(places, -10)
    jumps = [
        float(plateau.plateau(x)) - float(plateau.plateau(y)) for x, y in zip(places, just_below, strict=True)
    ]
    np.testing.assert_allclose(jumps, [0, 1e-3, 0], atol=1e-12)
    np.testing.assert_allclose(
        plateau.gradient_by_hand(places), plateau.gradient_by_hand(just_below), atol=1e-12
    )


# -- the zig-zag ---------------------------------------------------------------------------------------------


def test_factors_and_centre_are_read_off_a_descent() -> None:
    factors, centre = np.array([-0.5, 0.9]), np.array([2.0, -1.0])
    points = centre + np.array([3.0, 4.0]) * factors ** np.arange(30)[:, None]
    found, found_centre = zig_zag.shrink_factors(points)
    np.testing.assert_allclose(found, factors, atol=1e-12)
    np.testing.assert_allclose(found_centre, centre, atol=1e-12)
    assert [zig_zag.changes_of_side(points[:, k], centre[k]) for k in (0, 1)] == [29, 0]


def test_an_absent_sequence_is_regenerated_and_called_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WENGERT_DATA", str(tmp_path))
    monkeypatch.setattr(fetching, "cache_folder", lambda: tmp_path / "cache")
    sequence = data.load("descent-sequence")
    assert "regenerated" in sequence.origin
    assert sequence.points.shape == (201, 2)
    assert sequence.points[0].tolist() == [1.0, -3.0]
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    result = run_lab(find_lab("zig-zag"))
    assert result.holds
    assert any("regenerated" in item for item in result.items if isinstance(item, str))


@pytest.mark.skipif("WENGERT_DATA" not in os.environ, reason="needs the data sets: set WENGERT_DATA")
def test_the_regenerated_sequence_is_that_of_the_file() -> None:
    sequence = data.load("descent-sequence")
    assert "original" in sequence.origin
    np.testing.assert_allclose(descents.regenerated(), sequence.points, atol=5e-7)


# -- the cycle -----------------------------------------------------------------------------------------------


def test_starts_that_hit_zero_do_so_step_by_step() -> None:
    starts = limit_cycles.starts_that_hit_zero(4)
    np.testing.assert_allclose(starts[1], ((1 + 5**0.5) / 2) ** 2)
    np.testing.assert_allclose(limit_cycles.after_steps(np.array(starts[1:]), 1), starts[:-1])
    assert limit_cycles.after_steps(np.array([1.0]), 5) == 0


# -- a maximum -----------------------------------------------------------------------------------------------


def test_every_start_has_a_rate_that_lands_on_the_maximum() -> None:
    for start in landing_on_a_maximum.random_starts(20, Generator(0)):
        rate = landing_on_a_maximum.landing_rate(start)
        assert isinstance(rate, Fraction)
        assert rate > 0
        assert landing_on_a_maximum.descend(start, rate, 1)[-1] == 0


# -- squared measurements ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "slope", "eigenvalues", "kind"),
    [
        (1e-20, 1e-12, [1.0, 5.0], "global minimum"),
        (3.0, 1e-12, [1.0, 5.0], "local minimum"),
        (3.0, 1e-12, [-1.0, 5.0], "saddle"),
        (3.0, 1e-3, [1.0, 5.0], "not converged"),
        (np.nan, np.nan, [np.nan, np.nan], "not converged"),
    ],
)
def test_an_end_is_classified_by_slope_curvature_and_loss(
    loss: float, slope: float, eigenvalues: list[float], kind: str
) -> None:
    assert squared_measurements.classified(loss, slope, np.array(eigenvalues)) == kind


@pytest.mark.parametrize("method", list(squared_measurements.METHODS))
def test_a_spectral_start_leads_to_the_signal(method: str) -> None:
    problem = squared_measurements.Problem.random(Generator(1))
    start = problem.spectral_start(squared_measurements.optimal_weight)
    assert problem.distance(start) < 0.7
    end = squared_measurements.descended(method, problem, start)
    assert end.kind == "global minimum"
    assert problem.distance(end.x) < 1e-9
    assert end.losses[-1] < end.losses[0]
    assert len(end.losses) == end.iterations + 1


def test_newton_as_it_is_defined_ends_on_the_maximum_that_it_starts_beside() -> None:
    problem = squared_measurements.Problem.random(Generator(2))
    beside = np.full(squared_measurements.UNKNOWNS, 1e-3)
    plain, modified = (
        squared_measurements.descended(name, problem, beside) for name in ("Newton", "modified Newton")
    )
    assert plain.kind == "saddle"
    assert modified.kind.endswith("minimum")


@pytest.mark.slow
def test_every_claim_about_squared_measurements_holds() -> None:
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    result = run_lab(find_lab("phase-retrieval"), quick=True)
    assert result.holds, [claim for claim in result.claims if not claim.holds]
    ends = next(item for item in result.items if isinstance(item, Table))
    assert [sum(row[1:5]) for row in ends.rows] == [40, 40, 40]
    listing = next(item for item in result.items if isinstance(item, Listing))
    assert len(listing.text.splitlines()) == 42
    assert phase_retrieval.LAB.rows == ("M17", "M18")


# -- absolute errors -----------------------------------------------------------------------------------------


def test_a_certificate_tells_the_best_weights_from_others() -> None:
    x, y = l1_regression.larger_data(Generator(3))
    best = l1_regression.stats.l1_regression(x, y).weights
    zeros, largest = l1_regression.certificate(x, y, best)
    assert zeros == l1_regression.FEATURES
    assert largest <= 1
    through_the_first = np.linalg.solve(x[: l1_regression.FEATURES], y[: l1_regression.FEATURES])
    assert l1_regression.certificate(x, y, through_the_first)[1] > 1


def test_the_best_of_all_lines_through_two_points() -> None:
    x = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    assert l1_regression.best_line_by_trying_all(x, np.array([0.0, 5.0, 2.0])) == (4.0, 3)


# -- interpolants --------------------------------------------------------------------------------------------


def test_kinks_are_counted_where_the_slope_changes() -> None:
    points = [(Fraction(x), Fraction(y)) for x, y in ((0, 0), (1, 1), (2, 2), (3, 0), (4, 0))]
    assert relu_interpolant.kinks(points) == 2
    network = relu_interpolant.fitted(points)
    assert relu_interpolant.residual(network, points) == 0
    assert relu_interpolant.in_floats(network, points) < 1e-12
    assert relu_interpolant.residual(network, [(Fraction(1, 2), Fraction(1))]) == Fraction(1, 2)
