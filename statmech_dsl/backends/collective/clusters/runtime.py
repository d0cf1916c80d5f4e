"""What generated kernels of cluster moves import: keyed random words, and sets of sites."""

# pyright: reportCallIssue=false
# Numba supplies the first parameter of an intrinsic.

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from statmech_dsl import rng

U = np.uint64
_STEP, _MIX = U(rng.WY_STEP), U(rng.WY_MIX)
_1, _32 = U(1), U(32)
_inline = njit(error_model="numpy", forceinline=True, nogil=True)


@intrinsic
def _folded_product(typingctx, a, b):
    """The product of 128 bits of two words, its halves added without carry."""

    def generate(context, builder, signature, args):
        wide, narrow = ir.IntType(128), ir.IntType(64)
        product = builder.mul(*(builder.zext(x, wide) for x in args))
        high = builder.lshr(product, ir.Constant(wide, 64))
        return builder.xor(builder.trunc(high, narrow), builder.trunc(product, narrow))

    return types.uint64(types.uint64, types.uint64), generate


@_inline
def keyed_word(key, n):
    """Word n of a move; see `statmech_dsl.rng`."""
    x = key + (U(n) + _1) * _STEP
    return _folded_product(x, x ^ _MIX) >> _32


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
    return (U(word) * U(n)) >> _32


@_inline
def find_ties(found, key, offset, begin, end, limit, places, first, second, x, lowest, width):
    """Which of some ties of one form are there, by their limits; without branches."""
    n = U(0)
    for b in range(U(begin), U(end)):
        here, near = np.int64(x[first[b]]) - lowest, np.int64(x[second[b]]) - lowest
        place = U(places[U(offset) + b]) + U(here * width + near)
        found[n] = b
        n += U(keyed_word(key, U(offset) + b) < limit[place])
    return n
