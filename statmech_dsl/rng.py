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

Bit-sliced kernels compare whole words of random bits with thresholds, one bit plane at a time. A site then has
a uniform of `PLANES` bits from a stream of 64-bit words (SFC again) and `TAIL` more from a hash of that
stream's state, which are needed once in 2^PLANES cases. See `replica_bits` and `site_bits`.

Backends repeat this arithmetic in their own language; tests hold them against this file.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

M0, M1 = 0xD2511F53, 0xCD9E8D57
W0, W1 = 0x9E3779B9, 0xBB67AE85
MASK, MASK64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
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
PLANES, TAIL = 12, 36
"""Bits of a uniform in a bit-sliced kernel: those that are always drawn, and the rest."""
BIT_STREAM = 1 << 30
"""Stream numbers of bit-sliced passes."""
SWAP_STREAM = 1 << 29
"""Stream number of what happens between two replicas of a tempering ladder."""
MOVE_STREAM = 1 << 28
"""Stream numbers of collective moves; the bits from 8 on count those of a sweep."""
BIT_TILE = 1024
"""Ranks (or words of sites) of a tile in a bit-sliced pass."""
GROUP_LANES, WORD_LANES = 8, 32
"""Streams of such a tile, where words hold replicas and where they hold sites."""
SFC64_C, GOLDEN, MIX1, MIX2 = (
    0xD1B54A32D192ED03,
    0x9E3779B97F4A7C15,
    0xBF58476D1CE4E5B9,
    0x94D049BB133111EB,
)
"""Third word of a fresh 64-bit stream, and the constants of splitmix64 (Steele, Lea and Flood 2014)."""
WY_STEP, WY_MIX = 0xA0761D6478BD642F, 0xE7037ED1A0B428DB
"""Constants of wyrand."""
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
    a, b, c = (x.astype(np.uint32) for x in state)
    return sfc32(a, b, c, (step + 1) * words)[step * words :]


def sfc64(a, b, n: int) -> tuple[np.ndarray, np.ndarray]:
    """First n words of 64-bit streams after the warm-up, and the first word of the state after each."""
    a, b = np.asarray(a, np.uint64), np.asarray(b, np.uint64)
    c = np.full_like(a, SFC64_C)
    words, states = np.empty((2, WARM_UP + n, *a.shape), np.uint64)
    with np.errstate(over="ignore"):
        for k in range(WARM_UP + n):
            word = a + b + np.uint64(k + 1)
            a = b ^ (b >> np.uint64(11))
            b = c + (c << np.uint64(3))
            c = (c << np.uint64(24) | c >> np.uint64(40)) + word
            words[k], states[k] = word, a
    return words[WARM_UP:], states[WARM_UP:]


def mix64(x: int) -> int:
    """The finalizer of splitmix64: a bijection of 64-bit words that looks random."""
    x = (x ^ x >> 30) * MIX1 & MASK64
    x = (x ^ x >> 27) * MIX2 & MASK64
    return x ^ x >> 31


def replica_bits(rank: int, replica: int, sweep: int, number: int, seed: int) -> int:
    """A site's uniform, PLANES + TAIL bits, where words hold replicas.

    Eight replicas of neighboring numbers, ``replica // 8`` alike, share a stream: each owns a bit of every
    byte. Three words of it, 24 bytes, are the planes of two ranks, ``rank % 16`` below 8 first.
    """
    tile, place = divmod(rank, BIT_TILE)
    block, half = place // (2 * GROUP_LANES), place // GROUP_LANES % 2
    group, bit = divmod(replica, 8)
    block_of = tile * GROUP_LANES + place % GROUP_LANES
    words, states = _bit_stream(block_of, group, sweep, number, seed, 3 * (block + 1))
    planes = words[3 * block :].tobytes()[half * PLANES :][:PLANES]
    high = int("".join(str(byte >> bit & 1) for byte in planes), 2)
    return _with_tail(high, int(states[-1]), 8 * half + bit)


def site_bits(word: int, lane: int, replica: int, sweep: int, number: int, seed: int) -> int:
    """A site's uniform, PLANES + TAIL bits, where words hold sites: the site is bit ``lane`` of a word.

    Its stream gives the least significant plane first, which is the one that a comparison begins with.
    """
    tile, place = divmod(word, BIT_TILE)
    step = place // WORD_LANES
    block_of = tile * WORD_LANES + place % WORD_LANES
    words, states = _bit_stream(block_of, replica, sweep, number, seed, PLANES * (step + 1))
    high = int("".join(str(int(w) >> lane & 1) for w in words[: -PLANES - 1 : -1]), 2)
    return _with_tail(high, int(states[-1]), lane)


@lru_cache(maxsize=1 << 10)
def _bit_stream(block: int, who: int, sweep: int, number: int, seed: int, n: int) -> tuple:
    w = [int(x) for x in philox(block, who, sweep, number | BIT_STREAM, seed)]
    return sfc64(w[0] | w[1] << 32, w[2] | w[3] << 32, n)


def _with_tail(high: int, state: int, index: int) -> int:
    tail = mix64(state ^ (index + 1) * GOLDEN & MASK64) >> (64 - TAIL)
    return high << TAIL | tail


def move_words(block: int, replica, sweep: int, stream: int, repetition: int, seed: int) -> tuple:
    """Four words of repetition ``repetition`` of a collective move; the first two are its key."""
    number = stream | repetition << 8 | MOVE_STREAM
    return tuple(int(w) for w in philox(block, replica, sweep, number, seed))


def keyed_word(key: int, n: int) -> int:
    """Word number n of a move whose key is ``key``: the upper half of a word of wyrand (Wang 2019).

    Any of them is found at once, so that a move may draw in any order only what it needs. Keys must be random
    themselves: those that differ in a few bits have words that hang together.

    Examples
    --------
    >>> hex(keyed_word(0, 0)), hex(keyed_word(1, 2))
    ('0x111cb3a7', '0x8cf880c2')
    """
    x = key + (n + 1) * WY_STEP & MASK64
    product = x * (x ^ WY_MIX)
    return (product >> 64 ^ product & MASK64) >> 32


def uniform(word) -> np.ndarray | float:
    """Map words of 32 bits to (0, 1): ``(word + 1/2) 2^-32``.

    Examples
    --------
    >>> uniform(0) == 2.0**-33
    True
    """
    return (word + 0.5) * 2.0**-32


def uniform_single(word) -> np.ndarray | float:
    """Map words of 32 bits to (0, 1) in float32, exactly: ``(first 23 bits + 1/2) 2^-23``.

    Examples
    --------
    >>> uniform_single(0x200) == 1.5 * 2.0**-23
    True
    """
    return ((word >> 9) + 0.5) * 2.0**-23


def replica_id(chain, index_of_T):
    """Number of a replica, independent of how many chains and temperatures the run has; arrays broadcast.

    Examples
    --------
    >>> replica_id(3, 2) == 3 + 2 * 2**20
    True
    """
    return chain + (index_of_T << CHAIN_BITS)


LADDER_BITS = 12
"""A replica of a ladder has the number ``place + (ladder << LADDER_BITS)``: those of a ladder fill words."""


def swap_words(level, ladder, copy, swap, seed: int) -> tuple[np.ndarray, ...]:
    """Four words for level ``level`` of a ladder and one of its copies, at a swap.

    The first one decides whether the level swaps with the next one, the second one picks the site of a
    Houdayer move.
    """
    who = np.asarray(ladder, np.uint64) << np.uint64(LADDER_BITS) | np.asarray(copy, np.uint64)
    return philox(level, who, swap, SWAP_STREAM, seed)


def initial_generator(seed: int, replica: int, variable: int) -> np.random.Generator:
    """Generator for a replica's initial values: a function of its own number only."""
    return np.random.Generator(
        np.random.Philox(key=[seed & (2**64 - 1), replica + (variable << 32)])
    )
