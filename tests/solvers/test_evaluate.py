"""Vectorized energies against the definition of the scalar expressions."""

import numpy as np
import pytensor.tensor as pt
import pytest

import statmech_dsl as sm
from statmech_dsl.ir import expr
from statmech_dsl.ir.arrays import ARRAY_OPS, evaluate
from statmech_dsl.ir.expr import Expr, call, slot
from statmech_dsl.ir.ops import OPS
from statmech_dsl.solvers.enumeration import chunks
from statmech_dsl.solvers.evaluate import energies
from tests.solvers.systems import curie_weiss, mixed, system_of

ARITY = {op: f.__code__.co_argcount for op, f in OPS.items() if hasattr(f, "__code__")} | {"abs": 1}


def test_every_operation_is_there():
    assert set(ARRAY_OPS) == set(OPS)


@pytest.mark.parametrize("op", OPS)
def test_operations_on_arrays(op):
    special = np.array([0.0, -0.0, 1.0, -1.3, 2.0, 0.5, -3.7])
    slots = np.meshgrid(*[special] * ARITY[op])
    e = Expr(op, tuple(slot(k) for k in range(ARITY[op])))
    values = evaluate(e, [x.ravel() for x in slots])
    assert values.dtype == np.float64
    true = [expr.evaluate(e, x, {}) for x in zip(*(x.ravel() for x in slots), strict=True)]
    rtol = 1e-9 if op == "weight2" else 1e-14
    np.testing.assert_allclose(values, true, rtol=rtol, atol=1e-15)


def test_comparisons_are_numbers():
    e = call("sub", call("lt", slot(0), 1.0), call("eq", slot(0), 2.0))
    np.testing.assert_array_equal(evaluate(e, [np.array([0.0, 1.0, 2.0])]), [1.0, 0.0, -1.0])


@pytest.mark.parametrize("seed", range(5))
def test_energies_of_all_states(seed):
    """One state at a time, one instance at a time, by the scalar definition."""
    system = system_of(mixed(seed))
    ir, tables = system.ir, system.tables
    x = {name: v.copy() for name, v in next(chunks(system)).items()}
    tempered, fixed = energies(ir, tables, x)
    for state in np.random.default_rng(1).integers(len(tempered), size=10):
        total = {True: 0.0, False: 0.0}
        for f in ir.energy_families:
            for m in range(f.n_instances(tables)):
                slots = [
                    (x[c.array][:, state] if c.kind == "state" else tables[c.array])[
                        0 if c.index is None else tables[c.index][m]
                    ]
                    for c in f.columns
                ]
                total[f.tempered] += expr.evaluate(f.expr, slots, {})
        np.testing.assert_allclose([tempered[state], fixed[state]], [total[True], total[False]])


def test_running_sums():
    system = system_of(curie_weiss(12, 0.3))
    assert system.ir.sums
    seen = []
    for x in chunks(system):
        M = x["s"].sum(axis=0)
        tempered, fixed = energies(system.ir, system.tables, x)
        np.testing.assert_allclose(tempered, -(M**2) / 24 - 0.3 * M, rtol=1e-12, atol=1e-12)
        assert not fixed.any()
        seen.append(x["s"].copy())
    assert len(np.unique(np.concatenate(seen, axis=1), axis=1).T) == 2**12


def test_vectors_of_running_sums():
    """Hidden units that are summed over: log cosh of each of three fields."""

    W = np.random.default_rng(1).normal(size=(12, 3))
    with sm.Model() as model:
        s = sm.Spin("s", 12)
        sm.Energy("hidden", -pt.log(pt.cosh(s @ W)))
    system = system_of(model)
    assert system.ir.sums
    x = next(chunks(system))
    true = -np.log(np.cosh(x["s"].T @ W)).sum(axis=1)
    np.testing.assert_allclose(energies(system.ir, system.tables, x)[0], true, rtol=1e-12)
