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

ZERO, ONES, _1, _2 = U(0), U(rng.MASK64), U(1), U(2)
_3, _7, _11, _24, _27, _30, _31, _32, _40 = (U(k) for k in (3, 7, 11, 24, 27, 30, 31, 32, 40))
_C, _GOLDEN, _MIX1, _MIX2 = U(rng.SFC64_C), U(rng.GOLDEN), U(rng.MIX1), U(rng.MIX2)
_REST = U(64 - rng.TAIL)
_WARM_UP, _PLANES = rng.WARM_UP, rng.PLANES
_GROUP_LANES, _WORD_LANES = rng.GROUP_LANES, rng.WORD_LANES
_inline = njit(error_model="numpy", forceinline=True, nogil=True)
_function = njit(error_model="numpy", nogil=True)

__all__ = [
    "ONES",
    "ZERO",
    "draw3",
    "finish_groups",
    "finish_words",
    "refresh",
    "seed_groups",
    "seed_words",
    "set_bits",
    "sfc64",
    "transpose",
    "wait",
]


@intrinsic
def set_bits(typingctx, x):
    """Number of set bits."""
    return types.uint64(types.uint64), (
        lambda context, builder, signature, args: builder.ctpop(args[0])
    )


# ---- random planes -------------------------------------------------------------------------------


@_inline
def sfc64(a, b, c, number):
    """Next state of a stream and its word ``number`` (from 1); see `statmech_dsl.rng`."""
    word = a + b + number
    return b ^ (b >> _11), c + (c << _3), ((c << _24) | (c >> _40)) + word, word


@_inline
def draw3(S, n, at, number):
    """Words ``number`` and the next two of n streams into S[at:]; their states lie at the front of S."""
    for w in range(n):
        a, b, c = S[w], S[n + w], S[2 * n + w]
        a, b, c, S[at + w] = sfc64(a, b, c, number)
        a, b, c, S[at + n + w] = sfc64(a, b, c, number + _1)
        S[w], S[n + w], S[2 * n + w], S[at + 2 * n + w] = sfc64(a, b, c, number + _2)


@_inline
def _exchange(x, y, shift, low):
    """Exchange the bits of x above ``shift`` with those of y below, ``low`` at a time."""
    t = ((x >> shift) ^ y) & low
    return x ^ (t << shift), y ^ t


_LOW32, _LOW16, _LOW8 = U(0x00000000FFFFFFFF), U(0x0000FFFF0000FFFF), U(0x00FF00FF00FF00FF)
_S32, _S16, _S8 = U(32), U(16), U(8)


@_inline
def transpose(S, at, n):
    """Byte k of row g becomes byte g of row k, in 8 rows of n words."""
    for w in range(at, at + n):
        a, b, c, d = S[w], S[n + w], S[2 * n + w], S[3 * n + w]
        e, f, g, h = S[4 * n + w], S[5 * n + w], S[6 * n + w], S[7 * n + w]
        a, e = _exchange(a, e, _S32, _LOW32)
        b, f = _exchange(b, f, _S32, _LOW32)
        c, g = _exchange(c, g, _S32, _LOW32)
        d, h = _exchange(d, h, _S32, _LOW32)
        a, c = _exchange(a, c, _S16, _LOW16)
        b, d = _exchange(b, d, _S16, _LOW16)
        e, g = _exchange(e, g, _S16, _LOW16)
        f, h = _exchange(f, h, _S16, _LOW16)
        a, b = _exchange(a, b, _S8, _LOW8)
        c, d = _exchange(c, d, _S8, _LOW8)
        e, f = _exchange(e, f, _S8, _LOW8)
        g, h = _exchange(g, h, _S8, _LOW8)
        S[w], S[n + w], S[2 * n + w], S[3 * n + w] = a, b, c, d
        S[4 * n + w], S[5 * n + w], S[6 * n + w], S[7 * n + w] = e, f, g, h


@_function
def _seed(S, n, sweep, stream, k0, k1):
    """States of n streams after the warm-up; S[2 n:] holds their blocks and S[3 n:] whom they serve."""
    for w in range(n):
        w0, w1, w2, w3 = philox(S[2 * n + w], S[3 * n + w], sweep, stream, k0, k1)
        S[w], S[n + w], S[2 * n + w] = w0 | (w1 << _32), w2 | (w3 << _32), _C
    _skip(S, n, 0, _WARM_UP)


@_function
def _skip(S, n, first, last):
    """Let n streams drop words number first + 1 to last."""
    for k in range(first, last):
        for w in range(n):
            S[w], S[n + w], S[2 * n + w], _ = sfc64(S[w], S[n + w], S[2 * n + w], U(k + 1))


@_function
def seed_groups(S, groups, tile, sweep, stream, k0, k1, steps):
    """Streams of a tile where words hold replicas, by byte, lane and word, after some steps."""
    words = groups.shape[1]
    n = 8 * _GROUP_LANES * words
    w = 0
    for byte in range(8):
        for lane in range(_GROUP_LANES):
            for v in range(words):
                S[2 * n + w] = tile * U(_GROUP_LANES) + U(lane)
                S[3 * n + w] = U(groups[byte, v])
                w += 1
    _seed(S, n, sweep, stream, k0, k1)
    _skip(S, n, _WARM_UP, _WARM_UP + 3 * steps)


@_function
def seed_words(S, groups, tile, sweep, stream, k0, k1, steps):
    """Streams of a tile where words hold sites of the replica ``groups[0, 0]``, after some steps."""
    n = _WORD_LANES
    for lane in range(n):
        S[2 * n + lane] = tile * U(n) + U(lane)
        S[3 * n + lane] = U(groups[0, 0])
    _seed(S, n, sweep, stream, k0, k1)
    _skip(S, n, _WARM_UP, _WARM_UP + steps * _PLANES)


# ---- lanes that the planes leave open --------------------------------------------------------------


@_inline
def _tail(state, index):
    x = state ^ ((index + _1) * _GOLDEN)
    x = (x ^ (x >> _30)) * _MIX1
    x = (x ^ (x >> _27)) * _MIX2
    return (x ^ (x >> _31)) >> _REST


@_function
def finish_groups(S, base, width, out, open_, classes, n_classes, words, half, tails):
    """Decide the open lanes of a part by the rest of their uniforms; words hold replicas.

    ``classes`` is the first of the rows of classes, which follow each other.
    """
    for w in range(width):
        rest = S[base + open_ + w]
        while rest != ZERO:
            lane = set_bits((rest & (~rest + _1)) - _1)
            index = U(half) + (lane & _7)
            tail = _tail(S[np.int64(lane >> _3) * width + w], index)
            k = _class_of(S, base + classes + w, width, n_classes, _1 << lane)
            if tail < tails[k, w % words * 64 + np.int64(lane)]:
                S[base + out + w] ^= _1 << lane
            rest &= rest - _1


@_function
def finish_words(S, base, width, out, open_, classes, n_classes, words, half, tails):
    """Decide the open lanes of a part by the rest of their uniforms; words hold sites."""
    for w in range(width):
        rest = S[base + open_ + w]
        while rest != ZERO:
            lane = set_bits((rest & (~rest + _1)) - _1)
            k = _class_of(S, base + classes + w, width, n_classes, _1 << lane)
            if _tail(S[3 * _WORD_LANES + w], lane) < tails[k, 0]:
                S[base + out + w] ^= _1 << lane
            rest &= rest - _1


@_inline
def _class_of(S, at, width, n_classes, bit):
    """The class of a lane; the last one has no row."""
    for k in range(n_classes - 1):
        if S[at + k * width] & bit:
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
    """Wait until all threads of a team have come here; met[0] counts a thread's calls."""
    if team > 1:
        met[0] += 1
        _arrive(sync)
        turns = 0
        while _present(sync) < met[0] * team:
            turns += 1
            if turns % _PATIENCE == 0:
                _yield_processor()
