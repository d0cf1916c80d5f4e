"""Time to solution: the formula, its limits, and intervals that cover."""

import math

import numpy as np
import pytest

from statmech_dsl.errors import DiagnosticsError
from statmech_dsl.estimators import time_to_solution


def test_the_time_is_that_of_independent_repeats():
    found = time_to_solution(20, 200, seconds=2.0)
    n = found.value / 2.0
    assert 0.9**n == pytest.approx(0.01)
    assert found.low < found.value < found.high
    assert found.probability == 0.1
    assert found.probability_error == pytest.approx(math.sqrt(0.1 * 0.9 / 200), rel=0.03)


def test_limits():
    never = time_to_solution(0, 100, seconds=1.0)
    assert math.isinf(never.value)
    assert math.isinf(never.high)
    assert 100 < never.low < 1000, "100 failures in a row say that p is below a few percent"
    always = time_to_solution(100, 100, seconds=1.0)
    assert (always.value, always.low) == (1.0, 1.0), "one repeat is needed at least"


@pytest.mark.parametrize("p", [0.05, 0.3])
def test_intervals_cover(p):
    n, exact = 200, math.log(0.01) / math.log1p(-p)
    found = [
        time_to_solution(int(k), n, seconds=1.0)
        for k in np.random.default_rng(1).binomial(n, p, 1000)
    ]
    inside = np.mean([f.low <= exact <= f.high for f in found])
    assert 0.6 < inside < 0.77


@pytest.mark.parametrize("arguments", [(0, 0, 1.0), (3, 2, 1.0), (1, 2, 1.0, 1.0)])
def test_mistakes(arguments):
    with pytest.raises(DiagnosticsError):
        time_to_solution(*arguments)
