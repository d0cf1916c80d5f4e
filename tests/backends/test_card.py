"""On a card: the chains of the processor, bit for bit, and exact values. `make gpu-test` runs it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.backends import BACKENDS
from statmech_dsl.backends.cupy_gpu import CupyDevice
from statmech_dsl.testing.setup import begin, build
from tests.evidence.cases import CASES
from tests.evidence.zscores import band, scores, variance

reason = BACKENDS["cupy"].missing()
pytestmark = pytest.mark.skipif(reason is not None, reason=str(reason))


@pytest.mark.parametrize(
    ("model", "replicas"),
    [
        (sm.models.potts(L=256, q=3), 3),
        (sm.models.edwards_anderson(L=16, couplings="gaussian"), 256),
        (sm.models.xy(L=256), 2),
        (sm.models.phi4(L=64), 64),
        (sm.models.curie_weiss(N=2000), 40),
        (sm.models.sherrington_kirkpatrick(N=600), 100),
        (sm.models.restricted_boltzmann_machine(700, 400, weights=None), 100),
    ],
    ids=[
        "one card full of sites",
        "teams of replicas",
        "angles",
        "reals",
        "a running sum",
        "products of 32 sites",
        "products of layers",
    ],
)
def test_chains_are_those_of_the_processor(model, replicas):
    ends = []
    for backend in ("numba", "cupy"):
        sampler = build(model, replicas, backend=backend, threads=4)
        packed = sampler.kernels.pack(begin(sampler, np.linspace(0.4, 1.2, replicas), seed=6))
        sampler.kernels.sweep(packed, 20)
        ends.append((sampler.kernels.unpack(packed), sampler.kernels.energy(packed)[0]))
    (a, energy), (b, found) = ends
    assert all(np.array_equal(a.values[v], b.values[v]) for v in a.values)
    assert np.array_equal(a.accepted, b.accepted)
    assert np.allclose(energy, found, rtol=1e-12, atol=0)


@pytest.mark.parametrize("tf32", [False, True])
def test_products_of_digits_are_exact(tf32):
    """Factors of 11 bits, sums up to 2^24: what tensor cores do with them is written nowhere."""
    device, rng = CupyDevice(), np.random.default_rng(1)
    device.tf32 &= tf32
    for rows, n, columns in ((64, 1024, 4096), (300, 8191, 777), (8192, 4096, 512), (1, 3, 1)):
        a = rng.integers(-2048, 2049, (rows, n)).astype(np.float32)
        a[0] = 2048  # the largest sum is 2^24 for n = 8192
        b = rng.integers(0, 2, (n, columns)).astype(np.float32)
        b[:, 0] = 1
        out = device.empty((rows, columns), np.float32)
        device.matmul(device.put(a), device.put(b), out)
        exact = a.astype(float) @ b.astype(float)
        assert np.array_equal(device.get(out), exact)


@pytest.mark.parametrize(
    ("model", "replicas"),
    [
        (sm.models.ising(L=1024), 1),
        (sm.models.ising(L=64, h=0.01), 100),
        (sm.models.potts(L=128, q=3), 20),
        (sm.models.edwards_anderson(L=16, couplings="gaussian"), 64),
        (sm.models.xy(L=128), 8),
    ],
    ids=["sites in a word", "replicas in a word", "any color", "random bonds", "angles"],
)
def test_clusters_are_those_of_the_processor(model, replicas):
    """At temperatures about the critical one, where clusters are of all sizes."""
    recipe = ["heat_bath", ("swendsen_wang", 2), "wolff"]
    ends = []
    for backend in ("numba", "cupy"):
        sampler = build(model, replicas, updates=recipe, backend=backend, lowered_for=replicas)
        packed = sampler.kernels.pack(begin(sampler, np.linspace(0.4, 1.2, replicas), seed=6))
        sampler.kernels.sweep(packed, 10)
        ends.append(sampler.kernels.unpack(packed).values)
    assert all(np.array_equal(x, ends[1][name]) for name, x in ends[0].items())


def test_exact_values():
    cases = [replace(c, backend="cupy") for c in CASES if c.ci and c.backend == "auto"]
    found = [score for case in cases for score in scores(case, threads=1)]
    outside = [str(score) for score in found if abs(score.z) >= 4.0]
    assert not outside, "\n".join(outside)
    low, high = band(len(found), chance=1e-3)
    assert low < variance(found) < high
