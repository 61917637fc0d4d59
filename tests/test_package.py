"""The package as a whole: what importing it costs, and what its names are."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys

import pytest

import wengert


def imported_by(statement: str) -> set[str]:
    """The top-level packages that a statement imports in a fresh interpreter."""
    listing = "json.dumps(sorted({name.partition('.')[0] for name in sys.modules}))"
    code = f"import json, sys\n{statement}\nprint({listing})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


HEAVY = {
    "numpy",
    "sympy",
    "mpmath",
    "rich",
    "click",
    "scipy",
    "sklearn",
    "matplotlib",
    "torch",
    "fast_sugiyama",
}


@pytest.mark.parametrize(
    "statement",
    [
        "import wengert",
        "import wengert; wengert.grad(lambda x: wengert.sin(x) * x)(2.0)",
        "from wengert.scalar import Scalar; x = Scalar(2.0); (x.tanh() / x).backward()",
        "import wengert; from fractions import Fraction; wengert.grad(lambda x: x * x / 3)(Fraction(1, 2))",
        "import wengert; wengert.explain('x*y + sin(x)', 1.0, 2.0).to_json()",
        "import wengert.cli.explain_command as c; c.inputs_of('x+y', 'x=1,y=2', None)",
    ],
)
def test_numbers_need_nothing_but_the_standard_library(statement: str) -> None:
    allowed = {"click"} if "cli" in statement else set()
    assert not (imported_by(statement) & HEAVY) - allowed


def test_every_public_name_exists_and_says_what_it_is() -> None:
    for name in wengert.__all__:
        found = getattr(wengert, name)
        if callable(found):
            assert (found.__doc__ or "").strip(), name


def test_no_submodule_bears_the_name_of_a_public_function() -> None:
    # importing such a submodule would replace the function
    submodules = {module.name for module in pkgutil.iter_modules(wengert.__path__)}
    functions = {name for name in wengert.__all__ if callable(getattr(wengert, name))}
    assert not submodules & functions


def test_an_unknown_name_is_an_attribute_error_with_a_suggestion() -> None:
    with pytest.raises(AttributeError, match="did you mean 'jacobian'"):
        wengert.jacobain  # noqa: B018


def test_names_are_listed() -> None:
    assert {"grad", "Tensor", "explain", "sin", "linalg"} <= set(dir(wengert))
