"""Elementary functions in fixed float32 steps, the same bits in every backend.

The float32 side of `elementary`: the same small part of Python, with constants that are float32. Shorter
polynomials do. Errors against the true functions are stated in each docstring and tested.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

f32: Any = np.float32

_ZERO, _HALF, _ONE, _TWO = f32(0.0), f32(0.5), f32(1.0), f32(2.0)
_MAGIC = f32(12582912.0)  # 1.5 * 2^23: adding it rounds to the nearest integer
_LOG2E, _LN2, _LN2_REST = f32(1.4426950408889634), f32(0.6931471805599453), f32(-1.904654212e-09)
_PIO2_1, _PIO2_2, _PIO2_3 = f32(1.5707963705), f32(-4.371138828673793e-08), f32(-1.7150995e-15)
_PIO4, _PIO2, _PI = f32(math.pi / 4), f32(math.pi / 2), f32(math.pi)
_TAN_PI_8, _SQRT_HALF, _TINY = f32(0.41421356237309503), f32(0.7071067811865476), f32(1e-37)
_NAN, _INF = f32(math.nan), f32(math.inf)


def fma(a: Any, b: Any, c: Any) -> Any:
    """Primitive: ``a * b + c`` with one rounding.

    The product is exact in float64. The sum is rounded to odd there: where it is not exact, its last bit is
    1. So the second rounding sees on which side of a tie the exact sum lies (Boldo and Melquiond 2008).

    Examples
    --------
    >>> x = f32(1 + 2**-12)
    >>> float(fma(x, x, -(x * x))) == 2**-24
    True
    """
    p, q = float(a) * float(b), float(c)
    s = p + q
    t = s - p
    error = (p - (s - t)) + (q - t)
    if error and math.isfinite(s) and not int(math.ldexp(math.frexp(s)[0], 53)) & 1:
        s = math.nextafter(s, math.copysign(math.inf, error))
    return f32(s)


def scale2(p: Any, n: Any) -> Any:
    """Primitive: ``p * 2**n`` for integer n; NaN where n is NaN."""
    return f32(math.ldexp(p, int(n))) if n == n else n


def exponent(x: Any) -> Any:
    """Primitive: e of ``x = m * 2**e``, 1/2 <= m < 1, for positive normal x."""
    return f32(math.frexp(x)[1])


def mantissa(x: Any) -> Any:
    """Primitive: m of ``x = m * 2**e``, 1/2 <= m < 1, for positive normal x."""
    return f32(math.frexp(x)[0])


def weight2(x: Any) -> Any:
    """2**x to a relative error of 2^-22, for weights of draws; 1 at 0; x is held within +-126."""
    x = min(max(x, f32(-126.0)), f32(126.0))
    n = (x + _MAGIC) - _MAGIC
    r = x - n
    p = f32(0.0013405908974272564)
    p = fma(p, r, f32(0.009671906999456248))
    p = fma(p, r, f32(0.055503114778858983))
    p = fma(p, r, f32(0.24022234130303788))
    p = fma(p, r, f32(0.6931472137192203))
    p = fma(p, r, _ONE)
    return scale2(p, n)


def exp(x: Any) -> Any:
    """e**x to 2 units in the last place; x is held within +-87."""
    x = min(max(x, f32(-87.0)), f32(87.0))
    n = (x * _LOG2E + _MAGIC) - _MAGIC
    r = fma(-n, _LN2_REST, fma(-n, _LN2, x))
    p = f32(0.0013951343174724994)
    p = fma(p, r, f32(0.008368964602936263))
    p = fma(p, r, f32(0.041666194614337564))
    p = fma(p, r, f32(0.16666518212841966))
    p = fma(p, r, f32(0.5))
    p = fma(p, r, _ONE)
    p = fma(p, r, _ONE)
    return scale2(p, n)


def exp2(x: Any) -> Any:
    """2**x to 2 units in the last place; x is held within +-126."""
    x = min(max(x, f32(-126.0)), f32(126.0))
    n = (x + _MAGIC) - _MAGIC
    r = x - n
    p = f32(0.00015474817377484422)
    p = fma(p, r, f32(0.0013400317058241279))
    p = fma(p, r, f32(0.009618008310389857))
    p = fma(p, r, f32(0.05550327665099257))
    p = fma(p, r, f32(0.24022651317192564))
    p = fma(p, r, f32(0.693147206315818))
    p = fma(p, r, _ONE)
    return scale2(p, n)


def log(x: Any) -> Any:
    """Natural logarithm to 2 units in the last place of max(|log x|, 1/4); normal x > 0, -inf at 0."""
    m = mantissa(abs(x))
    e = exponent(abs(x))
    low = m < _SQRT_HALF
    m = m + m if low else m
    e = e - _ONE if low else e
    f = (m - _ONE) / (m + _ONE)
    z = f * f
    p = f32(0.29873073468933947)
    p = fma(p, z, f32(0.399774955704325))
    p = fma(p, z, f32(0.6666677671714861))
    p = fma(p, z, _TWO)
    y = fma(e, _LN2, fma(e, _LN2_REST, f * p))
    y = y if x > _ZERO else _NAN
    y = y if x < _INF else x
    return y if x != _ZERO else -_INF


def _turn(n: Any, a: Any, b: Any) -> Any:
    """The value for quadrant n of a function that is a, b, -a, -b in quadrants 0 to 3."""
    k = (n * _HALF + _MAGIC) - _MAGIC
    odd = n - _TWO * k
    h = k - _TWO * ((k * _HALF + _MAGIC) - _MAGIC)
    sign = _ONE - _TWO * abs(h)
    return sign * b * odd if odd != _ZERO else sign * a


def _quarter_turns(x: Any) -> Any:
    """The number of quarter turns nearest to an angle."""
    return (x * f32(0.6366197723675814) + _MAGIC) - _MAGIC


def _rest(x: Any, n: Any) -> Any:
    """What n quarter turns leave of an angle; pi/2 is held in three parts."""
    return fma(-n, _PIO2_3, fma(-n, _PIO2_2, fma(-n, _PIO2_1, x)))


def _sine(r: Any) -> Any:
    """Sine for |r| <= pi/4, and a little beyond."""
    z = r * r
    s = f32(-0.0001951536755025595)
    s = fma(s, z, f32(0.008332164295768545))
    s = fma(s, z, f32(-0.166666547319712))
    return fma(r * z, s, r)


def _cosine(r: Any) -> Any:
    """Cosine for |r| <= pi/4, and a little beyond."""
    z = r * r
    c = f32(2.443628465614803e-05)
    c = fma(c, z, f32(-0.0013887349261509786))
    c = fma(c, z, f32(0.04166664650858584))
    c = fma(c, z, -_HALF)
    return fma(c, z, _ONE)


def sin(x: Any) -> Any:
    """Sine to 2 units in the last place of 1, for |x| up to 10^4."""
    n = _quarter_turns(x)
    r = _rest(x, n)
    return _turn(n, _sine(r), _cosine(r))


def cos(x: Any) -> Any:
    """Cosine to 2 units in the last place of 1, for |x| up to 10^4."""
    n = _quarter_turns(x)
    r = _rest(x, n)
    return _turn(n, _cosine(r), -_sine(r))


def atan2(y: Any, x: Any) -> Any:
    """Angle of the point (x, y), in [-pi, pi] rounded, to 4 units in the last place; 0 at the origin."""
    a, b = abs(x), abs(y)
    low, high = min(a, b), max(a, b)
    far = low > _TAN_PI_8 * high
    t = (low - high if far else low) / max(low + high if far else high, _TINY)
    z = t * t
    p = f32(0.08057877141595327)
    p = fma(p, z, f32(-0.1387915174900122))
    p = fma(p, z, f32(0.19977866914596626))
    p = fma(p, z, f32(-0.33332953871851395))
    p = fma(t * z, p, t)
    p = p + _PIO4 if far else p
    p = _PIO2 - p if b > a else p
    p = _PI - p if x < _ZERO else p
    return -p if y < _ZERO else p
