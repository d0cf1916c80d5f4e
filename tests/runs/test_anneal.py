"""The verb `anneal`: it finds known ground states, and a read is a function of the seed and its number."""

import json
from pathlib import Path

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
import xarray as xr

import statmech_dsl as sm
from statmech_dsl import errors
from statmech_dsl.runs import annealing
from statmech_dsl.testing.differences import energy_function

TABLES = json.loads((Path(__file__).parents[1] / "data" / "ground_states.json").read_text())[
    "tables"
]


def anneal(model, **options):
    options = {"reads": 16, "sweeps": 100, "seed": 3, "progressbar": False} | options
    return sm.anneal(model, **options)


def torus(table):
    """Bonds and couplings of an instance whose J[y][x] join (x, y) with its right and upper neighbors."""
    L = table["L"]
    y, x = np.indices((L, L))
    here, right, up = (a.ravel() for a in (y * L + x, y * L + (x + 1) % L, (y + 1) % L * L + x))
    i, j = np.concatenate([here, here]), np.concatenate([right, up])
    J = np.concatenate([np.ravel(table["Jx"]), np.ravel(table["Jy"])])
    with sm.Model() as model:
        s = sm.Spin("s", L * L)
        sm.Energy("exchange", -J * s[i] * s[j])
    return model


def wishart(table):
    J = np.array(table["J"])
    i, j = np.triu_indices(len(J), 1)
    with sm.Model() as model:
        s = sm.Spin("s", len(J))
        sm.Energy("exchange", -J[i, j] * s[i] * s[j])
    return model


def xorsat(table):
    (i, j, k), b = np.array(table["clauses"]).T, np.array(table["b"])
    with sm.Model() as model:
        s = sm.Spin("s", table["N"])
        sm.Energy("clauses", 0.5 * (1 - b * s[i] * s[j] * s[k]))
    return model


KINDS = {"planted_tiles": torus, "glasses": torus, "wishart": wishart, "xorsat": xorsat}


@pytest.mark.parametrize(
    ("kind", "k"), [(kind, k) for kind in KINDS for k in range(len(TABLES[kind]))]
)
def test_known_ground_states_are_found_and_nothing_below(kind, k):
    table = TABLES[kind][k]
    result = anneal(KINDS[kind](table), reads=64, sweeps=300)
    assert float(result.energy.min()) == pytest.approx(table["E0"], abs=1e-6)


def mixed():
    """A discrete and a continuous variable, whose Metropolis moves are tuned on the way."""
    lattice = sm.lattices.square(4)
    with sm.Model() as model:
        s, phi = sm.Spin("s", lattice), sm.Field("phi", lattice)
        i, j = lattice.bonds
        sm.Energy("exchange", -0.4 * s[i] * s[j])
        sm.Energy("quartic", 0.5 * phi**2 + 0.25 * phi**4 - 0.3 * s * phi)
    return model


MODELS = {
    "bits": lambda: sm.models.edwards_anderson(L=6, d=2, seed=1),
    "field": lambda: sm.models.edwards_anderson(L=6, d=2, couplings="gaussian", seed=1),
    "dense": lambda: sm.models.sherrington_kirkpatrick(N=24),
    "mixed": mixed,
}
every_model = pytest.mark.parametrize("name", MODELS)


@every_model
def test_energies_are_those_of_the_states(name):
    model = MODELS[name]()
    result = anneal(model, reads=5)
    energy = energy_function(model)
    for r in range(5):
        state = {v.name: result[v.name].values[r].astype(float) for v in model.basic_RVs}
        assert float(result.energy[r]) == pytest.approx(energy(state), rel=1e-12)


@every_model
@pytest.mark.parametrize("options", [{"reads": 9}, {"reads": 130}, {"threads": 3}], ids=str)
def test_a_read_does_not_depend_on_its_company(name, options):
    model = MODELS[name]()
    some, other = anneal(model, threads=1), anneal(model, **options)
    n = min(some.sizes["read"], other.sizes["read"])
    np.testing.assert_array_equal(some.beta, other.beta)
    for v in ("energy", "s"):
        np.testing.assert_array_equal(some[v][:n], other[v][:n])


def test_the_reference_backend_finds_the_same():
    model = sm.models.edwards_anderson(L=3, d=2, seed=1)
    options = {"reads": 3, "sweeps": 40, "schedule": "linear"}
    a, b = anneal(model, **options), anneal(model, backend="reference", **options)
    np.testing.assert_array_equal(a.s, b.s)


def test_no_single_flip_lowers_the_energy():
    model = sm.models.edwards_anderson(L=4, d=2, couplings="gaussian", seed=2)
    result = anneal(model, sweeps=2)
    energy = energy_function(model)
    for s, e in zip(result.s.values[:4], result.energy.values, strict=False):
        for i in range(16):
            flipped = np.where(np.arange(16) == i, -s, s).astype(float)
            assert energy({"s": flipped}) > e - 1e-9


def test_results():
    result = anneal(sm.models.ising(L=6), sweeps=300)
    assert dict(result.sizes) == {"read": 16, "s_site": 36, "step": annealing.STEPS}
    assert result.s.dtype == np.int8
    assert (result.energy >= -72).all()
    assert (np.diff(result.beta) > 0).all()
    assert (result.energy_min <= result.energy_mean).all()
    assert result.energy_mean[0] > -36
    assert result.energy_mean[-1] < -60
    assert result.attrs["schedule"] == "constant_speed"
    assert result.attrs["sampling_time"] > 0
    assert json.loads(result.attrs["variables"]) == {"s": "Spin"}


def test_schedules():
    model = sm.models.ising(L=4)
    linear = anneal(model, schedule="linear", beta=(0.1, 1.0)).beta
    np.testing.assert_allclose(np.diff(linear), 0.9 / 63)
    np.testing.assert_allclose(
        np.diff(1 / anneal(model, schedule="linear", T=(4, 1)).beta), -3 / 63
    )
    geometric = anneal(model, schedule="geometric", T=(1, 4), sweeps=3).beta
    np.testing.assert_allclose(geometric, [0.25, 0.5, 1.0])
    np.testing.assert_array_equal(anneal(model, schedule=[0.2, 0.0, 1.0]).beta, [0.2, 0.0, 1.0])


def test_constant_speed_takes_its_time_where_the_energy_falls():
    model, ends = sm.models.ising(L=4), {"beta": (0.01, 100.0), "sweeps": 1000}
    frozen = [
        float((anneal(model, schedule=schedule, **ends).beta > 3).mean())
        for schedule in ("constant_speed", "geometric")
    ]
    assert frozen[0] < 0.1
    assert frozen[1] > 0.3


def test_the_range_reaches_down_to_weak_couplings():
    fields = np.where(np.arange(64) < 32, 1.0, 50.0)
    with sm.Model() as model:
        s = sm.Spin("s", 64)
        sm.Energy("fields", -fields * s)
    result = anneal(model)
    assert float(result.beta[-1]) == pytest.approx(np.log(64 / 0.01) / 2)
    assert (result.energy == -32 * 51).all()


def test_the_range_follows_from_energy_differences():
    """Flips of a ring change E by 0 or 4 J: half of those are made at the hot end, none at the cold one."""
    for J in (1.0, 10.0):
        beta = anneal(sm.models.ising(L=10, J=J, lattice="chain"), schedule="linear").beta
        assert float(beta[0]) == pytest.approx(np.log(2) / (4 * J))
        assert float(beta[-1]) == pytest.approx(np.log(10 / 0.01) / (4 * J))


def test_the_best_state_survives_later_heating():
    model = sm.models.edwards_anderson(L=8, d=2, seed=1)
    cold, hot = np.linspace(0.1, 3.0, 20), np.zeros(5)
    both = anneal(model, schedule=np.concatenate([cold, hot]), sweeps=500)
    quenched = anneal(model, schedule=hot, sweeps=5)
    assert float(both.energy.mean()) < float(quenched.energy.mean()) - 2
    assert float(both.energy_min[19]) == float(both.energy.min()), "the state before the heating"


def test_first_states_and_clamped_sites():
    values = np.ma.masked_all(16, int)
    values[:4] = [1, -1, 1, -1]
    lattice = sm.lattices.square(4)
    with sm.Model() as model:
        s = sm.Spin("s", lattice, observed=values)
        i, j = lattice.bonds
        sm.Energy("exchange", -1.0 * s[i] * s[j])
    np.testing.assert_array_equal(anneal(model).s[:, :4], np.tile([1, -1, 1, -1], (16, 1)))
    frozen = anneal(sm.models.ising(L=4), init="cold", T=(0.02, 0.01), schedule="linear")
    assert (frozen.s == 1).all()


def test_an_interrupted_run_is_quenched(monkeypatch):
    looks = []

    def interrupt(*_, **__):
        looks.append(1)
        if len(looks) == 10:
            raise KeyboardInterrupt

    model = sm.models.ising(L=4)
    packed_search = annealing.search
    monkeypatch.setattr(annealing, "search", lambda *a: packed_search(*a[:-1], interrupt))
    with pytest.warns(errors.InterruptedWarning, match="of 100 sweeps"):
        result = anneal(model)
    assert result.sizes["step"] == 9
    assert (result.energy <= -16).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reads": 0}, "reads must be"),
        ({"sweeps": 0}, "sweeps must be"),
        ({"schedule": "quadratic"}, "no schedule 'quadratic'"),
        ({"schedule": [1.0, -1.0]}, "no list of inverse temperatures"),
        ({"schedule": [1.0], "T": (2, 1)}, "temperatures of its own"),
        ({"schedule": np.ones(101)}, "101 temperatures for 100 sweeps"),
        ({"schedule": "geometric", "beta": (0, 1)}, "cannot begin at beta = 0"),
        ({"T": 2.0}, "two different numbers"),
        ({"T": (1, 0)}, "positive"),
        ({"T": (2, 1), "beta": (1, 2)}, "both given"),
    ],
)
def test_mistakes(options, message):
    with pytest.raises(errors.ArgumentError, match=message):
        anneal(sm.models.ising(L=4), **options)


def test_models_with_nothing_to_lower():
    with sm.Model() as model:
        s = sm.Spin("s", 4)
        pm.Potential("prior", (0.1 * s).sum())
    with pytest.raises(errors.ModelError, match="no Energy to lower"):
        anneal(model)
    with sm.Model() as model:
        s = sm.Spin("s", 64)
        sm.Energy("needle", -1.0 * pt.eq(s.sum(), 64))
    with pytest.raises(errors.ModelError, match="no move of a single site"):
        anneal(model)


def test_results_can_be_stored(tmp_path):
    result = anneal(sm.models.ising(L=4))
    result.to_netcdf(tmp_path / "reads.nc")
    xr.testing.assert_identical(xr.open_dataset(tmp_path / "reads.nc"), result)
