"""On a card: the chains of the processor, bit for bit, and exact values. `make gpu-test` runs it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.backends import BACKENDS
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
    ],
    ids=["one card full of sites", "teams of replicas", "angles", "reals", "a running sum"],
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


def test_exact_values():
    cases = [replace(c, backend="cupy") for c in CASES if c.ci and c.backend == "auto"]
    found = [score for case in cases for score in scores(case, threads=1)]
    outside = [str(score) for score in found if abs(score.z) >= 4.0]
    assert not outside, "\n".join(outside)
    low, high = band(len(found), chance=1e-3)
    assert low < variance(found) < high
