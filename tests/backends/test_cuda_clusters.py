"""Cluster moves of the CUDA backend without a card: their source on the processor, and compiled by NVRTC."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

import statmech_dsl as sm
from statmech_dsl.backends import BACKENDS, Backend, build_kernels
from statmech_dsl.backends.collective.clusters.card import source
from statmech_dsl.backends.cupy_gpu import kernels_for
from statmech_dsl.backends.cupy_gpu.runtime import runtime
from statmech_dsl.engine import choose
from statmech_dsl.errors import ValidationError
from statmech_dsl.testing import check_backend
from statmech_dsl.testing.host_device import HostDevice, missing
from statmech_dsl.testing.setup import begin, build
from tests.backends.nvrtc import compile_to_cubin
from tests.updates import test_clusters as small
from tests.updates import test_improved_estimators as reporting

LAUNCHES = (HostDevice(1), HostDevice(1 << 12, True), HostDevice(7), HostDevice(5, True))
"""One thread after the other, in both orders: one in all, one for each item, and a few with several items."""
needs_compiler = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture
def card(monkeypatch):
    """The CUDA backend on the processor; the number of threads says which launch it is."""

    def build_on_host(program, tables, n_replicas, threads):
        return kernels_for(program, tables, LAUNCHES[threads])

    found = replace(BACKENDS["cupy"], missing=lambda: None, build=build_on_host)
    monkeypatch.setitem(BACKENDS, "cupy", found)
    return "cupy"


def phi4(n=5):
    with sm.Model() as model:
        x = sm.Field("x", n)
        sm.Energy("gradient", 0.5 * (x[: n - 1] - x[1:]) ** 2)
        sm.Energy("well", -0.75 * x**2 + 0.25 * x**4)
        sm.Energy("field", small.random(n, 0.3) * x)
    return model


def two_far_levels(n=8):
    """Two values of 16 bits, which are lowered to bits."""
    i = np.arange(n)
    with sm.Model() as model:
        x = sm.Levels("x", n, values=[-300, 300])
        sm.Energy("exchange", -1e-5 * x[i] * x[(i + 1) % n])
    return model


# ---- the chains of the processor ----------------------------------------------------------------------

MODELS = {
    "random bonds": lambda: small.glass(fields=False),
    "random bonds and fields": small.glass,
    "clamped": small.clamped_glass,
    "any color": lambda: small.potts(3, -0.9),
    "two colors exchanged": lambda: small.potts(4, small.random(2), field=-0.3),
    "occupations": lambda: reporting.equal(sm.Occupation, small.random(5), field=0.4),
    "levels": lambda: reporting.spins(sm.Levels, field=0.5, values=[-2, 0, 2]),
    "clock": lambda: small.clock(5, 3, 0.4),
    "half of a clock": lambda: reporting.part_of_a_clock(lambda a, b: small.pt.cos(a + b)),
    "angles": lambda: reporting.continuous("xy", 0.3),
    "angles in single precision": small.xy,
    "vectors": small.heisenberg,
    "signs": phi4,
}


@needs_compiler
@pytest.mark.parametrize("name", MODELS)
def test_moves_beside_local_updates(name, card):
    recipe = ["auto", ("swendsen_wang", 2), "wolff"]
    check_backend(
        MODELS[name](), card, updates=recipe, replicas=(1, 9), threads=(0, 1, 3), sweeps=2
    )


@needs_compiler
@pytest.mark.parametrize("update", ["swendsen_wang", "wolff"])
def test_moves_alone(update, card):
    for model in (small.glass(), small.potts(3, -0.9), small.xy()):
        check_backend(model, card, updates=[(update, 2)], replicas=(3,), threads=(1, 2), sweeps=2)


@needs_compiler
def test_ties_to_another_variable(card):
    updates = {"t": "heat_bath", "s": ["wolff", "swendsen_wang"]}
    check_backend(small.ashkin_teller(), card, updates=updates, replicas=(9,), threads=(1, 2))


def ends(model, recipe, replicas, threads):
    """The states after some sweeps, on the processor and on the card."""
    sampler = build(model, replicas, updates=recipe, backend="numba", lowered_for=replicas)
    first = begin(sampler, np.linspace(0.2, 0.7, replicas), seed=3)
    found = []
    for backend in ("numba", "cupy"):
        kernels = build_kernels(
            BACKENDS[backend], sampler.program, sampler.tables, replicas, threads
        )
        packed = kernels.pack(first)
        kernels.sweep(packed, 2)
        kernels.take(packed, np.arange(replicas)[::-1])
        kernels.set_beta(packed, first.beta[::-1])
        kernels.sweep(packed, 2)
        found.append(kernels.unpack(packed))
    return sampler.program, *found


@needs_compiler
@pytest.mark.parametrize(
    ("model", "replicas"),
    [(sm.models.ising(L=8, h=0.3), 70), (sm.models.ising(L=32), 1), (two_far_levels(), 9)],
    ids=["replicas in a word", "sites in a word", "values of 16 bits"],
)
def test_bits_are_lent_as_bytes(model, replicas, card):
    for threads in (1, 2):
        program, plain, found = ends(
            model, ["heat_bath", "swendsen_wang", "wolff"], replicas, threads
        )
        assert (program.bits.fold is not None) == (replicas == 1)
        (name,) = plain.values
        assert np.array_equal(plain.values[name], found.values[name])


@needs_compiler
def test_moves_of_the_processor_between_those_of_the_card(card):
    recipe = ["metropolis", "swendsen_wang", "kawasaki", "wolff"]
    _, plain, found = ends(small.potts(3, -0.9, 6), recipe, 3, 1)
    assert np.array_equal(plain.values["x"], found.values["x"])
    assert np.array_equal(plain.accepted, found.accepted)
    assert plain.sweep == found.sweep == 4


@needs_compiler
def test_sets_known_by_another_place_are_seen(card, monkeypatch):
    swapped = source.header().replace(
        "large = most(a, b), small = least", "large = least(a, b), small = most"
    )
    monkeypatch.setattr(source, "header", lambda: swapped)
    with pytest.raises(ValidationError, match="values of 's' differ"):
        check_backend(small.glass(), card, updates="swendsen_wang", replicas=(9,), threads=(1,))


# ---- sets ---------------------------------------------------------------------------------------------


RIVALS = """
static const u32 *firsts, *seconds;
static u32 taken, n_ties, *labels;
FN void join(u32* label, u32 R, u32 a, u32 b);

// Before a set is hooked to another one, other threads join the sets of the next ties, up to 7 deep.
static u32 rival(u32* at, u32 expected, u32 value) {
    if (taken < n_ties && taken % 8) {
        const u32 k = taken++;
        join(labels, 1, firsts[k], seconds[k]);
    }
    return atomicCAS(at, expected, value);
}
#define atomicCAS rival
"""


@needs_compiler
def test_whoever_joins_sets_first_they_are_known_by_their_smallest_place():
    """Threads that are faster at the worst moment, in between finding a root and hooking it."""
    kernel = """
extern "C" __global__ void f(u64* meeting, u32 n, u32 n_given, const u32* a, const u32* b, u32* label) {
    firsts = a, seconds = b, n_ties = n_given, labels = label, taken = 0;
    while (taken < n_ties) {
        const u32 k = taken++;
        join(label, 1, a[k], b[k]);
    }
    for (u32 k = 0; k < n; ++k) label[k] = root(label, 1, k);
}"""
    text = "\n".join([runtime(), RIVALS, source.header(), kernel, ""])
    launch = HostDevice().compile(text, ["f"])["f"]
    n, rng = 1000, np.random.default_rng(1)
    for n_ties in (600, 1000, 5000):
        a, b = np.sort(rng.integers(0, n, (2, n_ties)), axis=0).astype(np.uint32)
        a, b = a[np.argsort(b)], np.sort(b)  # next ties are those of the same site
        label = np.arange(n, dtype=np.uint32)
        launch(1, np.uint32(n), np.uint32(n_ties), a, b, label)
        _, found = connected_components(coo_array((np.ones(n_ties), (a, b)), (n, n)))
        smallest = np.full(n, n)
        np.minimum.at(smallest, found, np.arange(n))
        assert np.array_equal(label, smallest[found])


# ---- runs ---------------------------------------------------------------------------------------------


@needs_compiler
def test_between_draws_no_state_leaves_the_card(card, monkeypatch):
    sampler = build(
        sm.models.ising(L=8), 3, updates=["heat_bath", "wolff"], backend=card, lowered_for=3
    )
    kernels = sampler.kernels
    packed = kernels.pack(begin(sampler, [0.2, 0.4, 0.6], seed=1))
    kernels.sweep(packed, 1)
    for copy in ("pack", "unpack", "values"):
        monkeypatch.setattr(type(kernels.passes), copy, None)
    tempered, _, _ = kernels.record(packed, 3, 2)
    monkeypatch.undo()
    assert np.array_equal(tempered[-1], kernels.energy(packed)[0])


ALL, ONE = "swendsen_wang", "wolff(improved=True)"


@needs_compiler
@pytest.mark.parametrize(
    ("build_model", "moves", "T"),
    [
        (reporting.clamped, [ALL], 1.3),
        (lambda: reporting.clock(3, 0.5), [ALL], 1.3),
        (lambda: reporting.clock(5), [ALL, ONE], [0.8, 1.3]),
        (lambda: reporting.continuous("heisenberg"), [ALL, ONE], 1.3),
        (lambda: reporting.equal(sm.Potts, reporting.random(5), q=3), [ONE], 1.3),
    ],
    ids=["clamped", "clock in a field", "clock", "vectors", "Potts"],
)
def test_runs_and_improved_estimators(build_model, moves, T, card):
    model = build_model()
    length = model["x"].type.shape[0]
    moves = [f"swendsen_wang(correlation=({length},))" if m == ALL else m for m in moves]
    options = {"T": T, "draws": 4, "tune": 1, "thin": 2, "chains": 3, "updates": ["auto", *moves]}
    plain, first, other = (
        reporting.run(model, backend=backend, threads=threads, **options)
        for backend, threads in (("numba", 1), (card, 1), (card, 2))
    )
    assert np.allclose(plain.posterior.energy, first.posterior.energy, rtol=1e-12)
    for name, x in first.sample_stats.items():
        assert np.allclose(plain.sample_stats[name], x, rtol=1e-12, atol=1e-15), name
        assert np.array_equal(x, other.sample_stats[name]), name


@needs_compiler
def test_sums_over_sites_in_parts(card):
    """400 sites are two parts; a cluster of most of them lies in both."""
    recipe = [sm.SwendsenWang(correlation=(20, 20)), sm.Wolff(improved=True)]
    options = {"T": [2.2, 3.0], "draws": 3, "tune": 2, "chains": 2, "updates": recipe}
    plain, found = (
        reporting.run(sm.models.ising(L=20), backend=backend, threads=1, **options)
        for backend in ("numba", card)
    )
    for name, x in found.sample_stats.items():
        assert np.allclose(plain.sample_stats[name], x, rtol=1e-12, atol=1e-15), name
    assert float(found.sample_stats.s_improved_m2.max()) > 0.5


def test_explain_says_where_moves_are_made():
    shown = str(sm.explain(sm.models.xy(L=4), updates=["heat_bath", "wolff", "hmc"]))
    assert "theta: on a card, wolff is made there" in shown
    assert "hmc is left to the processor: every sweep copies the state there and back" in shown


def test_auto_takes_no_card_that_leaves_moves_to_the_processor():
    card = Backend("card", lambda: None, lambda *_: None, gains_from=lambda *_: 7)
    for move, least in (("wolff", 7), ("hmc", None)):
        sampler = build(sm.models.xy(L=4), updates=["heat_bath", move])
        assert choose.gains_from(card, sampler.program, sampler.tables, 7) == least


# ---- machine code -------------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ["sm_75", "sm_120"])
def test_compiles_for_cards(architecture, card):
    pytest.importorskip("cuda.bindings.nvrtc")
    vectors = ["auto", sm.SwendsenWang(correlation=(16,))]
    (all_, *_) = build(
        reporting.continuous("heisenberg"), updates=vectors, backend=card
    ).kernels.movers
    (one, *_) = build(
        reporting.clock(5), updates=sm.Wolff(improved=True), backend=card
    ).kernels.movers
    texts = [all_.source(), one.source()]
    for replicas in (1, 2):
        sampler = build(sm.models.ising(L=32), backend=card, lowered_for=replicas)
        texts.append(sampler.kernels.lending.source("int8"))
    for text in texts:
        assert compile_to_cubin(text, architecture).startswith(b"\x7fELF")
