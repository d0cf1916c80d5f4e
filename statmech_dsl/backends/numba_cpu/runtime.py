"""What generated kernels import: generators, elementary functions, and what Numba lacks below them.

The elementary functions are those of `ir.elementary`, compiled from the same Python code with
LLVM's fma and bit casts as primitives. There is no fastmath: the order of operations is the contract.
"""

# pyright: reportCallIssue=false
# Numba supplies the first parameter of an intrinsic.

from __future__ import annotations

import types as python_types

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numba.np import arrayobj

from statmech_dsl import rng
from statmech_dsl.backends.numba_cpu.vectors import Rows, vectors
from statmech_dsl.ir import elementary

_F64, _I64 = ir.DoubleType(), ir.IntType(64)


@intrinsic
def fma(typingctx, x, y, z):
    """The product a * b + c with one rounding."""
    return types.float64(types.float64, types.float64, types.float64), (
        lambda context, builder, signature, args: builder.fma(*args)
    )


@intrinsic
def _bits(typingctx, x):
    return types.int64(types.float64), (
        lambda context, builder, signature, args: builder.bitcast(args[0], _I64)
    )


@intrinsic
def _float(typingctx, x):
    return types.float64(types.int64), (
        lambda context, builder, signature, args: builder.bitcast(args[0], _F64)
    )


@intrinsic(prefer_literal=True)
def row(typingctx, n, dtype):
    """A row of n numbers on the stack, n being a literal: LLVM knows that nothing else overlaps with it."""
    length, kind = n.literal_value, types.Array(dtype.dtype, 1, "C")

    def generate(context, builder, signature, args):
        item = context.get_data_type(dtype.dtype)
        with builder.goto_entry_block():
            memory = builder.alloca(ir.ArrayType(item, length))
            memory.align = 64
        array = arrayobj.make_array(kind)(context, builder)
        size = ir.Constant(_I64, context.get_abi_sizeof(item))
        arrayobj.populate_array(
            array,
            data=builder.bitcast(memory, item.as_pointer()),
            shape=[ir.Constant(_I64, length)],
            strides=[size],
            itemsize=size,
            meminfo=None,
        )
        return array._getvalue()

    return kind(n, dtype), generate


_MAGIC, _MAGIC_BITS = 6755399441055744.0, np.int64(0x4338000000000000)
_TWO52, _TWO52_BITS = 4503599627370496.0, np.int64(0x4330000000000000)
_S52 = np.int64(52)
_EXPONENT, _HALF_BITS = np.int64(0x7FF << 52), np.int64(1022 << 52)
_inline = njit(error_model="numpy", forceinline=True, nogil=True)


@_inline
def scale2(p, n):
    """Number p 2^n for integer n."""
    return _float(_bits(p) + ((_bits(n + _MAGIC) - _MAGIC_BITS) << _S52))


@_inline
def exponent(x):
    """Exponent e of x = m 2^e, 1/2 <= m < 1."""
    return _float(((_bits(x) & _EXPONENT) >> _S52) | _TWO52_BITS) - _TWO52 - 1022.0


@_inline
def mantissa(x):
    """Mantissa m of x = m 2^e, 1/2 <= m < 1."""
    return _float((_bits(x) & ~_EXPONENT) | _HALF_BITS)


def _compile(name: str):
    """A function of `elementary` with our primitives, and the functions compiled before it, in scope."""
    python = getattr(elementary, name)
    scope = {**vars(elementary), **globals()}
    return _inline(python_types.FunctionType(python.__code__, scope, name))


weight2 = _compile("weight2")
exp = _compile("exp")
exp2 = _compile("exp2")
log = _compile("log")
_turn = _compile("_turn")
_quarter_turns = _compile("_quarter_turns")
_rest = _compile("_rest")
_sine = _compile("_sine")
_cosine = _compile("_cosine")
sin = _compile("sin")
cos = _compile("cos")
atan2 = _compile("atan2")


@_inline
def minimum(a, b):
    """The smaller number; b if either is NaN."""
    return a if a < b else b


@_inline
def maximum(a, b):
    """The larger number; b if either is NaN."""
    return a if a > b else b


@_inline
def square(a):
    """A number times itself."""
    return a * a


@_inline
def sign(a):
    """-1, 0 or 1."""
    return (1.0 if a > 0.0 else 0.0) - (1.0 if a < 0.0 else 0.0)


U = np.uint64
M0, M1, W0, W1, MASK = U(rng.M0), U(rng.M1), U(rng.W0), U(rng.W1), U(rng.MASK)
_S32 = U(32)


@_inline
def philox(c0, c1, c2, c3, k0, k1):
    """Philox4x32-10 on words held in 64 bits, which vectorizes; see `statmech_dsl.rng`.

    Between rounds the upper halves hold what is left of products: only factors need be free of it.
    """
    for _ in range(10):
        p0 = M0 * (c0 & MASK)
        p1 = M1 * (c2 & MASK)
        c0 = (p1 >> _S32) ^ c1 ^ k0
        c1 = p1
        c2 = (p0 >> _S32) ^ c3 ^ k1
        c3 = p0
        k0 = (k0 + W0) & MASK
        k1 = (k1 + W1) & MASK
    return c0 & MASK, c1 & MASK, c2 & MASK, c3 & MASK


U32 = np.uint32
_WARM_UP, _TILE_LANES, _TILE_STEPS = rng.WARM_UP, rng.TILE_LANES, rng.TILE_STEPS
_TILE = rng.TILE


def _sfc32(a, b, c, number):
    """Next state of a stream and its word ``number`` (from 1); see `statmech_dsl.rng`."""
    word = a + b + number
    return b ^ (b >> 9), c + (c << 3), ((c << 21) | (c >> 11)) + word, word


def _begin(G: Rows, n, block, replica, sweep, stream, k0, k1):
    a, b, c, _ = philox.py_func(block, replica, sweep, stream, k0, k1)
    a, b, c = a.short(), b.short(), c.short()
    for k in range(_WARM_UP):
        a, b, c, _ = _sfc32(a, b, c, k + 1)
    G[0], G[n], G[2 * n] = a, b, c


@vectors
def seed_replicas(G: Rows, replicas: Rows, block, sweep, stream, k0, k1, n):
    """Begin a stream of a tile for each replica; G holds states in three rows of n."""
    _begin(G, n, block, replicas[0].long(), sweep, stream, k0, k1)


@vectors
def seed_lanes(G: Rows, block, replica, sweep, stream, k0, k1):
    """Begin the streams of a tile for one replica."""
    _begin(G, _TILE_LANES, block + block.places(), replica, sweep, stream, k0, k1)


@vectors
def draw(G: Rows, words: Rows, number, n, count, distance):
    """Words from ``number`` on of streams whose states G holds in three rows of n, at some distance."""
    a, b, c = G[0], G[n], G[2 * n]
    for k in range(count):
        a, b, c, words[k * distance] = _sfc32(a, b, c, number + k)
    G[0], G[n], G[2 * n] = a, b, c


@njit(error_model="numpy", nogil=True)
def tile_words(w, n_slots, block, replica, sweep, stream, k0, k1, G):
    """Random words of a tile, by slot and rank, for one replica."""
    seed_lanes(_TILE_LANES, G, 0, block, replica, sweep, stream, k0, k1)
    n = _WARM_UP
    for step in range(_TILE_STEPS):
        for slot in range(n_slots):
            n += 1
            place = slot * _TILE + step * _TILE_LANES
            draw(_TILE_LANES, G, 0, w, place, U32(n), _TILE_LANES, 1, 0)


@_inline
def uniform(word):
    """(word + 1/2) 2^-32."""
    return (_float(np.int64(word) | _TWO52_BITS) - _TWO52 + 0.5) * 2.0**-32


@_inline
def lookup(table, low, inverse_width, energy):
    """Nearest bin of a tabulated function of the energy, held within the table."""
    k = np.rint((energy - low) * inverse_width)
    return table[np.int64(minimum(maximum(k, 0.0), np.float64(len(table) - 1)))]


@_inline
def share(first, last, part, parts):
    """Part of the ranks first <= k < last, cut where tiles begin."""
    low, n = first // _TILE, -(-last // _TILE) - first // _TILE
    begin, end = low + n * part // parts, low + n * (part + 1) // parts
    return max(first, begin * _TILE), min(last, end * _TILE)
