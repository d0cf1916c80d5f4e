"""Overlaps against their definitions, computed from stored states."""

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.engine.compile import compile_model
from statmech_dsl.errors import DiagnosticsError
from statmech_dsl.ir.domains import Angle, Clock, Occupation, Potts, Spin, UnitVector
from statmech_dsl.results.overlaps import bonds, overlaps


def temper(model, copies=2, **options):
    options = {"T": [1.0, 2.0], "draws": 15, "tune": 10, "chains": 3, "seed": 2} | options
    return sm.temper(model, replicas_per_T=copies, progressbar=False, **options)


def test_overlaps_of_spins():
    data = temper(sm.models.edwards_anderson(L=4, d=2), store="s").posterior
    assert data.overlap.dims == data.link_overlap.dims == ("chain", "draw", "T")
    assert data.energy.dims == ("chain", "draw", "T", "copy")
    i, j = sm.lattices.square(4).bonds
    product = (data.s.isel(copy=0) * data.s.isel(copy=1)).astype(float).values
    np.testing.assert_allclose(data.overlap, product.mean(-1))
    np.testing.assert_allclose(data.link_overlap, (product[..., i] * product[..., j]).mean(-1))


def test_all_pairs_of_several_copies():
    data = temper(sm.models.ising(L=4), copies=3, store="s").posterior
    assert data.overlap.dims == ("chain", "draw", "T", "copy_pair")
    s = data.s.astype(float).values
    for k, (a, b) in enumerate(((0, 1), (0, 2), (1, 2))):
        q = (s[:, :, :, a] * s[:, :, :, b]).mean(-1)
        np.testing.assert_allclose(data.overlap.isel(copy_pair=k), q)


def test_each_variable_has_overlaps_of_its_own():
    with sm.Model() as model:
        s, n = sm.Spin("s", 4), sm.Occupation("n", 4)
        sm.Energy("mixed", -0.5 * s * n)
    data = temper(model).posterior
    assert {"s_overlap", "n_overlap"} <= set(data)
    assert "s_link_overlap" not in data, "no two spins share a term"


DOMAINS = [Spin(), Occupation(), Potts(3), Clock(5), Angle(), UnitVector(3)]


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda d: d.label)
def test_a_state_overlaps_with_itself_most(domain):
    rng = np.random.default_rng(1)
    a, b = (
        np.asarray(domain.hot(rng, 600)).astype(domain.storage_dtype).reshape(1, -1) for _ in "ab"
    )
    i, j = np.arange(599), np.arange(1, 600)
    (own,), (own_link,) = overlaps(domain, a, a, i, j)
    (other,), (other_link,) = overlaps(domain, a, b, i, j)
    components = domain.vectors(a).shape[2] - (domain.label == "Potts")  # a simplex is flat
    assert own == pytest.approx(1 / components**0.5, abs=0.06)
    assert abs(other) < 0.25 * own
    assert abs(other_link) < 0.5 * own_link


def test_turning_a_copy_changes_no_overlap_of_vectors():
    rng = np.random.default_rng(2)
    none = np.zeros(0, int)
    for domain, turn in ((Angle(), lambda x: x + 0.7), (Clock(6), lambda x: (x + 2) % 6)):
        a, b = (np.asarray(domain.hot(rng, 50)).reshape(1, -1) for _ in "ab")
        turned = overlaps(domain, a, turn(b), none, none)[0]
        np.testing.assert_allclose(turned, overlaps(domain, a, b, none, none)[0])


def test_permuting_the_colors_of_a_copy_changes_no_overlap():
    domain, rng, none = Potts(3), np.random.default_rng(3), np.zeros(0, int)
    a, b = (domain.hot(rng, 50).astype(np.int8).reshape(1, -1) for _ in "ab")
    np.testing.assert_allclose(
        overlaps(domain, a, np.array([2, 0, 1])[b], none, none)[0],
        overlaps(domain, a, b, none, none)[0],
    )


def test_bonds_are_terms_of_two_sites_each_once():
    with sm.Model() as model:
        s = sm.Spin("s", 5)
        sm.Energy("pairs", -1.0 * s[[0, 1, 0]] * s[[1, 0, 3]])
        sm.Energy("again", 0.5 * s[[0]] * s[[1]] + 0.1 * s[[2]] * s[[4]])
        sm.Energy("three", s[[0]] * s[[1]] * s[[4]])
        sm.Energy("field", -0.1 * s)
    sampler = compile_model(model, 2)
    i, j = bonds(sampler.program.model, sampler.tables, "s")
    assert set(zip(i.tolist(), j.tolist(), strict=True)) == {(0, 1), (0, 3), (2, 4)}
    assert len(i) == 3


def test_derived_quantities_take_all_copies_and_the_binder_ratio_of_q():
    data = temper(sm.models.ising(L=4), T=[2.0, 4.0], draws=3000, tune=100, thin=3)
    table = sm.derived(data, ["energy_per_site", "heat_capacity"])
    exact = sm.exact(sm.models.ising(L=4), T=[2.0, 4.0])
    assert (abs(table.energy_per_site * 16 - exact.energy) < 64 * table.energy_per_site_error).all()
    assert (abs(table.heat_capacity - exact.heat_capacity) < 4 * table.heat_capacity_error).all()
    q = sm.derived(data, ["binder_cumulant"], magnetization="overlap")
    assert q.binder_cumulant[0] > 0.5 > 0.2 > q.binder_cumulant[1]
    one = data.isel(copy=[0], missing_dims="ignore")
    both = float(table.energy_per_site_error[1])
    assert both < float(sm.derived(one, ["energy_per_site"]).energy_per_site_error[1])


def test_correlations_are_those_of_one_copy():
    data = temper(sm.models.ising(L=4), store="s", draws=200)
    lattice = sm.lattices.square(4)
    with pytest.raises(DiagnosticsError, match="copies one by one"):
        sm.correlation(data, "s", lattice)
    one = sm.correlation(data.isel(copy=1, missing_dims="ignore"), "s", lattice)
    assert one.G.dims == ("T", "r")
