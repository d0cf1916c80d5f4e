"""Random numbers as functions of counters: the definition in NumPy.

Every random word of a run is a function of (seed, replica, sweep, pass, rank, slot, attempt) and of
nothing else, so a chain has the same bits whatever runs beside it. Two generators give them:

* Philox4x32-10 (Salmon et al. 2011) turns a counter of four words and the seed into four words. It seeds
  streams and serves the late attempts of rejection loops, which count from 1: the block of an attempt belongs
  to the counter ``(rank, replica, sweep, pass number + STREAM_STRIDE * attempt)``.
* SFC (Doty-Humphrey 2014), several times faster, gives the words of all other draws. ``rank`` is a site's place
  in the color-sorted order of a pass. Ranks are cut into tiles of `TILE` ranks; a tile has `TILE_LANES`
  streams, and rank k takes the words of lane ``k % TILE_LANES`` in turn. A stream begins anew in every
  sweep and tile, from the block of the counter
  ``(tile * TILE_LANES + lane, replica, sweep, pass number + TILE_STREAM)``.

Backends repeat this arithmetic in their own language; tests hold them against this file.
"""

from __future__ import annotations

import numpy as np

M0, M1 = 0xD2511F53, 0xCD9E8D57
W0, W1 = 0x9E3779B9, 0xBB67AE85
MASK = 0xFFFFFFFF
ROUNDS = 10
STREAM_STRIDE = 1 << 8
"""Pass numbers stay below this, so that ``pass + STREAM_STRIDE * attempt`` is one to one."""
MAX_ATTEMPTS = 1000
"""Attempts of a rejection loop before its result is NaN: only weights that are NaN get there."""
TILE_LANES, TILE_STEPS = 16, 32
TILE = TILE_LANES * TILE_STEPS
"""Ranks of a tile: long enough to make seeding cheap, short enough for threads to share a color."""
TILE_STREAM = 1 << 31
"""Stream numbers of tiles, beyond those of attempts."""
WARM_UP = 4
"""Words that a fresh stream drops, until every bit of its state has met every other."""
CHAIN_BITS = 20
"""A replica's number is ``chain + (index of T << CHAIN_BITS)``, whatever the counts of a run."""


def philox(c0, c1, c2, c3, seed: int) -> tuple[np.ndarray, ...]:
    """Four words of 32 bits for each counter (arrays broadcast), as uint64 arrays.

    Examples
    --------
    The Random123 test vector for counter 0 and key 0:

    >>> [hex(int(w)) for w in philox(0, 0, 0, 0, 0)]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    c0, c1, c2, c3 = (np.asarray(c, np.uint64) for c in (c0, c1, c2, c3))
    k0, k1 = seed & MASK, (seed >> 32) & MASK
    shift, mask = np.uint64(32), np.uint64(MASK)
    for _ in range(ROUNDS):
        p0, p1 = np.uint64(M0) * c0, np.uint64(M1) * c2
        c0, c1 = (p1 >> shift) ^ c1 ^ np.uint64(k0), p1 & mask
        c2, c3 = (p0 >> shift) ^ c3 ^ np.uint64(k1), p0 & mask
        k0, k1 = (k0 + W0) & MASK, (k1 + W1) & MASK
    return c0, c1, c2, c3


def sfc32(a, b, c, n: int) -> np.ndarray:
    """First n words of the streams of states (a, b, c), after the warm-up; shape (n, *a.shape).

    Examples
    --------
    >>> [hex(int(w)) for w in sfc32(1, 2, 3, 2)]
    ['0xc5c2bf81', '0x540b6161']
    """
    a, b, c = (np.asarray(x, np.uint32) for x in (a, b, c))
    out = np.empty((WARM_UP + n, *a.shape), np.uint32)
    with np.errstate(over="ignore"):
        for k in range(WARM_UP + n):
            word = a + b + np.uint32(k + 1)
            a = b ^ (b >> np.uint32(9))
            b = c + (c << np.uint32(3))
            c = (c << np.uint32(21) | c >> np.uint32(11)) + word
            out[k] = word
    return out[WARM_UP:]


def rank_words(rank: int, words: int, replica, sweep: int, number: int, seed: int) -> np.ndarray:
    """The words of a site in pass ``number``, shape (words, *replica.shape)."""
    tile, place = divmod(rank, TILE)
    step, lane = divmod(place, TILE_LANES)
    state = philox(tile * TILE_LANES + lane, replica, sweep, number | TILE_STREAM, seed)[:3]
    return sfc32(*(x.astype(np.uint32) for x in state), (step + 1) * words)[step * words :]


def uniform(word) -> np.ndarray | float:
    """Map words of 32 bits to (0, 1): ``(word + 1/2) 2^-32``.

    Examples
    --------
    >>> uniform(0) == 2.0**-33
    True
    """
    return (word + 0.5) * 2.0**-32


def replica_id(chain: int, index_of_T: int) -> int:
    """Number of a replica, independent of how many chains and temperatures the run has.

    Examples
    --------
    >>> replica_id(3, 2) == 3 + 2 * 2**20
    True
    """
    return chain + (index_of_T << CHAIN_BITS)


def initial_generator(seed: int, replica: int, variable: int) -> np.random.Generator:
    """Generator for a replica's initial values: a function of its own number only."""
    return np.random.Generator(
        np.random.Philox(key=[seed & (2**64 - 1), replica + (variable << 32)])
    )
