"""Random programs: what they compute as NumPy source and as native code is what eager evaluation computes.

A failure is shrunk and printed as Python that runs. `FIRST_SEED` in the environment moves all seeds, for a
search beyond the programs that every run tries.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from program_comparison import difference
from program_outcomes import flat, outcome
from program_shrinking import shrunk
from random_programs import random_program
from random_steps import BINARY, UNARY
from step_programs import RandomProgram

import wengert
from wengert.ops.op import lookup

FIRST = int(os.environ.get("FIRST_SEED", "0"))
WIDTHS = (128, 256, 512)


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The tests' native code goes to a folder of their own."""
    folder = tmp_path_factory.mktemp("cache")
    with mock.patch.dict(os.environ, {"WENGERT_CACHE": str(folder)}):
        yield folder


def complaint(program: RandomProgram, backend: str) -> str | None:
    """What is wrong with a program on a back end; None where nothing is."""
    want = outcome(program, lambda f: f)
    try:
        got = outcome(program, lambda f: wengert.compile(f, backend=backend))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return difference(program, got, want)


def check(seeds: range, backend: str, size: int = 6, large: bool = False) -> None:
    """Run the programs of these seeds; fail with a smaller program that goes wrong as the first one did."""
    for seed in seeds:
        program = random_program(FIRST + seed, size, large)
        problem = complaint(program, backend)
        if problem is not None:
            kind = problem.split(" ")[0]
            small = shrunk(program, lambda p, kind=kind: (complaint(p, backend) or "").split(" ")[0] == kind)
            pytest.fail(f"seed {FIRST + seed}, {backend}: {complaint(small, backend)}\n\n{small}")


def blocks(count: int, size: int) -> list[range]:
    """The seeds 0, 1, … in blocks."""
    return [range(first, first + size) for first in range(0, count, size)]


# -- against eager evaluation
# ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seeds", blocks(500, 100), ids=str)
def test_numpy_source_computes_what_eager_evaluation_does(seeds: range) -> None:
    check(seeds, "numpy")


@pytest.mark.parametrize("seeds", blocks(60, 30), ids=str)
def test_native_code_computes_what_eager_evaluation_does(seeds: range) -> None:
    pytest.importorskip("llvmlite")
    check(seeds, "native")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize("seeds", blocks(10_000, 500), ids=str)
def test_ten_thousand_programs(seeds: range, backend: str) -> None:
    if backend == "native":
        pytest.importorskip("llvmlite")
    check(range(1000 + seeds.start, 1000 + seeds.stop), backend)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", blocks(300, 50), ids=str)
def test_long_programs(seeds: range) -> None:
    pytest.importorskip("llvmlite")
    check(range(50_000 + seeds.start, 50_000 + seeds.stop), "native", size=20)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", blocks(300, 50), ids=str)
def test_programs_on_large_arrays(seeds: range) -> None:
    pytest.importorskip("llvmlite")
    check(range(60_000 + seeds.start, 60_000 + seeds.stop), "native", size=4, large=True)


@contextlib.contextmanager
def width(bits: int) -> Iterator[None]:
    """Inside, native code is made for vectors of so many bits."""
    pytest.importorskip("llvmlite")
    from wengert.compiler.llvm.machine import this_machine

    try:
        lesser = this_machine().limited(bits)
    except ValueError as error:
        pytest.skip(str(error))
    native = importlib.import_module("wengert.compiler.native")
    with mock.patch.object(native, "this_machine", lambda: lesser):
        yield


@pytest.mark.parametrize("bits", WIDTHS[:2])
def test_every_width_computes_the_same(bits: int) -> None:
    with width(bits):
        check(range(100, 115), "native")


@pytest.mark.slow
@pytest.mark.parametrize("bits", WIDTHS)
def test_many_programs_at_every_width(bits: int) -> None:
    with width(bits):
        check(range(20_000, 20_300), "native")


# -- special values
# ------------------------------------------------------------------------------------------------------------

SPECIAL = (np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0, -1.0, 2.5, -0.75, 1e-40, -3e38, 700.0, -90.0, 0.5, 3.0)


def _same_specials(got: Any, want: Any) -> bool:
    """NaN where NaN is wanted, the same infinities, and close numbers."""
    with np.errstate(all="ignore"):
        g, w = got.astype("float64"), want.astype("float64")
        close = np.abs(g - w) <= 8 * np.finfo(np.float32).eps * np.abs(w) + 1e-44
    return bool(np.all((g == w) | (np.isnan(g) & np.isnan(w)) | (np.isfinite(w) & close)))


@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_values_go_through_as_in_numpy(dtype: str, backend: str) -> None:
    if backend == "native":
        pytest.importorskip("llvmlite")
    with np.errstate(all="ignore"):
        x = np.array(SPECIAL * 3).astype(dtype)
        a, b = (np.ascontiguousarray(m) for m in np.meshgrid(x[:15], x[:15]))
    wanted = [*((name, 1) for name in UNARY), *((name, 2) for name in BINARY)]

    def all_rows(x: Any, a: Any, b: Any) -> Any:
        return tuple(lookup(name)(x) if count == 1 else lookup(name)(a, b) for name, count in wanted)

    for (name, _), got, want in zip(
        wanted, wengert.compile(all_rows, backend=backend)(x, a, b), all_rows(x, a, b), strict=True
    ):
        assert got.dtype == want.dtype, name
        assert _same_specials(got, want), f"{name}: {got} instead of {want}"


# -- the same bits
# ------------------------------------------------------------------------------------------------------------


def _bytes(values: list[Any]) -> list[bytes]:
    return [v.tobytes() for v in values]


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_a_second_run_gives_the_same_bits(backend: str) -> None:
    if backend == "native":
        pytest.importorskip("llvmlite")
    for seed in range(200, 215):
        program = random_program(seed)
        if program.way in ("training", "state"):
            continue
        step = wengert.compile(program.used(), backend=backend)
        runs = [_bytes(outcome(program, lambda f: step)) for _ in range(3)]  # noqa: B023
        assert runs[0] == runs[1] == runs[2], str(program)


@pytest.mark.slow
def test_large_programs_give_the_same_bits_whoever_shares_the_work() -> None:
    pytest.importorskip("llvmlite")
    for seed in range(60_000, 60_030):
        program = random_program(seed, 4, large=True)
        if program.way in ("training", "state"):
            continue
        step = wengert.compile(program.used(), backend="native")
        runs = {tuple(_bytes(outcome(program, lambda f: step))) for _ in range(6)}  # noqa: B023
        assert len(runs) == 1, str(program)


def _arranged(kind: str, array: Any) -> Any:
    """The same entries, lying in memory in another way."""
    if kind == "columns first":
        return np.asfortranarray(array)
    if kind == "apart":
        wide = np.zeros((*array.shape, 3), array.dtype)
        wide[..., 1] = array
        return wide[..., 1]
    if kind == "backwards":
        turned = np.ascontiguousarray(array[tuple(slice(None, None, -1) for _ in array.shape)])
        return turned[tuple(slice(None, None, -1) for _ in array.shape)]
    if kind == "misaligned":
        room = np.zeros(array.nbytes + 1, np.uint8)
        found = room[1:].view(array.dtype).reshape(array.shape)
        found[...] = array
        return found
    return array.astype(array.dtype.newbyteorder())


@pytest.mark.parametrize("kind", ["columns first", "apart", "backwards", "misaligned", "foreign byte order"])
@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_arguments_may_lie_in_memory_in_any_way(backend: str, kind: str) -> None:
    if backend == "native":
        pytest.importorskip("llvmlite")
    tried = 0
    for seed in range(300, 340):
        program = random_program(seed)
        if program.way not in ("value", "gradient") or tried == 4:
            continue
        tried += 1
        step = wengert.compile(program.used(), backend=backend)
        want = outcome(program, lambda f: step)  # noqa: B023
        moved = {name: a if type(a) is float else _arranged(kind, a) for name, a in program.inputs.items()}
        with np.errstate(all="ignore"):
            got = [np.array(v) for v in flat(step(*moved.values()))]
        assert _bytes(got) == _bytes(want), str(program)


def _epoch(build: Callable[[], tuple[Any, Any]], threads: int) -> list[bytes]:
    """The bits that an epoch by so many threads leaves behind."""
    step, parameters = build()
    generator = np.random.default_rng(0)
    x = generator.standard_normal((320, 300)).astype("float32")
    y = generator.integers(0, 7, 320)
    step(x[:64], y[:64])
    bound = step.latest
    assert bound.miss() is None
    arrays = [None, None, *bound.buffers.read(), *bound.number_arrays, *bound.constants]
    order = generator.permutation(320)
    results = bound.executable.executor.run_epoch(arrays, {0: x, 1: y}, order, 5, threads)
    return _bytes([*results, *(p.data for p in parameters)])


def _classifier() -> tuple[Any, Any]:
    wengert.manual_seed(0)
    model = wengert.nn.Sequential(wengert.nn.Linear(300, 200), wengert.nn.Tanh(), wengert.nn.Linear(200, 7))
    optimizer = wengert.optim.Adam(model.parameters(), lr=1e-3)
    loss_of = wengert.nn.CrossEntropyLoss()

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return wengert.compile(step, backend="native"), list(model.parameters())


def test_the_number_of_threads_changes_no_bit() -> None:
    pytest.importorskip("llvmlite")
    alone = _epoch(_classifier, 1)
    assert all(_epoch(_classifier, threads) == alone for threads in (2, 3))


# -- what random programs have found
# ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize("shape", [(), (1,), (5,), (7, 3), (0, 2)])
def test_tensors_may_change_places(shape: tuple[int, ...], backend: str) -> None:
    if backend == "native":
        pytest.importorskip("llvmlite")
    tensors = [wengert.tensor(np.full(shape, float(k))) for k in range(3)]

    def step() -> None:
        a, b, c = (t.detach() for t in tensors)
        tensors[0].copy_(b)
        tensors[1].copy_(c)
        tensors[2].copy_(a)

    rotate = wengert.compile(step, backend=backend)
    rotate()
    rotate()
    assert all(np.all(t.data == k) for t, k in zip(tensors, (2, 0, 1), strict=True))


@pytest.mark.parametrize("make", [wengert.optim.SGD, wengert.optim.Adam])
def test_a_parameter_without_axes_trains_like_one_with_an_axis(make: Any) -> None:
    found = []
    for shape in ((), (1,)):
        p = wengert.tensor(np.full(shape, -1.0), requires_grad=True)
        settings = {"momentum": 0.9} if make is wengert.optim.SGD else {}
        optimizer = make([p], lr=0.1, **settings)
        for _ in range(4):
            optimizer.zero_grad()
            (p * p).sum().backward()
            optimizer.step()
        found.append(p.item())
    assert found[0] == found[1]


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_arrays_without_entries(backend: str) -> None:
    if backend == "native":
        pytest.importorskip("llvmlite")

    def f(x: Any, w: Any) -> Any:
        y = wengert.tanh(x) + 1
        return y, wengert.sum(y, axis=0), y @ w, wengert.transpose(x) @ x, x[1:1, ::-1], wengert.all(x > 0)

    for x, w in ((np.zeros((0, 3)), np.ones((3, 2))), (np.zeros((2, 0)), np.ones((0, 4)))):
        for got, want in zip(wengert.compile(f, backend=backend)(x, w), f(x, w), strict=True):
            assert got.shape == np.shape(want)
            assert np.array_equal(got, want)
