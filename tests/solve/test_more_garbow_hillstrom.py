"""Every second-order solver reaches the published minima of Moré, Garbow & Hillstrom's problems."""

import numpy as np
import pytest
from more_garbow_hillstrom import PROBLEMS, Problem

import wengert
from wengert.solve import least_squares, minimize

METHODS = ("newton", "truncated-newton", "bfgs", "l-bfgs")


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_the_gradient_is_that_of_the_residuals(problem: Problem) -> None:
    start = np.array(problem.start)
    expected = 2 * wengert.jacobian(problem.residuals)(start).T @ problem.residuals(start)
    np.testing.assert_allclose(wengert.grad(problem.sum_of_squares)(start), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
@pytest.mark.parametrize("method", METHODS)
def test_minimize_reaches_the_published_minimum(method: str, problem: Problem) -> None:
    found = minimize(problem.sum_of_squares, np.array(problem.start), method=method, tol=1e-15)
    assert problem.is_reached(found.fun), found


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_levenberg_marquardt_reaches_the_published_minimum(problem: Problem) -> None:
    found = least_squares(problem.residuals, np.array(problem.start), tol=1e-15)
    assert problem.is_reached(2 * found.fun), found


@pytest.mark.slow
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_products_alone_reach_the_published_minimum(problem: Problem) -> None:
    found = least_squares(problem.residuals, np.array(problem.start), tol=1e-15, jacobian="products")
    assert problem.is_reached(2 * found.fun), found


def test_there_are_the_problems_that_the_paper_names() -> None:
    assert len(PROBLEMS) >= 15
    assert len({problem.name for problem in PROBLEMS}) == len(PROBLEMS)
