"""What generated bit-sliced modules import for counting: adders that work on all bits of a word at once."""

from __future__ import annotations

import numpy as np

from statmech_dsl.backends.numba_cpu.bit_sliced.runtime import ZERO, _function
from statmech_dsl.backends.numba_cpu.runtime import U
from statmech_dsl.backends.numba_cpu.vectors import Rows, vectors

_1 = U(1)

__all__ = ["add15", "add_carry", "tally"]


def _full(a, b, c):
    """Full adder: sum and carry."""
    x = a ^ b
    return x ^ c, (a & b) | (x & c)


@vectors
def add15(terms: Rows, digits: Rows, carry: Rows, n):
    """Add 15 rows of n words to a number of four digits."""
    s0, a0 = _full(terms[0], terms[n], terms[2 * n])
    s1, a1 = _full(terms[3 * n], terms[4 * n], terms[5 * n])
    s2, a2 = _full(terms[6 * n], terms[7 * n], terms[8 * n])
    s3, a3 = _full(terms[9 * n], terms[10 * n], terms[11 * n])
    s4, a4 = _full(terms[12 * n], terms[13 * n], terms[14 * n])
    s0, a5 = _full(s0, s1, s2)
    s3, a6 = _full(s3, s4, digits[0])
    a7 = s0 & s3
    a0, b0 = _full(a0, a1, a2)
    a3, b1 = _full(a3, a4, a5)
    a6, b2 = _full(a6, a7, digits[n])
    a0, b3 = _full(a0, a3, a6)
    b0, c0 = _full(b0, b1, b2)
    b3, c1 = _full(b3, b0, digits[2 * n])
    digits[0], digits[n], digits[2 * n] = s0 ^ s3, a0, b3
    digits[3 * n], carry[0] = _full(c0, c1, digits[3 * n])


@vectors
def add_carry(digit: Rows, carry: Rows):
    """Add a carry to a digit; the carry of that takes its place."""
    digit[0], carry[0] = digit[0] ^ carry[0], digit[0] & carry[0]


@vectors
def add(x: Rows, y: Rows, total: Rows, carry: Rows):
    """Add two digits and a carry."""
    total[0], carry[0] = _full(x[0], y[0], carry[0])


@_function
def tally(S, digits, planes, n, words, out):
    """Add up the ranks of rows of digits, then count lane by lane."""
    while n > words:
        half = n // 2
        carry = digits + planes * n
        # The upper half of each row is added to the lower one; rows become half as long.
        for w in range(half):
            S[carry + w] = ZERO
        for q in range(planes):
            for w in range(0, half, words):
                x, total = digits + q * n + w, digits + q * half + w
                add(words, S, x, S, x + half, S, total, S, carry + w)
        n = half
    lanes = len(out) // words  # 64, but a constant would be unrolled and take long to compile
    for q in range(planes):
        for w in range(words):
            x = S[digits + q * words + w]
            for lane in range(lanes):
                out[w * lanes + lane] += np.int64(((x >> U(lane)) & _1) << U(q))
