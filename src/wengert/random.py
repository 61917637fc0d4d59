"""Random numbers from a counter: the same seed gives the same bits on every machine.

The bits are Philox 4x64-10 (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2,
3"), a function of (key, counter) without hidden state. The key is the seed (low 64 bits first), and word i of
the stream is word i mod 4 of the block whose counter is i // 4 + 1. Every number drawn consumes exactly one
64-bit word, so a stream can be taken up at any position, in any language.

Only + - * / and the square root touch a float, all of which IEEE 754 rounds correctly everywhere; no function
of the platform's mathematical library is used.

>>> generator = Generator(7)
>>> generator.integers(1, 7, 5)
array([6, 2, 3, 3, 1])
>>> generator.counter
5
"""

from __future__ import annotations

import hashlib
import math
import operator
import secrets
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from wengert.autodiff.checkpointing import STREAMS
from wengert.capturing import running
from wengert.numbers.graph import Node

__all__ = ["Generator", "default_generator", "drawing_from", "manual_seed"]

SEED_BITS = 128
Shape = SupportsIndex | Sequence[SupportsIndex]
Floats = NDArray[np.floating[Any]]


class Generator:
    """A stream of random numbers whose whole state is (seed, counter).

    `seed` is an integer from 0 to 2**128 - 1. Draws from several threads never overlap.
    """

    def __init__(self, seed: SupportsIndex) -> None:
        self._lock = threading.Lock()
        self.set_state((_checked_integer("seed", seed, 2**SEED_BITS), 0))

    @property
    def seed(self) -> int:
        """The seed that the stream began with."""
        return self._seed

    @property
    def counter(self) -> int:
        """How many 64-bit words have been consumed."""
        return self._counter

    def __repr__(self) -> str:
        return f"Generator(seed={self.seed}, counter={self.counter})"

    def manual_seed(self, seed: SupportsIndex) -> Generator:
        """Begin the stream of `seed` from its start, and return this generator."""
        if (capture := running.get()) is not None:
            capture.refuse(
                "manual_seed would begin the stream anew only in the run that compiles the step",
                "seed the generator before the step",
            )
        self.set_state((_checked_integer("seed", seed, 2**SEED_BITS), 0))
        return self

    def get_state(self) -> tuple[int, int]:
        """(seed, counter): plain integers, for a checkpoint."""
        with self._lock:
            return self._seed, self._counter

    def set_state(self, state: tuple[SupportsIndex, SupportsIndex]) -> None:
        """Continue from a state of `get_state`, or from any (seed, counter).

        >>> generator = Generator(0)
        >>> state = generator.get_state()
        >>> first = generator.uniform(3)
        >>> generator.set_state(state)
        >>> bool((generator.uniform(3) == first).all())
        True
        """
        if not isinstance(state, tuple | list) or len(state) != 2:
            raise ValueError(f"state: expected a pair (seed, counter), got {state!r}")
        seed = _checked_integer("seed", state[0], 2**SEED_BITS)
        counter = _checked_integer("counter", state[1], 2**SEED_BITS)
        philox = np.random.Philox(key=seed, counter=counter // 4)
        philox.random_raw(counter % 4, output=False)
        with self._lock:
            self._seed, self._counter, self._philox = seed, counter, philox

    def __getstate__(self) -> tuple[int, int]:
        return self.get_state()

    def __setstate__(self, state: tuple[int, int]) -> None:
        self._lock = threading.Lock()
        self.set_state(state)

    def fork(self, *path: int | str) -> Generator:
        """An independent stream, named by integers and strings; the same seed and path give the same stream.

        Its seed is the 128-bit BLAKE2b hash of this seed and the path. It depends on nothing drawn so far,
        and consumes nothing.

        >>> Generator(1).fork("dropout", 3).seed == Generator(1).fork("dropout", 3).seed
        True
        """
        if not path:
            raise ValueError("path: expected at least one name, such as fork('dropout') or fork(3)")
        parts = [str(self.seed)]
        for part in path:
            if isinstance(part, str):
                parts.append(f"s{len(part)}:{part}")
            else:
                parts.append(f"i{_checked_integer('path', part)}")
        digest = hashlib.blake2b("/".join(parts).encode(), digest_size=SEED_BITS // 8).digest()
        return Generator(int.from_bytes(digest, "little"))

    def bits(self, shape: Shape = ()) -> NDArray[np.uint64]:
        """The next raw words of the stream, of dtype uint64, in C order."""
        if (capture := running.get()) is not None:
            return capture.draw(self, "bits", {"shape": shape})  # type: ignore[no-any-return]
        sizes = _checked_shape(shape)
        count = math.prod(sizes)
        with self._lock:
            words = np.asarray(self._philox.random_raw(count), dtype=np.uint64)
            self._counter += count
        return words.reshape(sizes)

    def uniform(
        self, shape: Shape = (), low: float = 0.0, high: float = 1.0, dtype: DTypeLike = np.float64
    ) -> Floats:
        """Numbers of [low, high), evenly spread; float64 or float32.

        u is the top 53 bits of a word times 2**-53 (for float32 the top 24 bits times 2**-24), exactly. The
        result is low + (high - low)*u in float64, rounded to `dtype`, then moved into [low, high) where the
        rounding left it. Raises ValueError unless low < high and a number of `dtype` lies in between.

        >>> Generator(0).uniform((2, 2), 1, 3).shape
        (2, 2)
        """
        if (capture := running.get()) is not None:
            return capture.draw(self, "uniform", {"shape": shape, "low": low, "high": high, "dtype": dtype})  # type: ignore[no-any-return]
        target = _checked_dtype(dtype)
        low, high = _checked_number("low", low), _checked_number("high", high)
        if not low < high:
            raise ValueError(f"low, high: expected low < high, got low={low} and high={high}")
        least, most = _within(low, high, target)
        kept = 53 if target == np.float64 else 24
        numbers = (self.bits(shape) >> np.uint64(64 - kept)).astype(np.float64)
        numbers *= 2.0**-kept
        if (low, high) == (0.0, 1.0):  # u itself needs no rounding
            return np.asarray(numbers.astype(target, copy=False))
        return np.asarray(np.clip((low + (high - low) * numbers).astype(target), least, most))

    def normal(
        self, shape: Shape = (), mean: float = 0.0, std: float = 1.0, dtype: DTypeLike = np.float64
    ) -> Floats:
        """Gaussian numbers; float64 or float32. Raises ValueError for a negative or infinite `std`.

        u = (k + 1/2)*2**-52 with k the top 52 bits of a word, exactly; z is the normal quantile of u (Wichura
        1988, algorithm AS 241, PPND16), so |z| < 8.3. The result is mean + std*z in float64, rounded to
        `dtype`.

        >>> Generator(0).normal(3, mean=5.0, std=0.0)
        array([5., 5., 5.])
        """
        if (capture := running.get()) is not None:
            return capture.draw(self, "normal", {"shape": shape, "mean": mean, "std": std, "dtype": dtype})  # type: ignore[no-any-return]
        target = _checked_dtype(dtype)
        mean, std = _checked_number("mean", mean), _checked_number("std", std)
        if std < 0:
            raise ValueError(f"std: expected a standard deviation of at least 0, got {std}")
        words = self.bits(shape)
        flat = words.reshape(-1)
        numbers = np.empty(flat.size)
        for start in range(0, flat.size, _BLOCK):
            part = slice(start, start + _BLOCK)
            numbers[part] = _normal_quantile(flat[part] >> np.uint64(12))
        if (mean, std) != (0.0, 1.0):
            numbers = mean + std * numbers
        return numbers.astype(target, copy=False).reshape(words.shape)

    def integers(self, low: SupportsIndex, high: SupportsIndex, shape: Shape = ()) -> NDArray[np.int64]:
        """Integers of low, ..., high - 1, of dtype int64. Raises ValueError unless low < high in int64.

        low + floor(word*(high - low) / 2**64), exactly (Lemire 2019, without the rejection, so that every
        number costs one word): no value's probability is off by more than 2**-64.

        >>> bool((Generator(0).integers(-3, 0, 100) < 0).all())
        True
        """
        if (capture := running.get()) is not None:
            return capture.draw(self, "integers", {"low": low, "high": high, "shape": shape})  # type: ignore[no-any-return]
        least, end = _checked_integer("low", low), _checked_integer("high", high)
        if not -(2**63) <= least < end <= 2**63:
            raise ValueError(
                f"low, high: expected -2**63 <= low < high <= 2**63, got low={least}, high={end}"
            )
        scaled = _high_product(self.bits(shape), end - least)
        return np.asarray(scaled + np.uint64(least % 2**64)).view(np.int64)

    def permutation(self, n: SupportsIndex) -> NDArray[np.int64]:
        """The numbers 0, ..., n - 1 in random order: the stable order of `n` random words as keys.

        >>> sorted(Generator(0).permutation(4).tolist())
        [0, 1, 2, 3]
        """
        if (capture := running.get()) is not None:
            return capture.draw(self, "permutation", {"n": n})  # type: ignore[no-any-return]
        keys = self.bits(_checked_integer("n", n, 2**63))
        order = np.argsort(keys)  # several times faster than the stable sort, and the same without ties
        ordered = keys[order]
        if (ordered[1:] == ordered[:-1]).any():
            order = np.argsort(keys, kind="stable")
        return order.astype(np.int64, copy=False)

    def bernoulli(self, p: ArrayLike, shape: Shape | None = None) -> NDArray[np.bool_]:
        """True with probability `p`, a number or an array that broadcasts to `shape` (by default p's own).

        True where u < p, with u the top 53 bits of a word times 2**-53: never at p = 0, always at p = 1.
        Raises ValueError for a probability outside [0, 1].

        >>> Generator(0).bernoulli([0.0, 1.0])
        array([False,  True])
        """
        if (capture := running.get()) is not None:
            if type(p) is Node:  # the same bits, with a probability that the step computes
                drawn: Any = self.uniform(p.shape if shape is None else shape)
                return drawn < p  # type: ignore[no-any-return]
            return capture.draw(self, "bernoulli", {"p": p, "shape": shape})  # type: ignore[no-any-return]
        if type(p) is float and 0 <= p < 1 and shape is not None:  # the same bits, in one comparison
            return np.asarray(self.bits(shape) < np.uint64(math.ceil(p * 2**53) << 11))
        probability = np.asarray(p, dtype=np.float64)
        inside = (probability >= 0) & (probability <= 1)
        if not inside.all():
            raise ValueError(f"p: expected probabilities from 0 to 1, got {probability[~inside].flat[0]}")
        sizes = probability.shape if shape is None else _checked_shape(shape)
        try:
            probability = np.broadcast_to(probability, sizes)
        except ValueError:
            raise ValueError(
                f"p: its shape {probability.shape} does not broadcast to shape {sizes}"
            ) from None
        return np.asarray(self.uniform(sizes) < probability)


def _checked_integer(name: str, value: Any, end: int | None = None) -> int:
    if isinstance(value, bool | np.bool_) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}: expected an integer, got {value!r} of type {type(value).__name__}")
    number = operator.index(value)
    if end is not None and not 0 <= number < end:
        raise ValueError(f"{name}: expected an integer from 0 to 2**{end.bit_length() - 1} - 1, got {number}")
    return number


def _checked_shape(shape: Any) -> tuple[int, ...]:
    sizes: Iterable[Any] = shape if isinstance(shape, Iterable) else (shape,)
    try:
        return tuple(_checked_integer("shape", size, 2**63) for size in sizes)
    except (TypeError, ValueError) as error:
        expected = "expected an integer of at least 0 or a sequence of them"
        raise type(error)(f"shape: {expected}, got {shape!r}") from None


def _checked_number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected a number, got {value!r} of type {type(value).__name__}") from None
    if not math.isfinite(number):
        raise ValueError(f"{name}: expected a finite number, got {number}")
    return number


def _checked_dtype(dtype: DTypeLike) -> np.dtype[np.floating[Any]]:
    for known in (np.dtype(np.float32), np.dtype(np.float64)):
        if np.dtype(dtype) == known:
            return known
    raise TypeError(f"dtype: expected float32 or float64, got {np.dtype(dtype)}")


def _within(low: float, high: float, dtype: np.dtype[np.floating[Any]]) -> tuple[Any, Any]:
    """The least and the greatest number of `dtype` in [low, high)."""
    if not math.isfinite(high - low):
        raise ValueError(f"low, high: their distance overflows, got low={low} and high={high}")
    with np.errstate(over="ignore"):
        least, most = dtype.type(low), dtype.type(high)
    if float(least) < low:
        least = np.nextafter(least, dtype.type(np.inf))
    if float(most) >= high:
        most = np.nextafter(most, dtype.type(-np.inf))
    if not low <= float(least) <= float(most) < high:
        raise ValueError(f"low, high: no number of {dtype} lies in [{low}, {high})")
    return least, most


def _high_product(words: NDArray[np.uint64], factor: int) -> NDArray[np.uint64]:
    """floor(words*factor / 2**64), from 32-bit halves, none of whose sums overflows."""
    if factor == 2**64:
        return words
    half, mask = np.uint64(32), np.uint64(2**32 - 1)
    upper, lower = np.uint64(factor >> 32), np.uint64(factor & (2**32 - 1))
    a, b = words >> half, words & mask
    low_products = a * lower + (b * lower >> half)
    if not upper:
        return np.asarray(low_products >> half)
    middle = b * upper + (low_products & mask)
    return np.asarray(a * upper + (low_products >> half) + (middle >> half))


_BLOCK = 32_768  # so that a block's intermediates stay in the processor's cache

# Wichura 1988, PPND16: numerator and denominator of three rational functions, highest power first.
_CENTRE = (
    (
        *(2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4),
        *(1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0),
    ),
    (
        *(5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4),
        *(5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0),
    ),
)
_TAIL = (
    (
        *(7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1),
        *(1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0),
        *(4.63033784615654529590e0, 1.42343711074968357734e0),
    ),
    (
        *(1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2),
        *(1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0),
        *(2.05319162663775882187e0, 1.0),
    ),
)
_FAR_TAIL = (
    (
        *(2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3),
        *(2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0),
        *(5.46378491116411436990e0, 6.65790464350110377720e0),
    ),
    (
        *(2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5),
        *(7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1),
        *(5.99832206555887937690e-1, 1.0),
    ),
)


def _normal_quantile(k: NDArray[np.uint64]) -> NDArray[np.float64]:
    """The standard normal quantile of (k + 1/2)*2**-52, for whole numbers k < 2**52."""
    from_centre = (k.astype(np.float64) + (0.5 - 2.0**51)) * 2.0**-52
    distance = np.abs(from_centre)
    result = from_centre * _rational(_CENTRE, 0.180625 - from_centre * from_centre)
    tail = np.flatnonzero(distance > 0.425)
    probability = 0.5 - distance[tail]  # exact, by Sterbenz's lemma and the spacing of k
    root = np.sqrt(-_log(probability))
    size = _rational(_TAIL, root - 1.6)
    far = np.flatnonzero(root > 5.0)
    size[far] = _rational(_FAR_TAIL, root[far] - 5.0)
    result[tail] = np.copysign(size, from_centre[tail])
    return result


def _rational(
    coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: NDArray[np.float64]
) -> NDArray[np.float64]:
    numerator, denominator = (_polynomial(part, x) for part in coefficients)
    numerator /= denominator
    return numerator


def _polynomial(coefficients: tuple[float, ...], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Horner's rule, highest power first, each product and sum rounded on its own."""
    result = x * coefficients[0]
    for coefficient in coefficients[1:-1]:
        result += coefficient
        result *= x
    result += coefficients[-1]
    return result


_LOG_2 = 0.6931471805599453
_ATANH = tuple(2.0 / power for power in range(21, 0, -2))


def _log(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The natural logarithm of positive numbers, from arithmetic alone.

    x = m*2**e with m in [1/sqrt(2), sqrt(2)), and log m = 2 atanh(s), s = (m - 1)/(m + 1), |s| < 0.172.
    """
    mantissa, exponent = np.frexp(x)
    small = mantissa < math.sqrt(0.5)
    mantissa[small] *= 2.0
    exponent -= small
    s = (mantissa - 1.0) / (mantissa + 1.0)
    return np.asarray(exponent * _LOG_2 + s * _polynomial(_ATANH, s * s))


default_generator = Generator(secrets.randbits(64))
STREAMS.append(default_generator)


@contextmanager
def drawing_from(stream: Generator) -> Iterator[None]:
    """Inside the block the default generator draws what ``stream`` would; afterwards it goes on where it was.

    >>> with drawing_from(Generator(3)):
    ...     inside = default_generator.uniform()
    >>> bool(inside == Generator(3).uniform())
    True
    """
    before = default_generator.get_state()
    default_generator.set_state(stream.get_state())
    try:
        yield
    finally:
        default_generator.set_state(before)


def manual_seed(seed: SupportsIndex) -> Generator:
    """Restart the default generator from `seed`, and return it.

    A process that never calls this has a seed of its own, to be read from `default_generator.seed`.

    >>> manual_seed(0).counter
    0
    """
    return default_generator.manual_seed(seed)
