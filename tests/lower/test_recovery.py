"""Recovered energies against PyTensor's, for every energy form."""

from __future__ import annotations

import numpy as np
import pytest

from statmech_dsl.errors import EnergyError
from statmech_dsl.lower.recovery import Recovered, recover
from tests.lower.energy_forms import (
    FORMS,
    REFUSED,
    Form,
    build,
    by_pytensor,
    energy,
    local_difference,
)


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
        assert kinds != {"state", "sum"} and not (f.feeds and "sum" in kinds)
    assert all(not table.flags.writeable for table in r.tables.values())


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    form, message = REFUSED[name]
    model, _, _ = build(form)
    with pytest.raises(EnergyError, match=message) as e:
        recover(model)
    assert "energy term 'form'" in str(e.value)
    assert e.value.mend
