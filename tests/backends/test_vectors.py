"""Straight-line code on words: the same Python function on vectors in a kernel and on NumPy arrays."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from statmech_dsl.backends.numba_cpu.bit_sliced.runtime import sfc64, transpose
from statmech_dsl.backends.numba_cpu.bit_sliced.words import zeros
from statmech_dsl.backends.numba_cpu.vectors import Rows, Words, vectors

TOP = np.uint64(2**63 + 5)


def mix(a, b, number):
    """Every operator, NumPy's scalars on the left, and a constant beyond 2^63."""
    x, y, z, word = sfc64(a, b, ~a, number)
    return (TOP ^ x) + (TOP & y) * 3 | z, word


@vectors
def mixed(S: Rows, other: Rows, number, n) -> Words:
    """Mix two rows into two others."""
    S[n], S[2 * n] = mix(S[0], other[0], number)
    return S[n] & S[2 * n]


@njit
def run(x, y, number):
    """Rows of 1, 4, 8 and 24 words, from word 3 on."""
    return (
        mixed(1, x[0], 3, y[0], 3, number, 40),
        mixed(4, x[1], 3, y[1], 3, number, 40),
        mixed(8, x[2], 3, y[2], 3, number, 40),
        mixed(24, x[3], 3, y[3], 3, number, 40),
    )


def test_vectors_do_what_numpy_does():
    random = np.random.default_rng(1)
    x, y = random.integers(0, 2**64, (2, 4, 120), np.uint64)
    wanted = x.copy()
    for row, n in zip(range(4), (1, 4, 8, 24), strict=True):
        at = slice(3, 3 + n)
        wanted[row, 43 : 43 + n], wanted[row, 83 : 83 + n] = mix(
            wanted[row, at], y[row, at], np.uint64(7)
        )
    assert all(run(x, y, np.uint64(7)))
    assert np.array_equal(x, wanted)


@vectors
def both(S: Rows, mask) -> Words:
    """Whether any word has a bit of the mask."""
    return S[0] & mask


@njit
def find(x, mask):
    return both(16, x, 0, mask)


@pytest.mark.parametrize("place", [0, 7, 8, 15])
def test_a_bit_is_found_wherever_it_is(place):
    x = zeros(16)
    x[place] = TOP
    assert find(x, np.uint64(4))
    assert not find(x, np.uint64(2))


@njit
def turn(x):
    transpose(8, x, 0, 8)


def test_bytes_are_transposed():
    x = np.random.default_rng(2).integers(0, 2**64, 64, np.uint64)
    wanted = x.view(np.uint8).reshape(8, 8, 8).transpose(2, 1, 0).copy()
    turn(x)
    assert np.array_equal(x.view(np.uint8).reshape(8, 8, 8), wanted)


def test_arrays_begin_with_a_cache_line():
    for _ in range(20):
        assert zeros(3, 5).ctypes.data % 64 == 0


@vectors
def reals(x: Rows, out: Rows, factor, low, high) -> Words:
    """Every operation on numbers."""
    number = x[0].reals(signed=True)
    y = (number * factor + 0.1 - number.fma(factor, 2.0)).fma(3.0, number)
    is_large = y > number.all(-3.0)
    out[0] = y.bits()
    out[16] = is_large.choose(high, low)
    out[32] = (x[0].reals() * 0.5).bits() + x[0].as_reals().bits() * 0
    return is_large


@njit
def run_reals(x, out, factor):
    return reals(16, x, 0, out, 0, factor, np.int32(-1), np.int32(7))


def test_reals_are_those_of_float32():
    f32 = np.float32
    x, out = np.arange(-8, 8, dtype=np.int32), np.empty(48, np.int32)
    number, factor = x.astype(f32), f32(0.3)
    fused = (number.astype(float) * float(factor) + 2.0).astype(f32)
    y = ((number * factor + f32(0.1) - fused).astype(float) * 3.0 + number).astype(f32)
    assert run_reals(x, out, factor) > 0
    assert np.array_equal(out[:16].view(f32), y)
    assert np.array_equal(out[16:32], np.where(y > -3, 7, -1))
    assert np.array_equal(out[32:].view(f32), x.astype(np.uint32).astype(f32) * f32(0.5))
    assert run_reals(np.full(16, -5, np.int32), out, factor) == 0
