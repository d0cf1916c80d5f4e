"""Sums of couplings by lookup: which models take them, their bits and energies, other couplings on the way."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numba import njit

import statmech_dsl as sm
from statmech_dsl.backends.numba_cpu import dense_arrays
from statmech_dsl.backends.numba_cpu.decide_lines import (
    COARSE,
    first_look,
    first_look_at,
    weigh_line,
)
from statmech_dsl.backends.numba_cpu.dense_arrays import with_lookups
from statmech_dsl.backends.numba_cpu.lookup_arrays import close_to_one, tabulate
from statmech_dsl.backends.numba_cpu.lookups import CODES, FOUR, LINE, NEAR, encode, lines_of
from statmech_dsl.rng import TILE, uniform
from statmech_dsl.testing import check_backend
from statmech_dsl.testing.setup import begin, build

LONG = FOUR * NEAR + 9
"""So many sources that their tables are looked up in two parts."""


def machine(declare=sm.Occupation, visible=LONG, hidden=40, seed=1, v=None, h=None, scale=0.2):
    """Random weights and biases."""
    rng = np.random.default_rng(seed)
    with sm.Model() as model:
        v, h = declare("v", visible, observed=v), declare("h", hidden, observed=h)
        sm.Energy("a", -rng.normal(scale=scale, size=visible) * v)
        sm.Energy("b", -rng.normal(scale=scale, size=hidden) * h)
        sm.Energy("W", -v[:, None] * rng.normal(scale=scale, size=(visible, hidden)) * h)
        sm.Observable("on", v.sum() + h.sum())
    return model


def methods(model):
    sampler = build(model)
    program = with_lookups(sampler.program, sampler.tables)
    return [p.dense and p.dense.method for p in program.passes]


def test_layers_take_lookups():
    assert methods(machine()) == ["lookups"] * 2


def test_several_colors_do_not():
    with sm.Model() as model:
        s = sm.Spin("s", 24)
        sm.Energy("W", s[::2, None] * np.ones((12, 12)) * s[1::2])
    assert methods(model) == ["products"]


def test_tables_beyond_the_caches_are_not_made(monkeypatch):
    assert methods(machine(visible=64, hidden=32)) == ["lookups"] * 2
    monkeypatch.setattr(dense_arrays, "MOST_LOOKUPS", 2 * (64 * 32 // FOUR) * CODES * 4 - 1)
    assert methods(machine(visible=64, hidden=32)) == ["products"] * 2


SOME = np.ma.masked_array(np.arange(LONG) % 2, np.arange(LONG) % 3 > 0)
CASES = {
    "units": lambda: machine(hidden=9),
    "spins": lambda: machine(sm.Spin, 9, 35),
    "data": lambda: machine(hidden=9, v=np.arange(LONG) % 2),
    "data of some units": lambda: machine(hidden=9, v=SOME),
}


@pytest.mark.parametrize("name", CASES)
def test_bits_energies_and_sums_are_those_of_the_reference(name):
    model = CASES[name]()
    assert set(methods(model)) == {"lookups"}
    check_backend(model, "numba", replicas=(9,), threads=(2,), sweeps=1)


def test_more_sites_than_a_tile_of_streams_has():
    model, ends = machine(visible=TILE + LINE + 1, hidden=8, scale=0.05), []
    for backend in ("reference", "numba"):
        sampler = build(model, 2, backend=backend)
        packed = sampler.kernels.pack(begin(sampler, np.array([0.5, 1.0]), seed=1))
        sampler.kernels.sweep(packed, 1)
        ends.append([sampler.kernels.values(packed, name) for name in "vh"])
    for a, b in zip(*ends, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("declare", [sm.Spin, sm.Occupation])
def test_energies_are_those_of_the_states(declare):
    model, n = machine(declare), 70
    kernels = build(model, n, backend="numba").kernels
    packed = kernels.pack(begin(build(model, n), np.linspace(0, 2, n), seed=1))
    rng = np.random.default_rng(1)
    a, b, W = (rng.normal(scale=0.2, size=x) for x in (LONG, 40, (LONG, 40)))
    for _ in range(3):
        kernels.sweep(packed, 1)
        v, h = (kernels.values(packed, name).astype(float) for name in "vh")
        expected = -(v @ a + h @ b + ((v @ W) * h).sum(1))
        assert np.allclose(kernels.energy(packed)[0], expected, rtol=0, atol=1e-12)


def three_layers():
    """The last layer takes no part in the couplings of the first two."""
    rng = np.random.default_rng(5)
    with sm.Model() as model:
        v, h, g = sm.Occupation("v", 40), sm.Occupation("h", 9), sm.Occupation("g", 7)
        sm.Energy("W", -v[:, None] * rng.normal(scale=0.2, size=(40, 9)) * h)
        sm.Energy("V", -h[:, None] * rng.normal(scale=0.2, size=(9, 7)) * g)
    return model


ENDS = CASES | {
    "a whole line ends the sweep": lambda: machine(visible=9, hidden=2 * LINE),
    "data end the sweep": lambda: machine(visible=40, hidden=LONG, h=SOME),
    "three layers": three_layers,
}


@pytest.mark.parametrize("name", ENDS)
def test_energies_for_weights_are_those_of_the_states(name):
    model, n = ENDS[name](), 70
    kernels = build(model, n, backend="numba", threads=2).kernels
    packed = kernels.pack(begin(build(model, n), np.linspace(0, 2, n), seed=1))
    for sweeps in (1, 3, 0, 2):
        found = kernels.swept_energy(packed, sweeps)
        exact = kernels.energy(packed)[0]
        assert np.allclose(found, exact, rtol=0, atol=1e-6)
        told = kernels._dense.rest is not None and sweeps > 0
        assert told == (not np.array_equal(found, exact))  # they come from rounded couplings
    assert packed.state.sweep == 6
    if name in ("data end the sweep", "three layers"):
        assert kernels._dense.rest is None


def test_energies_for_weights_follow_other_couplings():
    one, other = (build(machine(seed=k), 9, backend="numba") for k in (1, 2))
    packed = one.kernels.pack(begin(one, np.ones(9), seed=1))
    one.kernels.swept_energy(packed, 1)
    names = [k for k, t in one.tables.items() if t.dtype == float]
    one.kernels.replace_tables({k: other.tables[k] for k in names})
    found = one.kernels.swept_energy(packed, 1)
    assert np.allclose(found, one.kernels.energy(packed)[0], rtol=0, atol=1e-6)


@pytest.mark.filterwarnings("ignore:invalid value")
def test_couplings_that_are_not_finite_have_their_energy():
    model = machine()
    sampler = build(model, 3, backend="numba")
    tables = {k: t.copy() for k, t in sampler.tables.items() if t.dtype == float}
    for t in tables.values():
        t[-1] = np.inf
    sampler.kernels.replace_tables(tables)
    packed = sampler.kernels.pack(begin(sampler, np.ones(3), seed=1))
    assert not np.isfinite(sampler.kernels.swept_energy(packed, 1)).any()


@pytest.mark.parametrize("declare", [sm.Spin, sm.Occupation])
def test_replicas_at_one_temperature_multiply_weights(declare):
    """At the second one all exponents are out of reach, at the third one only those of products."""
    model, n, ends = machine(declare, hidden=9), CODES * 3, []
    for backend in ("reference", "numba"):
        sampler = build(model, n, backend=backend)
        packed = sampler.kernels.pack(begin(sampler, np.full(n, 0.7), seed=1))
        sampler.kernels.sweep(packed, 1)
        for beta in (1.0, 500.0, 20.0, 1.0):
            sampler.kernels.set_beta(packed, np.full(n, beta))
            sampler.kernels.sweep(packed, 1)
            if backend == "numba":
                first = sampler.kernels._dense._passes[0].factors(packed.beta)
                assert (first["weights"].size > 0) == (beta < 20)
        ends.append([sampler.kernels.values(packed, name) for name in "vh"])
    for a, b in zip(*ends, strict=True):
        assert np.array_equal(a, b)


@njit
def looks(fields, words, exponent, edges, values, close, by_weights):
    """A first look at each line."""
    weights = np.empty(LINE, np.float32)
    for k in range(0, len(fields), LINE):
        low, high = np.int8(0), np.int8(1)
        if by_weights:
            weigh_line(LINE, weights, 0, fields, k, exponent)
            close[k // LINE] = first_look_at(
                LINE, values, k, weights, 0, words, k, edges[0], edges[1], low, high
            )
        else:
            close[k // LINE] = first_look(
                LINE, values, k, fields, k, words, k, exponent, edges[0], edges[1], low, high
            )


@pytest.mark.parametrize("by_weights", [False, True])
def test_a_first_look_is_right_or_unsure(by_weights):
    """Words all about the threshold, in steps of a hundredth of the margin: none beyond 2 margins is unsure."""
    rng, exponent = np.random.default_rng(6), np.full((1, 1), 100 / 2**30, np.float32)
    edges = np.empty((1, 2), np.float32)
    close_to_one(exponent, np.zeros_like(exponent), 0.0, edges)
    fields = rng.integers(-(2**28), 2**28, 4000).astype(np.int32)
    z = 2.0 ** (fields * np.float64(exponent[0, 0]))
    off = rng.integers(-300, 301, len(fields)) / 100 * COARSE
    words = np.clip((1 + off) / (1 + z) * 2.0**32, 0, 2**32 - 1).astype(np.uint32)
    relative = uniform(words.astype(np.float64)) * (1 + z) - 1
    fields, words = (np.repeat(x, LINE) for x in (fields, words))  # a line for each
    values, close = np.empty(len(fields), np.int8), np.empty(len(fields) // LINE, np.uint64)
    looks(fields, words, exponent[0, 0], edges[0], values, close, by_weights)
    value, unsure = values[::LINE] == 1, close > 0
    assert np.array_equal(value[~unsure], relative[~unsure] >= 0)
    assert not unsure[np.abs(relative) > 2 * COARSE].any()
    assert unsure[np.abs(relative) < COARSE / 4].all()
    assert 0.2 < unsure.mean() < 0.5


@pytest.mark.parametrize("n", [3, 64, 70, 200])
def test_codes_of_any_number_of_sources(n):
    states = np.random.default_rng(n).integers(0, 2, n + 5).astype(np.int8)
    rest, codes = np.zeros(64, np.int8), np.zeros(-(-n // 64) * 16 + 2, np.uint8)
    encode(states, 5, n, np.int8(1), rest, codes, 2)
    bits = np.pad(states[5:], (0, -n % 64)).reshape(-1, 4)
    assert np.array_equal(codes[2:], bits @ [1, 2, 4, 8])


def test_couplings_of_another_model_make_it_that_model():
    """Nothing is compiled, states stay: the bits are those of a model with these couplings."""
    models = machine(seed=1), machine(seed=2)
    beta = np.linspace(0, 2, 9)
    one, other = (build(m, 9, backend="numba") for m in models)
    packed = one.kernels.pack(begin(one, beta, seed=1))
    expected = other.kernels.pack(begin(other, beta, seed=1))
    names = [k for k, t in one.tables.items() if t.dtype == float]
    one.kernels.energy(packed)
    one.kernels.replace_tables({k: other.tables[k] for k in names})
    for sampler, p in ((one, packed), (other, expected)):
        sampler.kernels.sweep(p, 3)
    for name in "vh":
        x, y = one.kernels.values(packed, name), other.kernels.values(expected, name)
        assert np.array_equal(x, y)
    assert np.array_equal(one.kernels.energy(packed), other.kernels.energy(expected))
    assert one.kernels.source() == other.kernels.source()


def test_tables_given_as_they_come():
    """Writable, of another order in memory: whatever a learner has at hand."""
    sampler = build(machine(), 9, backend="numba")
    kernels, ends = sampler.kernels, []
    for give in (np.asarray, lambda x: np.repeat(x, 2)[::2]):
        packed = kernels.pack(begin(sampler, np.ones(9), seed=1))
        kernels.replace_tables({k: give(t) for k, t in sampler.tables.items() if t.dtype == float})
        kernels.sweep(packed, 2)
        ends.append(kernels.values(packed, "v"))
    assert np.array_equal(*ends)


def test_means_of_a_small_machine_are_exact():
    """Each replica at its temperature, against all states."""
    model, T = machine(visible=9, hidden=8, scale=0.8), [0.6, 1.5]
    data = sm.sample(model, T=T, chains=100, draws=100, tune=20, seed=1, progressbar=False)
    exact = sm.exact(model, T=T)
    means = data.posterior.energy.mean("draw")  # chains are independent
    error = means.std("chain", ddof=1) / 10
    assert float(abs((means.mean("chain") - exact.energy.values) / error).max()) < 4
    assert float(error.max()) < 0.05


def test_steps_deviate_by_less_than_the_slack():
    rng = np.random.default_rng(4)
    matrix, offset, limit = rng.normal(size=(LINE + 3, 22)), rng.normal(size=LINE + 3), 2**9
    lines, whole = lines_of(np.zeros_like(matrix), np.int32), np.zeros(2 * LINE, np.int32)
    scale, slack = tabulate(matrix, offset, np.zeros(LINE + 3), limit, lines, whole)
    steps = np.rint(matrix / scale)
    assert np.array_equal(lines, lines_of(steps, np.int32))
    assert np.array_equal(whole[: LINE + 3], np.rint(offset / scale))
    worst = 0.0
    for n in rng.integers(0, 2, (50, 22)) > 0:
        sums = steps[:, n].sum(1) + whole[: LINE + 3]
        assert np.abs(sums).max() <= limit
        for k in range(0, LINE + 3, 5):
            exact = sum(map(Fraction, matrix[k, n]), Fraction(offset[k]))
            worst = max(worst, abs(float(Fraction(float(sums[k])) * Fraction(scale) - exact)))
    assert slack / 10 < worst <= slack


def test_explain_tells():
    text = str(sm.explain(sm.models.restricted_boltzmann_machine(20, 10)))
    assert (
        "    h: dense field tier, local fields of a color, sums of four couplings by lookup" in text
    )
    assert "the lanes of a vector hold the sites of a color, 32 at a time" in text
