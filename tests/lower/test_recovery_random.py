"""Random compositions of what energies are made of, against PyTensor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytensor.tensor as pt
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import statmech_dsl as sm
from statmech_dsl.errors import NonLocalEnergyError
from tests.lower.energy_forms import Form
from tests.lower.test_recovery import check

N = 10
RNG = np.random.default_rng(3)
COUPLINGS = RNG.normal(size=N) * (RNG.random(N) < 0.7)
MATRIX = RNG.normal(size=(N, N)) / N
PERMUTATION = RNG.permutation(N)
MASK = RNG.random(N) < 0.5

DECLARE = (
    lambda: sm.Spin("s", N),
    lambda: sm.Potts("p", N, q=3),
    lambda: sm.Field("x", N),
)
OPERATIONS: dict[str, Callable] = {
    "gather": lambda a: a[PERMUTATION],
    "roll": lambda a: pt.roll(a, 1),
    "couple": lambda a: COUPLINGS * a,
    "matrix": lambda a: MATRIX @ a,
    "cos": lambda a: pt.cos(a),
    "tanh": lambda a: pt.tanh(0.5 * a) ** 2,
    "eq": lambda a: pt.eq(a, 1).astype("float64"),
    "root of sum": lambda a: COUPLINGS * pt.sqrt(1 + (a + 0.0).sum() ** 2) / N,
    "mean field": lambda a: a * a.sum() / N,
    "join": lambda a: pt.concatenate([a[3:], a[:3] + a[1:4]]),
    "where": lambda a: pt.where(MASK, a, -0.5),
    "block sums": lambda a: a.reshape((2, 5)).sum(axis=0)[np.arange(N) % 5],
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: 1.0 * a - 0.3 * b,
    "multiply": lambda a, b: a * b,
}

LEAVES = st.sampled_from(["s", "p", "x"])
Tree = str | tuple


def grow(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    """Apply an operation."""
    names = list(OPERATIONS)
    unary = st.tuples(st.sampled_from(names[:-3]), inner)
    return unary | st.tuples(st.sampled_from(names[-3:]), inner, inner)


def energy(tree: Tree, variables: dict) -> object:
    """Expression of a tree."""
    if isinstance(tree, str):
        return variables[tree]
    return OPERATIONS[tree[0]](*(energy(x, variables) for x in tree[1:]))


TREES = st.recursive(LEAVES, grow, max_leaves=4)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(TREES)
def test_random_composition(tree: Tree) -> None:
    try:
        check(Form(DECLARE, lambda *v: energy(tree, dict(zip("spx", v, strict=True)))))
    except NonLocalEnergyError:
        assume(False)
