"""Bit-sliced CUDA kernels without a card: their source on the processor, and compiled by NVRTC."""

from __future__ import annotations

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.backends import BACKENDS, Backend
from statmech_dsl.backends.cupy_gpu import CupyBitKernels, kernels_for
from statmech_dsl.testing import check_backend, declarations, small_models
from statmech_dsl.testing.host_device import HostDevice, missing
from statmech_dsl.testing.setup import begin, build, take
from tests.backends.nvrtc import ARCHITECTURES, compile_to_cubin
from tests.backends.test_bit_sliced import (
    diluted,
    many_neighbors,
    open_with_free_spins,
    several_sizes,
    striped,
)

LAUNCHES = (HostDevice(1), HostDevice(1 << 20, True), HostDevice(7, True))
"""One thread, one for each item in reversed order, a few with several items."""
TWO_STATES = [d for d in declarations() if len(d.domain.values or ()) == 2]

needs_compiler = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture
def host(monkeypatch):
    """A backend that takes the number of threads for that of a launch."""

    def build_on_host(program, tables, n_replicas, threads):
        return kernels_for(program, tables, LAUNCHES[threads])

    backend = Backend("host", lambda: None, build_on_host, bits=True)
    monkeypatch.setitem(BACKENDS, "host", backend)
    return "host"


def kernels(reference, device):
    assert reference.program.bits is not None
    found = kernels_for(reference.program, reference.tables, device)
    assert isinstance(found, CupyBitKernels)
    return found


def three_body(n=60, seed=1):
    """Products of three spins with random signs, and fields in whole units: sites of many degrees."""
    rng = np.random.default_rng(seed)
    i, j, k = rng.permuted(np.tile(np.arange(n), (3, 1)), axis=1)
    keep = (i != j) & (j != k) & (k != i) & (rng.random(n) < 0.7)
    i, j, k = i[keep], j[keep], k[keep]
    with sm.Model() as model:
        s = sm.Spin("s", n)
        sm.Energy("three sites", rng.choice([-1.0, 1.0], len(i)) * s[i] * s[j] * s[k])
        sm.Energy("field", 1.0 * rng.integers(0, 2, n) * s)
        sm.Observable("m", s.mean())
        sm.Observable("weighted", (rng.normal(size=n) * s).sum())
    return model


MODELS = {
    "words that turn within a lattice": (lambda: sm.models.ising(L=48), 1),
    "words of 40 sites, a field": (lambda: sm.models.ising(L=40, h=0.5), 1),
    "words with signs": (lambda: sm.models.edwards_anderson(L=32, d=2), 1),
    "quads that are shifted": (lambda: sm.models.ising(L=8), 2),
    "quads with signs": (lambda: sm.models.edwards_anderson(L=4, d=3), 2),
    "a gauge theory": (lambda: sm.models.z2_gauge(L=3, d=3), 2),
    "listed quads": (three_body, 2),
    "words of two kinds": (lambda: striped(32), 1),
    "quads of some kinds": (lambda: diluted(10), 2),
    "quads of many levels": (many_neighbors, 2),
    "quads of several sizes": (lambda: several_sizes(100), 2),
    "passes without terms": (lambda: open_with_free_spins(5), 2),
}


@needs_compiler
@pytest.mark.parametrize("declaration", TWO_STATES, ids=str)
def test_two_state_variables(declaration, host):
    model = small_models(declaration)["signs"]
    runs = check_backend(model, host, replicas=(1, 3, 9, 70, 130), threads=(0, 1), sweeps=2)
    assert runs == 40  # bit-sliced, and as it is


@needs_compiler
@pytest.mark.parametrize("name", MODELS)
def test_trajectories(name):
    """Any replicas of a run, on any launch, follow the reference."""
    make, lowered_for = MODELS[name]
    reference = build(make(), lowered_for=lowered_for)
    n = 2 if lowered_for == 1 else 21
    first = begin(reference, np.linspace(0.1, 0.9, n), seed=3)
    state = reference.kernels.pack(first)
    reference.kernels.sweep(state, 2)
    expected, numbers = reference.kernels.unpack(state), reference.kernels.measure(state)
    for device, rows in zip(LAUNCHES, (range(n), [n - 1], range(0, n, 2)), strict=True):
        rows = list(rows)
        k = kernels(reference, device)
        packed = k.pack(take(first, rows))
        measured = k.record(packed, 2, 1)
        found = k.unpack(packed).values
        for x in found:
            assert np.array_equal(found[x], expected.values[x][rows])
        for x, y in zip(measured, numbers, strict=True):
            assert np.array_equal(x[1], y[rows])


@needs_compiler
@pytest.mark.parametrize(
    ("model", "lowered_for", "n"),
    [
        (sm.models.ising(L=512), 1, 1),
        (sm.models.ising(L=72), 2, 20),
        (diluted(L=60), 2, 9),
        (many_neighbors(signs=(1.0,)), 2, 90),
    ],
    ids=["fold", "square", "diluted", "many neighbors"],
)
def test_many_tiles(model, lowered_for, n):
    """Colors and runs that begin in the middle of a tile, and lanes that the planes leave open."""
    reference = build(model, lowered_for=lowered_for)
    numba = BACKENDS["numba"].build(reference.program, reference.tables, n, 1)
    ends = []
    first = begin(reference, np.linspace(0.3, 0.5, n), seed=2)
    for k in (numba, kernels(reference, LAUNCHES[2])):
        packed = k.pack(first)
        measured = k.record(packed, 2, 2)
        ends.append((k.unpack(packed).values["s"], *measured))
    assert all(np.array_equal(x, y) for x, y in zip(*ends, strict=True))


@needs_compiler
@pytest.mark.parametrize("name", ["words with signs", "quads with signs"])
def test_other_temperatures_between_sweeps(name):
    make, lowered_for = MODELS[name]
    reference = build(make(), lowered_for=lowered_for)
    first = begin(reference, np.linspace(0.1, 1.0, 3), seed=2)
    ends = []
    for k in (reference.kernels, kernels(reference, LAUNCHES[0])):
        packed = k.pack(first)
        k.sweep(packed, 1)
        k.set_beta(packed, np.array([2.0, 0.0, 0.4]))
        k.sweep(packed, 1)
        ends.append(k.unpack(packed).values["s"])
    assert np.array_equal(*ends)


@needs_compiler
@pytest.mark.parametrize("name", ["words with signs", "quads with signs"])
def test_the_order_of_threads_shows_a_wrong_coloring(name):
    make, lowered_for = MODELS[name]
    reference = build(make(), lowered_for=lowered_for)
    (p,) = reference.program.passes
    runs = reference.program.bits.passes[0].runs
    one = {name: reference.tables[name][[0, -1]] for name in (p.segments, runs)}
    ends = []
    for device in LAUNCHES:
        k = CupyBitKernels(reference.program, reference.tables | one, device)
        packed = k.pack(begin(reference, [0.4], seed=2))
        k.sweep(packed, 1)
        ends.append(k.unpack(packed).values["s"])
    assert not np.array_equal(ends[0], ends[1])


@pytest.mark.parametrize("name", MODELS)
def test_kernels_compile_for_cards(name):
    make, lowered_for = MODELS[name]
    source = kernels(build(make(), lowered_for=lowered_for), LAUNCHES[0]).source()
    for architecture in ARCHITECTURES if name.endswith("with signs") else ("sm_90",):
        assert compile_to_cubin(source, architecture).startswith(b"\x7fELF")
