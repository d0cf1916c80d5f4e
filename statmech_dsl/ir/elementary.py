"""Elementary functions in fixed float64 steps, the same bits in every backend.

Written in the small part of Python that every backend can compile: the functions call each other, the
arithmetic operators, ``min``, ``max`` and the primitives `fma`, `scale2`, `exponent`, `mantissa`. Backends take
this file's functions as source text and supply the primitives. Errors against the true functions
are stated in each docstring and tested.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import math
from typing import Any

_fma: Any = getattr(math, "fma", None)
if _fma is None:  # Python 3.12: the C library's
    _libm = ctypes.CDLL(ctypes.util.find_library("m"))
    _libm.fma.restype, _libm.fma.argtypes = ctypes.c_double, [ctypes.c_double] * 3
    _fma = _libm.fma

LOG2E = 1.4426950408889634
_MAGIC = 6755399441055744.0  # 1.5 * 2^52: adding it rounds to the nearest integer
_LN2_HI, _LN2_LO = 0.6931471803691238, 1.9082149292705877e-10
_PIO2_1, _PIO2_2, _PIO2_3 = 1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21
_TAN_PI_8 = 0.41421356237309503
_SQRT_HALF = 0.7071067811865476
_NAN, _INF = math.nan, math.inf


def fma(a: float, b: float, c: float) -> float:
    """Primitive: ``a * b + c`` with one rounding; IEEE values where Python would raise."""
    try:
        return _fma(a, b, c)
    except (ValueError, OverflowError):
        return a * b + c


def scale2(p: float, n: float) -> float:
    """Primitive: ``p * 2**n`` for integer n; NaN where n is NaN."""
    return math.ldexp(p, int(n)) if n == n else n


def exponent(x: float) -> float:
    """Primitive: e of ``x = m * 2**e``, 1/2 <= m < 1, for positive normal x."""
    return float(math.frexp(x)[1])


def mantissa(x: float) -> float:
    """Primitive: m of ``x = m * 2**e``, 1/2 <= m < 1, for positive normal x."""
    return math.frexp(x)[0]


def weight2(x: float) -> float:
    """2**x to a relative error of 2^-34, for weights of draws; x is held within +-1000."""
    x = min(max(x, -1000.0), 1000.0)
    n = (x + _MAGIC) - _MAGIC
    r = x - n
    p = 1.5303700711365693e-05
    p = fma(p, r, 0.00015469729214118296)
    p = fma(p, r, 0.0013333478473685416)
    p = fma(p, r, 0.009618025613318034)
    p = fma(p, r, 0.055504109063258665)
    p = fma(p, r, 0.24022651213498092)
    p = fma(p, r, 0.6931471805568324)
    p = fma(p, r, 0.9999999999595618)
    return scale2(p, n)


def exp(x: float) -> float:
    """e**x to 2 units in the last place; x is held within +-690."""
    x = min(max(x, -690.0), 690.0)
    n = (x * LOG2E + _MAGIC) - _MAGIC
    r = fma(-n, _LN2_LO, fma(-n, _LN2_HI, x))
    p = 1 / 6227020800.0
    p = fma(p, r, 1 / 479001600.0)
    p = fma(p, r, 1 / 39916800.0)
    p = fma(p, r, 1 / 3628800.0)
    p = fma(p, r, 1 / 362880.0)
    p = fma(p, r, 1 / 40320.0)
    p = fma(p, r, 1 / 5040.0)
    p = fma(p, r, 1 / 720.0)
    p = fma(p, r, 1 / 120.0)
    p = fma(p, r, 1 / 24.0)
    p = fma(p, r, 1 / 6.0)
    p = fma(p, r, 1 / 2.0)
    p = fma(p, r, 1.0)
    p = fma(p, r, 1.0)
    return scale2(p, n)


def exp2(x: float) -> float:
    """2**x to 2 units in the last place; x is held within +-995."""
    x = min(max(x, -995.0), 995.0)
    n = (x + _MAGIC) - _MAGIC
    r = (x - n) * 0.6931471805599453
    p = 1 / 6227020800.0
    p = fma(p, r, 1 / 479001600.0)
    p = fma(p, r, 1 / 39916800.0)
    p = fma(p, r, 1 / 3628800.0)
    p = fma(p, r, 1 / 362880.0)
    p = fma(p, r, 1 / 40320.0)
    p = fma(p, r, 1 / 5040.0)
    p = fma(p, r, 1 / 720.0)
    p = fma(p, r, 1 / 120.0)
    p = fma(p, r, 1 / 24.0)
    p = fma(p, r, 1 / 6.0)
    p = fma(p, r, 1 / 2.0)
    p = fma(p, r, 1.0)
    p = fma(p, r, 1.0)
    return scale2(p, n)


def log(x: float) -> float:
    """Natural logarithm to 2 units in the last place of max(|log x|, 1/4); normal x > 0, -inf at 0."""
    m = mantissa(abs(x))
    e = exponent(abs(x))
    low = m < _SQRT_HALF
    m = 2.0 * m if low else m
    e = e - 1.0 if low else e
    f = (m - 1.0) / (m + 1.0)
    z = f * f
    p = 2 / 23.0
    p = fma(p, z, 2 / 21.0)
    p = fma(p, z, 2 / 19.0)
    p = fma(p, z, 2 / 17.0)
    p = fma(p, z, 2 / 15.0)
    p = fma(p, z, 2 / 13.0)
    p = fma(p, z, 2 / 11.0)
    p = fma(p, z, 2 / 9.0)
    p = fma(p, z, 2 / 7.0)
    p = fma(p, z, 2 / 5.0)
    p = fma(p, z, 2 / 3.0)
    p = fma(p, z, 2 / 1.0)
    y = fma(e, _LN2_HI, fma(e, _LN2_LO, f * p))
    y = y if x > 0.0 else _NAN
    y = y if x < _INF else x
    return y if x != 0.0 else -_INF


def _turn(n: float, a: float, b: float) -> float:
    """The value for quadrant n of a function that is a, b, -a, -b in quadrants 0 to 3."""
    k = (n * 0.5 + _MAGIC) - _MAGIC
    odd = n - 2.0 * k
    h = k - 2.0 * ((k * 0.5 + _MAGIC) - _MAGIC)
    sign = 1.0 - 2.0 * abs(h)
    return sign * b * odd if odd != 0.0 else sign * a


def _quarter_turns(x: float) -> float:
    """The number of quarter turns nearest to an angle."""
    return (x * 0.6366197723675814 + _MAGIC) - _MAGIC


def _rest(x: float, n: float) -> float:
    """What n quarter turns leave of an angle; pi/2 is held in three parts."""
    return fma(-n, _PIO2_3, fma(-n, _PIO2_2, fma(-n, _PIO2_1, x)))


def _sine(r: float) -> float:
    """Sine for |r| <= pi/4."""
    z = r * r
    s = -1 / 1307674368000.0
    s = fma(s, z, 1 / 6227020800.0)
    s = fma(s, z, -1 / 39916800.0)
    s = fma(s, z, 1 / 362880.0)
    s = fma(s, z, -1 / 5040.0)
    s = fma(s, z, 1 / 120.0)
    s = fma(s, z, -1 / 6.0)
    s = fma(r * z, s, r)
    return s


def _cosine(r: float) -> float:
    """Cosine for |r| <= pi/4."""
    z = r * r
    c = 1 / 20922789888000.0
    c = fma(c, z, -1 / 87178291200.0)
    c = fma(c, z, 1 / 479001600.0)
    c = fma(c, z, -1 / 3628800.0)
    c = fma(c, z, 1 / 40320.0)
    c = fma(c, z, -1 / 720.0)
    c = fma(c, z, 1 / 24.0)
    c = fma(c, z, -1 / 2.0)
    c = fma(c, z, 1.0)
    return c


def sin(x: float) -> float:
    """Sine to 2 units in the last place of 1, for |x| up to 10^5."""
    n = _quarter_turns(x)
    r = _rest(x, n)
    return _turn(n, _sine(r), _cosine(r))


def cos(x: float) -> float:
    """Cosine to 2 units in the last place of 1, for |x| up to 10^5."""
    n = _quarter_turns(x)
    r = _rest(x, n)
    return _turn(n, _cosine(r), -_sine(r))


def atan2(y: float, x: float) -> float:
    """Angle of the point (x, y), in [-pi, pi], to 4 units in the last place; 0 at the origin."""
    a, b = abs(x), abs(y)
    low, high = min(a, b), max(a, b)
    far = low > _TAN_PI_8 * high
    t = (low - high if far else low) / max(low + high if far else high, 1e-300)
    z = t * t
    p = -0.017827685730497714
    p = fma(p, z, 0.037986391835008314)
    p = fma(p, z, -0.050359679676826585)
    p = fma(p, z, 0.05847078636558797)
    p = fma(p, z, -0.06662980613820954)
    p = fma(p, z, 0.07692047991156319)
    p = fma(p, z, -0.0909089696691681)
    p = fma(p, z, 0.11111110750761063)
    p = fma(p, z, -0.14285714279376407)
    p = fma(p, z, 0.1999999999994229)
    p = fma(p, z, -0.33333333333333126)
    p = fma(p, z, 1.0)
    p = p * t
    p = p + 0.7853981633974483 if far else p
    p = 1.5707963267948966 - p if b > a else p
    p = 3.141592653589793 - p if x < 0.0 else p
    return -p if y < 0.0 else p
