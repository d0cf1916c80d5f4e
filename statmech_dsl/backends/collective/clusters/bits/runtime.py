"""What generated kernels of clusters in bits import: ties in words of replicas, and how clusters grow along.

A row is the word of a site, or of a tie, in all replicas of a chunk: ``words`` words of 64 bits.
"""

# pyright: reportCallIssue=false
# Numba supplies the first parameter of an intrinsic.

from __future__ import annotations

import numpy as np
from numba import njit

from statmech_dsl.backends.collective.clusters.runtime import part
from statmech_dsl.backends.numba_cpu.bit_sliced.runtime import (
    begin_streams,
    draw3,
    set_bits,
    tail_of,
    transpose,
)
from statmech_dsl.backends.numba_cpu.runtime import MASK, U, philox
from statmech_dsl.backends.numba_cpu.vectors import Rows, Words, vectors
from statmech_dsl.rng import GROUP_LANES, PLANES

__all__ = [
    "MASK",
    "Rows",
    "U",
    "again",
    "begin_streams",
    "copy",
    "decide",
    "differ",
    "draw3",
    "finish",
    "flow_back",
    "np",
    "part",
    "philox",
    "reach",
    "transpose",
    "turn",
    "vectors",
]

GROUP = 8
"""Sites that are done in one go, without a branch between them."""
_0, _1, _3, _7 = (U(k) for k in (0, 1, 3, 7))


@vectors
def decide(
    S: Rows, levels: Rows, flip: Rows, x: Rows, y: Rows, tie: Rows, rest: Rows, width, words
) -> Words:
    """Compare planes with those of thresholds; lanes that they leave open, if sites agree, go to ``rest``.

    ``flip`` has the lanes whose sites are tied if their values differ.
    """
    low = x[0] ^ x[0]
    may = open_ = ~(x[0] ^ y[0] ^ flip[0])
    for q in range(PLANES - 1, -1, -1):
        level = levels[q * words]
        differs = S[q * width] ^ level
        low = low ^ (differs & (level ^ low))
        open_ = open_ & ~differs
    tie[0], rest[0] = low & may, open_
    return open_


@njit(error_model="numpy", nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def finish(S, rest, first, half, tie, at, tails):
    """Decide the open lanes of a tie by the rest of their uniforms; ``first`` is its place in half a block."""
    words = len(rest)
    for w in range(words):
        left = rest[w]
        while left != _0:
            lane = set_bits((left & (~left + _1)) - _1)
            state = S[np.int64(lane >> _3) * GROUP_LANES * words + first + w]
            if tail_of(state, U(half) + (lane & _7)) < tails[64 * w + np.int64(lane)]:
                tie[at + w] |= _1 << lane
            left &= left - _1


@vectors
def copy(target: Rows, source: Rows):
    """Copy a row."""
    target[0] = source[0]


@vectors
def reach(inside: Rows, other: Rows, tie: Rows, flow: Rows, words):
    """Let a site join the clusters of another one; ``flow[words]`` collects what is new."""
    old = inside[0]
    inside[0] = new = old | (other[0] & tie[0])
    flow[words] = flow[words] | (new ^ old)


@vectors
def flow_back(inside: Rows, ties: Rows, flow: Rows, words):
    """Let clusters flow along a line of sites, from the last to the first; ``flow[0]`` is behind it."""
    carry, changed = flow[0], flow[words]
    for k in range(GROUP - 1, -1, -1):
        old = inside[k * words]
        carry = old | (carry & ties[(k + 1) * words])
        inside[k * words] = carry
        changed = changed | (carry ^ old)
    flow[0], flow[words] = carry, changed


@vectors
def again(flow: Rows) -> Words:
    """Whether anything was new; then forget it."""
    found = flow[0]
    flow[0] = 0
    return found


@vectors
def differ(x: Rows, y: Rows, tie: Rows) -> Words:
    """Whether two sites are tied, of which a cluster has only one."""
    return (x[0] ^ y[0]) & tie[0]


@vectors
def turn(x: Rows, inside: Rows):
    """Give the sites of clusters the other value, and empty the clusters."""
    x[0] = x[0] ^ inside[0]
    inside[0] = 0
