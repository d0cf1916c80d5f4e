"""Two-valued heat bath in float32, with a margin for its errors: what kernels of the dense tier import.

The definition of a draw is float64 arithmetic. A verdict in float32 costs less, and a bound on its errors
comes with it: where the outcome is farther from the threshold than that, it is the outcome of the definition;
the other lanes are `CLOSE` and left to it. Given the field, the probability that float32 decides by is
within 2^-22 of the exact one.
"""

# pyright: reportCallIssue=false
# Numba supplies the first parameter of an intrinsic.

from __future__ import annotations

import numpy as np
from numba import njit

from statmech_dsl.backends.couplings import LARGEST_SLACK, WIDER
from statmech_dsl.backends.numba_cpu.runtime import _inline, uniform, weight2
from statmech_dsl.backends.numba_cpu.runtime_float32 import f32, fma32, weight2f
from statmech_dsl.ir.elementary import LOG2E

CLOSE = np.int8(127)
"""A verdict that needs the definition; no value of a variable that the field tiers take."""
ALWAYS = f32(2.0**-21)
"""Bound on the error of ``u (1 + z)`` near 1, relative, besides that of the exponent."""
BY_EXPONENT = f32(2.0**-22)
"""Bound on the relative error of z by the rounding of an exponent, for each unit of it."""
ALWAYS64 = 2.0**-30
"""Bound on the errors of `weight2` and of the products around it in float64."""
_ONE, _HALF, _ULP, _LIMIT = f32(1.0), f32(0.5), f32(2.0**-32), f32(126.0)


@_inline
def verdict(x, slack, word, low, high):
    """The value of a site whose high value has the weight 2**x beside 1 for its low one, or `CLOSE`.

    ``slack`` bounds the error of x ln 2 apart from the roundings of a few products. The definition gives the
    high value where ``1 <= u (1 + z)``, for the uniform u of ``word`` and ``z = 2**x``.
    """
    x = min(max(x, -_LIMIT), _LIMIT)
    z = weight2f(x)
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
