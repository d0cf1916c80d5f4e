"""The probability that 32-bit words decide an outcome with, against the exact one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from statmech_dsl.backends.reference import UNIFORMS
from statmech_dsl.ir.draws import Bernoulli, Categorical, Index, meaning
from statmech_dsl.ir.expr import evaluate, read

WORDS = 2**32
RESOLUTION = 2.0**-32


def words_below(draw, log_weights, limit, real="float64"):
    """Number of words that decide an outcome < limit, by bisection: outcomes are monotone in the word."""
    m = meaning(draw, (read("u"),))

    def outcome(word):
        env = {**{f"l{k}": x for k, x in enumerate(log_weights)}, "u": float(UNIFORMS[real](word))}
        for let in m.lets:
            env[let.name] = evaluate(let.expr, (), env, real)
        return evaluate(m.result, (), env, real)

    rises = outcome(0) <= outcome(WORDS - 1)
    low, high = 0, WORDS
    while low < high:
        middle = (low + high) // 2
        if (outcome(middle) < limit) == rises:
            low = middle + 1
        else:
            high = middle
    return low if rises else WORDS - low


def decided(draw, log_weights, n, real="float64"):
    below = [words_below(draw, log_weights, limit, real) for limit in range(1, n)]
    return np.diff([0, *below, WORDS]) / WORDS


def softmax(log_weights):
    w = np.exp(np.longdouble(log_weights) - np.longdouble(max(log_weights)))
    return np.asarray(w / w.sum(), float)


def draw_of(n):
    return Categorical("x", tuple(read(f"l{k}") for k in range(n)))


@pytest.mark.parametrize("n", [2, 3, 4, 8])
def test_categorical(n):
    """Both ends of an outcome's interval are right to 2^-32, so that an outcome is to about the same."""
    generator = np.random.default_rng(n)
    for scale in (0.0, 1e-9, 1e-3, 0.3, 1.0, 3.0, 10.0, 30.0, 1e4):
        for _ in range(6):
            log_weights = list(scale * generator.normal(size=n))
            off = decided(draw_of(n), log_weights, n) - softmax(log_weights)
            assert np.abs(np.cumsum(off)).max() <= RESOLUTION
            assert np.abs(off).max() <= (1.0 if n == 2 else 1.25) * RESOLUTION


@pytest.mark.parametrize(("real", "resolution"), [("float64", RESOLUTION), ("float32", 2.0**-21)])
def test_bernoulli(real, resolution):
    draw = Bernoulli("x", read("l0"))
    logs = [
        0.0,
        -1e-12,
        -1e-9,
        -1e-3,
        -50.0,
        -1e4,
        *-np.random.default_rng(1).exponential(3.0, 100),
    ]
    for log_p in logs:
        p = decided(draw, [float(log_p)], 2, real)
        assert p[1] == pytest.approx(float(np.exp(log_p)), abs=resolution, rel=0)


def test_index_is_as_even_as_words_allow():
    for n in (2, 3, 5, 7, 64, 1000):
        p = [Fraction(words_below(Index("x", n), [], k), WORDS) for k in (1, n - 1)]
        assert abs(p[0] - Fraction(1, n)) <= RESOLUTION
        assert abs(1 - p[1] - Fraction(1, n)) <= RESOLUTION


def test_certain_outcomes_are_certain():
    for real in UNIFORMS:
        assert decided(Bernoulli("x", read("l0")), [0.0], 2, real)[1] == 1.0
    assert list(decided(draw_of(2), [0.0, -200.0], 2)) == [1.0, 0.0]
    assert list(decided(draw_of(3), [-300.0, 0.0, -300.0], 3)) == [0.0, 1.0, 0.0]
