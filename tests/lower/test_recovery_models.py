"""Whole models: parameters, clamped sites, ordinary random variables, and what must be refused."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.graph.replace import clone_replace

import statmech_dsl as sm
from statmech_dsl.errors import EnergyError, ModelError, StatmechError
from statmech_dsl.ir import domains
from statmech_dsl.ir.expr import walk
from statmech_dsl.ir.marks import EnergyMark, VariableMark, attach
from statmech_dsl.lang import lattices
from statmech_dsl.lower.recovery import recover
from tests.lower.recovered_energy import energy


def evaluate(graph, given: dict | None = None) -> np.ndarray:
    """Value of a graph, without compiling it."""
    given = {v: pt.constant(x, dtype=v.dtype) for v, x in (given or {}).items()}
    graph = clone_replace(graph, given, rebuild_strict=False)
    return pytensor.function([], graph, mode=pytensor.Mode("py", None))()


def test_periodic_square_is_one_family_of_bonds() -> None:
    lattice = lattices.square(6)
    i, j = lattice.bonds
    with sm.Model() as model:
        s = sm.Spin("s", lattice)
        sm.Energy("exchange", -1.0 * s[i] * s[j])
    r = recover(model)
    (f,) = r.ir.families
    assert f.name == "exchange.0"
    assert [(c.kind, c.array, c.index is None) for c in f.columns] == [
        ("state", "s", False),
        ("state", "s", False),
        ("coefficient", "c.0", True),
    ]
    assert f.n_instances(r.tables) == 72
    np.testing.assert_array_equal(r.tables[f.columns[0].index], i)
    np.testing.assert_array_equal(r.tables[f.columns[1].index], j)
    np.testing.assert_array_equal(r.tables["s.free"], np.arange(36))
    assert {t.dtype for t in r.tables.values()} == {np.dtype("uint32"), np.dtype("float64")}


def test_no_coupling_and_no_size_in_the_expressions() -> None:
    def families(n: int, coupling: float) -> tuple:
        with sm.Model() as model:
            s = sm.Spin("s", n)
            sm.Energy("pairs", -coupling * s[1:] * s[:-1] + coupling / 7)
            sm.Energy("all", -coupling / (2 * n) * s.sum() ** 2 + s.mean() * coupling)
        ir = recover(model).ir
        literals = {e.attr for f in ir.families for e in walk(f.expr) if e.op == "const"}
        assert literals <= {-1.0, 2.0}
        return ir.families

    assert families(20, 0.3) == families(50, 1.7)


def test_equal_tables_are_one() -> None:
    lattice = lattices.square(4)
    i, j = lattice.bonds
    with sm.Model() as model:
        s, t = sm.Spin("s", lattice), sm.Spin("t", lattice)
        sm.Energy("a", 0.5 * s[i] * s[j])
        sm.Energy("b", 0.5 * t[i] * t[j])
    assert sorted(recover(model).tables) == ["c.0", "i.0", "i.1", "s.free", "t.free"]


def test_constants_become_one_instance() -> None:
    with sm.Model() as model:
        s = sm.Spin("s", 5)
        sm.Energy("e", np.arange(5.0) * (1 - s) + 0.25)
    r = recover(model)
    linear, constant = r.ir.families
    assert linear.n_instances(r.tables) == 4  # the zero has dropped out
    assert [c.kind for c in constant.columns] == ["coefficient"]
    assert r.tables[constant.columns[0].array] == pytest.approx([11.25])


def test_parameters() -> None:
    with sm.Model() as model:
        coupling = pm.Normal("coupling", 1.0)
        field = pm.Data("field", np.array([1.0, 0.0, 2.0, 3.0]))
        s = sm.Spin("s", 4)
        sm.Energy("pairs", -coupling * s[1:] * s[:-1])
        sm.Energy("fields", -2.0 * field * s)
        sm.Energy("first", -field[3] * s[0])
    r = recover(model)
    assert len(r.parameters) == 3
    for name, graph in r.parameters.items():
        np.testing.assert_array_equal(evaluate(graph, {coupling: 1.0}), r.tables[name])
    (random,) = r.random
    np.testing.assert_array_equal(evaluate(r.parameters[random], {coupling: 0.2}), [-0.2])
    with model:
        pm.set_data({"field": np.arange(4.0)})
    changed = recover(model)
    assert changed.ir == r.ir
    assert any((changed.tables[n] != r.tables[n]).any() for n in set(r.parameters) - r.random)


def test_clamped_sites() -> None:
    observed = np.ma.masked_array([1, -1, 1, -1, 1], mask=[0, 1, 0, 1, 1])
    with sm.Model() as model:
        s = sm.Spin("s", 5, observed=observed)
        sm.Energy("pairs", s[1:] * s[:-1])
    r = recover(model)
    mask, values = r.clamped["s"]
    np.testing.assert_array_equal(mask, [True, False, True, False, False])
    np.testing.assert_array_equal(values[mask], [1, 1])
    np.testing.assert_array_equal(r.tables["s.free"], [1, 3, 4])
    assert r.ir.families[0].n_instances(r.tables) == 4


def test_observed_afterwards() -> None:
    with sm.Model() as model:
        u = sm.UnitVector("u", 3)
        s = sm.Spin("s", 4)
        sm.Energy("e", (u[1:] * u[:-1]).sum() + s.prod())
    data = np.eye(3)
    r = recover(pm.observe(model, {"u": data}))
    mask, values = r.clamped["u"]
    assert mask.all()
    np.testing.assert_array_equal(values, data)
    assert not len(r.tables["u.free"])
    assert list(r.tables["s.free"]) == [0, 1, 2, 3]


LIKELIHOODS: dict[str, Callable] = {
    "normal": lambda z, y: pm.Normal("y", pm.Normal("mu", shape=3)[z], 0.5, observed=y),
    "normal scale": lambda z, y: pm.Normal("y", 0.0, pt.exp(0.3 * z), observed=y),
    "bernoulli": lambda z, y: pm.Bernoulli("y", logit_p=2.0 * z - 1, observed=y > 0),
    "bernoulli by probability": lambda z, y: pm.Bernoulli("y", p=0.2 + 0.3 * z, observed=y > 0),
    "poisson": lambda z, y: pm.Poisson("y", pt.exp(0.3 * z), observed=np.abs(np.round(3 * y))),
    "binomial": lambda z, y: pm.Binomial("y", 5, pm.math.sigmoid(z - 1.0), observed=y > 0),
    "student": lambda z, y: pm.StudentT("y", nu=3, mu=z, sigma=1.5, observed=y),
    "exponential": lambda z, y: pm.Exponential("y", pt.exp(z * 0.2), observed=y**2),
    "free below": lambda z, y: pm.Normal("w", 1.0 * z, 1.0, shape=8),
    "potential": lambda z, y: pm.Potential("extra", y * pt.eq(z, 1)),
}


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_other_terms_of_the_log_density(name: str) -> None:
    """Differences between states agree with PyMC's log-density; T does not divide these terms."""
    data = np.random.default_rng(1).normal(size=8)
    with sm.Model() as model:
        z = sm.Potts("z", 8, q=3)
        sm.Energy("pairs", -0.4 * pt.eq(z[1:], z[:-1]))
        LIKELIHOODS[name](z, data)
    r = recover(model)
    assert {f.term: f.tempered for f in r.ir.families}["pairs"]
    assert sum(
        {f.term for f in r.ir.families if not f.tempered} == {x} for x in ("y", "w", "extra")
    )
    point = model.initial_point()
    logp = model.compile_logp(mode=pytensor.Mode("py", None))
    rng = np.random.default_rng(0)
    states = [rng.integers(0, 3, 8) for _ in range(3)]
    full = [-logp({**point, "z": x}) for x in states]
    ours = [energy(r, {"z": x}) for x in states]
    np.testing.assert_allclose(np.diff(ours), np.diff(full), rtol=1e-10, atol=1e-10)


def test_a_marked_variable_of_pymc_keeps_its_prior() -> None:
    with pm.Model() as model:
        z = pm.Categorical("z", p=[0.2, 0.3, 0.5], shape=6)
        attach(z, VariableMark("z", domains.Potts(3), (6,)))
    r = recover(model)
    x = np.array([0, 1, 2, 2, 1, 0])
    assert energy(r, {"z": x}) == pytest.approx(-np.log([0.2, 0.3, 0.5])[x].sum(), rel=1e-12)


def test_random_coupling_after_do_is_fixed() -> None:
    with sm.Model() as model:
        coupling = pm.Normal("coupling")
        s = sm.Spin("s", 4)
        sm.Energy("pairs", coupling * s[1:] * s[:-1])
    r = recover(pm.do(model, {"coupling": 0.5}))
    assert len(r.parameters) == 1
    assert not r.random
    assert energy(r, {"s": np.array([1, 1, 1, -1])}) == 0.5


with sm.Model():
    FOREIGN = sm.Spin("s", 4)


def _another_models_variable() -> None:
    sm.Spin("t", 4)
    attach(pm.Potential("e", -1.0 * FOREIGN), EnergyMark("e"))


def _without_variables() -> None:
    sm.Spin("s", 4)
    attach(pm.Potential("e", -pt.constant(np.ones(3))), EnergyMark("e"))


def _not_finite() -> None:
    s = sm.Spin("s", 4)
    coupling = pt.constant(np.array([1.0, np.nan, np.inf, 1.0]))
    attach(pm.Potential("e", -(coupling * s)), EnergyMark("e"))


def _index_out_of_range() -> None:
    s = sm.Spin("s", 4)
    sm.Energy("e", s[np.array([1, 4])] * 1.0)


def _table_too_short() -> None:
    p = sm.Potts("p", 4, q=4)
    sm.Energy("e", pt.as_tensor(np.arange(3.0))[p])


def _shapes_of_data() -> None:
    s = sm.Spin("s", 4)
    sm.Energy("e", pm.Data("J", np.ones(3)) * s)


def _division_by_zero() -> None:
    s = sm.Spin("s", 4)
    sm.Energy("e", s / np.arange(4.0))


BAD: dict[str, tuple[Callable[[], None], type[StatmechError], str]] = {
    "another model": (_another_models_variable, ModelError, "variable 's' of another one"),
    "no variables": (_without_variables, EnergyError, "without variables"),
    "not finite": (_not_finite, EnergyError, r"nan at index \(1,\), 2 of 4"),
    "index": (_index_out_of_range, EnergyError, "index 4 is out of bounds for axis 0 with size 4"),
    "table": (_table_too_short, EnergyError, "index 3 is out of bounds for axis 0 with size 3"),
    "shapes": (_shapes_of_data, EnergyError, r"\(3,\), \(4,\) do not fit"),
    "zero": (_division_by_zero, EnergyError, "division by zero"),
}


@pytest.mark.parametrize("name", BAD)
def test_errors_name_the_term(name: str) -> None:
    declare, kind, message = BAD[name]
    with sm.Model() as model:
        declare()
    with pytest.raises(kind, match=message) as e:
        recover(model)
    assert "energy term 'e'" in str(e.value)


def test_a_model_without_variables() -> None:
    with pm.Model() as model:
        pm.Normal("x")
    with pytest.raises(ModelError, match="no variables"):
        recover(model)


def test_a_million_sites() -> None:
    lattice = lattices.square(1000)
    i, j = lattice.bonds
    with sm.Model() as model:
        s = sm.Spin("s", lattice)
        sm.Energy("exchange", -1.0 * s[i] * s[j])
        sm.Energy("zeeman", -0.1 * s)
    start = time.perf_counter()
    r = recover(model)
    assert time.perf_counter() - start < 5  # 0.1 s on a quiet machine
    assert [f.n_instances(r.tables) for f in r.ir.families] == [2_000_000, 1_000_000]
