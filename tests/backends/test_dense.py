"""Dense passes follow the reference bit for bit, whatever float32 makes of their fields."""

from __future__ import annotations

from fractions import Fraction

import numba as nb
import numpy as np
import pymc as pm
import pytest

import statmech_dsl as sm
from statmech_dsl.backends.couplings import couplings, in_steps
from statmech_dsl.backends.numba_cpu import dense_arrays, lookup_arrays
from statmech_dsl.backends.numba_cpu.runtime_float32 import weight2f
from statmech_dsl.backends.numba_cpu.verdicts import CLOSE, verdict
from statmech_dsl.backends.reference import Reference
from statmech_dsl.ir.elementary import weight2
from statmech_dsl.rng import uniform
from statmech_dsl.testing import check_backend
from statmech_dsl.testing.setup import begin, build


def complete(declare, n=12, scale=1.0, seed=1, **kwargs):
    """Random couplings between all pairs, a few of them missing, and random fields."""
    rng = np.random.default_rng(seed)
    i, j = sm.lattices.complete(n).bonds
    some = slice(0, kwargs.pop("bonds", -3))
    with sm.Model() as model:
        s = declare("s", n, **kwargs)
        J = scale * rng.normal(scale=n**-0.5, size=len(i))
        sm.Energy("exchange", J[some] * s[i[some]] * s[j[some]])
        sm.Energy("field", scale * rng.normal(size=n) * s)
    return model


def layers(declare, *sizes, scale=1.0, within=False):
    """Random couplings between layers, each a variable, and on request within the first."""
    rng = np.random.default_rng(2)
    with sm.Model() as model:
        x = [declare(f"x{k}", n) for k, n in enumerate(sizes)]
        for k, (a, b) in enumerate(zip(x, x[1:], strict=False)):
            weights = scale * rng.normal(scale=0.3, size=sizes[k : k + 2])
            sm.Energy(f"W{k}", a[:, None] * weights * b)
            sm.Energy(f"b{k}", weights[:, 0] * a)
        if within:
            i, j = sm.lattices.complete(sizes[0]).bonds
            sm.Energy("within", rng.normal(scale=0.3, size=len(i)) * x[0][i] * x[0][j])
    return model


def two_colors(n=9):
    """Two groups in one variable; every second site belongs to the other one."""
    weights = np.random.default_rng(3).normal(scale=0.3, size=(n, n))
    with sm.Model() as model:
        s = sm.Spin("s", 2 * n)
        sm.Energy("W", s[::2, None] * weights * s[1::2])
    return model


def levels(name, sites):
    return sm.Levels(name, sites, values=[-2, 3])


KNOWN = np.ma.masked_array(np.ones(16, int), np.arange(16) % 4 > 0)
CASES = {
    "spins": (lambda: complete(sm.Spin), ["fields"]),
    "regular": (lambda: complete(sm.Spin, bonds=None), ["fields"]),
    "units": (lambda: complete(sm.Occupation), ["fields"]),
    "clamped": (lambda: complete(sm.Spin, 16, observed=KNOWN), ["fields"]),
    "two layers": (lambda: layers(sm.Occupation, 9, 11), ["products"] * 2),
    "three layers": (lambda: layers(levels, 8, 10, 9), ["products"] * 3),
    "couplings within": (lambda: layers(sm.Spin, 8, 9, within=True), ["fields", "products"]),
    "two colors": (two_colors, ["products"]),
}


@pytest.mark.parametrize("name", CASES)
def test_the_bits_are_those_of_the_reference(name):
    declare, methods = CASES[name]
    model = declare()
    forms = [p.dense for p in build(model).program.passes]
    assert [f.method for f in forms if f is not None] == methods
    check_backend(model, "numba", replicas=(3, 10), threads=(1, 2))


@pytest.mark.parametrize("name", ["spins", "two layers"])
def test_64_lanes(name):
    check_backend(CASES[name][0](), "numba", replicas=(70,), threads=(1, 2), sweeps=2)


@pytest.mark.parametrize("scale", [1e-250, 1e-40, 1e7, 1e40, 1e306])
def test_weights_beyond_the_range_of_float32(scale):
    """Nothing is certain at the largest scales: the definition decides every lane."""
    check_backend(complete(sm.Spin, scale=scale), "numba", replicas=(9,), threads=(1,))
    check_backend(layers(sm.Occupation, 9, 11, scale=scale), "numba", replicas=(9,), threads=(1,))


def test_temperatures_that_make_up_for_the_scale():
    """Energies of 1e-40 at beta = 1e40: the products of both are what counts."""
    for model in (complete(sm.Spin, scale=1e-40), layers(sm.Occupation, 9, 11, scale=1e-40)):
        agree(model, np.geomspace(1e39, 1e41, 9), 5)


def agree(model, beta, sweeps):
    """Compare both backends after every sweep: at high temperatures they would meet again after an error."""
    paths = []
    for backend in ("reference", "numba"):
        kernels = (sampler := build(model, len(beta), backend=backend)).kernels
        packed, path = kernels.pack(begin(sampler, beta, seed=3)), []
        for _ in range(sweeps):
            kernels.sweep(packed, 1)
            path += [kernels.values(packed, v).copy() for v in sampler.n_sites]
        paths.append(path)
    for a, b in zip(*paths, strict=True):
        assert np.array_equal(a, b)


def test_couplings_that_are_not_finite():
    """A random coupling may be so; the definition says what becomes of the states."""
    ends = []
    for backend in ("reference", "numba"):
        sampler = build(complete(sm.Occupation), 3, backend=backend)
        kernels, packed = sampler.kernels, sampler.kernels.pack(begin(sampler, np.ones(3), seed=1))
        replace(kernels, sampler.tables, lambda x: np.where(np.arange(len(x)) == 5, np.inf, x))
        with np.errstate(invalid="ignore"):
            kernels.sweep(packed, 3)
        ends.append(kernels.values(packed, "s"))
    assert np.array_equal(*ends)


def replace(kernels, tables, change):
    """Exchange all couplings."""
    new = {k: change(t) for k, t in tables.items() if t.dtype == float}
    if isinstance(kernels, Reference):
        kernels.tables = {**tables, **new}
    else:
        kernels.replace_tables(new)


def test_many_sweeps_do_not_drift():
    agree(complete(sm.Spin, scale=0.3), np.array([1.0]), 1500)


def test_cached_fields_stay_exact():
    sampler = build(complete(sm.Spin, 150, scale=0.5), 9, backend="numba")
    kernels = sampler.kernels
    packed = kernels.pack(begin(sampler, np.ones(9), seed=1))
    kernels.sweep(packed, 400)
    again = kernels.pack(kernels.unpack(packed))
    kernels.sweep(again, 0)
    kernels.sweep(again, 1)
    kernels.sweep(packed, 1)
    for a, b in zip(packed.fields, again.fields, strict=True):
        assert np.array_equal(a["fields"][:, :1], b["fields"][:, :1])


def test_states_that_change_outside_are_followed():
    """As `LocalGibbs` does: values are written over the packed state."""
    sampler = build(complete(sm.Spin), 3, backend="numba")
    kernels, state = sampler.kernels, begin(sampler, np.ones(3), seed=1)
    packed, fresh = kernels.pack(state), kernels.pack(state)
    kernels.sweep(packed, 4)
    packed.values["s"][:] = fresh.values["s"]
    packed.state.sweep = 0
    kernels.sweep(packed, 4)
    kernels.sweep(fresh, 4)
    assert np.array_equal(kernels.values(packed, "s"), kernels.values(fresh, "s"))


@pytest.mark.parametrize("name", ["spins", "two layers"])
def test_couplings_can_be_exchanged(name):
    ends = []
    for backend in ("reference", "numba"):
        sampler = build(CASES[name][0](), 9, backend=backend)
        kernels, packed = sampler.kernels, sampler.kernels.pack(begin(sampler, np.ones(9), seed=1))
        kernels.sweep(packed, 2)
        replace(kernels, sampler.tables, lambda x: -2.0 * x)
        kernels.sweep(packed, 3)
        ends.append([*kernels.unpack(packed).values.values(), *kernels.energy(packed)])
    for a, b in zip(*ends, strict=True):
        assert np.allclose(a, b, rtol=1e-13, atol=0)


@pytest.mark.parametrize(
    "model", [complete(sm.Spin), layers(sm.Occupation, 8, 8)], ids=["fields", "products"]
)
def test_energies_are_exact_within_their_errors(model):
    data = sm.sample(model, T=[0.7, 2.0], chains=64, draws=300, tune=50, seed=1, progressbar=False)
    exact = sm.exact(model, T=[0.7, 2.0])
    means = data.posterior.energy.mean("draw")  # chains are independent
    error = means.std("chain", ddof=1) / 8
    z = (means.mean("chain") - exact.energy.values) / error
    assert float(abs(z).max()) < 4
    assert float(error.max()) < 0.04


# ---- the margin ----------------------------------------------------------------------------------


@nb.njit
def verdicts(x, slack, words):
    out = np.empty(len(x), np.int8)
    for k in range(len(x)):
        out[k] = verdict(x[k], slack[k], words[k], np.int8(0), np.int8(1))
    return out


@nb.njit
def powers(x):
    out = np.empty_like(x)
    for k in range(len(x)):
        out[k] = weight2f(x[k])
    return out


def test_the_probability_in_float32_is_within_2_to_the_minus_22():
    x = np.linspace(-126, 126, 2_000_001).astype(np.float32)
    z, exact = powers(x).astype(float), np.exp2(x.astype(float))
    assert np.abs(z / exact - 1).max() < 2.0**-22
    assert np.abs(1 / (1 + z) - 1 / (1 + exact)).max() < 2.0**-22


def threshold_words(x):
    """Words near the threshold of a weight, and random ones."""
    rng = np.random.default_rng(1)
    t = np.floor(2.0**32 / (1.0 + np.exp2(x)))
    near = t + rng.integers(-3000, 3000, len(x))
    return np.clip(near, 0, 2**32 - 1).astype(np.uint32)


def test_a_verdict_is_that_of_the_definition_or_none():
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.normal(scale=s, size=20_000) for s in (1, 5, 20)])
    words = threshold_words(x)
    error = rng.uniform(-1, 1, len(x)) * 2.0**-18
    found = verdicts((x + error).astype(np.float32), np.full(len(x), 2.0**-18, np.float32), words)
    defined = [
        float(1.0 <= uniform(int(w)) * (1.0 + weight2(e))) for w, e in zip(words, x, strict=True)
    ]
    decided = found != CLOSE
    assert 0.05 < decided.mean() < 0.95
    assert np.array_equal(found[decided], np.array(defined)[decided])


def test_a_margin_without_slack_would_be_seen():
    x = np.random.default_rng(2).normal(size=20_000)
    words = threshold_words(x)
    found = verdicts((x + 2.0**-18).astype(np.float32), np.zeros(len(x), np.float32), words)
    defined = [
        float(1.0 <= uniform(int(w)) * (1.0 + weight2(e))) for w, e in zip(words, x, strict=True)
    ]
    decided = found != CLOSE
    assert (found[decided] != np.array(defined)[decided]).sum() > 20


@pytest.mark.parametrize("name", ["spins", "two colors", "two layers"])
def test_coarse_steps_are_covered_by_the_slack(name, monkeypatch):
    """With couplings of 8 bits many lanes are decided again; without slack the bits are others."""
    model = CASES[name][0]()
    kind = lookup_arrays.LookupArrays if name == "two layers" else dense_arrays.DenseArrays
    monkeypatch.setattr(dense_arrays, "LIMIT", dict.fromkeys(dense_arrays.LIMIT, 2**8))
    monkeypatch.setattr(lookup_arrays, "LIMIT", 2**8)
    agree(model, np.linspace(0.5, 1.5, 9), 60)

    class Sure(kind):
        def __init__(self, *args):
            super().__init__(*args)
            self.arrays["slack"] = np.zeros_like(self.arrays["slack"])

    monkeypatch.setattr(f"statmech_dsl.backends.numba_cpu.dense.{kind.__name__}", Sure)
    with pytest.raises(AssertionError):
        agree(model, np.linspace(0.5, 1.5, 9), 60)


def test_steps_deviate_by_less_than_the_slack():
    sampler = build(complete(sm.Spin, 20))
    p = sampler.program.passes[0]
    exact = couplings(p, sampler.program.model, sampler.tables)
    rng = np.random.default_rng(4)
    for limit in (2**8, 2**24, 2**30):
        steps = in_steps(exact, limit)
        assert max(abs(steps.steps).sum(1).max() / 2, abs(steps.offset).max()) <= limit
        for row in range(0, 20, 5):
            worst = 0.0
            for n in rng.integers(0, 2, (50, 20)):
                whole = int(steps.offset[row]) + int(steps.steps[row] @ n)
                assert abs(whole) <= limit
                field = sum(map(Fraction, exact.matrix[row][n > 0]), Fraction(exact.offset[row]))
                worst = max(worst, abs(float(whole * Fraction(steps.scale[row]) - field)))
            assert steps.slack[row] / 30 < worst <= steps.slack[row]


@pytest.mark.parametrize("factors", [1, 2])
def test_the_matrix_is_that_of_the_energy(factors):
    """Of terms in proportion to a coefficient, and to two, which are evaluated one by one."""
    W, biases = np.random.default_rng(5).normal(size=(9, 10)), np.linspace(-1, 1, 10)
    with sm.Model() as model:
        v, h = sm.Occupation("v", 9), sm.Spin("h", 10)
        weights = pm.Data("weights", W)
        weights = weights if factors == 1 else pm.Data("J", np.array(0.4)) * weights
        sm.Energy("W", v[:, None] * weights * h)
        sm.Energy("b", pm.Data("biases", biases) * h)
    sampler = build(model)
    of_v, of_h = (
        couplings(p, sampler.program.model, sampler.tables) for p in sampler.program.passes
    )
    J = W if factors == 1 else 0.4 * W
    assert np.allclose(of_v.matrix, 2 * J, rtol=1e-14)
    assert np.allclose(of_v.offset, -J.sum(1), rtol=1e-12)
    assert np.allclose(of_h.matrix, 2 * J.T, rtol=1e-14)
    assert np.allclose(of_h.offset, 2 * biases, rtol=1e-14)


def test_close_calls_are_rare():
    """A lane is decided again with a probability of at most half the slack of its exponent."""
    model = sm.models.restricted_boltzmann_machine(300, 200, weights=None)
    sampler = build(model)
    for p in sampler.program.passes:
        exact = couplings(p, sampler.program.model, sampler.tables)
        assert in_steps(exact, dense_arrays.LIMIT["products"]).slack.max() / 2 < 2e-4
