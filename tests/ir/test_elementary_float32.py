"""The stated errors of the elementary functions in float32, and the primitives below them."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numba import njit

from statmech_dsl.backends.numba_cpu import runtime_float32
from statmech_dsl.ir import elementary_float32 as el
from tests.ir.true_values import (
    magnitudes,
    singles,
    spread,
    true_atan2,
    true_cos,
    true_exp,
    true_exp2,
    true_log,
    true_sin,
    worst,
)

f32 = np.float32


def rounded(points):
    return [tuple(float(f32(x)) for x in point) for point in points]


def in_float32(f):
    return lambda *x: float(f(*map(f32, x)))


def ulp(t):
    return float(np.spacing(f32(abs(t))))


POINTS = {
    "weight2": singles(spread(-126, 126), spread(-2, 2), [k / 2 for k in range(-9, 10)]),
    "exp": singles(spread(-87, 87), spread(-1, 1)),
    "exp2": singles(spread(-126, 126), spread(-1, 1)),
    "log": singles(magnitudes(1e-37, 1e37), spread(0.5, 2)),
    "sin": singles(spread(-7, 7), spread(-1e4, 1e4)),
    "cos": singles(spread(-7, 7), spread(-1e4, 1e4)),
    "atan2": [
        *zip(spread(-3, 3), reversed(spread(-2, 2)), strict=True),
        *((y, 1.0) for y in magnitudes(1e-9, 1e9)),
        *((-1e-3, -x) for x in magnitudes(1e-9, 1e9)),
    ],
}


@pytest.mark.parametrize(
    ("name", "true", "unit", "bound"),
    [
        ("weight2", true_exp2, abs, 2.0**-22),
        ("exp", true_exp, ulp, 2),
        ("exp2", true_exp2, ulp, 2),
        ("log", true_log, lambda t: ulp(max(abs(t), 0.25)), 2),
        ("sin", true_sin, lambda t: ulp(0.75), 2),
        ("cos", true_cos, lambda t: ulp(0.75), 2),
        ("atan2", true_atan2, ulp, 4),
    ],
)
def test_errors(name, true, unit, bound):
    f, points = in_float32(getattr(el, name)), rounded(POINTS[name])
    assert worst(f, true, points, unit) <= bound


@pytest.mark.parametrize("name", POINTS)
def test_compiled_functions_have_the_same_bits(name):
    compiled, f = getattr(runtime_float32, f"{name}f"), getattr(el, name)
    for point in POINTS[name][::7]:
        x = tuple(map(f32, point))
        found = f(*x)
        assert type(found) is f32
        assert compiled(*x) == found


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("weight2", (0.0,), 1.0),
        ("weight2", (-1e9,), 2.0**-126),
        ("exp2", (math.inf,), 2.0**126),
        ("exp", (0.0,), 1.0),
        ("log", (1.0,), 0.0),
        ("log", (0.0,), -math.inf),
        ("log", (math.inf,), math.inf),
        ("log", (-2.0,), math.nan),
        ("sin", (0.0,), 0.0),
        ("cos", (0.0,), 1.0),
        ("atan2", (0.0, 0.0), 0.0),
        ("atan2", (0.0, -2.0), float(f32(math.pi))),
        ("atan2", (-3.0, 0.0), float(f32(-math.pi / 2))),
    ],
)
def test_special_values(name, x, expected):
    for f in (getattr(el, name), getattr(runtime_float32, f"{name}f")):
        with np.errstate(invalid="ignore"):
            value = f(*map(f32, x))
        assert value == expected or math.isnan(value) and math.isnan(expected)


# ---- primitives ----------------------------------------------------------------------------------


def nearest(exact):
    """The float32 number nearest to a fraction, the even one of two."""
    x = f32(float(exact))
    near = [np.nextafter(x, f32(-np.inf)), x, np.nextafter(x, f32(np.inf))]
    return min(near, key=lambda v: (abs(Fraction(float(v)) - exact), int(v.view(np.int32)) & 1))


@njit
def compiled_fma(x, y, z):
    return runtime_float32.fma32(x, y, z)


moderate = st.floats(-(2.0**40), 2.0**40, width=32).filter(lambda x: x == 0 or abs(x) > 1e-12)
HALF_WAY = 1 + 2.0**-12
"""Its square lies in the middle between two numbers of float32."""


@given(moderate, moderate, moderate)
@example(HALF_WAY, HALF_WAY, 2.0**-100)
@example(HALF_WAY, HALF_WAY, -(2.0**-100))
@example(HALF_WAY, HALF_WAY, 0.0)
@example(HALF_WAY, -HALF_WAY, 2.0**-60)
@example(HALF_WAY, 2.0**-60, 1.0)
def test_fma_rounds_once(x, y, z):
    exact = Fraction(x) * Fraction(y) + Fraction(z)
    assert el.fma(f32(x), f32(y), f32(z)) == compiled_fma(f32(x), f32(y), f32(z)) == nearest(exact)


@given(st.floats(2.0**-120, 2.0**120, width=32))
def test_mantissa_and_exponent_make_up_a_number(x):
    for module in (el, runtime_float32):
        m, e = module.mantissa(f32(x)), module.exponent(f32(x))
        assert 0.5 <= m < 1
        assert module.scale2(m, e) == f32(x)
