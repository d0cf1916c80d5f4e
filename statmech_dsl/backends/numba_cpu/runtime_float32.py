"""What kernels of the field tiers import: two-valued heat bath in float32, with a margin for its errors.

The definition of a draw is float64 arithmetic. A verdict in float32 costs less, and a bound on its errors
comes with it: where the outcome is farther from the threshold than that, it is the outcome of the definition;
the other lanes are `CLOSE` and left to it. Given the field, the probability that float32 decides by is
within 2^-22 of the exact one.
"""

# pyright: reportCallIssue=false
# Numba supplies the first parameter of an intrinsic.

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from statmech_dsl.backends.numba_cpu.runtime import _inline, uniform, weight2
from statmech_dsl.ir.elementary import LOG2E

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
CLOSE = np.int8(127)
"""A verdict that needs the definition; no value of a variable that the field tiers take."""
ALWAYS = f32(2.0**-21)
"""Bound on the error of ``u (1 + z)`` near 1, relative, besides that of the exponent."""
BY_EXPONENT = f32(2.0**-22)
"""Bound on the relative error of z by the rounding of an exponent, for each unit of it."""
LARGEST_SLACK = 0.25
"""Slack of an exponent up to which `WIDER` makes up for the curvature of the exponential."""
WIDER = 1.25
ALWAYS64 = 2.0**-30
"""Bound on the errors of `weight2` and of the products around it in float64."""
WEIGHT2F_ERROR = 2.0**-22
"""Relative error of `weight2f` within +-126."""
_S8, _ULP24 = np.uint32(8), f32(2.0**-24)
_ONE, _HALF, _ULP = f32(1.0), f32(0.5), f32(2.0**-32)
_LIMIT, _MAGIC, _MAGIC_BITS, _S23 = f32(126.0), f32(12582912.0), i32(0x4B400000), i32(23)
_C1, _C2, _C3 = f32(0.6931471805599453), f32(0.24022650695910072), f32(0.055504108664821576)
_C4, _C5, _C6 = f32(0.009618129107628477), f32(0.0013333558146428443), f32(0.00015403530393381608)


@_inline
def exp2_32(x):
    """2**x to a relative error of 2^-22 for |x| <= 126."""
    t = f32(x + _MAGIC)
    r = f32(x - f32(t - _MAGIC))
    p = fma32(_C6, r, _C5)
    p = fma32(p, r, _C4)
    p = fma32(p, r, _C3)
    p = fma32(p, r, _C2)
    p = fma32(p, r, _C1)
    p = fma32(p, r, _ONE)
    return _float(i32(_bits(p) + i32(i32(_bits(t) - _MAGIC_BITS) << _S23)))


@_inline
def weight2f(x):
    """2**x, x being held within +-126: neither far end decides a draw of 2^-32 wrongly."""
    return exp2_32(min(max(x, -_LIMIT), _LIMIT))


@_inline
def top24(word):
    """The first 24 bits of a word as a number in [0, 1), at most 2^-24 below `runtime.uniform`."""
    return f32(f32(i32(word >> _S8)) * _ULP24)


@_inline
def verdict(x, slack, word, low, high):
    """The value of a site whose high value has the weight 2**x beside 1 for its low one, or `CLOSE`.

    ``slack`` bounds the error of x ln 2 apart from the roundings of a few products. The definition gives the
    high value where ``1 <= u (1 + z)``, for the uniform u of ``word`` and ``z = 2**x``.
    """
    x = min(max(x, -_LIMIT), _LIMIT)
    z = exp2_32(x)
    u = f32(f32(f32(word) + _HALF) * _ULP)
    d = f32(fma32(u, z, u) - _ONE)
    bound = fma32(min(z, _ONE), fma32(abs(x), BY_EXPONENT, slack), ALWAYS)
    return high if d > bound else (low if d < -bound else CLOSE)


@njit(error_model="numpy", nogil=True)
def high_sum(row, state, sites, lane, high):
    """Sum of the entries of a row whose sites have their high value, in float64."""
    e = 0.0
    for q in range(sites.shape[0]):
        e += row[q] * np.float64(state[sites[q], lane] == high)
    return e


@njit(error_model="numpy", nogil=True)
def second_verdict(e, error, beta, word, low, high):
    """The verdict from a field in float64, whose error against the definition ``error`` bounds."""
    z = weight2(-(beta * e) * LOG2E)
    d = uniform(word) * (1.0 + z) - 1.0
    slack = WIDER * abs(beta) * error
    bound = min(z, 1.0) * slack + ALWAYS64 if slack <= LARGEST_SLACK else np.inf
    return high if d > bound else (low if d < -bound else CLOSE)


@_inline
def add_row(field, row):
    """A source has taken its high value."""
    for j in range(field.shape[0]):
        field[j] += row[j]


@_inline
def subtract_row(field, row):
    """A source has left its high value."""
    for j in range(field.shape[0]):
        field[j] -= row[j]
