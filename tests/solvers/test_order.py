"""The order of elimination: its steps, its cost, and what it refuses."""

from itertools import combinations
from math import log2
from time import perf_counter

import numpy as np
import pytest

from statmech_dsl.errors import InfeasibleError
from statmech_dsl.lang import lattices
from statmech_dsl.solvers.order import plan, sweep


def factors(lattice):
    pairs = {tuple(sorted((int(a), int(b)))) for a, b in zip(*lattice.bonds, strict=True)}
    return [(), *((s,) for s in range(lattice.n_sites)), *sorted(pairs)]


# Sites of the largest tensor: about those of the usual transfer matrix.
@pytest.mark.parametrize(
    ("lattice", "sites"),
    [
        (lattices.chain(100, periodic=False), 1),
        (lattices.chain(100), 2),
        (lattices.square(10, periodic=False), 10),
        (lattices.square(10), 20),
        (lattices.rectangular(40, 4), 8),
        (lattices.rectangular(4, 40), 10),
        (lattices.triangular(6), 13),
        (lattices.cubic(3), 18),
        (lattices.complete(12), 11),
    ],
    ids=str,
)
def test_the_largest_tensor(lattice, sites):
    assert log2(plan(factors(lattice), [2] * lattice.n_sites).entries) <= sites


def test_steps_use_every_tensor_once_and_sum_every_site_once():
    given = [*factors(lattices.square(4)), (0, 5, 9), (3, 7, 11, 15)]
    found = plan(given, [2] * 16)
    used = [k for step in found.steps for k in step.pair]
    assert sorted(used) == list(range(len(given) + len(found.steps) - 1))
    summed = [s for step in found.steps for s in (*step.summed, *step.lonely)]
    assert sorted(summed) == list(range(16))
    assert found.steps[-1].product == ()


def test_the_plan_is_the_same_every_time():
    given = factors(lattices.square(8))
    assert plan(given, [2] * 64) == plan(given, [2] * 64)


def test_sweeps_multiply_everything():
    given = factors(lattices.square(3))
    for order in (range(9), np.random.default_rng(1).permutation(9).tolist()):
        path = list(sweep(given, order))
        assert sorted(k for pair in path for k in pair) == list(range(2 * len(given) - 2))


def test_a_single_factor():
    assert plan([()], []).steps == ()


def test_dense_graphs_are_refused_at_once():
    for n in (40, 150):
        began = perf_counter()
        with pytest.raises(InfeasibleError, match=r"2\^\d+ entries .* GiB are allowed"):
            plan(list(combinations(range(n), 2)), [2] * n)
        assert perf_counter() - began < 3


def test_large_lattices_are_refused():
    with pytest.raises(InfeasibleError, match="GiB"):
        plan(factors(lattices.square(20)), [2] * 400)
    with pytest.raises(InfeasibleError, match="factors"):
        plan(factors(lattices.chain(20_000)), [2] * 20_000)
