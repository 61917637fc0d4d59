"""wengert: automatic differentiation that shows its work.

Importing this package imports nothing else: every name is loaded when it is first used.

>>> import wengert
>>> wengert.grad(lambda x: x**3)(2.0)
12.0
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "wengert.compiler.steps": "compile CompiledStep",
    "wengert.compiler.teaching": "CaptureError",
    "wengert.worksheets.explain": "explain",
    "wengert.worksheets.derive": "derive",
    "wengert.worksheets.checks.claims": "check",
    "wengert.worksheets.checks.step_verdicts": "check_steps",
    "wengert.worksheets.checks.hand_gradients": "compare_gradients",
    "wengert.worksheets.exercises.topics": "exercise",
    "wengert.autodiff.transforms": "grad value_and_grad vjp jvp linearize jacobian hessian hvp",
    "wengert.autodiff.batching": "vmap",
    "wengert.autodiff.scanning": "scan",
    "wengert.autodiff.custom": "custom_vjp custom_jvp",
    "wengert.autodiff.checkpointing": "checkpoint",
    "wengert.autodiff.checking": "check_gradients GradientMismatch",
    "wengert.autodiff.levels": "no_grad enable_grad set_grad_enabled is_grad_enabled",
    "wengert.autodiff.anomaly": "detect_anomaly NonFiniteAdjoint",
    "wengert.numbers.dtypes": (
        "float32 float64 int32 int64 bool_ complex64 complex128 get_default_dtype set_default_dtype"
    ),
    "wengert.numbers.mismatch": "ShapeMismatch",
    "wengert.random": "Generator manual_seed",
    "wengert.tensors": "Tensor",
    "wengert.creation": (
        "tensor as_tensor from_numpy is_tensor zeros ones empty full full_like empty_like eye arange "
        "linspace logspace"
    ),
    "wengert.sampling": (
        "rand randn rand_like randn_like randint randperm normal uniform bernoulli multinomial"
    ),
    "wengert.scalar.number": "Scalar",
    "wengert.ops.methods": "clip allclose",
    "wengert.ops.shape": "split",
    "wengert.ops.indexing": "take sort",
    "wengert.tensor_files": "save load",
    "wengert.train.watching": "watch",
    "wengert.train.step_explanation": "explain_step",
}
_MODULES = (
    *("autograd", "data", "export", "labs", "linalg", "nn"),
    *("optim", "random", "scalar", "sklearn", "solve", "stats", "tables", "train"),
)
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOME:
        found = getattr(import_module(_HOME[name]), name)
    elif name in _MODULES:
        found = import_module(f"wengert.{name}")
    elif name == "__all__":
        found = _public_names()
    elif name.startswith("__"):
        raise AttributeError(name)
    else:
        found = _operation(name)
    globals()[name] = found
    return found


def _operation(name: str) -> Any:
    """The row of the rule table of that name."""
    from importlib import import_module

    from wengert.ops import lookup

    import_module("wengert.numbers")  # where the number systems make themselves known
    try:
        return lookup(name)
    except KeyError:
        from difflib import get_close_matches

        near = get_close_matches(name, _public_names(), 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise AttributeError(f"module 'wengert' has no attribute {name!r}{hint}") from None


def _public_names() -> list[str]:
    from wengert.ops import rows

    operations = {row.name for row in rows() if row.public}
    return sorted({*_HOME, *_MODULES, *operations})


def __dir__() -> list[str]:
    return sorted({*globals(), *_public_names()})
