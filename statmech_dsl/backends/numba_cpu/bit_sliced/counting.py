"""What generated bit-sliced modules import for counting: adders that work on all bits of a word at once."""

from __future__ import annotations

import numpy as np
from numba import njit

from statmech_dsl.backends.numba_cpu.bit_sliced.runtime import ZERO
from statmech_dsl.backends.numba_cpu.runtime import U

_1 = U(1)
_inline = njit(error_model="numpy", forceinline=True, nogil=True)
_function = njit(error_model="numpy", nogil=True)

__all__ = ["add15_1", "add15_2", "add15_4", "carry_on", "tally"]


@_inline
def _full(a, b, c):
    """Full adder: sum and carry."""
    x = a ^ b
    return x ^ c, (a & b) | (x & c)


def _add15(n):
    """Build the adder for rows of n words; with n a constant, LLVM sees that rows do not overlap."""

    @_function
    def add15(S):
        """Add rows 0 to 14, bit by bit, to the four digits in rows 15 to 18; row 19 gets the carries."""
        for r in range(n):
            d = 15 * n + r
            s0, a0 = _full(S[r], S[n + r], S[2 * n + r])
            s1, a1 = _full(S[3 * n + r], S[4 * n + r], S[5 * n + r])
            s2, a2 = _full(S[6 * n + r], S[7 * n + r], S[8 * n + r])
            s3, a3 = _full(S[9 * n + r], S[10 * n + r], S[11 * n + r])
            s4, a4 = _full(S[12 * n + r], S[13 * n + r], S[14 * n + r])
            s0, a5 = _full(s0, s1, s2)
            s3, a6 = _full(s3, s4, S[d])
            a7 = s0 & s3
            a0, b0 = _full(a0, a1, a2)
            a3, b1 = _full(a3, a4, a5)
            a6, b2 = _full(a6, a7, S[n + d])
            a0, b3 = _full(a0, a3, a6)
            b0, c0 = _full(b0, b1, b2)
            b3, c1 = _full(b3, b0, S[2 * n + d])
            c0, carry = _full(c0, c1, S[3 * n + d])
            S[d], S[n + d], S[2 * n + d], S[3 * n + d] = s0 ^ s3, a0, b3, c0
            S[4 * n + d] = carry

    return add15


add15_1, add15_2, add15_4 = (_add15(8 * words) for words in (1, 2, 4))


@_function
def carry_on(S, carry, digits, planes, n):
    """Add a row of carries to numbers of some more digits."""
    for q in range(planes):
        for w in range(n):
            x, c = S[digits + q * n + w], S[carry + w]
            S[digits + q * n + w] = x ^ c
            S[carry + w] = x & c


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
            for w in range(half):
                x, y = S[digits + q * n + w], S[digits + q * n + half + w]
                total, c = _full(x, y, S[carry + w])
                S[digits + q * half + w] = total
                S[carry + w] = c
        n = half
    lanes = len(out) // words  # 64, but a constant would be unrolled and take long to compile
    for q in range(planes):
        for w in range(n):
            x = S[digits + q * n + w]
            for lane in range(lanes):
                out[w * lanes + lane] += np.int64(((x >> U(lane)) & _1) << U(q))
