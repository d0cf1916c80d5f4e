"""Float32 for the field tier: functions whose errors its margins allow for."""

# pyright: reportCallIssue=false
# Numba supplies the first parameter of an intrinsic.

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

_F32, _I32 = ir.FloatType(), ir.IntType(32)
_inline = njit(error_model="numpy", forceinline=True, nogil=True)

WEIGHT2F_ERROR = 2.0**-22
"""Relative error of `weight2f` within +-120."""


@intrinsic
def fmaf(typingctx, x, y, z):
    """The product a * b + c with one rounding."""
    return types.float32(types.float32, types.float32, types.float32), (
        lambda context, builder, signature, args: builder.fma(*args)
    )


@intrinsic
def _bits(typingctx, x):
    return types.int32(types.float32), (
        lambda context, builder, signature, args: builder.bitcast(args[0], _I32)
    )


@intrinsic
def _float(typingctx, x):
    return types.float32(types.int32), (
        lambda context, builder, signature, args: builder.bitcast(args[0], _F32)
    )


f32, i32 = np.float32, np.int32
_LIMIT, _MAGIC, _MAGIC_BITS, _S23 = f32(120.0), f32(12582912.0), i32(0x4B400000), i32(23)
# Chebyshev series of 2^r on [-1/2, 1/2] up to r^5, as a polynomial.
_C0 = f32(1.0000001192092896)
_C1 = f32(0.6931471824645996)
_C2 = f32(0.2402210682630539)
_C3 = f32(0.05550327152013779)
_C4 = f32(0.009676037356257439)
_C5 = f32(0.0013400432653725147)
_S8, _ULP = np.uint32(8), f32(2.0**-24)


@_inline
def weight2f(x):
    """2**x, x being held within +-120: neither far end decides a draw of 2^-32 wrongly."""
    x = min(max(x, -_LIMIT), _LIMIT)
    shifted = f32(x + _MAGIC)
    r = f32(x - f32(shifted - _MAGIC))
    p = fmaf(_C5, r, _C4)
    p = fmaf(p, r, _C3)
    p = fmaf(p, r, _C2)
    p = fmaf(p, r, _C1)
    p = fmaf(p, r, _C0)
    return _float(i32(_bits(p) + i32(i32(_bits(shifted) - _MAGIC_BITS) << _S23)))


@_inline
def top24(word):
    """The first 24 bits of a word as a number in [0, 1), at most 2^-24 below `runtime.uniform`."""
    return f32(f32(i32(word >> _S8)) * _ULP)
