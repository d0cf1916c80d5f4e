"""Recovered energies against PyTensor's, for every energy form."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import optdb
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.replace import graph_replace
from pytensor.graph.rewriting.db import RewriteDatabaseQuery

from statmech_dsl.errors import EnergyError
from statmech_dsl.lower.recovery import Recovered, recover
from tests.lower.energy_forms import FORMS, REFUSED, Form, build, by_pytensor
from tests.lower.recovered_energy import energy, local_difference


def check(form: Form, seed: int = 0) -> Recovered:
    """Total energies, and differences from the factors that touch the changed site."""
    model, variables, graph = build(form)
    r = recover(model)
    exact = by_pytensor(variables, graph)
    rng = np.random.default_rng(seed)
    domains = [r.ir.variable(v.name).domain for v in variables]

    def hot(k: int) -> np.ndarray:
        v, d = variables[k], domains[k]
        n = int(np.prod(v.type.shape)) // d.components
        return d.hot(rng, n).reshape(v.type.shape).astype(v.type.dtype)

    for _ in range(3):
        old = [hot(k) for k in range(len(variables))]
        states = {v.name: x for v, x in zip(variables, old, strict=True)}
        e_old = exact(*old)
        assert energy(r, states) == pytest.approx(e_old, rel=1e-10, abs=1e-10)
        for _ in range(4):
            k = int(rng.integers(len(variables)))
            c = domains[k].components
            site = int(rng.integers(old[k].size // c))
            new = [x.copy() for x in old]
            new[k].reshape(-1, c)[site] = hot(k).reshape(-1, c)[site]
            moved = {v.name: x for v, x in zip(variables, new, strict=True)}
            change = local_difference(r, states, moved, variables[k].name, site)
            scale = max(1.0, abs(e_old))
            assert change == pytest.approx(exact(*new) - e_old, rel=1e-10, abs=1e-10 * scale)
    return r


@pytest.mark.parametrize("name", FORMS)
def test_form(name: str) -> None:
    r = check(FORMS[name])
    for f in r.ir.families:
        kinds = {c.kind for c in f.columns}
        assert not kinds >= {"state", "sum"}
        assert not (f.feeds and "sum" in kinds)
    assert all(not table.flags.writeable for table in r.tables.values())


@pytest.mark.parametrize("name", ["phi^4 by gradients", "softmax of few", "rounding"])
def test_fused_graph(name: str) -> None:
    form = FORMS[name]
    r = check(Form(form.declare, lambda *v: fused(form.energy(*v), v)))
    n = [f.n_instances(r.tables) for f in r.ir.families]
    plain = recover(build(form)[0])
    assert sorted(n) == sorted(f.n_instances(plain.tables) for f in plain.ir.families)


def fused(v: object, variables: tuple) -> object:
    """The graph as PyTensor would run it, with fused elementwise operations."""
    graph = FunctionGraph(list(variables), [pt.as_tensor_variable(v)], clone=True)
    query = RewriteDatabaseQuery(include=["fast_run"], exclude=["BlasOpt", "inplace", "cxx_only"])
    optdb.query(query).rewrite(graph)
    assert any("Composite" in str(node.op) for node in graph.apply_nodes)
    originals = dict(zip(graph.inputs, variables, strict=True))
    return graph_replace(graph.outputs, originals, strict=False)[0]


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    form, message = REFUSED[name]
    model, _, _ = build(form)
    with pytest.raises(EnergyError, match=message) as e:
        recover(model)
    assert "energy term 'form'" in str(e.value)
    assert e.value.mend
