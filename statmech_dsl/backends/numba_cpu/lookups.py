"""Sums of couplings by lookup: what kernels of the dense tier import where tables of them are small.

A sum of couplings over the sources that have their high value takes an addition for each of them. Of four
sources together there are only 16 sums: one addition of a table's line does for all four. This is the method
of the four Russians (Arlazarov et al. 1970). A line holds the sums of `LINE` sites that do not depend on each
other.
"""

# pyright: reportCallIssue=false
# Numba supplies the first parameter of an intrinsic.

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from statmech_dsl.backends.numba_cpu.runtime import U32, U, draw, row, seed_lanes
from statmech_dsl.backends.numba_cpu.runtime_float32 import f32, i32
from statmech_dsl.backends.numba_cpu.vectors import Rows, Words, vectors
from statmech_dsl.backends.numba_cpu.verdicts import CLOSE, verdict
from statmech_dsl.rng import TILE, TILE_LANES, WARM_UP

LINE = 32
"""Sites of a line: a few vectors of numbers of 32 bits, and a whole number of steps of a tile of streams."""
STEPS, STATE = LINE // TILE_LANES, 3 * TILE_LANES
"""Steps of the streams of a tile for a line, and numbers of their state."""
FOUR, CODES = 4, 16
"""Sources that are looked up together, and what they may be."""
NEAR = 16
"""Fours whose lines stay in the cache next to the processor while replica after replica looks them up."""
_I32, _I64 = ir.IntType(32), ir.IntType(64)
_MERGE, _TOP, _LOW = np.uint32(0x01020408), np.uint32(24), np.uint32(CODES - 1)


def lines_of(matrix: np.ndarray, kind: type) -> np.ndarray:
    """The table of a matrix, whose rows are sites and whose columns are sources: [block, four, code, site].

    Examples
    --------
    >>> lines_of(np.array([[1.0, 2.0, 4.0, 8.0, 16.0]]), np.int32)[0, :, :4, 0].tolist()
    [[0, 1, 2, 3], [0, 16, 0, 16]]
    """
    n_sites, n_sources = matrix.shape
    blocks, fours = -(-n_sites // LINE), -(-n_sources // FOUR)
    padded = np.zeros((blocks * LINE, fours * FOUR), kind)
    padded[:n_sites, :n_sources] = matrix
    columns = padded.reshape(blocks, LINE, fours, FOUR).transpose(0, 2, 3, 1)
    lines = np.zeros((blocks, fours, CODES, LINE), kind)
    for j in range(FOUR):
        lines[:, :, 2**j : 2 ** (j + 1)] = lines[:, :, : 2**j] + columns[:, :, j : j + 1]
    return lines


def padded(x: np.ndarray) -> np.ndarray:
    """Numbers of sites, up to the end of the last line."""
    return np.pad(x, (0, -len(x) % LINE))


def runs(order: np.ndarray) -> np.ndarray:
    """For each line of ranks its first site, if its sites follow each other, else -1.

    Examples
    --------
    >>> runs(np.arange(3, 70)).tolist()
    [3, 35, -1]
    """
    n = len(order) // LINE
    lines = order[: n * LINE].astype(np.int64).reshape(n, LINE)
    along = (np.diff(lines, axis=1) == 1).all(axis=1)
    first = np.where(along, lines[:, 0], -1)
    return np.concatenate([first, [-1] * (len(order) > n * LINE)]).astype(np.int64)


@njit(error_model="numpy", nogil=True)
def note(states, high, bits):
    """Note which states have the high value."""
    for q in range(states.shape[0]):
        bits[q] = np.uint8(states[q] == high)


@njit(error_model="numpy", nogil=True)
def in_fours(bits, codes):
    """The codes of four sources each: numbers of four bits."""
    four = bits.view(np.uint32)
    for q in range(codes.shape[0]):
        codes[q] = np.uint8((np.uint32(four[q] * _MERGE) >> _TOP) & _LOW)


@intrinsic
def add_lines(typingctx, out, to, start, k, lines, first, codes, place, count):
    """Into a line of ``out``: that of ``start`` from number k on, plus those of a table for ``count`` codes.

    ``first`` is the first code's first line, ``place`` the place of its code. Numbers are of 32 bits, or of 64
    and real. The sum stays in registers.
    """
    at = types.int64
    signature = types.none(out, at, start, at, lines, at, codes, at, at)

    def generate(context, builder, signature, values):
        out, to, start, k, lines, first, codes, place, count = values
        item = context.get_data_type(signature.args[0].dtype)
        vector = ir.VectorType(item, LINE)
        plus = builder.fadd if isinstance(item, ir.DoubleType) else builder.add

        def data(number, value):
            return context.make_array(signature.args[number])(context, builder, value).data

        def line(pointer):
            return builder.bitcast(pointer, vector.as_pointer())

        size = item.width // 8 if isinstance(item, ir.IntType) else 8
        codes = builder.gep(data(6, codes), [place])
        lines = builder.gep(line(data(4, lines)), [first])
        total = cgutils.alloca_once(builder, vector)
        begin = builder.load(line(builder.gep(data(2, start), [k])), align=size)
        builder.store(begin, total)
        with cgutils.for_range(builder, count) as loop:
            code = builder.zext(builder.load(builder.gep(codes, [loop.index])), _I64)
            at = builder.add(builder.mul(loop.index, ir.Constant(_I64, CODES)), code)
            found = builder.load(builder.gep(lines, [at]), align=size)
            builder.store(plus(builder.load(total), found), total)
        end = line(builder.gep(data(0, out), [to]))
        builder.store(builder.load(total), end, align=size)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def sum_raised(typingctx, sums, states, place, high):
    """Sum of those of ``LINE`` real numbers whose sites, from ``place`` on, are high: halves are added up."""

    def generate(context, builder, signature, values):
        data = [
            context.make_array(kind)(context, builder, value).data
            for kind, value in zip(signature.args[:2], values[:2], strict=True)
        ]
        reals, bytes_ = ir.VectorType(ir.DoubleType(), LINE), ir.VectorType(ir.IntType(8), LINE)
        x = builder.load(builder.bitcast(data[0], reals.as_pointer()), align=8)
        at = builder.bitcast(builder.gep(data[1], [values[2]]), bytes_.as_pointer())
        wanted = Words.spread(builder, values[3], LINE).value
        is_high = builder.icmp_unsigned("==", builder.load(at, align=1), wanted)
        x = builder.select(is_high, x, ir.Constant(reals, [0.0] * LINE))
        half = LINE // 2
        while half:
            low, high = (
                builder.shuffle_vector(
                    x, x, ir.Constant(ir.VectorType(_I32, half), list(range(k, k + half)))
                )
                for k in (0, half)
            )
            x, half = builder.fadd(low, high), half // 2
        return builder.extract_element(x, ir.Constant(_I32, 0))

    return types.float64(sums, states, types.int64, types.int8), generate


@vectors
def copy_line(to: Rows, source: Rows):
    """A line of small values."""
    to[0] = source[0]


@njit(error_model="numpy", nogil=True)
def decide_line(
    c0, c1, k, states, place, counters, offset, lines, codes, fours, factors, ends, buffers
):
    """Give the sites of ranks k to k + LINE of replicas their values; not 0 if some are `CLOSE`.

    ``place`` holds the first site of each line if its sites follow each other, else -1, and the order of all.
    """
    replica, sweep, stream, key0, key1 = counters
    runs, order = place
    exponent, width, slack = factors
    low, high = ends
    fields, streams, words = buffers
    flat, n_sites, m = states.reshape(-1), states.shape[1], min(LINE, order.shape[0] - k)
    field, word, value = row(LINE, np.int32), row(LINE, np.uint32), row(LINE, np.int8)
    run, any_close = runs[k // LINE], i32(0)
    first, last = k // LINE * fours * CODES, max(fours - NEAR, 0)
    for four in range(0, last, NEAR):
        start, n = offset if four == 0 else fields, min(NEAR, last - four)
        for c in range(c0, c1):
            to, at = (c - c0) * LINE, (c - c0) * fours + four
            begin = k if four == 0 else to
            add_lines(fields, to, start, begin, lines, first + four * CODES, codes, at, n)
    start, first, n = offset if last == 0 else fields, first + last * CODES, fours - last
    step = U32(k % TILE // TILE_LANES + WARM_UP + 1)
    for c in range(c0, c1):
        d = c - c0
        if k % TILE == 0:
            block, number = U(k // TILE * TILE_LANES), U(replica[c, 0])
            seed_lanes(TILE_LANES, streams, d * STATE, block, number, sweep, stream, key0, key1)
        draw(TILE_LANES, streams, d * STATE, word, 0, step, TILE_LANES, STEPS, TILE_LANES)
        begin = k if last == 0 else d * LINE
        add_lines(field, 0, start, begin, lines, first, codes, d * fours + last, n)
        x, w, close = exponent[c, 0], f32(slack[0] * width[c, 0]), i32(0)
        for r in range(LINE):
            v = verdict(f32(f32(field[r]) * x), w, word[r], low, high)
            value[r] = v
            close = i32(close | i32(v == CLOSE))
        if run >= 0:
            copy_line(LINE, flat, c * n_sites + run, value, 0)
        else:
            for r in range(m):
                flat[c * n_sites + np.int64(order[k + r])] = value[r]
        if close != 0:
            any_close = close
            words[d] = word
    return any_close
