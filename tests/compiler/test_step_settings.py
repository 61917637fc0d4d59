"""Numbers that a step finds around it, in objects, lists and dictionaries: programs hold while these stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import wengert

X = np.arange(4.0)


@dataclass(slots=True)
class Settings:
    scale: float = 2.0


class Model:
    rate = 2.0

    def __init__(self) -> None:
        self.scale, self.calls = 2.0, 0

    def plain(self, x: Any) -> Any:
        return self.scaled(x)

    def scaled(self, x: Any) -> Any:
        return x * self.scale

    def counting(self, x: Any) -> Any:
        self.calls += 1
        return x * self.scale

    @wengert.compile
    def step(self, x: Any) -> Any:
        return (x * self.scale).sum()


sizes, words = [2.0, 1.0], {"scale": 2.0}
config, nested, slotted = SimpleNamespace(scale=2.0), SimpleNamespace(sizes=[2.0]), Settings()
tensors = [wengert.ones(4)]
model = Model()


def helper(x: Any) -> Any:
    return x * 2.0


def other_helper(x: Any) -> Any:
    return x * 5.0


PLACES: dict[str, tuple[Callable[[Any], Any], Callable[[], object]]] = {
    "a list": (lambda x: x * sizes[0], lambda: sizes.__setitem__(0, 5.0)),
    "a dictionary": (lambda x: x * words["scale"], lambda: words.update(scale=5.0)),
    "an object": (lambda x: x * config.scale, lambda: setattr(config, "scale", 5.0)),
    "a list in an object": (lambda x: x * nested.sizes[0], lambda: nested.sizes.__setitem__(0, 5.0)),
    "slots": (lambda x: x * slotted.scale, lambda: setattr(slotted, "scale", 5.0)),
    "a class": (lambda x: x * Model.rate, lambda: setattr(Model, "rate", 5.0)),
    "a list of tensors": (lambda x: tensors[0] * x, lambda: tensors.__setitem__(0, wengert.zeros(4))),
    "a method's object": (model.plain, lambda: setattr(model, "scale", 5.0)),
    "a function": (lambda x: helper(x), lambda: globals().update(helper=other_helper)),
}


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    yield
    sizes[0] = words["scale"] = config.scale = nested.sizes[0] = slotted.scale = model.scale = 2.0
    Model.rate, model.calls, tensors[0] = 2.0, 0, wengert.ones(4)
    globals()["helper"] = _FIRST_HELPER


_FIRST_HELPER = helper


@pytest.mark.parametrize("place", PLACES)
def test_a_changed_setting_compiles_again(place: str) -> None:
    function, change = PLACES[place]
    step = wengert.compile(function, backend="numpy")
    for _ in range(2):
        np.testing.assert_array_equal(np.asarray(step(X)), np.asarray(function(X)))
    assert step.recompilations == []
    change()
    np.testing.assert_array_equal(np.asarray(step(X)), np.asarray(function(X)))
    assert len(step.recompilations) == 1


def test_the_settings_of_an_argument_are_watched_too() -> None:
    given = SimpleNamespace(scale=2.0)
    step = wengert.compile(lambda x, s: x * s.scale, backend="numpy")
    step(X, given)
    given.scale = 5.0
    np.testing.assert_array_equal(step(X, given), X * 5)


def test_the_settings_of_a_module_are_watched_too() -> None:
    class Scaled(wengert.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.config, self.sizes = SimpleNamespace(scale=2.0), [1.0]

        def forward(self, x: Any) -> Any:
            return x * self.config.scale * self.sizes[0]

    module = Scaled()
    step = wengert.compile(module, backend="numpy")
    step(X)
    module.config.scale = 5.0
    np.testing.assert_array_equal(step(X), X * 5)
    module.sizes[0] = 2.0
    np.testing.assert_array_equal(step(X), X * 10)


def test_the_reason_is_what_the_program_that_ran_last_misses() -> None:
    layer = wengert.nn.Linear(4, 1).double()
    step = wengert.compile(lambda x: layer(x).sum(), backend="numpy")
    step(X)
    layer.eval()
    step(X)
    layer.weight.requires_grad_(False)
    step(X)
    assert [reason.partition(" ")[0] for reason in step.recompilations] == ["the", "requires_grad"]


def test_what_a_step_does_not_name_may_change() -> None:
    step = wengert.compile(model.plain, backend="numpy")
    for _ in range(3):
        step(X)
        model.calls += 1
    assert step.recompilations == []


def test_a_number_changed_by_the_step_itself_is_refused() -> None:
    with pytest.raises(wengert.CaptureError, match=r"self\.calls from 0 to 1.*\n.*behind the step"):
        wengert.compile(model.counting, backend="numpy")(X)


def test_an_array_that_is_given_is_not_written_into() -> None:
    def first_is_one(x: Any) -> Any:
        x[0] = 1.0
        return x.sum()

    with pytest.raises(wengert.CaptureError, match=r"x\[0\] = 1.0(.|\n)*right:  x = wengert.concatenate"):
        wengert.compile(first_is_one)(X)


def test_a_compiled_method_can_do_what_a_step_can() -> None:
    first, second = Model(), Model()
    second.scale = 3.0
    assert first.step.epoch((X,), batch_size=2).tolist() == [2.0, 10.0]
    assert second.step.epoch((X,), batch_size=2).tolist() == [3.0, 15.0]
    assert float(second.step.bind(X)()) == 18.0
    assert "np." in first.step.source
    assert "inputs: " in first.step.report()


def test_functions_that_compute_nothing_when_called_are_refused() -> None:
    def items(x: Any) -> Iterator[Any]:
        yield x

    async def later(x: Any) -> Any:
        return x

    for function, kind in ((items, "generator"), (later, "coroutine")):
        with pytest.raises(TypeError, match=f"{function.__name__} is a {kind} function"):
            wengert.compile(function)


@pytest.mark.parametrize("threads", [0, -1, 2.5, "2"])
def test_a_wrong_number_of_threads_is_named(threads: Any) -> None:
    with pytest.raises(ValueError, match="threads: expected a whole number of at least 1"):
        wengert.compile(lambda x: x.sum()).epoch((X,), batch_size=2, threads=threads)


def test_the_graph_and_the_passes_can_be_printed() -> None:
    step = wengert.compile(lambda x: (wengert.exp(x) * 2).sum(), backend="numpy")
    step(X)
    assert str(step.graph).splitlines()[1].split("#")[0].strip() == "v1 = exp(v0)"
    assert repr(step.passes[0]).startswith("<numbers: ")
    assert str(step.passes[0]).count("\n") > 2
