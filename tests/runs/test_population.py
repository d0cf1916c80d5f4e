"""The verb `population_anneal`: free energies with errors that cover, families, resampling in place."""

import math

import numpy as np
import pymc as pm
import pytest

import statmech_dsl as sm
from statmech_dsl import errors
from statmech_dsl.runs.members import Members
from statmech_dsl.runs.population import next_beta
from statmech_dsl.runs.resampling import copies, in_place


def cool(model, **options):
    options = {"population": 1000, "seed": 5, "progressbar": False} | options
    return sm.population_anneal(model, **options)


def at_lowest(data):
    return data.averages.to_dataset().isel(T=-1)


def z_score(row, name, exact):
    return float((row[name] - exact) / row[f"{name}_error"])


SMALL = {
    "ising": (lambda: sm.models.ising(L=4, h=0.1), 2.0),
    "gaussian couplings": (
        lambda: sm.models.edwards_anderson(L=4, d=2, couplings="gaussian"),
        0.7,
    ),
    "potts": (lambda: sm.models.potts(L=3), 0.8),
    "curie_weiss": (lambda: sm.models.curie_weiss(N=16), 0.7),
}


@pytest.mark.parametrize("name", SMALL)
def test_means_and_free_energies_are_exact_within_errors(name):
    build, T = SMALL[name]
    model = build()
    data = cool(model, T=T, population=4000)
    averages = data.averages.to_dataset().isel(T=slice(1, None))
    exact = sm.exact(model, T=averages["T"].values)
    for quantity in ("log_partition", "free_energy", "energy", "heat_capacity"):
        z = (averages[quantity] - exact[quantity]) / averages[f"{quantity}_error"]
        assert (abs(z) < 4).all(), (quantity, z.values)
    for observable in set(exact) & set(data.posterior):
        if observable != "energy":
            z = z_score(at_lowest(data), observable, float(exact[observable][-1]))
            assert abs(z) < 4


def test_runs_are_averaged_by_their_weights():
    model = sm.models.ising(L=4)
    data = cool(model, T=1.5, runs=20, population=100)
    log_z = data.sample_stats.log_partition.isel(T=-1).values
    row = at_lowest(data)
    assert float(row.log_partition) == pytest.approx(np.log(np.exp(log_z).mean()), abs=1e-9)
    energy = data.posterior.energy.isel(T=-1).mean("draw").values
    weight = np.exp(log_z - log_z.max())
    assert float(row.energy) == pytest.approx((weight * energy).sum() / weight.sum())
    exact = sm.exact(model, T=1.5)
    assert abs(z_score(row, "log_partition", float(exact.log_partition))) < 4
    assert float(row.log_partition_error) < 0.5 * float(
        data.sample_stats.log_partition_error.isel(T=-1).mean()
    )


def test_a_field_begins_at_a_finite_temperature():
    """The Gaussian field: log Z = const + N/2 log T exactly, and <E> = N T / 2."""
    model = sm.models.gaussian_field(L=4)
    data = cool(model, T=(4.0, 1.0), population=2000)
    assert data.averages.log_partition.attrs["reference"] == "the highest temperature"
    assert float(data.averages.log_partition[0]) == 0
    assert float(data.averages["T"][0]) == 4.0
    assert abs(z_score(at_lowest(data), "log_partition", 8 * np.log(1 / 4))) < 4
    assert abs(z_score(at_lowest(data), "energy", 8.0)) < 4
    with pytest.raises(errors.ArgumentError, match="no infinite temperature"):
        cool(model, T=1.0)


def test_terms_that_T_does_not_divide():
    with sm.Model() as model:
        s = sm.Spin("s", 8)
        i, j = sm.lattices.chain(8).bonds
        sm.Energy("exchange", -1.0 * s[i] * s[j])
        pm.Potential("prior", (0.4 * s).sum())
    data = cool(model, T=1.0, population=2000)
    exact = [float(sm.exact(model, beta=b).log_partition) for b in (0.0, 1.0)]
    assert abs(z_score(at_lowest(data), "log_partition", exact[1] - exact[0])) < 4
    assert abs(z_score(at_lowest(data), "energy", float(sm.exact(model).energy))) < 4


def test_continuous_variables_with_metropolis_moves():
    model = sm.models.xy(L=2)
    data = cool(model, T=0.5, updates="metropolis", population=4000)
    plain = sm.sample(model, T=0.5, chains=64, draws=400, seed=1, progressbar=False)
    error = plain.posterior.energy.mean("draw").std().item() / 8
    row = at_lowest(data)
    difference = float(row.energy) - float(plain.posterior.energy.mean())
    assert abs(difference) < 4 * math.hypot(float(row.energy_error), error)


def test_results():
    model = sm.models.ising(L=4)
    data = cool(model, T=(3.0, 1.0), runs=2)
    T = data.averages["T"].values
    assert T[0] == 3.0
    assert T[-1] == 1.0
    assert (np.diff(T) < 0).all()
    assert data.posterior.energy.dims == ("chain", "draw", "T")
    assert dict(data.posterior.sizes) == {"chain": 2, "draw": 1000, "T": len(T)}
    assert data.final_state.s.shape == (2, 1000, 16)
    stats = data.sample_stats.to_dataset()
    assert (stats.population == 1000).all()
    assert (stats.rho_t >= stats.rho_s).all(), "unequal families weigh more in the mean square"
    assert (stats.rho_t >= 1).all()
    assert (np.diff(stats.families) <= 0).all()
    whole = cool(model, T=1.0)
    assert whole.averages["T"][0] == np.inf
    np.testing.assert_allclose(whole.averages.log_partition[0], 16 * np.log(2))
    by_beta = cool(model, beta=1.0)
    np.testing.assert_array_equal(by_beta.posterior.energy, whole.posterior.energy)


def test_energies_of_the_final_state():
    data = cool(sm.models.ising(L=4), T=2.0)
    s = data.final_state.s.values.reshape(-1, 4, 4).astype(int)
    energy = -(s * np.roll(s, 1, 1) + s * np.roll(s, 1, 2)).sum((1, 2))
    np.testing.assert_array_equal(data.posterior.energy.isel(T=-1).values.ravel(), energy)


@pytest.mark.parametrize("options", [{"threads": 3}, {"backend": "reference"}], ids=str)
def test_a_run_is_a_function_of_the_seed(options):
    model = sm.models.edwards_anderson(L=2, d=2, couplings="gaussian")
    options = {"population": 50, "sweeps": 3, "runs": 2} | options
    with pytest.warns(errors.SmallPopulationWarning):
        a, b = cool(model, T=0.5, **options), cool(model, T=0.5, **options | {"threads": 1})
    for group in ("averages", "posterior", "sample_stats", "final_state"):
        assert a[group].to_dataset().drop_attrs().equals(b[group].to_dataset().drop_attrs())


def test_steps_have_the_wanted_overlap():
    energy = np.random.default_rng(1).normal(0, 3, (1, 10_000))
    beta = next_beta(0.0, 100.0, energy, 0.85)
    # A normal distribution is moved by beta sigma widths: overlap erfc(beta sigma / sqrt 8).
    assert math.erfc(3 * beta / math.sqrt(8)) == pytest.approx(0.85, abs=0.01)
    assert next_beta(0.0, beta / 2, energy, 0.85) == beta / 2


def test_small_populations_are_warned_of():
    with pytest.warns(errors.SmallPopulationWarning, match="rho_t is"):
        cool(sm.models.ising(L=6), T=1.5, population=100)


def test_an_interrupted_run_keeps_its_temperatures(monkeypatch):
    measure, calls = Members.measure, []

    def impatient(self, sweeps):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return measure(self, sweeps)

    monkeypatch.setattr(Members, "measure", impatient)
    with pytest.warns(errors.InterruptedWarning, match="interrupted at T"):
        data = cool(sm.models.ising(L=4), T=1.0)
    assert data.averages.sizes["T"] == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"T": (1.0, 1.0)}, "T= is the lowest"),
        ({"T": 0.0}, "T= is the lowest"),
        ({"T": [3, 2, 1]}, "T= is the lowest"),
        ({"T": 2.0, "beta": 1.0}, "beta= is the lowest"),
        ({"overlap": 1.0}, "overlap must be"),
        ({"population": 1}, "population must be"),
        ({"runs": 0}, "runs must be"),
    ],
)
def test_mistakes(options, message):
    with pytest.raises(errors.ArgumentError, match=message):
        cool(sm.models.ising(L=4), **options)


# ---- resampling ----------------------------------------------------------------------------------


def test_copies_are_right_on_average_and_never_off_by_one():
    rng = np.random.default_rng(1)
    n = 50
    share = rng.dirichlet(np.full(n, 0.3))
    families = rng.integers(0, n, n)
    counts = np.array([copies(share, families, u) for u in rng.random(4000)])
    assert (counts.sum(axis=1) == n).all()
    assert (abs(counts - n * share) < 1).all()
    np.testing.assert_allclose(counts.mean(axis=0), n * share, atol=0.04)
    sizes = np.array([np.bincount(families, c, n) for c in counts])
    assert (abs(sizes - n * np.bincount(families, share, n)) < 1 + 1e-9).all()


def test_survivors_stay_in_place():
    rng = np.random.default_rng(2)
    counts = copies(rng.dirichlet(np.full(100, 0.5)), np.arange(100), 0.3)
    rows = in_place(counts)
    np.testing.assert_array_equal(np.bincount(rows, minlength=100), counts)
    assert (rows[counts > 0] == np.flatnonzero(counts)).all()
