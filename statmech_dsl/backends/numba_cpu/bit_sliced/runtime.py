"""What generated bit-sliced modules import for sweeps: random planes, open lanes, halos, a barrier."""

# pyright: reportCallIssue=false
# Numba supplies the first parameter of an intrinsic.

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from statmech_dsl import rng
from statmech_dsl.backends.numba_cpu.runtime import U, philox
from statmech_dsl.backends.numba_cpu.vectors import Rows, Words, vectors

ZERO, ONES, _1 = U(0), U(rng.MASK64), U(1)
_3, _7, _27, _30, _31 = (U(k) for k in (3, 7, 27, 30, 31))
_GOLDEN, _MIX1, _MIX2 = U(rng.GOLDEN), U(rng.MIX1), U(rng.MIX2)
_REST = U(64 - rng.TAIL)
_WARM_UP, _WORD_LANES, _PLANES = rng.WARM_UP, rng.WORD_LANES, rng.PLANES
# Only kernels call these: nothing that Python could call is needed.
_function = njit(error_model="numpy", nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
_inline = njit(
    error_model="numpy",
    nogil=True,
    forceinline=True,
    no_cpython_wrapper=True,
    no_cfunc_wrapper=True,
)

__all__ = [
    "ONES",
    "Rows",
    "Words",
    "ZERO",
    "begin_streams",
    "draw3",
    "finish_groups",
    "finish_words",
    "refresh",
    "set_bits",
    "sfc64",
    "transpose",
    "vectors",
    "wait",
]


@intrinsic
def set_bits(typingctx, x):
    """Number of set bits."""
    return types.uint64(types.uint64), (
        lambda context, builder, signature, args: builder.ctpop(args[0])
    )


# ---- random planes -------------------------------------------------------------------------------


def sfc64(a, b, c, number):
    """Next state of a stream and its word ``number`` (from 1); see `statmech_dsl.rng`."""
    word = a + b + number
    return b ^ (b >> 11), c + (c << 3), ((c << 24) | (c >> 40)) + word, word


@vectors
def _seed(S: Rows, sweep, stream, k0, k1, n):
    """Begin streams in rows of n; S[2 n] holds their blocks and S[3 n] whom they serve."""
    w0, w1, w2, w3 = philox.py_func(S[2 * n], S[3 * n], sweep, stream, k0, k1)
    a, b, c = w0 | (w1 << 32), w2 | (w3 << 32), w0.all(rng.SFC64_C)
    for k in range(rng.WARM_UP):
        a, b, c, _ = sfc64(a, b, c, k + 1)
    S[0], S[n], S[2 * n] = a, b, c


@vectors
def _skip(S: Rows, number, n):
    """Let streams in rows of n drop word ``number``."""
    S[0], S[n], S[2 * n], _ = sfc64(S[0], S[n], S[2 * n], number)


@_function
def begin_streams(n, S, sweep, stream, k0, k1, number):
    """Begin n streams and drop the words before ``number``.

    A function of its own, since inlined its constants would fill registers that sweeps need.
    """
    _seed(n, S, 0, sweep, stream, k0, k1, n)
    for k in range(_WARM_UP + 1, number):
        _skip(n, S, 0, U(k), n)


@vectors
def draw3(S: Rows, number, n, at):
    """Word ``number`` and the next two of streams in rows of n, into rows of n from S[at] on."""
    a, b, c = S[0], S[n], S[2 * n]
    for k in range(3):
        a, b, c, S[at + k * n] = sfc64(a, b, c, number + k)
    S[0], S[n], S[2 * n] = a, b, c


@vectors
def transpose(S: Rows, n):
    """Byte k of row g becomes byte g of row k, in 8 rows of n words."""
    x = [S[n * k] for k in range(8)]
    for distance, low in (
        (4, 0x00000000FFFFFFFF),
        (2, 0x0000FFFF0000FFFF),
        (1, 0x00FF00FF00FF00FF),
    ):
        for k in range(8):
            if not k & distance:
                t = ((x[k] >> 8 * distance) ^ x[k + distance]) & low
                x[k], x[k + distance] = x[k] ^ (t << 8 * distance), x[k + distance] ^ t
    for k in range(8):
        S[n * k] = x[k]


# ---- lanes that the planes leave open --------------------------------------------------------------


@_inline
def tail_of(state, index):
    x = state ^ ((index + _1) * _GOLDEN)
    x = (x ^ (x >> _30)) * _MIX1
    x = (x ^ (x >> _27)) * _MIX2
    return (x ^ (x >> _31)) >> _REST


@_function
def finish_groups(S, base, width, out, open_, classes, area, words, half, tails):
    """Decide the open lanes of a part by the rest of their uniforms; words hold replicas.

    ``classes`` is the first of the rows of classes, which begin an area; areas are ``area`` words apart.
    """
    for w in range(width):
        rest = S[base + open_ + w]
        while rest != ZERO:
            lane = set_bits((rest & (~rest + _1)) - _1)
            index = U(half) + (lane & _7)
            tail = tail_of(S[np.int64(lane >> _3) * width + w], index)
            k = _class_of(S, base + classes + w, width, area, len(tails), _1 << lane)
            if tail < tails[k, w % words * 64 + np.int64(lane)]:
                S[base + out + w] ^= _1 << lane
            rest &= rest - _1


@_function
def finish_words(S, base, width, out, open_, classes, area, words, half, tails):
    """Decide the open lanes of a part by the rest of their uniforms; words hold sites."""
    for w in range(width):
        rest = S[base + open_ + w]
        while rest != ZERO:
            lane = set_bits((rest & (~rest + _1)) - _1)
            k = _class_of(S, base + classes + w, width, area, len(tails), _1 << lane)
            if tail_of(S[3 * _WORD_LANES + w], lane) < tails[k, 0]:
                S[base + out + w] ^= _1 << lane
            rest &= rest - _1


@_inline
def _class_of(S, at, width, area, n_classes, bit):
    """The class of a lane; the last one has no row."""
    for k in range(n_classes - 1):
        if S[at + k // _PLANES * area + k % _PLANES * width] & bit:
            return k
    return n_classes - 1


# ---- folded words --------------------------------------------------------------------------------


@_function
def refresh(x, source, turn, lanes, start, stop):
    """Copy rows start to stop into the halo behind the last row, rotated."""
    size = set_bits(lanes)
    n = len(source)
    first = len(x) - n
    for k in range(n):
        row = np.int64(source[k])
        if start <= row < stop:
            word, down = x[row], U(turn[k])
            x[first + k] = ((word >> down) | (word << (size - down))) & lanes


@intrinsic
def _arrive(typingctx, counter):
    """Add 1 to counter[0] at once for all threads; the new value."""

    def generate(context, builder, signature, args):
        array = context.make_array(signature.args[0])(context, builder, args[0])
        one = ir.Constant(ir.IntType(64), 1)
        return builder.add(builder.atomic_rmw("add", array.data, one, "seq_cst"), one)

    return types.int64(counter), generate


@intrinsic
def _present(typingctx, counter):
    """Read counter[0] as other threads have left it."""

    def generate(context, builder, signature, args):
        array = context.make_array(signature.args[0])(context, builder, args[0])
        return builder.load_atomic(array.data, "seq_cst", 8)

    return types.int64(counter), generate


@intrinsic
def _yield_processor(typingctx):
    """Let another thread run."""

    def generate(context, builder, signature, args):
        kind = ir.FunctionType(ir.IntType(32), [])
        function = cgutils.get_or_insert_function(builder.module, kind, "sched_yield")
        return builder.call(function, [])

    return types.int32(), generate


_PATIENCE = 4096


@_function
def wait(sync, met, team):
    """Wait until all threads of a team have come here; met counts a thread's calls."""
    if team > 1:
        met += 1
        _arrive(sync)
        turns = 0
        while _present(sync) < met * team:
            turns += 1
            if turns % _PATIENCE == 0:
                _yield_processor()
    return met
