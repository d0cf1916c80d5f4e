"""What bad input gets: a named error that says which variable or term, what is wrong, how to mend it."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest

import statmech_dsl as sm
from statmech_dsl import errors


def ising(**options):
    lattice = sm.lattices.square(4)
    with sm.Model() as model:
        s = sm.Spin("s", lattice, **options)
        i, j = lattice.bonds
        sm.Energy("exchange", -1.0 * s[i] * s[j])
        sm.Observable("m", s.mean())
    return model


def declare(energy):
    with sm.Model() as model:
        s = sm.Spin("s", 12)
        sm.Energy("bad", energy(s))
    return model


def run(model, **options):
    options = {"draws": 2, "tune": 0, "progressbar": False} | options
    return sm.sample(model, **options)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["scalar", "array", "data"])
def test_couplings_must_be_finite(value, where):
    J = np.ones(12)
    J[7] = value

    def build():
        if where != "data":
            return declare(lambda s: (value if where == "scalar" else J) * s)
        model = declare(lambda s: pm.Data("J", np.ones(12)) * s)
        model["J"].set_value(J)
        return run(model)

    with pytest.raises(errors.EnergyError, match="'bad'") as e:
        build()
    assert "7" in str(e.value) or where == "scalar"


def test_an_index_out_of_range_names_the_term():
    with pytest.raises(errors.EnergyError, match=r"12.*bad"):
        run(declare(lambda s: s[np.array([0, 12])] * 1.0))


def test_wrong_shapes_are_named():
    for energy in (
        lambda s: s * np.ones(5),
        lambda s: np.ones(5) - s,
        lambda s: np.ones((3, 5)) @ s,
        lambda s: s[:6] * s[:5],
    ):
        with pytest.raises(errors.EnergyError, match=r"12|6.*'s'"):
            declare(energy)


def test_an_energy_needs_a_variable():
    with pytest.raises(errors.EnergyError, match="bad.*no declared variable"):
        declare(lambda s: pt.constant(1.0))


def test_a_variable_without_energy_is_warned_of():
    with sm.Model() as model:
        s = sm.Spin("s", 4)
        sm.Spin("idle", 4)
        sm.Energy("zeeman", -1.0 * s)
    with pytest.warns(errors.UnusedVariableWarning, match="idle"):
        run(model)


@pytest.mark.parametrize(
    "energy",
    [
        lambda s: pt.prod(s) * 1.0,
        lambda s: pt.cumsum(s) ** 2,
        lambda s: pt.sort(s) * np.arange(12.0),
        lambda s: pt.tanh(pt.tanh(s.sum() * np.ones(12)).sum()),
        lambda s: s[pt.argmax(s)] * 1.0,
    ],
)
def test_what_is_not_local_is_refused_by_name(energy):
    with pytest.raises(errors.NonLocalEnergyError, match="bad"):
        run(declare(energy))


def test_mean_field_is_never_one_factor_of_all_sites():
    from statmech_dsl.lower.recovery import recover

    for power in (lambda s: -((s.sum()) ** 2) / 24, lambda s: -(s.mean() ** 2) * 6):
        ir = recover(declare(power)).ir
        assert [x.size for x in ir.sums] == [1]
        assert all(len(f.columns) <= 3 for f in ir.families)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"updates": "glauber"}, errors.IllegalUpdateError, "glauber.*heat_bath"),
        ({"updates": {"t": "heat_bath"}}, errors.IllegalUpdateError, "t, which"),
        ({"updates": 3}, errors.IllegalUpdateError, "3"),
        ({"backend": "fortran"}, errors.BackendError, "fortran.*numba"),
        ({"T": 0.0}, errors.ArgumentError, "T=0"),
        ({"T": -1.0}, errors.ArgumentError, "T=-1"),
        ({"T": []}, errors.ArgumentError, "empty"),
        ({"T": np.nan}, errors.ArgumentError, "nan"),
        ({"T": [1.0, np.inf]}, errors.ArgumentError, "inf"),
        ({"T": "hot"}, errors.ArgumentError, "hot"),
        ({"T": None}, errors.ArgumentError, "T"),
        ({"beta": -0.1}, errors.ArgumentError, "beta=-0.1"),
        ({"T": 2.0, "beta": 0.5}, errors.ArgumentError, "both"),
        ({"draws": -1}, errors.ArgumentError, "draws=-1"),
        ({"draws": 2.5}, errors.ArgumentError, "draws=2.5"),
        ({"tune": -1}, errors.ArgumentError, "tune=-1"),
        ({"thin": 0}, errors.ArgumentError, "thin=0"),
        ({"chains": 0}, errors.ArgumentError, "chains=0"),
        ({"threads": 0}, errors.ArgumentError, "threads=0"),
        ({"seed": -4}, errors.ArgumentError, "seed=-4"),
        ({"store": "spins"}, errors.ArgumentError, "'spins'.*s"),
        ({"init": "warm"}, errors.ArgumentError, "warm.*hot"),
        ({"init": {"s": np.zeros(16)}}, errors.ArgumentError, "Spin"),
        ({"init": {"s": np.ones(15)}}, errors.ArgumentError, r"\(15,\)"),
        ({"init": {"t": np.ones(16)}}, errors.ArgumentError, "'t'"),
    ],
)
def test_arguments_of_sample(options, error, says):
    with pytest.raises(error, match=says):
        run(ising(), **options)


def test_T_needs_an_energy():
    with sm.Model() as model:
        s = sm.Spin("s", 4)
        pm.Potential("field", 0.3 * s.sum())
    with pytest.raises(errors.ArgumentError, match="no Energy"):
        run(model, T=2.0)
    run(model)


@pytest.mark.parametrize(
    ("observed", "says"),
    [
        (np.full(16, 0.6), "0.6"),
        (np.full(16, 2), "2"),
        (np.ones(15), r"\(15,\)"),
        (np.ones((3, 16)), "batch"),
    ],
)
def test_observed_values_are_checked(observed, says):
    with pytest.raises(errors.DomainError, match=says):
        ising(observed=observed)


def test_two_models_must_not_be_mixed():
    first = ising()
    with sm.Model():
        s = sm.Spin("t", 16)
        with pytest.raises(errors.ModelError, match="s of another model"):
            sm.Energy("mixed", s * first["s"])


def test_a_random_coupling_is_refused():
    with sm.Model() as model:
        s = sm.Spin("s", 4)
        J = pm.Normal("J")
        sm.Energy("exchange", -J * s * pt.roll(s, 1))
    with pytest.raises(errors.ModelError, match="J"):
        run(model)
    with pytest.raises(errors.IntractableNormalizerError, match="J"):
        model.compile_logp()(model.initial_point())


def test_nothing_to_sample():
    with pm.Model() as model:
        pm.Normal("x")
    with pytest.raises(errors.ModelError):
        run(model)
    with pytest.raises(errors.ModelError, match="str"):
        run("ising")


def test_declarations_outside_of_a_model():
    with pytest.raises(errors.ModelError, match="'s'.*outside"):
        sm.Spin("s", 4)
    with pytest.raises(errors.ModelError, match="'e'"):
        sm.Energy("e", pt.constant(1.0))


@pytest.mark.parametrize(
    "declaration",
    [
        lambda: sm.Potts("s", 4, q=1),
        lambda: sm.Clock("s", 4, q=2.5),
        lambda: sm.Levels("s", 4, values=[1]),
        lambda: sm.Levels("s", 4, values=[0.5, 1.5]),
        lambda: sm.UnitVector("s", 4, n=1),
        lambda: sm.Spin("s", 0),
        lambda: sm.Spin("s", (4, -1)),
        lambda: sm.Spin("s", 4, dims=("x", "y")),
    ],
)
def test_declarations_are_checked(declaration):
    with sm.Model(), pytest.raises(errors.DomainError, match="s'|q=|values=|n="):
        declaration()


def test_an_energy_that_is_not_bounded_is_found_while_sampling():
    with sm.Model() as model:
        phi = sm.Field("phi", 4)
        sm.Energy("upside_down", -(phi**2))
    with pytest.raises(errors.ImproperDistributionError, match="phi"):
        run(model, draws=50)


def test_every_error_is_documented_and_named():
    for name, thing in vars(errors).items():
        if isinstance(thing, type) and issubclass(thing, errors.StatmechError):
            assert thing.__doc__
            assert name.endswith("Error")


def test_a_random_index_is_refused():
    with sm.Model() as model:
        s = sm.Spin("s", 4)
        k = pm.Categorical("k", np.ones(4) / 4)
        pm.Potential("chosen", 0.5 * s[k])
    from statmech_dsl.lower.recovery import recover

    with pytest.raises(errors.NonLocalEnergyError, match="random"):
        recover(model)


def test_a_vector_is_clamped_whole():
    values = np.ma.masked_all((4, 3))
    values[0, 0] = 1.0
    with sm.Model(), pytest.raises(errors.DomainError, match="components"):
        sm.UnitVector("u", 4, observed=values)


def test_weights_that_are_nan_end_in_an_error():
    with sm.Model() as model:
        theta = sm.Angle("theta", 8)
        phi = sm.Field("phi", 8)
        sm.Energy("runaway", -(phi**2) - phi * pt.cos(theta))
    with pytest.raises(errors.ImproperDistributionError):
        run(model, draws=100)


def test_a_sum_is_not_broadcast_over_sites():
    for energy in (
        lambda s: -(s[1:] * s[:-1]).sum() - 0.1 * s,
        lambda s: 0.1 * s + s.mean() ** 2,
        lambda s: -(0.1 * s - (0.2 * s - s.sum())),
    ):
        with pytest.raises(errors.EnergyError, match="'bad'.*once for each"):
            declare(energy)
    declare(lambda s: (s - s.mean()) ** 2)
    declare(lambda s: 1.0 - s)
