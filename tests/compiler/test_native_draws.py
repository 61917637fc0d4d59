"""Random numbers drawn by native code: bit for bit those of the generator."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from native_code import every_width, machine_with

import wengert
from wengert import nn
from wengert.compiler.bulk_draws import drawn
from wengert.compiler.captured import Draw
from wengert.compiler.llvm import draws
from wengert.compiler.llvm.engines import NativeModule, compiled
from wengert.compiler.llvm.modules import module_texts
from wengert.random import Generator, default_generator

F32, F64 = np.dtype(np.float32), np.dtype(np.float64)
CASES: list[tuple[str, dict[str, Any]]] = [
    ("uniform", {"dtype": F32}),
    ("uniform", {"dtype": F64}),
    ("uniform", {"dtype": F32, "low": -0.1, "high": 0.3}),
    ("uniform", {"dtype": F64, "low": 1.0, "high": 1.0 + 2.0**-50}),
    ("uniform", {"dtype": F32, "low": 1.0, "high": 1.0 + 2.0**-20}),
    ("normal", {"dtype": F32}),
    ("normal", {"dtype": F64}),
    ("normal", {"dtype": F32, "mean": 0.3, "std": 2.5}),
    ("normal", {"dtype": F64, "mean": -1.0, "std": 0.0}),
    ("bernoulli", {"p": 0.3}),
    ("bernoulli", {"p": 0.0}),
    ("bernoulli", {"p": 1.0}),
    ("bernoulli", {"p": 1.0 - 2.0**-53}),
]
STREAMS = [
    *((7, 0, 1000), (2**127 + 12345, 3, 1), (5, 4 * (2**64 - 3) + 2, 1000), (1, 2**70 + 1, 257)),
    *((9, 1, 0), (9, 2, 5), (3, 253, 4), (3, 2, 510), (11, 1, 100_000)),
]
"""Seeds, counters and how many numbers are drawn: within blocks and chunks, across words of the counter."""


@functools.cache
def drawing(case: int, vector_bits: int) -> Callable[..., None]:
    machine = machine_with(vector_bits)
    method, settings = CASES[case]
    code = getattr(draws, method)("draw", machine.lanes(8), **settings)
    module = NativeModule(compiled(module_texts([], [code], vector_bits), machine), machine)
    return module.function("draw", ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)


def words(number: int) -> tuple[int, int]:
    return number % 2**64, number >> 64


@every_width
@pytest.mark.parametrize("case", range(len(CASES)), ids=[f"{m} {s}" for m, s in CASES])
def test_native_draws_are_the_generators(case: int, vector_bits: int) -> None:
    function = drawing(case, vector_bits)
    method, settings = CASES[case]
    for seed, counter, count in STREAMS:
        generator = Generator(0)
        generator.set_state((seed, counter))
        expected = getattr(generator, method)(shape=(count,), **settings)
        state = np.array([*words(seed), *words(counter)], dtype=np.uint64)
        memory = np.full(count + 8, 1, expected.dtype)
        function(memory.ctypes.data, count, state.ctypes.data)
        assert memory[:count].tobytes() == expected.tobytes()
        assert (memory[count:] == 1).all()
        assert tuple(map(int, state)) == (*words(seed), *words(generator.counter))


def test_a_stream_goes_on_where_it_stopped() -> None:
    function = drawing(0, 128)
    state, pieces = np.array([4, 0, 0, 0], dtype=np.uint64), []
    for count in (3, 1, 0, 300, 7):
        pieces.append(np.empty(count, np.float32))
        function(pieces[-1].ctypes.data, count, state.ctypes.data)
    assert np.array_equal(np.concatenate(pieces), Generator(4).uniform(311, dtype=np.float32))


@pytest.mark.parametrize("p", [-0.1, 1.5, float("nan")])
def test_a_probability_outside_the_interval_is_named(p: float) -> None:
    with pytest.raises(ValueError, match="p: expected a probability from 0 to 1, got"):
        draws.bernoulli("draw", 8, p)


def test_an_empty_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="no number of float32 lies in"):
        draws.uniform("draw", 8, F32, 1.0 + 2.0**-40, 1.0 + 2.0**-39)


# -- the draws of many steps at once
# ------------------------------------------------------------------------------------------------------------


def draw(generator: Generator, method: str, **settings: Any) -> Draw:
    sample = np.asarray(getattr(Generator(0), method)(**settings))
    return Draw(generator, method, settings, SimpleNamespace(shape=sample.shape, dtype=sample.dtype))  # type: ignore[arg-type]


def of_steps(first: Generator, second: Generator, all_native: bool) -> list[Draw]:
    """The draws of a step, of two generators in turn."""
    draws = [
        draw(first, "bernoulli", p=0.3, shape=(4, 5)),
        draw(second, "normal", shape=(3,), mean=0.0, std=2.0, dtype=np.float32),
        draw(first, "uniform", shape=(), low=-1, high=2.0, dtype=np.float64),
        draw(first, "bernoulli", p=1.0, shape=(2,)),
        draw(second, "bernoulli", p=0.5, shape=(0, 3)),
    ]
    others = [
        draw(first, "permutation", n=7),
        draw(second, "integers", low=2, high=9, shape=(2, 2)),
        draw(first, "bernoulli", p=np.array([0.1, 0.5]), shape=None),
        draw(first, "bits", shape=3),
    ]
    return draws if all_native else [*draws, *others]


@pytest.mark.parametrize("all_native", [True, False])
def test_the_draws_of_many_steps_are_those_of_each_step_in_turn(all_native: bool) -> None:
    generators = Generator(2**100 + 5), Generator(9)
    generators[0].bits(3)
    found = drawn(of_steps(*generators, all_native), 6)
    again = Generator(2**100 + 5), Generator(9)
    again[0].bits(3)
    draws = of_steps(*again, all_native)
    for step in range(6):
        for array, one in zip(found, draws, strict=True):
            expected = np.asarray(getattr(one.generator, one.method)(**one.settings))
            assert array[step].dtype == expected.dtype
            assert array[step].tobytes() == expected.tobytes(), one.method
    assert [g.get_state() for g in generators] == [g.get_state() for g in again]


def test_an_epoch_with_dropout_draws_what_the_steps_would() -> None:
    def made() -> Any:
        wengert.manual_seed(4)
        model = nn.Sequential(
            nn.Linear(6, 20), nn.Dropout(0.3), nn.Linear(20, 20), nn.Dropout(0.5), nn.Linear(20, 1)
        )
        optimizer = wengert.optim.SGD(model.parameters(), lr=0.05)

        def step(x: Any) -> Any:
            optimizer.zero_grad()
            loss = (model(x + 0.1 * default_generator.normal((6,), dtype=np.float32)) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        return step

    x = np.random.default_rng(0).standard_normal((50, 6)).astype("float32")
    step = made()
    expected = [step(wengert.tensor(x[k : k + 10])).item() for k in range(0, 50, 10)]
    state = default_generator.get_state()
    native = wengert.compile(made(), backend="native")
    assert native.epoch((x,), batch_size=10).tolist() == pytest.approx(expected, rel=1e-4)
    assert native.latest.runs_epochs
    assert default_generator.get_state() == state
