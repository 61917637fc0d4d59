"""Programs as data: steps that apply rows of the table, and the ways in which such a program is used.

A program knows how to become a function, a gradient of that function, a training step and so on, in single or
in double precision, and with rounding errors put in on purpose: so a wrong number can be told from a badly
conditioned one. Printed it is Python that runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import wengert
from wengert.ops.op import lookup

Array = np.ndarray[Any, Any]

WAYS = ("value", "gradient", "jvp", "vmap", "curvature", "training", "state")
"""What is made of a program's function: see `program_outcomes` for the last two."""


@dataclass(frozen=True)
class Step:
    """``name = row(*args, **params)``, or the component of that number of it. An argument is the name of a
    value, or a plain number."""

    name: str
    row: str
    args: tuple[Any, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    component: int | None = None

    def applied(
        self, values: Mapping[str, Any], wide: bool = False, noise: Callable[[Any], Any] = lambda x: x
    ) -> Any:
        """The step's value; in double precision throughout, if ``wide``. ``noise`` changes every argument."""
        params = dict(self.params)
        if wide and params.get("dtype") == "float32":
            params["dtype"] = "float64"
        args = tuple(noise(values[a]) if type(a) is str else a for a in self.args)
        found = lookup(self.row).apply(args, params)
        return found if self.component is None else found[self.component]

    def text(self) -> str:
        """The step as a line of Python."""
        args = ", ".join(map(str, self.args))
        found = f'lookup("{self.row}").apply(({args},), {dict(self.params)!r})'
        end = "" if self.component is None else f"[{self.component}]"
        return f"{self.name} = {found}{end}"


@dataclass(frozen=True)
class RandomProgram:
    """Inputs by name (arrays, and Python's numbers), steps, the names of the outputs, and the ``way`` in
    which it is used."""

    inputs: Mapping[str, Any]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]
    way: str = "value"

    def arrays(self, wide: bool = False) -> list[Any]:
        """The inputs, as copies."""
        return [
            a
            if type(a) is float
            else np.array(a, "float64" if wide and a.dtype.kind == "f" else None, order="C")
            for a in self.inputs.values()
        ]

    def function(self, wide: bool = False, noise: Callable[[Any], Any] = lambda x: x) -> Callable[..., Any]:
        """The outputs as a function of the inputs. ``noise`` changes every value wherever it is used."""

        def f(*arrays: Any) -> Any:
            values = dict(zip(self.inputs, arrays, strict=True))
            for step in self.steps:
                values[step.name] = step.applied(values, wide, noise)
            return tuple(noise(values[name]) for name in self.outputs)

        return f

    def used(self, wide: bool = False, noise: Callable[[Any], Any] = lambda x: x) -> Callable[..., Any]:
        """The program in its way: what eager and compiled evaluation are compared on."""
        f = self.function(wide, noise)
        return f if self.way == "value" else _USES[self.way](self, f)

    def __str__(self) -> str:
        """The program as Python that runs, with its inputs."""
        rows = [
            f"{name} = {a!r}"
            if type(a) is float
            else f"{name} = np.array({_entries(a)}, dtype=np.{a.dtype}).reshape({a.shape})"
            for name, a in self.inputs.items()
        ]
        body = [f"    {step.text()}" for step in self.steps]
        head = [
            "import numpy as np",
            "from numpy import inf, nan",
            "from wengert.ops.indexing import Slot as array",
            "from wengert.ops.op import lookup",
            "import wengert",
        ]
        last = f"    return ({', '.join(self.outputs)},)"
        return "\n".join(
            [*head, *rows, f"def f({', '.join(self.inputs)}):", *body, last, f"# way: {self.way}"]
        ).replace("array0", "array(0)")


def _entries(a: Array) -> str:
    return repr(a.ravel().tolist())


def without_unused(program: RandomProgram) -> RandomProgram:
    """The program without steps and inputs that no output needs."""
    needed = set(program.outputs)
    for step in reversed(program.steps):
        if step.name in needed:
            needed |= {a for a in step.args if type(a) is str}
    inputs = {name: a for name, a in program.inputs.items() if name in needed}
    steps = tuple(step for step in program.steps if step.name in needed)
    return dataclasses.replace(program, inputs=inputs, steps=steps)


# -- the ways
# ------------------------------------------------------------------------------------------------------------


def weights_like(value: Any) -> Any:
    """Adjoints or tangents without any order, which are exact in every precision."""
    entries = ((np.arange(np.size(value)) * 7) % 11 + 3) / 8
    return entries.astype(np.asarray(value).dtype).reshape(np.shape(value))


def total_of(f: Callable[..., Any]) -> Callable[..., Any]:
    """The floating-point outputs, weighted and summed."""

    def total(*args: Any) -> Any:
        summed: Any = 0.0
        for value in f(*args):
            if is_float_array(value):
                like = np.empty(value.shape, value.dtype) if hasattr(value, "shape") else value
                summed = summed + wengert.sum(value * weights_like(like))
        return summed

    return total


def is_float_array(value: Any) -> bool:
    """Whether a value, traced or not, is an array of floating-point numbers; a Python number is none."""
    return hasattr(value, "dtype") and np.dtype(value.dtype).kind == "f"


def dtype_kind(value: Any) -> str:
    return np.dtype(value.dtype).kind if hasattr(value, "dtype") else np.asarray(value).dtype.kind


def float_places(program: RandomProgram) -> list[int]:
    """Which inputs are arrays of floating-point numbers."""
    return [k for k, a in enumerate(program.inputs.values()) if hasattr(a, "dtype") and a.dtype.kind == "f"]


def _gradient(program: RandomProgram, f: Callable[..., Any]) -> Callable[..., Any]:
    def both(*args: Any) -> Any:
        outputs = f(*args)
        return total_of(lambda *_: outputs)(*args), outputs

    return wengert.value_and_grad(both, argnums=float_places(program), has_aux=True)


def _jvp(program: RandomProgram, f: Callable[..., Any]) -> Callable[..., Any]:
    places = float_places(program)

    def pushed(*args: Any) -> Any:
        def of_floats(*floats: Any) -> Any:
            full = list(args)
            for k, x in zip(places, floats, strict=True):
                full[k] = x
            return tuple(v for v in f(*full) if is_float_array(v))

        primals = [args[k] for k in places]
        return wengert.jvp(of_floats, primals, [weights_like(np.empty(x.shape, x.dtype)) for x in primals])

    return pushed


def _vmapped(program: RandomProgram, f: Callable[..., Any]) -> Callable[..., Any]:
    """Every array twice, the second time with its entries in another order."""
    numbers = [type(a) is float for a in program.inputs.values()]

    def doubled(*args: Any) -> Any:
        both = [
            wengert.stack([x, wengert.flip(x) if x.shape else x])
            for x, number in zip(args, numbers, strict=True)
            if not number
        ]

        def single(*arrays: Any) -> Any:
            rest = iter(arrays)
            return f(*(x if number else next(rest) for x, number in zip(args, numbers, strict=True)))

        return wengert.vmap(single)(*both)

    return doubled


def _curvature(program: RandomProgram, f: Callable[..., Any]) -> Callable[..., Any]:
    """The Hessian of the total times a vector, by the first floating-point input."""
    place = float_places(program)[0]

    def product(*args: Any) -> Any:
        x = args[place]
        alone = lambda y: total_of(f)(*args[:place], y, *args[place + 1 :])  # noqa: E731
        return wengert.hvp(alone, (x,), (weights_like(np.empty(x.shape, x.dtype)),))

    return product


_USES = {
    "gradient": _gradient,
    "jvp": _jvp,
    "vmap": _vmapped,
    "curvature": _curvature,
}
