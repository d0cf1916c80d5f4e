"""Exact draws of continuous variables: their errors at fields of any strength, in both precisions.

The draws are functions of their uniform numbers, so that they are held against true values in long double.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import statmech_dsl as sm
from statmech_dsl.ir.domains import Angle, UnitVector
from statmech_dsl.ir.draws import Attempts, Let
from statmech_dsl.ir.expr import evaluate
from statmech_dsl.testing.setup import begin, build, copies

long = np.longdouble
PRECISIONS = {"float64": 2.0**-28, "float32": 2.0**-18}
"""Largest error of a drawn value and of a probability."""
STRENGTHS = [0.0, 1e-30, 1e-12, 1e-6, 1e-3, 0.05, 0.124, 0.126, 1.0, 30.0, 1e4]
UNIFORMS = (np.array([1, 2, 1000, 2**19, 2**21, 2**22 + 1, 2**23 - 2]) + 0.5) * 2.0**-23

both = pytest.mark.parametrize("dtype", PRECISIONS)
at_all_strengths = pytest.mark.parametrize("kappa", STRENGTHS)


def bind(body, env, dtype):
    """Evaluate the statements of a draw whose uniforms are in the environment."""
    for s in body:
        if isinstance(s, Let):
            env[s.name] = evaluate(s.expr, (), env, dtype)
    return env


@both
@at_all_strengths
def test_the_angle_in_a_field(kappa, dtype):
    """The envelope's acceptance, and the angle that it makes of an accepted attempt."""
    draw, mu = Angle(dtype=dtype).conditional(), 2.0
    weights = {
        "l.1": -2 * kappa * np.cos(mu),
        "l.2": kappa * np.sin(mu),
        "l.3": -kappa * np.sin(mu),
    }
    (at,) = (k for k, s in enumerate(draw.body) if isinstance(s, Attempts))
    attempt = draw.body[at]
    kappa_found = float(bind(draw.body[:at], dict(weights), dtype)["kappa"])
    assert kappa_found == pytest.approx(kappa, rel=1e-6, abs=1e-20)
    h = long(0.5) + np.sqrt(long(0.25) + long(kappa_found) ** 2)
    gap = h / (h + kappa_found)
    for u in UNIFORMS:
        env = bind(draw.body[:at], weights | {"u1": u}, dtype)
        bind(attempt.body, env, dtype)
        s = np.sin(np.pi * (long(u) - long(0.5)))
        c = h / (gap + 2 * kappa_found * s * s)
        weight = evaluate(attempt.accept.args[1], (), env, dtype)
        assert abs(weight - float(c * np.exp(1 - c))) < PRECISIONS[dtype]
        assert weight <= 1 + PRECISIONS[dtype]
        env[attempt.name] = evaluate(attempt.result, (), env, dtype)
        bind(draw.body[at + 1 :], env, dtype)
        found = evaluate(draw.value[0], (), env, dtype)
        phi = np.arctan2(2 * s * np.sqrt(h * (1 - s * s)), 2 * h * s * s - gap)
        ahead = mu if kappa_found else 0.0  # without a field there is no direction to turn from
        away = (float(found) - float(phi) - ahead + np.pi) % (2 * np.pi) - np.pi
        assert abs(away) < PRECISIONS[dtype]


@both
@at_all_strengths
def test_the_vector_in_a_field(kappa, dtype):
    """Its length, and its cosine with the field against the inverse of the distribution function."""
    draw = UnitVector(3, dtype=dtype).conditional()
    axis = np.array([0.36, -0.48, 0.8])
    for u in UNIFORMS:
        weights = {f"l.{k + 1}": kappa * axis[k] for k in range(3)}
        env = bind(draw.body, weights | {"u": u, "v": 0.3}, dtype)
        s = np.array([float(evaluate(e, (), env, dtype)) for e in draw.value])
        assert abs(np.linalg.norm(s) - 1) < PRECISIONS[dtype]
        if kappa < 1e-9:
            expected = 2 * u - 1
        else:
            expected = 1 + np.log(u + (1 - long(u)) * np.exp(-2 * long(kappa))) / kappa
        towards = axis if kappa > 1e-18 else np.array([0.0, 0.0, 1.0])
        assert abs(s @ towards - float(expected)) < PRECISIONS[dtype]


def test_a_strong_field_leaves_narrow_distributions():
    """At kappa = 10^4 the spread across the field is a hundredth; draws are held against the exact law."""
    kappa, n, axis = 1e4, 20_000, np.array([0.6, 0.0, 0.8])
    with sm.Model() as model:
        theta = sm.Angle("theta", 1, dtype="float32")
        s = sm.UnitVector("s", 1, dtype="float32")
        sm.Energy("planar", -kappa * np.cos(theta - 1.0))
        sm.Energy("spatial", -kappa * (axis[0] * s[0, 0] + axis[2] * s[0, 2]))
    sampler = build(model, n, updates="heat_bath", backend="numba")
    packed = sampler.kernels.pack(copies(begin(sampler, 1.0, seed=1), n))
    sampler.kernels.sweep(packed, 1)
    turned = sampler.kernels.values(packed, "theta")[:, 0].astype(float) - 1.0
    vectors = sampler.kernels.values(packed, "s").astype(float)
    across = vectors - np.outer(vectors @ axis, axis)
    one_minus_z = 1 - np.sqrt(1 - (across**2).sum(axis=1))
    assert stats.kstest(turned, stats.vonmises(kappa).cdf).pvalue > 1e-3
    assert stats.kstest(one_minus_z, stats.expon(scale=1 / kappa).cdf).pvalue > 1e-3


def test_an_acceptance_that_never_comes_is_no_endless_loop():
    """Attempts end in NaN, which a run reports."""
    with sm.Model() as model:
        theta = sm.Angle("theta", 2, dtype="float32")
        sm.Energy("field", -1e30 * np.cos(theta))
    with pytest.raises(sm.errors.ImproperDistributionError):
        sm.sample(model, T=1e-10, draws=2, tune=0, chains=1, progressbar=False)
