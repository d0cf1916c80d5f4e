"""The stated errors of the elementary functions, against 70 digits of Python's decimal."""

import importlib.util
import math
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from statmech_dsl.ir import elementary as el
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

# ---- errors --------------------------------------------------------------------------------------


def test_a_weight_has_34_bits():
    halves = [k / 2 for k in range(-9, 10)]  # where the reduced argument jumps
    points = singles(spread(-1000, 1000), spread(-2, 2), halves)
    assert worst(el.weight2, true_exp2, points, abs) < 2.0**-34


LAST_PLACE_OF_1 = math.ulp(0.75)
"""The spacing of numbers just below 1."""


@pytest.mark.parametrize(
    ("f", "true", "points", "unit", "bound"),
    [
        (el.exp, true_exp, singles(spread(-690, 690), spread(-1, 1)), math.ulp, 2),
        (el.exp2, true_exp2, singles(spread(-995, 995), spread(-1, 1)), math.ulp, 2),
        (
            el.log,
            true_log,
            singles(magnitudes(1e-300, 1e300), spread(0.5, 2)),
            lambda t: math.ulp(max(abs(t), 0.25)),
            2,
        ),
        (el.sin, true_sin, singles(spread(-7, 7), spread(-1e5, 1e5)), lambda t: LAST_PLACE_OF_1, 2),
        (el.cos, true_cos, singles(spread(-7, 7), spread(-1e5, 1e5)), lambda t: LAST_PLACE_OF_1, 2),
        (
            el.atan2,
            true_atan2,
            [
                *zip(spread(-3, 3), reversed(spread(-2, 2)), strict=True),
                *((y, 1.0) for y in magnitudes(1e-9, 1e9)),
                *((-1e-3, -x) for x in magnitudes(1e-9, 1e9)),
            ],
            math.ulp,
            4,
        ),
    ],
    ids=["exp", "exp2", "log", "sin", "cos", "atan2"],
)
def test_errors_in_units_of_the_last_place(f, true, points, unit, bound):
    assert worst(f, true, points, unit) <= bound


# ---- special values ------------------------------------------------------------------------------


def test_exponentials_are_held_within_the_range_of_numbers():
    assert el.weight2(1e4) == el.weight2(1000) == 2.0**1000 * el.weight2(0)
    assert 0 < el.weight2(-1e4) == el.weight2(-1000)
    assert el.exp(-math.inf) == el.exp(-690) > 0
    assert el.exp(math.inf) == el.exp(690) < math.inf
    assert el.exp2(math.inf) == 2.0**995
    assert el.exp2(-1e6) == 2.0**-995


@pytest.mark.parametrize("k", range(-60, 61, 7))
def test_powers_of_two_are_exact(k):
    assert el.exp2(float(k)) == 2.0**k


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (el.exp(0.0), 1.0),
        (el.log(1.0), 0.0),
        (el.log(0.0), -math.inf),
        (el.log(math.inf), math.inf),
        (el.log(-0.5 * math.pi), math.nan),
        (el.sin(0.0), 0.0),
        (el.cos(0.0), 1.0),
        (el.atan2(0.0, 0.0), 0.0),
        (el.atan2(0.0, 2.0), 0.0),
        (el.atan2(0.0, -2.0), math.pi),
        (el.atan2(3.0, 0.0), math.pi / 2),
        (el.atan2(-3.0, 0.0), -math.pi / 2),
    ],
)
def test_special_values(value, expected):
    assert value == expected or math.isnan(value) and math.isnan(expected)


@given(st.floats(-1e5, 1e5))
def test_sine_and_cosine_have_their_symmetries(x):
    assert el.sin(-x) == -el.sin(x)
    assert el.cos(-x) == el.cos(x)


@given(st.floats(-10, 10), st.floats(-10, 10))
def test_the_angle_of_a_point_lies_in_range(y, x):
    assert -math.pi <= el.atan2(y, x) <= math.pi


# ---- primitives ----------------------------------------------------------------------------------


@given(st.floats(5e-300, 1e300))
def test_mantissa_and_exponent_make_up_a_number(x):
    assert 0.5 <= el.mantissa(x) < 1
    assert el.scale2(el.mantissa(x), el.exponent(x)) == x


@pytest.fixture(scope="module")
def fallback():
    """The module as Python 3.12 loads it, whose math has no fma."""
    spec = importlib.util.spec_from_file_location("elementary_without_fma", el.__file__)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(math, "fma", raising=False)
        spec.loader.exec_module(module)
    return module.fma


moderate = st.floats(-1e100, 1e100).filter(lambda x: x == 0 or abs(x) > 1e-100)


@given(moderate, moderate, moderate)
def test_fma_rounds_once(fallback, x, y, z):
    once = float(Fraction(x) * Fraction(y) + Fraction(z))
    assert el.fma(x, y, z) == fallback(x, y, z) == once


@given(st.floats(1, 2), st.floats(1, 2))
def test_fma_shows_the_rounding_error_of_a_product(fallback, x, y):
    error = Fraction(x) * Fraction(y) - Fraction(x * y)
    assume(error)
    assert Fraction(fallback(x, y, -(x * y))) == Fraction(el.fma(x, y, -(x * y))) == error
