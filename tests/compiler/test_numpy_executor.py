"""A program run as NumPy source computes what eager evaluation does, in memory that is reused."""

import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy_programs import RNG, check, pure, value

import wengert
import wengert.nn.functional as F
from wengert.compiler import numpy_blocks
from wengert.compiler.captured import Captured
from wengert.compiler.lowering import lowered
from wengert.compiler.numpy_source import NumpyExecutor, NumpySource, numpy_source
from wengert.numbers.graph import Graph
from wengert.ops.op import TABLE

A = RNG.standard_normal((3, 4)).astype(np.float32)
B = RNG.standard_normal((4, 3)).astype(np.float32)
V = RNG.standard_normal(4)
K = RNG.integers(0, 3, 4)


@pytest.mark.parametrize(
    ("f", "arrays"),
    [
        (lambda a, b: (a @ b).tanh() + 1.0, (A, B)),
        (lambda a: (a.sum(), a.sum(axis=0), a.max(axis=(0, 1), keepdims=True)), (A,)),
        (lambda a: a.T @ a, (A,)),
        (lambda a: wengert.where(a > 0, a, 0.0) + wengert.where(a > 0, -1.5, a), (A,)),
        (lambda a: a[1:, ::-1] * a[:2, ::2].sum(), (A,)),
        (lambda a: a.reshape(2, 6).T.reshape(4, 3) + 1, (A,)),
        (lambda a: wengert.concatenate([a, a * 2], axis=1).exp(), (A,)),
        (lambda a, k: a.T[k], (A, K)),
        (lambda a: (a.sum() / 3).exp() * a, (A,)),
        (lambda v: (v @ v, wengert.outer(v, v)), (V,)),
        (lambda v: wengert.erf(v) + v**2 - v**-1.5, (V,)),
        (lambda k: (k + 1, k / 2, k.exp(), k == 1, (k > 0).sum()), (K,)),
        (lambda a: a.astype("float64") / 3, (A,)),
        (lambda x: x + x.sum(axis=0), (np.zeros((0, 3), np.float32),)),
        (lambda x: (x * 2, x.exp().sum()), (np.array(0.5, np.float32),)),
        (lambda x, y: x - y, (np.ones((3, 1)), np.arange(4.0))),
        (lambda z: z * z + 1j, (np.array([1 + 2j, -1j]),)),
        (lambda m: wengert.linalg.det(m) * wengert.linalg.inv(m), (np.eye(3) + 0.1,)),
        (lambda m: list(wengert.linalg.eigh(m)), (np.diag([1.0, 2.0, 3.0]),)),
        (lambda a: wengert.broadcast_to(a.sum(axis=0), (2, 4)), (A,)),
        (lambda a: a, (A,)),
        (lambda a: a.T, (A,)),
        (lambda a: wengert.cumsum(a, axis=0) * 2, (A,)),
        (lambda a: (a * np.float32("nan"), a / 0.0, wengert.log(a)), (A,)),
        (lambda a: F.conv2d(a[None, None], a[None, None, :2, :2]), (A,)),
    ],
)
def test_programs_equal_eager(f, arrays):
    check(pure(f), *arrays)


def test_numbers_without_axes_stay_python_numbers():
    graph = Graph(share=True)
    rate, x = graph.leaf("input", 0.1, "rate"), graph.leaf("input", A, "x")
    result = x * ((1 - rate**3) / wengert.sqrt(rate + 2)) * wengert.exp(rate)
    runner = NumpyExecutor(lowered(Captured(graph, [rate, x], results=[result, 1 - rate])))
    (found, number) = runner.run([np.array(0.1), A])
    np.testing.assert_array_equal(found, result.value, strict=True)
    assert number.shape == ()
    assert number == 0.9


def sample_arrays(op):
    """The arguments of each of a row's sample calls, as arrays, and its parameters."""
    for case in op.sample:
        is_einsum = op.name == "einsum"
        listed = [np.asarray(a) if is_einsum and isinstance(a, list) else a for a in case.args]
        args, params = op.bind(tuple(listed), dict(case.params))
        arrays = [np.asarray(a) for a in args]
        yield [a.astype(float) if a.dtype.kind == "f" else a for a in arrays], params


@pytest.mark.parametrize("name", [name for name, op in TABLE.items() if op.sample])
def test_every_row_of_the_table_runs(name):
    op = TABLE[name]
    for arrays, params in sample_arrays(op):
        graph = Graph(share=True)
        nodes = [graph.leaf("input", a, f"a{k}") for k, a in enumerate(arrays)]
        result = op.apply(tuple(nodes), params)
        results = list(result) if isinstance(result, tuple) else [result]
        program = lowered(Captured(graph, nodes, results=results))
        found = NumpyExecutor(program).run(arrays)
        namespace = {}
        exec(numpy_source(program), namespace)
        alone = namespace["step"](*arrays)
        alone = alone if isinstance(alone, tuple) else (alone,)
        for node, got, again in zip(results, found, alone, strict=True):
            assert got.dtype == value(node).dtype
            np.testing.assert_allclose(got, value(node), rtol=1e-12, atol=1e-12, strict=True)
            np.testing.assert_allclose(again, value(node), rtol=1e-12, atol=1e-12)


# -- updates in place
# ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        lambda w, m: ([w.sum()], [w - 0.1 * m, m * 0.9 + w]),
        lambda w, m: ([], [m, w]),
        lambda w, m: ([w], [w + 1, w * m]),
        lambda w, m: ([w.T.sum(axis=0)], [w.T + w, m.T]),
        lambda w, m: ([w + 1], [w + 1, w + 1]),
        lambda w, m: ([(w * 2).T], [w * 2, wengert.broadcast_to(w[0], (4, 4))]),
        lambda w, m: ([], [w * w.sum(axis=0) - w.T, w[::-1] + m]),
        lambda w, m: ([], [w @ m, m @ w]),
        lambda w, m: ([m.exp()], [wengert.where(w > m, w, m), wengert.where(w > m, m, 0.0)]),
        lambda w, m: ([], [w, m * 0 + 1]),
    ],
)
@pytest.mark.parametrize("blocked", [False, True])
def test_updates_read_the_old_contents(f, blocked, monkeypatch):
    if blocked:
        monkeypatch.setattr(numpy_blocks, "LARGE", 1)
        monkeypatch.setattr(numpy_blocks, "BLOCK", 64)
    check(f, RNG.standard_normal((4, 4)), RNG.standard_normal((4, 4)))


def test_an_update_is_written_where_its_old_content_dies():
    program, _ = check(
        lambda w, g: ([], [w - 0.1 * g]), np.ones((3, 3), np.float32), np.ones((3, 3), np.float32)
    )
    assert "np.subtract(a0, v2, out=a0)" in numpy_source(program)


# -- random programs
# ------------------------------------------------------------------------------------------------------------

UNARY = [lambda x: x * x, lambda x: -x, lambda x: x.tanh(), lambda x: x + 1, lambda x: x.T, lambda x: x[::-1]]
UNARY += [
    lambda x: x.sum(axis=0),
    lambda x: x.sum(axis=1, keepdims=True),
    lambda x: x.max(),
    lambda x: x[1:2],
]
UNARY += [
    lambda x: x.reshape(
        16,
    ).reshape(4, 4),
    lambda x: x.T.reshape(4, 4),
]
BINARY = [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: wengert.maximum(a, b)]
BINARY += [
    lambda a, b: a @ b,
    lambda a, b: wengert.where(a > b, a, b),
    lambda a, b: wengert.where(a > b, a, 0.0),
]


@st.composite
def recipes(draw):
    steps = draw(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 99), st.integers(0, 99)), max_size=12))
    return steps, draw(st.lists(st.integers(0, 99), min_size=1, max_size=4)), draw(st.booleans())


def follow(recipe):
    """Random steps on 4 by 4 matrices: a step that changes the shape is spread to a matrix again."""
    steps, chosen, _ = recipe

    def f(*nodes):
        values = list(nodes)
        for operation, first, second in steps:
            a, b = values[first % len(values)], values[second % len(values)]
            if operation % 2:
                out = BINARY[operation // 2 % len(BINARY)](a, b)
            else:
                out = UNARY[operation // 2 % len(UNARY)](a)
            values.append(out if out.shape == (4, 4) else wengert.broadcast_to(out, (4, 4)))
        picked = [values[k % len(values)] for k in chosen]
        return picked[2:], picked[:2]

    return f


@settings(max_examples=150, deadline=None)
@given(recipes())
def test_random_programs_equal_eager(recipe):
    arrays = [np.random.default_rng(k).standard_normal((4, 4)) for k in range(3)]
    with pytest.MonkeyPatch.context() as patch:
        if recipe[2]:
            patch.setattr(numpy_blocks, "LARGE", 1)
            patch.setattr(numpy_blocks, "BLOCK", 96)
        check(follow(recipe), *arrays, runs=1)


def test_a_number_chosen_from_one_that_the_step_overwrites_is_the_old_one():
    state = wengert.tensor(3.0)

    @wengert.compile(backend="numpy")
    def step(x):
        chosen = wengert.where(x > 0, state, x)
        state.copy_(x)
        return chosen

    assert [step(wengert.tensor(x)).item() for x in (1.0, 2.0, -4.0)] == [3.0, 1.0, -4.0]


# -- blocks and memory
# ------------------------------------------------------------------------------------------------------------


def test_large_chains_run_block_by_block():
    x = np.linspace(-2, 2, 600_011, dtype=np.float32)
    program, _ = check(pure(lambda x: ((-x * x).exp() * (3 * x).sin() + x.tanh()).sum()), x)
    text = numpy_source(program)
    assert "for block in blocks(600011, " in text
    written = NumpySource(program)
    assert written.memory.size < 3 * x.nbytes  # the intermediate results need a block each


def test_memory_is_shared_by_what_is_not_needed_together():
    def chain(x):
        for _ in range(20):
            x = (x.tanh() @ x.T).exp()
        return x.sum()

    x = np.zeros((64, 64))
    program, _ = check(pure(chain), x)
    assert NumpySource(program).memory.size <= 4 * x.nbytes


def test_a_run_allocates_nothing_but_its_results():
    x = RNG.standard_normal((256, 256))
    _, runner = check(pure(lambda x: ((x @ x.T).tanh() * x - x).sum(axis=0)), x)
    tracemalloc.start()
    runner.run([x])
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    runner.run([x])
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert peak < 20_000


def test_threads_take_turns():
    x = RNG.standard_normal((50, 50))
    _, runner = check(pure(lambda x: (x @ x).tanh().sum(axis=0)), x)
    inputs = [x * k for k in range(8)]
    wanted = [runner.run([a])[0] for a in inputs]
    found = {}

    def work(k):
        for _ in range(20):
            found[k] = runner.run([inputs[k]])[0]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, want in enumerate(wanted):
        np.testing.assert_array_equal(found[k], want)
