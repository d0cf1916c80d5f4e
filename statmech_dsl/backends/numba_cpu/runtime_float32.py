"""What generated kernels import for float32: the generator of numbers, and the elementary functions.

The elementary functions are those of `ir.elementary_float32`, compiled from the same Python code like those of
`runtime`.
"""

# pyright: reportCallIssue=false
# Numba supplies the first parameter of an intrinsic.

from __future__ import annotations

import types as python_types

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from statmech_dsl.backends.numba_cpu.runtime import _inline
from statmech_dsl.ir import elementary_float32

_F32, _I32 = ir.FloatType(), ir.IntType(32)


@intrinsic
def fma32(typingctx, x, y, z):
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
WEIGHT2F_ERROR = 2.0**-22
"""Relative error of `weight2f` within +-126."""
_S8, _S9, _S23, _ULP24 = np.uint32(8), np.uint32(9), i32(23), f32(2.0**-24)
_MAGIC, _MAGIC_BITS = f32(12582912.0), i32(0x4B400000)
_EXPONENT, _MANTISSA, _HALF_BITS = i32(0xFF), i32(0x7FFFFF), i32(126 << 23)
_ONE_BITS, _BELOW_ONE, _126 = i32(127 << 23), f32(1.0 - 2.0**-24), i32(126)
_ZERO, _ONE = f32(0.0), f32(1.0)


@_inline
def scale2(p, n):
    """Number p 2^n for integer n."""
    return _float(i32(_bits(p) + i32(i32(_bits(n + _MAGIC) - _MAGIC_BITS) << _S23)))


@_inline
def exponent(x):
    """Exponent e of x = m 2^e, 1/2 <= m < 1."""
    return f32(i32(i32(i32(_bits(x) >> _S23) & _EXPONENT) - _126))


@_inline
def mantissa(x):
    """Mantissa m of x = m 2^e, 1/2 <= m < 1."""
    return _float(i32(i32(_bits(x) & _MANTISSA) | _HALF_BITS))


def _compile(name: str):
    """A function of `elementary_float32` with our primitives, and those compiled before it, in scope."""
    python = getattr(elementary_float32, name)
    scope = {**vars(elementary_float32), **globals(), "fma": fma32, **_compiled}
    _compiled[name] = _inline(python_types.FunctionType(python.__code__, scope, name))
    return _compiled[name]


_compiled: dict = {}
weight2f = _compile("weight2")
expf = _compile("exp")
exp2f = _compile("exp2")
logf = _compile("log")
_compile("_turn")
_compile("_quarter_turns")
_compile("_rest")
_compile("_sine")
_compile("_cosine")
sinf = _compile("sin")
cosf = _compile("cos")
atan2f = _compile("atan2")


@_inline
def signf(a):
    """-1, 0 or 1."""
    return (_ONE if a > _ZERO else _ZERO) - (_ONE if a < _ZERO else _ZERO)


@_inline
def uniformf(word):
    """(first 23 bits + 1/2) 2^-23: in [1, 2) the bits of a word are those of a number."""
    return _float(i32(i32(word >> _S9) | _ONE_BITS)) - _BELOW_ONE


@_inline
def top24(word):
    """The first 24 bits of a word as a number in [0, 1), at most 2^-24 below `runtime.uniform`."""
    return f32(f32(i32(word >> _S8)) * _ULP24)
