"""The generator's bits on every platform, the distributions it draws from, and its state."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wengert import random
from wengert.random import Generator, default_generator, manual_seed

SEED = 20_240_607
DRAWS: dict[str, Callable[[Generator, Any], Any]] = {
    "bits": lambda g, shape: g.bits(shape),
    "uniform": lambda g, shape: g.uniform(shape, -2.0, 5.0),
    "uniform float32": lambda g, shape: g.uniform(shape, dtype=np.float32),
    "normal": lambda g, shape: g.normal(shape, 1.0, 2.0),
    "normal float32": lambda g, shape: g.normal(shape, dtype=np.float32),
    "integers": lambda g, shape: g.integers(-5, 100, shape),
    "bernoulli": lambda g, shape: g.bernoulli(0.3, shape),
}
MASK = 2**64 - 1


def philox(seed: int, position: int) -> int:
    """Word `position` of the stream, from the definition (Salmon et al. 2011, section 3.3)."""
    counter = position // 4 + 1
    block = [counter >> (64 * i) & MASK for i in range(4)]
    key = [seed & MASK, seed >> 64]
    for _ in range(10):
        first, second = block[0] * 0xD2E7470EE14C6C93, block[2] * 0xCA5A826395121157
        block = [
            second >> 64 ^ block[1] ^ key[0],
            second & MASK,
            first >> 64 ^ block[3] ^ key[1],
            first & MASK,
        ]
        key = [(key[0] + 0x9E3779B97F4A7C15) & MASK, (key[1] + 0xBB67AE8584CAA73B) & MASK]
    return block[position % 4]


def test_the_published_vectors_of_philox() -> None:
    # Random123's known answers for philox4x64-10: the all-zero counter is the block before word 0.
    zeros = [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]
    assert [philox(0, position) for position in range(-4, 0)] == zeros


@pytest.mark.parametrize("seed", [0, 1, SEED, 2**64 - 1, 2**64, 2**128 - 1])
@pytest.mark.parametrize("start", [0, 3, 2**40 + 1, 2**66 + 2])
def test_every_word_is_that_of_the_definition(seed: int, start: int) -> None:
    generator = Generator(seed)
    generator.set_state((seed, start))
    assert generator.bits(9).tolist() == [philox(seed, start + i) for i in range(9)]


# Computed once, on x86-64 with NumPy 2.4, and kept: the first draws of Generator(SEED), four of each kind.
GOLDEN: dict[str, Any] = {
    "bits": [11780497241163867802, 12733937646350488448, 16396284476754325595, 901914986837699756],
    "uniform": [
        "0x1.3c34916347a54p+1",
        "0x1.6a841ee0916e6p+1",
        "0x1.0e33c84172168p+2",
        "-0x1.a86247afa790ap+0",
    ],
    "uniform float32": [
        "0x1.46f9760000000p-1",
        "0x1.6170100000000p-1",
        "0x1.c7169a0000000p-1",
        "0x1.9087c00000000p-5",
    ],
    "normal": [
        "0x1.b5a575703d10ep+0",
        "0x1.fe529ace9710ap+0",
        "0x1.b86c7b1201e46p+1",
        "-0x1.27dae8f3b2721p+1",
    ],
    "normal float32": [
        "0x1.6b4aea0000000p-2",
        "0x1.fca5360000000p-2",
        "0x1.386c7c0000000p+0",
        "-0x1.a7dae80000000p+0",
    ],
    "integers": [62, 67, 88, 0],
    "bernoulli": [False, False, False, True],
    "permutation": [3, 8, 9, 5, 6, 7, 0, 1, 4, 2],
    "fork": 332396081496025860067177023507467614023,
    "normal checksum": 5944424497233882678,
}


@pytest.mark.parametrize("kind", DRAWS)
def test_golden_values(kind: str) -> None:
    drawn = DRAWS[kind](Generator(SEED), 4).tolist()
    assert [x.hex() if isinstance(x, float) else x for x in drawn] == GOLDEN[kind]


def test_golden_values_of_the_rest() -> None:
    assert Generator(SEED).permutation(10).tolist() == GOLDEN["permutation"]
    assert Generator(SEED).fork("layer", 3).seed == GOLDEN["fork"]


def test_a_million_normals_are_the_same_bits_everywhere() -> None:
    # Reaches the far tails; the sum of the words of the draws, modulo 2**64.
    words = Generator(SEED).normal(1_000_000).view(np.uint64)
    assert int(np.sum(words, dtype=np.uint64)) == GOLDEN["normal checksum"]


@given(st.integers(0, 2**52 - 1))
def test_the_quantile_is_right_to_the_last_digits(k: int) -> None:
    with mpmath.workdps(40):
        exact = mpmath.sqrt(2) * mpmath.erfinv(2 * (mpmath.mpf(k) + 0.5) / 2**52 - 1)
        found = float(random._normal_quantile(np.array([k], np.uint64))[0])
        assert abs(found / exact - 1) < 1e-15


@pytest.mark.parametrize("k", [0, 1, 2, 1000, 62_500, 2**30, 2**45, 2**51 - 1])
def test_the_quantile_in_the_tails_is_right_and_odd(k: int) -> None:
    with mpmath.workdps(40):
        exact = mpmath.sqrt(2) * mpmath.erfinv(2 * (mpmath.mpf(k) + 0.5) / 2**52 - 1)
        lower, upper = random._normal_quantile(np.array([k, 2**52 - 1 - k], np.uint64)).tolist()
        assert abs(lower / exact - 1) < 1e-15
    assert upper == -lower


def _farthest(sample: Any, distribution: Callable[[Any], Any]) -> float:
    """Kolmogorov's statistic times the root of the sample's size; above 1.95 once in a thousand samples."""
    expected = distribution(np.sort(sample))
    steps = np.arange(sample.size + 1) / sample.size
    gap = max(np.max(expected - steps[:-1]), np.max(steps[1:] - expected))
    return float(gap * sample.size**0.5)


def test_uniforms_are_uniform() -> None:
    assert _farthest(Generator(1).uniform(100_000, -1.0, 3.0), lambda x: (x + 1) / 4) < 1.95
    assert _farthest(Generator(2).uniform(100_000, dtype=np.float32).astype(float), lambda x: x) < 1.95


def test_normals_are_normal() -> None:
    z = (Generator(3).normal(100_000, 5.0, 2.0) - 5.0) / 2.0
    phi = np.vectorize(lambda x: float(mpmath.fp.ncdf(x)))
    assert _farthest(z, phi) < 1.95
    assert np.mean(z**4) == pytest.approx(3.0, abs=0.1)
    assert np.corrcoef(z[:-1], z[1:])[0, 1] == pytest.approx(0.0, abs=0.01)


def test_integers_are_even_and_reach_both_ends() -> None:
    counts = np.bincount(Generator(4).integers(-3, 4, 70_000) + 3, minlength=7)
    assert counts.size == 7
    assert (
        np.sum((counts - 10_000) ** 2 / 10_000) < 22.5
    )  # chi-squared of 6 degrees: one sample in a thousand


@given(st.integers(0, MASK), st.integers(1, 2**64))
def test_integers_are_the_high_half_of_the_product(word: int, span: int) -> None:
    assert int(random._high_product(np.array([word], np.uint64), span)[0]) == word * span >> 64


@pytest.mark.parametrize(
    ("low", "high"), [(-(2**63), 2**63), (2**63 - 1, 2**63), (-(2**63), 1 - 2**63), (-1, 2**62)]
)
def test_integers_of_the_whole_range_of_int64(low: int, high: int) -> None:
    drawn = Generator(SEED).integers(low, high, 8)
    assert drawn.dtype == np.int64
    assert drawn.tolist() == [low + (philox(SEED, i) * (high - low) >> 64) for i in range(8)]


def test_bernoulli_of_one_probability_and_of_many() -> None:
    assert np.mean(Generator(5).bernoulli(0.3, 100_000)) == pytest.approx(0.3, abs=0.006)
    rows = Generator(6).bernoulli([[0.0], [0.5], [1.0]], (3, 1000)).mean(axis=1)
    assert rows[0] == 0 and rows[2] == 1 and 0.4 < rows[1] < 0.6
    assert Generator(6).bernoulli(np.full((2, 3), 0.5)).shape == (2, 3)
    for p in (0.0, 1e-20, 0.1, 1 / 3, 0.75, 1 - 2**-53, 1.0):
        one, many = Generator(8), Generator(8)
        assert (one.bernoulli(p, 1000) == many.bernoulli(np.full(1000, p))).all()
        assert one.counter == many.counter


def test_permutations_are_even() -> None:
    generator = Generator(7)
    seen: dict[tuple[int, ...], int] = {}
    for _ in range(6000):
        order = tuple(generator.permutation(3).tolist())
        seen[order] = seen.get(order, 0) + 1
    assert len(seen) == 6
    assert sum((count - 1000) ** 2 / 1000 for count in seen.values()) < 20.6  # 5 degrees of freedom
    assert sorted(generator.permutation(1000).tolist()) == list(range(1000))
    assert generator.permutation(0).shape == (0,)


@pytest.mark.parametrize("kind", DRAWS)
@given(n=st.integers(0, 9), m=st.integers(0, 9))
def test_drawing_in_parts_is_drawing_at_once(kind: str, n: int, m: int) -> None:
    whole, parts = Generator(SEED), Generator(SEED)
    both = np.concatenate([DRAWS[kind](parts, n), DRAWS[kind](parts, (m,))])
    assert np.array_equal(DRAWS[kind](whole, n + m), both)
    assert whole.counter == parts.counter == n + m


def test_parts_longer_than_a_block() -> None:
    whole, parts = Generator(8), Generator(8)
    both = np.concatenate([parts.normal(50_001), parts.normal(49_999)])
    assert np.array_equal(whole.normal((1000, 100)), both.reshape(1000, 100))


@pytest.mark.parametrize("kind", DRAWS)
def test_the_state_is_seed_and_counter(kind: str) -> None:
    generator = Generator(SEED)
    generator.uniform(5)
    assert generator.get_state() == (SEED, 5)
    state = generator.get_state()
    first = DRAWS[kind](generator, (2, 3))
    assert first.shape == (2, 3)
    other = Generator(0)
    other.set_state(state)
    generator.set_state(list(state))  # type: ignore[arg-type]  # as a JSON file gives it back
    assert np.array_equal(DRAWS[kind](other, (2, 3)), first)
    assert np.array_equal(DRAWS[kind](generator, (2, 3)), first)
    assert generator.counter == 11


def test_copies_go_on_from_the_same_place() -> None:
    generator = Generator(SEED)
    generator.bits(3)
    copies = [copy.deepcopy(generator), pickle.loads(pickle.dumps(generator))]
    expected = generator.bits(4)
    for each in copies:
        assert np.array_equal(each.bits(4), expected)
    assert repr(generator) == "Generator(seed=20240607, counter=7)"


def test_forks_are_named_independent_and_consume_nothing() -> None:
    parent = Generator(SEED)
    same = parent.fork("dropout", 1)
    parent.normal(10)
    again = parent.fork("dropout", 1)
    assert np.array_equal(same.bits(5), again.bits(5))
    assert parent.counter == 10
    paths: list[tuple[int | str, ...]] = [
        ("dropout", 1), ("dropout", 2), ("dropout", "1"), ("dropout",), (1, "dropout"), ("dropout", 1, 0),
        ("dropout/i1",), (-1,), (1,), ("",),
    ]  # fmt: skip
    streams = [Generator(SEED).fork(*path) for path in paths] + [Generator(SEED), Generator(SEED + 1).fork(1)]
    assert len({stream.seed for stream in streams}) == len(streams)
    correlations = np.corrcoef([stream.normal(20_000) for stream in streams])
    assert np.max(np.abs(correlations - np.eye(len(streams)))) < 0.035


def test_the_default_generator() -> None:
    before = default_generator.get_state()
    try:
        assert manual_seed(SEED) is default_generator
        assert np.array_equal(default_generator.bits(3), Generator(SEED).bits(3))
        assert default_generator.counter == 3
    finally:
        default_generator.set_state(before)


def test_threads_never_draw_the_same_words() -> None:
    generator = Generator(SEED)
    drawn: list[Any] = []

    def draw() -> None:
        for _ in range(200):
            drawn.append(generator.bits(7))

    threads = [threading.Thread(target=draw) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert generator.counter == 8 * 200 * 7
    assert np.array_equal(np.sort(np.concatenate(drawn)), np.sort(Generator(SEED).bits(8 * 200 * 7)))


def test_dtypes_and_their_defined_rounding() -> None:
    words = Generator(SEED).bits(1000)
    u24 = Generator(SEED).uniform(1000, dtype="float32")
    assert u24.dtype == np.float32
    assert np.array_equal(u24, (words >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24))
    assert np.array_equal(Generator(SEED).uniform(1000), (words >> np.uint64(11)).astype(float) * 2.0**-53)
    z32 = Generator(SEED).normal(1000, 0.1, 3.0, dtype=np.float32)
    assert np.array_equal(z32, Generator(SEED).normal(1000, 0.1, 3.0).astype(np.float32))
    assert Generator(SEED).uniform().shape == ()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("low", "high"), [(0.1, 0.1 + 1e-7), (1.0, 1.0000002), (-0.7, -0.6999999), (1e300, 2e300)]
)
def test_uniforms_stay_within_their_bounds(dtype: Any, low: float, high: float) -> None:
    if dtype == np.float32 and high > 1e38:
        with pytest.raises(ValueError, match="no number of float32 lies in"):
            Generator(9).uniform(4, low, high, dtype)
        return
    drawn = Generator(9).uniform(1000, low, high, dtype).astype(float)
    assert low <= drawn.min() <= drawn.max() < high


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda g: Generator(-1), ValueError, r"seed: expected an integer from 0 to 2\*\*128 - 1, got -1"),
        (lambda g: Generator(2**128), ValueError, "seed"),
        (lambda g: g.manual_seed(1.5), TypeError, r"seed: expected an integer, got 1\.5 of type float"),
        (lambda g: Generator(True), TypeError, "seed"),
        (lambda g: g.manual_seed("a"), TypeError, "seed: expected an integer, got 'a'"),
        (lambda g: g.set_state(3), ValueError, r"state: expected a pair \(seed, counter\), got 3"),
        (lambda g: g.set_state((1, -1)), ValueError, "counter"),
        (lambda g: g.fork(), ValueError, "path: expected at least one name"),
        (lambda g: g.fork(1.5), TypeError, "path"),
        (lambda g: g.uniform(-1), ValueError, "shape: expected an integer of at least 0 .* got -1"),
        (lambda g: g.normal((2, -3)), ValueError, r"shape.*got \(2, -3\)"),
        (lambda g: g.normal((2, 3.0)), TypeError, r"shape.*got \(2, 3\.0\)"),
        (lambda g: g.bits("12"), TypeError, "shape"),
        (lambda g: g.uniform(2, 1.0, 1.0), ValueError, r"expected low < high, got low=1\.0 and high=1\.0"),
        (lambda g: g.uniform(2, float("nan"), 1.0), ValueError, "low: expected a finite number, got nan"),
        (lambda g: g.uniform(2, -1e308, 1e308), ValueError, "overflows"),
        (lambda g: g.uniform(2, 1.0, 1.0 + 2**-52, np.float32), None, ""),
        (lambda g: g.uniform(2, 1.0 + 2**-52, 1.0 + 2**-51, np.float32), ValueError, "no number of float32"),
        (lambda g: g.uniform(2, dtype=np.int64), TypeError, "dtype: expected float32 or float64, got int64"),
        (lambda g: g.normal(2, dtype=np.float16), TypeError, "float16"),
        (lambda g: g.normal(2, std=-1.0), ValueError, r"std: expected .* at least 0, got -1\.0"),
        (lambda g: g.normal(2, mean=[1, 2]), TypeError, "mean: expected a number"),
        (lambda g: g.integers(3, 3, 2), ValueError, "low < high <= .*, got low=3, high=3"),
        (lambda g: g.integers(0, 2**63 + 1), ValueError, "high"),
        (lambda g: g.integers(0.5, 3), TypeError, "low: expected an integer"),
        (lambda g: g.permutation(-1), ValueError, "n: expected an integer from 0"),
        (lambda g: g.bernoulli(1.5), ValueError, r"p: expected probabilities from 0 to 1, got 1\.5"),
        (lambda g: g.bernoulli([0.5, float("nan")]), ValueError, "got nan"),
        (
            lambda g: g.bernoulli([0.5, 0.5], 3),
            ValueError,
            r"shape \(2,\) does not broadcast to shape \(3,\)",
        ),
    ],
)
def test_bad_arguments_are_named_and_consume_nothing(call: Any, error: Any, message: str) -> None:
    generator = Generator(0)
    if error is None:
        assert call(generator).tolist() == [1.0, 1.0]
        return
    with pytest.raises(error, match=message):
        call(generator)
    assert generator.counter == 0
