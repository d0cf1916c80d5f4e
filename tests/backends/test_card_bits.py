"""Bit-sliced CUDA kernels on a real card: the same bits, and energies of long runs."""

from __future__ import annotations

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.backends import BACKENDS
from statmech_dsl.backends.cupy_gpu import missing
from statmech_dsl.testing.setup import begin, build
from tests.backends.test_cuda_bits import MODELS
from tests.evidence.cases import rows

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"no card: {missing()}")


@pytest.mark.parametrize("name", MODELS)
def test_trajectories(name):
    make, lowered_for = MODELS[name]
    reference = build(make(), lowered_for=lowered_for)
    first = begin(reference, np.linspace(0.1, 0.9, 200), seed=3)
    ends = []
    for backend in ("numba", "cupy"):
        k = BACKENDS[backend].build(reference.program, reference.tables, 200, 1)
        packed = k.pack(first)
        measured = k.record(packed, 3, 5)
        ends.append((k.unpack(packed).values["s"], *measured))
    assert all(np.array_equal(x, y) for x, y in zip(*ends, strict=True))


@pytest.mark.parametrize("chains", [1, 256])
def test_energies_of_long_runs(chains):
    """Words of sites and of replicas, against the exact solution of the finite lattice."""
    T = [2.0, 2.5, 3.0]
    exact = [rows("ising", "torus", L=32, T=t)[0]["u"] for t in T]
    for t, u in zip(T, exact, strict=True):
        data = sm.sample(
            sm.models.ising(L=32),
            T=t,
            draws=200_000 // chains,
            chains=chains,
            seed=1,
            backend="cupy",
        )
        table = sm.derived(data, ["energy_per_site"])
        error = float(table["energy_per_site_error"])
        assert error < 3e-3
        assert abs(float(table["energy_per_site"]) - u) < 4 * error
