"""What generated kernels of cluster moves import: keyed random words, and sets of sites."""

from __future__ import annotations

import numpy as np
from numba import njit

from statmech_dsl import rng

U = np.uint64
_GOLDEN, _MIX1, _MIX2 = U(rng.GOLDEN), U(rng.MIX1), U(rng.MIX2)
_1, _27, _30, _31, _32, _MASK = U(1), U(27), U(30), U(31), U(32), U(rng.MASK)
_inline = njit(error_model="numpy", forceinline=True, nogil=True)


@_inline
def keyed_pair(key, n):
    """Words 2n and 2n + 1 of a move, the first one in the lower half; see `statmech_dsl.rng`."""
    x = key + (n + _1) * _GOLDEN
    x = (x ^ (x >> _30)) * _MIX1
    x = (x ^ (x >> _27)) * _MIX2
    return x ^ (x >> _31)


@_inline
def keyed_word(key, n):
    """Word n of a move."""
    n = U(n)
    return (keyed_pair(key, n >> _1) >> (_32 * (n & _1))) & _MASK


@_inline
def root(label, site):
    """The smallest site of a set; labels lead to smaller sites, and on the way they get shorter."""
    while label[site] != site:
        label[site] = label[label[site]]
        site = label[site]
    return site


@_inline
def join(label, a, b):
    """Make one set of two; a is larger than b."""
    if label[a] == a:  # the usual case, as ties are in the order of their larger sites
        label[a] = label[b]
        return
    a, b = root(label, a), root(label, b)
    if a < b:
        label[b] = a
    else:
        label[a] = b


@_inline
def part(word, n):
    """A random word as a number below n."""
    return np.int64((U(word) * U(n)) >> _32)


@_inline
def find_ties(found, key, offset, count, limit, places, first, second, x, lowest, width):
    """Which ties of one form are there, by their limits; two share a random number. Without branches."""
    n = 0
    for b in range(0, count, 2):
        pair = keyed_pair(key, U(offset + b) >> _1)
        found[n] = b
        n += (pair & _MASK) < _limit(b, offset, limit, places, first, second, x, lowest, width)
        if b + 1 < count:
            found[n] = b + 1
            n += (pair >> _32) < _limit(b + 1, offset, limit, places, first, second, x, lowest, width)
    return n


@_inline
def _limit(b, offset, limit, places, first, second, x, lowest, width):
    here, near = np.int64(x[first[b]]) - lowest, np.int64(x[second[b]]) - lowest
    return limit[places[offset + b] + here * width + near]
