"""Counting against enumeration, published values and sums over magnetizations."""

from time import thread_time

import numpy as np
import pytensor.tensor as pt
import pytest
from scipy.special import gammaln, logsumexp

import statmech_dsl as sm
from statmech_dsl.errors import InfeasibleError
from statmech_dsl.solvers.counting import counting, divisions
from statmech_dsl.solvers.enumeration import enumeration
from tests.solvers.systems import curie_weiss, ising, system_of, table

TIGHT = {"rtol": 1e-10, "atol": 1e-12}


def several():
    """Spins of two kinds, a field of two values, a clamped spin, two sums, one a function of both."""
    J = np.array([1.0] * 4 + [-0.5] * 6)
    clamped = np.ma.array(np.ones(10, int), mask=np.arange(10) < 9)
    with sm.Model() as model:
        s = sm.Spin("s", 10, observed=clamped)
        n = sm.Occupation("n", 3)
        sm.Energy("weighted", -0.3 * (J * s).sum() ** 2)
        sm.Energy("mixed", 0.01 * (s.sum() + n.sum()) ** 4)
        sm.Energy("field", np.array([0.5, 0.5, -1.0]) * n)
        sm.Observable("m", s.mean())
        sm.Observable("product", s.sum() * n[:2].sum())
        sm.Observable("first", n[0])
        sm.Observable("last", n[2])
    return model


def colors():
    with sm.Model() as model:
        p = sm.Potts("p", 9, q=3)
        sm.Energy("exchange", -0.2 * sum(pt.eq(p, k).sum() ** 2 for k in range(3)))
        sm.Energy("field", 0.3 * p)
    return model


@pytest.mark.parametrize(("model", "n_counts"), [(several, 5 * 6 * 3 * 2), (colors, 55)])
def test_the_same_as_enumeration(model, n_counts):
    system = system_of(model())
    a, b = counting(system), enumeration(system)
    assert a.n_counts == n_counts
    for beta in (0.0, 0.5, 3.0):
        x, y = a.thermal(beta), b.thermal(beta)
        np.testing.assert_allclose(
            [x.log_partition, x.energy, x.variance],
            [y.log_partition, y.energy, y.variance],
            **TIGHT,
        )
    assert a.spectrum.ground() == pytest.approx(b.spectrum.ground())


def test_means_of_functions_of_sums():
    counted, all_states = (
        sm.exact(several(), T=1.5, method=m) for m in ("counting", "enumeration")
    )
    for name in ("m", "product", "last"):
        np.testing.assert_allclose(counted[name], all_states[name], **TIGHT)
    assert "first" not in counted  # sites 0 and 1 enter alike
    with pytest.raises(InfeasibleError, match="'first': it tells apart"):
        sm.exact(several(), method="counting", observables=["first"])


@pytest.mark.parametrize("h", [0.0, 0.1])
def test_the_table_of_magnets(h):
    rows = [r for r in table("curie_weiss") if (r["N"], r["h"]) == (10, h)]
    T = np.array([r["T"] for r in rows])
    result = sm.exact(curie_weiss(10, h), T=T, method="counting")
    # The table leaves out i = j, which adds -1/2 to the energy of every state.
    np.testing.assert_allclose(result.log_partition - 0.5 / T, [r["lnZ"] for r in rows], **TIGHT)
    for name in ("m", "abs_m", "m2", "m4"):
        np.testing.assert_allclose(result[name], [r[name] for r in rows], rtol=1e-10, atol=1e-13)


def test_4096_spins_in_a_second():
    N, T, h = 4096, np.array([0.8, 1.0, 1.5]), 0.1
    began = thread_time()
    result = sm.exact(curie_weiss(N, h), T=T)
    assert thread_time() - began < 5  # about 1 on an idle machine
    assert result.attrs["method"] == "counting"
    up = np.arange(N + 1)
    M = 2 * up - N
    log_ways = gammaln(N + 1) - gammaln(up + 1) - gammaln(N - up + 1)
    log_w = log_ways + (M**2 / (2 * N) + h * M) / T[:, np.newaxis]
    np.testing.assert_allclose(result.log_partition, logsumexp(log_w, axis=1), rtol=1e-13)
    p = np.exp(log_w - logsumexp(log_w, axis=1, keepdims=True))
    np.testing.assert_allclose(result.m, p @ M / N, rtol=1e-9)
    np.testing.assert_allclose(result.m4, p @ (M / N) ** 4, rtol=1e-9)


def test_a_potts_model_of_many_sites():
    N, q = 300, 3
    with sm.Model() as model:
        p = sm.Potts("p", N, q=q)
        sm.Energy("exchange", -sum(pt.eq(p, k).sum() ** 2 for k in range(q)) / (2 * N))
    T = 0.4
    log_w = [
        gammaln(N + 1) - sum(gammaln(k + 1) for k in n) + sum(k * k for k in n) / (2 * N * T)
        for a in range(N + 1)
        for b in range(N - a + 1)
        if (n := (a, b, N - a - b))
    ]
    result = sm.exact(model, T=T)
    np.testing.assert_allclose(result.log_partition, logsumexp(log_w), rtol=1e-12)
    assert (float(result.min_energy), int(result.degeneracy)) == (-N / 2, 3)


def test_independent_spins_have_huge_degeneracies():
    with sm.Model() as model:
        s = sm.Spin("s", 2000)
        sm.Energy("square", (s.sum() ** 2) / 2000)
    result = sm.exact(model)
    assert np.isinf(result.degeneracy)
    assert float(result.min_energy) == 0.0


def test_divisions():
    found = divisions(5, 3)
    assert len(found) == len(set(map(tuple, found))) == 21
    assert (found.sum(axis=1) == 5).all()


def test_what_cannot_be_counted():
    with pytest.raises(InfeasibleError, match="'exchange' couples sites"):
        counting(system_of(ising(sm.lattices.chain(5))))
    with sm.Model() as model:
        s = sm.Spin("s", 40)
        sm.Energy("exchange", -(s.sum() ** 2) / 40)
        sm.Energy("fields", np.arange(40.0) * s)
    with pytest.raises(InfeasibleError, match=r"40 kinds of sites and 2\^40 ways"):
        counting(system_of(model))
