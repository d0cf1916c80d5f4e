"""Backends follow the reference bit for bit, whatever the company, the lanes and the threads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.backends import BACKENDS
from statmech_dsl.backends.numba_cpu.layouts import ReplicaLanes, SiteLanes
from statmech_dsl.errors import ValidationError
from statmech_dsl.testing import check_backend, declarations, legal_updates, small_models
from statmech_dsl.testing.setup import begin, build, take
from statmech_dsl.updates import UPDATES

COMPILED = [name for name, b in BACKENDS.items() if name != "reference" and b.missing() is None]
TYPES = list({(d.label, d.domain.storage_dtype): d for d in declarations()}.values())
"""The last declaration of each variable type, in each precision."""
PRECISIONS = {d: d.domain.values is None and d.domain.storage_dtype for d in TYPES}
SHAPES = list({(PRECISIONS[d], d.domain.components > 1): d for d in reversed(TYPES)}.values())
"""The first type with discrete values, with real ones of each precision, with several components."""
MANY = 40
"""Sites of a ring whose colors are large enough for sites to be the lanes of a vector."""

pytestmark = pytest.mark.parametrize("backend", COMPILED)


def cases(declared):
    return pytest.mark.parametrize("declaration", declared, ids=str)


@cases(TYPES)
def test_replicas_as_lanes(declaration, backend):
    model = small_models(declaration)["pairs"]
    for recipe in legal_updates(model):
        name = recipe if isinstance(recipe, str) else recipe[0]
        lanes = (1, 3, 9, 70) if UPDATES[name].automatic else (1, 9)  # others have arrays, no lanes
        found = check_backend(model, backend, updates=recipe, replicas=lanes, threads=(1, 3))
        assert found == 6 * len(lanes)


@cases(TYPES)
def test_couplings_of_one_size(declaration, backend):
    """Two-state variables are bit-sliced then."""
    model = small_models(declaration)["signs"]
    two_states = len(declaration.domain.values or ()) == 2
    assert check_backend(model, backend, threads=(1, 3)) == (48 if two_states else 24)


@cases(SHAPES)
def test_sites_as_lanes(declaration, backend):
    model = small_models(declaration, MANY)["pairs"]
    if backend == "numba":
        assert isinstance(build(model, 3, backend=backend).kernels.layout, SiteLanes)
    check_backend(model, backend, replicas=(1, 3), threads=(2,), sweeps=2)


@cases(SHAPES)
@pytest.mark.parametrize("kind", ["local", "sum", "mixed"])
def test_irregular_graphs_running_sums_and_mixed_models(declaration, kind, backend):
    check_backend(small_models(declaration)[kind], backend, replicas=(3, 9), threads=(2,))


@pytest.mark.parametrize("update", ["heat_bath", "metropolis"])
def test_irregular_graph_with_sites_as_lanes(update, backend):
    """Fields, clamped sites and degrees from 1 up; the first rank of a color is no multiple of 4."""
    rng = np.random.default_rng(1)
    n = 150
    i, j = np.arange(n - 1), np.minimum(np.arange(n - 1) + rng.integers(1, 4, n - 1), n - 1)
    known = np.ma.masked_array(np.ones(n, int), rng.random(n) < 0.9)
    with sm.Model() as model:
        s = sm.Spin("s", n, observed=known)
        sm.Energy("exchange", rng.normal(size=n - 1) * s[i] * s[j])
        sm.Energy("field", rng.normal(size=n) * s)
    if backend == "numba":
        assert isinstance(build(model, 1, backend=backend).kernels.layout, SiteLanes)
    check_backend(model, backend, updates=update, replicas=(2,), threads=(1,), sweeps=2)


@cases(SHAPES)
def test_sums_of_full_groups_in_the_lanes_of_replicas(declaration, backend):
    """Eight instances and more that feed one element, and the rest of a row of 20."""
    model = small_models(declaration, 20)["pairs"]
    check_backend(model, backend, replicas=(9,), threads=(1,), sweeps=1)


def test_64_lanes(backend):
    model = small_models(TYPES[0])["pairs"]
    if backend == "numba":
        assert build(model, 50, backend=backend).kernels.layout == ReplicaLanes(64)
    check_backend(model, backend, replicas=(50, 64), threads=(1,), sweeps=2)


def test_a_wrong_stream_is_seen(backend, monkeypatch):
    """A backend whose replicas have their places for numbers agrees only where these coincide."""
    model = small_models(TYPES[0])["pairs"]

    right = BACKENDS[backend]

    def numbered_by_place(program, tables, n, threads):
        kernels = right.build(program, tables, n, threads)
        pack = kernels.pack
        places = np.arange(n, dtype=np.uint32)
        kernels.pack = lambda state: pack(replace(state, replicas=places))
        return kernels

    monkeypatch.setitem(BACKENDS, backend, replace(right, build=numbered_by_place))
    with pytest.raises(ValidationError, match="values of 'x' differ"):
        check_backend(model, backend, replicas=(9,), threads=(1,))


def test_a_wrong_sum_is_seen(backend, monkeypatch):
    model = small_models(TYPES[0])["pairs"]
    right = BACKENDS[backend]

    def off_by_one_bit(*arguments):
        kernels = right.build(*arguments)
        measure = kernels.measure
        kernels.measure = lambda packed: (*measure(packed)[:2], np.nextafter(measure(packed)[2], 9))
        return kernels

    monkeypatch.setitem(BACKENDS, backend, replace(right, build=off_by_one_bit))
    with pytest.raises(ValidationError, match="other sums"):
        check_backend(model, backend, replicas=(9,), threads=(1,))


def test_padding_and_empty_lanes_do_not_leak(backend):
    """The same replica alone, and as the last of nine: eight lanes and one more."""
    model = small_models(TYPES[0])["pairs"]
    state = begin(build(model), np.linspace(0.2, 1.0, 9), seed=5)
    ends = []
    for rows in ([8], list(range(9)), [8] * 3):
        kernels = build(model, len(rows), backend=backend).kernels
        packed = kernels.pack(take(state, rows))
        kernels.sweep(packed, 20)
        ends.append(kernels.unpack(packed).values["x"][-1])
    assert np.array_equal(ends[0], ends[1])
    assert np.array_equal(ends[0], ends[2])
