"""What hand-written kernels share: 64 lanes of float32, random words, elementary functions.

A kernel handles a site in short loops over the lanes: one gathers the neighbors into rows of its own, one
draws, one decides and stores. In a single loop the compiler gives up on the question which arrays overlap,
and the loop stays scalar.
"""

from __future__ import annotations

import math

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

LANES = 64
kernel = njit(fastmath={"contract"}, error_model="numpy")
inline = njit(inline="always", fastmath={"contract"}, error_model="numpy")

f4, i4, u4 = np.float32, np.int32, np.uint32
ZERO, HALF, ONE, TWO = f4(0), f4(0.5), f4(1), f4(2)
_UNIT, _OFFSET = f4(2.0**-24), f4(2.0**-25)
_ROUND, _LIMIT = f4(1.5 * 2**23), f4(126)
_LOG2E, _LN2, _SQRT2 = f4(1 / math.log(2)), f4(math.log(2)), f4(math.sqrt(2))
# Numba knows no arithmetic between float32 and a Python float that stays in 32 bits.
_E1, _E2, _E3, _E4, _E5, _E6 = (f4(math.log(2) ** k / math.factorial(k)) for k in range(1, 7))
_L1, _L3, _L5, _L7, _L9 = (f4(2 / k) for k in (1, 3, 5, 7, 9))
_S1, _S3, _S5, _S7, _S9 = (
    f4((-1) ** (k // 2) * math.pi**k / math.factorial(k)) for k in (1, 3, 5, 7, 9)
)


@intrinsic
def bits_of(_, x):
    """The 32 bits of a float32 as an int32."""
    return types.int32(types.float32), lambda _, b, __, a: b.bitcast(a[0], ir.IntType(32))


@intrinsic
def float_of(_, x):
    """The float32 with these 32 bits."""
    return types.float32(types.int32), lambda _, b, __, a: b.bitcast(a[0], ir.FloatType())


@inline
def exp(x):
    """exp(x): 2^n by the exponent bits, the rest by its series."""
    x = min(max(x * _LOG2E, -_LIMIT), _LIMIT)
    shifted = x + _ROUND
    n = shifted - _ROUND
    r = x - n
    p = ONE + r * (_E1 + r * (_E2 + r * (_E3 + r * (_E4 + r * (_E5 + r * _E6)))))
    return float_of(i4(bits_of(p) + i4(i4(n) << i4(23))))


@inline
def log(x):
    """Natural logarithm of x > 0, by atanh of the mantissa."""
    b = bits_of(x)
    n = i4(i4(b - i4(0x3F3504F3)) >> i4(23))
    m = float_of(i4(b - i4(n << i4(23))))  # in [sqrt(1/2), sqrt 2)
    z = (m - ONE) / (m + ONE)
    w = z * z
    return f4(n) * _LN2 + z * (_L1 + w * (_L3 + w * (_L5 + w * (_L7 + w * _L9))))


@inline
def sin_pi(x):
    """sin(pi x) for x in [-1/2, 1/2]."""
    w = x * x
    return x * (_S1 + w * (_S3 + w * (_S5 + w * (_S7 + w * _S9))))


@kernel
def uniform(words, out):
    """A row of numbers in (0, 1): xoshiro128+ in each lane."""
    a, b, c, d = words[0], words[1], words[2], words[3]
    for r in range(LANES):
        w0, w1, w2, w3 = a[r], b[r], c[r], d[r]
        sum_ = u4(w0 + w3)
        shifted = u4(w1 << u4(9))
        w2 = u4(w2 ^ w0)
        w3 = u4(w3 ^ w1)
        b[r] = u4(w1 ^ w2)
        a[r] = u4(w0 ^ w3)
        c[r] = u4(w2 ^ shifted)
        d[r] = u4(u4(w3 << u4(11)) | u4(w3 >> u4(21)))
        out[r] = f4(i4(sum_ >> u4(8))) * _UNIT + _OFFSET


def words(seed: int) -> np.ndarray:
    """State of the generator in all lanes."""
    return np.random.default_rng(seed).integers(1, 2**32, (4, LANES)).astype(u4)


def rows(n: int) -> np.ndarray:
    """Rows to work in."""
    return np.zeros((n, LANES), f4)


@inline
def neighbors(s, y, x):
    """The rows of the four neighbors on a torus."""
    n = s.shape[0]
    return s[(y + 1) % n, x], s[(y + n - 1) % n, x], s[y, (x + 1) % n], s[y, (x + n - 1) % n]


def forward(s: np.ndarray, product) -> np.ndarray:
    """Sum over the bonds of a torus of `product` of the two ends; lanes are the last axis."""
    return sum(product(s, np.roll(s, -1, axis)).sum((0, 1)) for axis in (0, 1))
