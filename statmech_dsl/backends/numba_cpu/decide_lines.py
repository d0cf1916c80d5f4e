"""Decide lines of sites, each for replica after replica: what kernels import for passes by lookup.

A first look decides by a coarse exponential, whose margin is that of all its replicas' sites. Lines where a
site is too close to call get a second look by `verdicts.verdict`; what is still too close is left to the
definition. So the bits are those of the definition.
"""

# pyright: reportCallIssue=false
# Numba supplies the first parameter of an intrinsic.

from __future__ import annotations

import numpy as np
from numba import njit

from statmech_dsl.backends.numba_cpu.lookups import (
    CODES,
    FOUR,
    LINE,
    NEAR,
    TOGETHER,
    add_lines,
    aligned,
    copy_bytes,
    multiply_lines,
)
from statmech_dsl.backends.numba_cpu.runtime import U32, U, _inline, draw, row, seed_lanes
from statmech_dsl.backends.numba_cpu.runtime_float32 import f32, i32
from statmech_dsl.backends.numba_cpu.vectors import Reals, Rows, Words, vectors
from statmech_dsl.backends.numba_cpu.verdicts import CLOSE, verdict
from statmech_dsl.compiled import unchecked
from statmech_dsl.rng import TILE, TILE_LANES, WARM_UP

STEPS, STATE = LINE // TILE_LANES, 3 * TILE_LANES
"""Steps of the streams of a tile for a line, and numbers of their state."""
BUFFERS = "codes", "fields", "streams", "words", "close", "values"
"""Names of what a pass keeps for each replica while it runs; see `buffers`."""
COARSE = 2.0**-13
"""Bound on the relative error of ``u (1 + z)`` near 1 at a first look, besides that of the exponent."""
_MAGIC, _MANTISSA = 12582912.0, 23
"""Adding 1.5 * 2^23 rounds to the nearest integer, which the lowest bits then hold."""
_COARSE = 0.0551716685295105, 0.2426111400127411, 0.6932609677314758, 0.9999280571937561
"""A polynomial for 2**r to a relative error of 7.5e-5."""
_FINE = (
    *(0.0013276472454890609, 0.009675541892647743, 0.05550713092088699),
    *(0.24022120237350464, 0.6931469440460205, 1.0000001192092896),
)
"""Another to 3e-7, roundings included."""
_INFINITE = f32(np.inf)


def buffers(n: int, n_sources: int) -> dict[str, np.ndarray]:
    """Memory for passes over n replicas, by name."""
    return {
        "codes": aligned((n * stride_of.py_func(-(-n_sources // FOUR)),), np.uint8),
        "fields": aligned((n * LINE,), np.int32),
        "streams": aligned((n * STATE,), np.uint32),
        "words": aligned((n * LINE,), np.uint32),
        "close": np.zeros(n, np.int64),
        "values": np.zeros(n * LINE, np.int8),
    }


def _weight(fields: Rows, exponent: Reals, polynomial: tuple[float, ...]) -> Reals:
    """Numbers ``2**(fields * exponent)``, of exponents within +-126, by a polynomial for 2**r, |r| <= 1/2."""
    field = fields[0].reals(signed=True)
    whole = field.fma(exponent, _MAGIC)
    rest = field.fma(exponent, whole.all(_MAGIC) - whole)
    z = rest.all(polynomial[0])
    for coefficient in polynomial[1:]:
        z = z.fma(rest, coefficient)
    return (z.bits() + (whole.bits() << _MANTISSA)).as_reals()


@vectors
def first_look(states: Rows, fields: Rows, words: Rows, exponent, below, above, low, high) -> Words:
    """Decide a line by its fields; whether sites are too close to call."""
    return _decide(states, _weight(fields, exponent, _COARSE), words, below, above, low, high)


@vectors
def first_look_at(states: Rows, weights: Rows, words: Rows, below, above, low, high) -> Words:
    """Decide a line by its weights; whether sites are too close to call."""
    return _decide(states, weights[0].as_reals(), words, below, above, low, high)


def _decide(states: Rows, z: Reals, words: Rows, below, above, low, high) -> Words:
    """High where ``u (1 + z) 2^32`` is above 2^32; whether it is between ``below`` and ``above``."""
    u = words[0].reals() + 0.5
    product = u.fma(z, u)
    is_high = product > below
    states[0] = is_high.choose(high, low)
    return is_high & (above > product)


@vectors
def weigh_line(weights: Rows, fields: Rows, exponent):
    """Weights of a line of fields."""
    weights[0] = _weight(fields, exponent, _FINE).bits()


@vectors
def weigh_together(weights: Rows, one: Rows, other: Rows):
    """Weights of the sums of two lines."""
    weights[0] = (one[0].as_reals() * other[0].as_reals()).bits()


@vectors
def copy_line(to: Rows, source: Rows):
    """A line of numbers."""
    to[0] = source[0]


@unchecked
def decide_lines(c0, c1, k, states, place, counters, tables, fours, factors, ends, buffers, keep):
    """Give the sites of ranks from k on their values, until a line has sites that are `CLOSE`.

    ``place`` holds the first site of each line if its sites follow each other, else -1, and the order of all.
    The first rank of the next line is returned, and how many replicas have such sites in this one; their
    numbers stand in ``close`` from c0 on, and their words in ``words``. If replicas are to ``keep`` their
    fields, one line is decided, and they stand in ``fields``.
    """
    replica, sweep, stream, key0, key1 = counters
    runs, order = place
    streams, values = buffers[2], buffers[5]
    flat, n_sites, size = states.reshape(-1), states.shape[1], order.shape[0]
    by_weights = tables[3].shape[0] > 0 and not keep
    n_close = 0
    while k < size and n_close == 0:
        m, run = min(LINE, size - k), runs[k // LINE]
        if k % TILE == 0:
            block = U(k // TILE * TILE_LANES)
            for c in range(c0, c1):
                number = U(replica[c, 0])
                seed_lanes(TILE_LANES, streams, c * STATE, block, number, sweep, stream, key0, key1)
        at_once = run >= 0 and m == LINE
        line, target = (k, m), (flat, run, n_sites) if at_once else (values, 0, LINE)
        if by_weights:
            n = by_their_weights(c0, c1, line, target, tables, fours, factors, ends, buffers)
        else:
            n = by_their_fields(c0, c1, line, target, tables, fours, factors, ends, buffers, keep)
        n_close = second_look(c0, n, target, factors, ends, buffers)
        if not at_once:
            spread_out(c0, c1, values, flat, n_sites, run, order[k : k + m])
        k += LINE
        if keep:
            break
    return k, n_close


@njit(error_model="numpy", nogil=True)
def by_their_fields(c0, c1, line, target, tables, fours, factors, ends, buffers, keep):
    """Decide a line by sums of couplings; how many replicas need a second look."""
    (k, m), (out, begin, apart), (low, high) = line, target, ends
    exponent, edges = factors[0], factors[1]
    codes, fields, streams, words, close, _ = buffers
    offset, lines, _, _ = tables
    stride, last = stride_of(fours), max(fours - NEAR, 0)
    first = k // LINE * fours * CODES
    for four in range(0, last, NEAR):
        start, n = offset if four == 0 else fields, min(NEAR, last - four)
        for c in range(c0, c1):
            at, at_code = k if four == 0 else c * LINE, c * stride + four
            table = first + four * CODES
            add_lines(fields, c * LINE, start, at, lines, table, codes, at_code, n, m)
    start, first, n = offset if last == 0 else fields, first + last * CODES, fours - last
    field, word, n_close = row(LINE, np.int32), row(LINE, np.uint32), 0
    field[:] = 0
    for c in range(c0, c1):
        draw(TILE_LANES, streams, c * STATE, word, 0, step_of(k), TILE_LANES, STEPS, TILE_LANES)
        at = k if last == 0 else c * LINE
        add_lines(field, 0, start, at, lines, first, codes, c * stride + last, n, m)
        x, below, above, to = exponent[c, 0], edges[c, 0], edges[c, 1], begin + c * apart
        between = first_look(LINE, out, to, field, 0, word, 0, x, below, above, low, high)
        if between != 0 or above == _INFINITE:
            close[c0 + n_close] = c
            n_close += 1
            copy_line(LINE, words, c * LINE, word, 0)
            copy_line(LINE, fields, c * LINE, field, 0)
        elif keep:
            copy_line(LINE, fields, c * LINE, field, 0)
    return n_close


@njit(error_model="numpy", nogil=True)
def by_their_weights(c0, c1, line, target, tables, fours, factors, ends, buffers):
    """Decide a line by products of weights; how many replicas need a second look."""
    (k, m), (out, begin, apart), (low, high), edges = line, target, ends, factors[1]
    codes, fields, streams, words, close, _ = buffers
    offset, lines, start, weights = tables
    stride, below, above = stride_of(fours), edges[c0, 0], edges[c0, 1]
    first = k // LINE * fours * CODES
    weight, word, n_close = row(LINE, np.float32), row(LINE, np.uint32), 0
    weight[:] = 0
    for c in range(c0, c1):
        draw(TILE_LANES, streams, c * STATE, word, 0, step_of(k), TILE_LANES, STEPS, TILE_LANES)
        multiply_lines(weight, 0, start, k, weights, first, codes, c * stride, fours, m)
        to = begin + c * apart
        if first_look_at(LINE, out, to, weight, 0, word, 0, below, above, low, high) != 0:
            close[c0 + n_close] = c
            n_close += 1
            copy_line(LINE, words, c * LINE, word, 0)
            add_lines(fields, c * LINE, offset, k, lines, first, codes, c * stride, fours, LINE)
    return n_close


@_inline
def stride_of(fours):
    """Places for the codes of a replica."""
    return (fours * FOUR + TOGETHER - 1) // TOGETHER * (TOGETHER // FOUR)


@_inline
def step_of(k):
    """Number of the step of the streams of a tile where rank k has its word."""
    return U32(k % TILE // TILE_LANES + WARM_UP + 1)


@njit(error_model="numpy", nogil=True)
def spread_out(c0, c1, values, states, n_sites, run, order):
    """Bring a line that is short or out of order where it belongs."""
    for c in range(c0, c1):
        if run >= 0:
            copy_bytes(states, c * n_sites + run, values, c * LINE, order.shape[0])
        else:
            for r in range(order.shape[0]):
                states[c * n_sites + np.int64(order[r])] = values[c * LINE + r]


@njit(error_model="numpy", nogil=True)
def second_look(c0, n, target, factors, ends, buffers):
    """Decide the lines of n replicas by `verdict`; how many have sites that are still `CLOSE`."""
    exponent, _, width, slack = factors
    (out, begin, apart), (low, high) = target, ends
    _, fields, _, words, close, _ = buffers
    n_close = 0
    for q in range(n):
        c = close[c0 + q]
        x, w, some = exponent[c, 0], f32(slack[0] * width[c, 0]), i32(0)
        field, word = fields[c * LINE : c * LINE + LINE], words[c * LINE : c * LINE + LINE]
        value = out[begin + c * apart : begin + c * apart + LINE]
        for r in range(LINE):
            v = verdict(f32(f32(field[r]) * x), w, word[r], low, high)
            value[r] = v
            some = i32(some | i32(v == CLOSE))
        if some != 0:
            close[c0 + n_close] = c
            n_close += 1
    return n_close
