"""Random numbers drawn by native code: the same bits as `wengert.random.Generator` draws.

Each function here makes a `Code` with three parameters: where the numbers go, how many of them (i64), and
the state of the stream, four 64-bit words: the seed and the counter, the low word of each first. The call
moves the counter on by as many words as it draws, so that the next call goes on where it stopped. ``lanes``
is how many doubles a vector holds. For instance ``uniform("draw", 8, numpy.dtype("float32"))`` makes

    void draw(float *numbers, int64_t count, uint64_t state[4])

Products and sums are rounded one by one here, as NumPy rounds them.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from wengert import random
from wengert.compiler.llvm.exponential import split
from wengert.compiler.llvm.lanes import Lanes, where
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import BYTES, MEMORY_TYPES, Index, Register, spelled

DType = np.dtype[np.generic]

_MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
_KEY_STEPS = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
_ROUNDS = 10
_CHUNK = 256  # words drawn at a time; they stay in the processor's first cache


def uniform(name: str, lanes: int, dtype: DType, low: float = 0.0, high: float = 1.0) -> Code:
    """A function that fills an array like ``Generator.uniform(shape, low, high, dtype)``.

    Raises ValueError unless low < high and a number of the dtype lies in between.
    """
    element = MEMORY_TYPES[dtype.name]
    kept = 53 if element == "double" else 24
    least, most = random._within(low, high, np.dtype(dtype.name))

    def made(words: Lanes) -> Lanes:
        numbers = (words >> (64 - kept)).convert("uitofp", "double") * 2.0**-kept
        if (low, high) == (0.0, 1.0):
            return _rounded(numbers, element)
        inside = _rounded(low + (high - low) * numbers, element)
        return inside.at_least(float(least)).at_most(float(most))

    return _filling(name, lanes, element, made)


def normal(name: str, lanes: int, dtype: DType, mean: float = 0.0, std: float = 1.0) -> Code:
    """A function that fills an array like ``Generator.normal(shape, mean, std, dtype)``."""
    element = MEMORY_TYPES[dtype.name]

    def made(words: Lanes) -> Lanes:
        numbers = _normal_quantile(words >> 12)
        if (mean, std) != (0.0, 1.0):
            numbers = mean + std * numbers
        return _rounded(numbers, element)

    return _filling(name, lanes, element, made)


def bernoulli(name: str, lanes: int, p: float) -> Code:
    """A function that fills an array of truth values like ``Generator.bernoulli(p, shape)`` for a number p.

    Raises ValueError for a probability outside [0, 1].
    """
    if not 0 <= p <= 1:
        raise ValueError(f"p: expected a probability from 0 to 1, got {p}")
    end = math.ceil(p * 2**53) << 11

    def made(words: Lanes) -> Lanes:
        if end == 2**64:
            return words.like(0).equals(0).convert("zext", "i8")
        return words.compare("ult", end).convert("zext", "i8")

    return _filling(name, lanes, "i8", made)


def _rounded(numbers: Lanes, element: str) -> Lanes:
    return numbers if element == "double" else numbers.convert("fptrunc", element)


def _filling(name: str, lanes: int, element: str, made: Callable[[Lanes], Lanes]) -> Code:
    """The function that draws words chunk by chunk, makes entries of them and copies those out."""
    code = Code(name, lanes)
    target, count, state = code.parameter(), code.parameter("i64"), code.parameter()
    words, entries = code.alloca("i64", _CHUNK), code.alloca(element, _CHUNK)
    key = [code.load_scalar(code.at(state, k, "i64"), "i64") for k in (0, 1)]
    counter = _wide(code, code.at(state, 2, "i64"))
    skipped = code.emit(f"trunc {_operation(code, 'and', counter, 3)} to i64", "i64")
    block = _operation(code, "add", _operation(code, "lshr", counter, 2), 1)
    after = _operation(code, "add", counter, code.emit(f"zext {count} to i128", "i128"))
    for half_place, half in enumerate(_halves(code, after)):
        code.store_scalar(half, code.at(state, 2 + half_place, "i64"))
    total: Index = code.add(skipped, count)
    with code.loop(0, total, _CHUNK) as start:
        size = code.smaller(code.subtract(total, start), _CHUNK)
        first = code.emit(f"lshr i64 {spelled(start)}, 2", "i64")
        _draw(code, words, code.add(size, 3), _operation(code, "add", block, _extended(code, first)), key)
        with code.loop(0, size, lanes) as k:
            vector = Lanes(code, code.load(code.at(words, k, "i64"), "i64"))
            code.store(made(vector).register, code.at(entries, k, element))
        left_out = code.larger(code.subtract(skipped, start), 0)
        place = code.subtract(code.add(start, left_out), skipped)
        code.copy_bytes(
            code.at(target, place, element),
            code.at(entries, left_out, element),
            code.multiply(code.subtract(size, left_out), BYTES[element]),
        )
    return code


def _draw(code: Code, words: Register, size: Index, block: Register, key: list[Register]) -> None:
    """Whole blocks of Philox 4x64-10, four words each, until so many words but three are there."""
    keys = [key]
    for _ in range(_ROUNDS - 1):
        keys.append([_operation(code, "add", k, s) for k, s in zip(keys[-1], _KEY_STEPS, strict=True)])
    blocks = code.emit(f"lshr i64 {spelled(size)}, 2", "i64")
    with code.loop(0, blocks) as k:
        low, high = _halves(code, _operation(code, "add", block, _extended(code, k)))
        x = [low, high, Register("0", "i64"), Register("0", "i64")]
        for first, second in keys:
            high_0, low_0 = _product(code, x[0], _MULTIPLIERS[0])
            high_1, low_1 = _product(code, x[2], _MULTIPLIERS[1])
            x = [
                *(_operation(code, "xor", _operation(code, "xor", high_1, x[1]), first), low_1),
                *(_operation(code, "xor", _operation(code, "xor", high_0, x[3]), second), low_0),
            ]
        place = code.multiply(k, 4)
        for j, word in enumerate(x):
            code.store_scalar(word, code.at(words, code.add(place, j), "i64"))


def _operation(code: Code, instruction: str, a: Register, b: Register | int) -> Register:
    return code.emit(f"{instruction} {a}, {b if isinstance(b, int) else b.name}", a.type)


def _extended(code: Code, index: Index) -> Register:
    return code.emit(f"zext i64 {spelled(index)} to i128", "i128")


def _wide(code: Code, pointer: Register) -> Register:
    """The 128-bit number of two words, the low one first."""
    low, high = (code.load_scalar(code.at(pointer, k, "i64"), "i64") for k in (0, 1))
    raised = _operation(code, "shl", _extended(code, high), 64)
    return _operation(code, "or", raised, _extended(code, low))


def _halves(code: Code, wide: Register) -> tuple[Register, Register]:
    """The low and the high word of a 128-bit number."""
    low = code.emit(f"trunc {wide} to i64", "i64")
    return low, code.emit(f"trunc {_operation(code, 'lshr', wide, 64)} to i64", "i64")


def _product(code: Code, word: Register, multiplier: int) -> tuple[Register, Register]:
    """The high and the low word of a product."""
    low, high = _halves(code, _operation(code, "mul", _extended(code, word), multiplier))
    return high, low


def _normal_quantile(k: Lanes) -> Lanes:
    """The standard normal quantile of (k + 1/2)·2⁻⁵² (Wichura 1988, PPND16), step by step as in
    `wengert.random`."""
    code = k.code
    from_centre = (k.convert("uitofp", "double") + (0.5 - 2.0**51)) * 2.0**-52
    distance = from_centre.magnitude()
    central = from_centre * _rational(random._CENTRE, 0.180625 - from_centre * from_centre)
    root = (-_log(0.5 - distance)).intrinsic("sqrt")
    size, type = code.alloca(root.register.type), root.register.type
    code.do(f"store {_rational(random._TAIL, root - 1.6).register}, {size}, align 64")
    far = root > 5.0
    some = code.call(f"llvm.vector.reduce.or.v{code.lanes}i1", "i1", far.register)
    with code.when(some):
        near = Lanes(code, code.emit(f"load {type}, {size}, align 64", type))
        chosen = where(far, _rational(random._FAR_TAIL, root - 5.0), near)
        code.do(f"store {chosen.register}, {size}, align 64")
    tail = Lanes(code, code.emit(f"load {type}, {size}, align 64", type)).signed_as(from_centre)
    return where(distance > 0.425, tail, central)


def _log(x: Lanes) -> Lanes:
    exponent, mantissa = split(x)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    return exponent * random._LOG_2 + s * _polynomial(random._ATANH, s * s)


def _rational(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Lanes) -> Lanes:
    numerator, denominator = (_polynomial(part, x) for part in coefficients)
    return numerator / denominator


def _polynomial(coefficients: tuple[float, ...], x: Lanes) -> Lanes:
    """Horner's rule, highest power first, each product and sum rounded on its own."""
    result = x * coefficients[0]
    for coefficient in coefficients[1:-1]:
        result = (result + coefficient) * x
    return result + coefficients[-1]
