"""CUDA kernels without a card: their source on the processor, and compiled by NVRTC."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.backends import BACKENDS, Backend
from statmech_dsl.backends.cupy_gpu import cupy_device, field_printer, gains_from, reach
from statmech_dsl.backends.cupy_gpu import kernels as kernels_module
from statmech_dsl.backends.cupy_gpu.kernels import CupyKernels
from statmech_dsl.backends.cupy_gpu.runtime import runtime
from statmech_dsl.engine import choose
from statmech_dsl.errors import BackendError, ValidationError
from statmech_dsl.ir import elementary_float32
from statmech_dsl.ir.kernel import FieldForm
from statmech_dsl.testing import check_backend, declarations, legal_updates, small_models
from statmech_dsl.testing.host_device import HostDevice, missing
from statmech_dsl.testing.setup import begin, build

LAUNCHES = (HostDevice(1), HostDevice(1 << 12, True), HostDevice(7), HostDevice(5, True))
"""One thread after the other, in both orders: one in all, one for each item, and a few with several items."""
TYPES = list({(d.label, d.domain.storage_dtype): d for d in declarations()}.values())
PRECISIONS = {d: d.domain.values is None and d.domain.storage_dtype for d in TYPES}
SHAPES = list({(PRECISIONS[d], d.domain.components > 1): d for d in reversed(TYPES)}.values())

needs_compiler = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture
def host(monkeypatch):
    """A backend that takes the number of threads for that of a launch."""

    def build_on_host(program, tables, n_replicas, threads):
        return CupyKernels(program, tables, LAUNCHES[threads])

    monkeypatch.setitem(BACKENDS, "host", Backend("host", lambda: None, build_on_host))
    return "host"


def cases(declared):
    return pytest.mark.parametrize("declaration", declared, ids=str)


@needs_compiler
@cases(TYPES)
def test_every_update(declaration, host):
    model = small_models(declaration)["pairs"]
    for name in legal_updates(model):
        assert check_backend(model, host, updates=name, replicas=(1, 9), threads=(0, 1)) == 12


@needs_compiler
def test_reversed_and_repeated_passes(host):
    """In the field tier for teams of replicas, and in the generic one."""
    levels = next(d for d in TYPES if d.label == "Levels")
    model = small_models(levels, 40)["pairs"]
    palindrome = ["heat_bath", "reversed heat_bath"]
    check_backend(model, host, updates=palindrome, replicas=(32,), threads=(1,), sweeps=2)
    field = next(d for d in TYPES if d.label == "Field")
    recipe = [*palindrome, ("overrelaxation", 3), "reversed overrelaxation"]
    for kind in ("pairs", "sum"):
        model = small_models(field)[kind]
        check_backend(model, host, updates=recipe, replicas=(3,), threads=(2,), sweeps=2)


@needs_compiler
@cases(SHAPES)
@pytest.mark.parametrize("kind", ["local", "sum", "mixed"])
def test_irregular_graphs_running_sums_and_mixed_models(declaration, kind, host):
    check_backend(small_models(declaration)[kind], host, replicas=(3,), threads=(2, 3))


@needs_compiler
@cases(SHAPES[::2])
def test_neighbors_that_follow_each_other(declaration, host):
    """Colors of 75 sites of a ring: groups of 16 ranks have one base, but for those at the ends."""
    model = small_models(declaration, 150)["pairs"]
    kernels = build(model).kernels
    text = CupyKernels(kernels.program, kernels.tables, LAUNCHES[0]).source()
    assert "follower(" in text[text.index("sweep(") :]
    check_backend(model, host, replicas=(1, 3), threads=(1, 2), sweeps=2)


@needs_compiler
@pytest.mark.parametrize("replicas", [1, 32])
@cases(SHAPES[1::2])
def test_colors_that_begin_within_a_tile(declaration, replicas):
    """Colors of 650 sites: tiles of 512 ranks hold the end of one and the beginning of the next."""
    sampler = build(small_models(declaration, 1300)["pairs"], replicas, backend="numba")
    state = begin(sampler, np.linspace(0.3, 1.2, replicas), seed=3)
    on_host = [CupyKernels(sampler.program, sampler.tables, d) for d in LAUNCHES[1:3]]
    ends = []
    for k in (sampler.kernels, *on_host):
        packed = k.pack(state)
        k.sweep(packed, 3)
        ends.append(k.unpack(packed))
    for end in ends[1:]:
        assert np.array_equal(end.values["x"], ends[0].values["x"])
        assert np.array_equal(end.accepted, ends[0].accepted)


@needs_compiler
@pytest.mark.parametrize("kind", ["local", "sum"])
def test_a_tabulated_law(kind, host):
    """One thread visits all sites of a replica: they hang together through its energy."""
    model = small_models(TYPES[0])[kind]
    check_backend(model, host, law="tabulated", replicas=(3,), threads=(0, 1))


@needs_compiler
@pytest.mark.parametrize("name", ["weight2", "exp", "exp2", "log", "sin", "cos", "atan2"])
def test_elementary_functions_in_float32(name):
    """At random numbers and at the ends of the range: zeros, subnormal numbers, infinities, NaN."""
    rng = np.random.default_rng(1)
    ends = [0.0, -0.0, 1e-45, -1e-40, 1e-38, 1.0, 126.5, 3e38, np.inf, -np.inf, np.nan]
    body = rng.normal(size=100) * 10.0 ** rng.uniform(-3, 2, 100)
    x = np.array([*ends, *body], np.float32)
    y = x[::-1].copy()
    two = name == "atan2"
    kernel = f"""extern "C" __global__ void f(u64* meeting, const float* x, const float* y, float* out) {{
    EACH(k, {len(x)}) out[k] = el32_{name}(x[k]{", y[k]" if two else ""});
}}"""
    device = LAUNCHES[0]
    out = device.empty(x.shape, "float32")
    device.compile(f"{runtime()}\n{kernel}\n", ["f"])["f"](1, x, y, out)
    python = getattr(elementary_float32, name)
    size = np.abs(x)
    defined = {"sin": size < 1e4, "cos": size < 1e4, "log": (size == 0) | ~(size < 1.2e-38)}
    here = defined.get(name, slice(None))
    with np.errstate(all="ignore"):
        wanted = [python(a, b) if two else python(a) for a, b in zip(x, y, strict=True)]
    assert np.array_equal(out[here], np.array(wanted)[here], equal_nan=True)


# ---- the field tier ------------------------------------------------------------------------------


def glass(scale=1.0, noise=1.0, L=6):
    """Random signs times a size, plus noise, and a field at some sites; large sizes make sums that cancel."""
    lattice = sm.lattices.square(L)
    rng = np.random.default_rng(3)
    J = scale * rng.choice([-1, 1], lattice.n_links) + noise * rng.normal(size=lattice.n_links)
    with sm.Model() as model:
        s = sm.Spin("s", lattice)
        i, j = lattice.bonds
        sm.Energy("exchange", -J * s[i] * s[j])
        sm.Energy("field", noise * rng.normal(size=L) * s[:L])
    return model


@needs_compiler
@pytest.mark.parametrize(
    "model",
    [glass(), sm.models.potts(L=4, q=5), sm.models.clock(L=4, q=5), sm.models.clock(L=4, q=20)],
    ids=["irregular", "one coupling", "few features", "many features"],
)
def test_decisions_in_float32(model, host):
    assert isinstance(build(model).program.passes[0].field, FieldForm)
    """32 replicas: teams of four."""
    check_backend(model, host, replicas=(1, 9, 32), threads=(0, 1), sweeps=2)


@needs_compiler
@pytest.mark.parametrize("scale", [3e4, 1e30, 1e300])
def test_what_is_too_close_is_decided_in_float64(scale, host):
    model = glass(scale, noise=1.0 if scale < 1e6 else 0.3 * scale)
    check_backend(model, host, replicas=(32,), threads=(1,), sweeps=3)


@needs_compiler
def test_a_margin_that_is_too_small_is_seen(host, monkeypatch):
    monkeypatch.setattr(field_printer, "margin", lambda form, n: (0.0, 0.0, 0.0))
    monkeypatch.setattr(reach, "margin", lambda form, n: (0.0, 0.0, 0.0))
    with pytest.raises(ValidationError, match="values of 's' differ"):
        check_backend(glass(scale=3e5), host, replicas=(64,), threads=(1,), sweeps=6)


# ---- order of threads, temperatures, measures -----------------------------------------------------


@needs_compiler
def test_a_wrong_coloring_is_seen():
    """All sites of a ring as one color: threads in the other order give another chain."""
    kernels = build(sm.models.xy(lattice=sm.lattices.chain(20))).kernels
    order = kernels.tables["theta.segments"]
    one_color = dict(kernels.tables) | {"theta.segments": order[[0, -1]]}
    state = begin(build(sm.models.xy(lattice=sm.lattices.chain(20))), [1.0], seed=1)
    for tables, same in ((kernels.tables, True), (one_color, False)):
        ends = []
        for device in LAUNCHES[:2]:
            found = CupyKernels(kernels.program, tables, device)
            packed = found.pack(state)
            found.sweep(packed, 2)
            ends.append(found.values(packed, "theta"))
        assert np.array_equal(*ends) is same


@needs_compiler
def test_recording_is_sweeping_and_measuring(monkeypatch):
    """In parts, as two draws fill the memory."""
    monkeypatch.setattr(kernels_module, "KEPT", 2 * 5 * 5)
    sampler = build(sm.models.potts(L=4, q=3))
    first = begin(sampler, np.linspace(0.3, 1.2, 5), seed=4)
    kernels = CupyKernels(sampler.program, sampler.tables, LAUNCHES[2])
    runs = []
    for k in (sampler.kernels, kernels):
        packed = k.pack(first)
        k.sweep(packed, 1)
        k.set_beta(packed, np.linspace(1.2, 0.3, 5))
        if k is kernels:
            k.take(packed, np.arange(5))
        runs.append((*k.record(packed, 3, 2), k.unpack(packed).sweep))
    for x, y in zip(*runs, strict=True):
        assert np.array_equal(x, y)


@needs_compiler
def test_sums_of_many_instances_in_parts():
    """More than 1024 instances are added in parts: the same numbers up to roundings, in every launch."""
    model = sm.models.xy(L=40)
    sampler = build(model, backend="numba")
    state = begin(sampler, [0.5, 1.0], seed=1)
    tempered, _, sums = sampler.kernels.measure(sampler.kernels.pack(state))
    found = []
    for device in LAUNCHES[1:3]:
        kernels = CupyKernels(sampler.program, sampler.tables, device)
        found.append(kernels.measure(kernels.pack(state)))
    assert np.array_equal(found[0][0], found[1][0])
    assert np.abs(found[0][0] - tempered).max() < 1e-12 * 3200
    assert np.abs(found[0][2] - sums).max() < 1e-12 * 1600


# ---- no card ---------------------------------------------------------------------------------------


def test_without_a_card_the_backend_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(cupy_device, "find_spec", lambda name: None)
    cupy_device.missing.cache_clear()
    with pytest.raises(BackendError, match="'cupy' cannot run here: CuPy is not installed"):
        sm.sample(sm.models.ising(L=4), draws=1, tune=0, backend="cupy")
    cupy_device.missing.cache_clear()


@pytest.mark.parametrize(
    ("model", "least"),
    [
        (sm.models.xy(L=32), 1 << 11),
        (sm.models.curie_weiss(N=16), 1 << 20),
        (sm.models.sherrington_kirkpatrick(N=128), 1 << 11),
    ],
    ids=["two colors", "site by site", "dense"],
)
def test_auto_takes_a_card_for_large_work(model, least, monkeypatch):
    """Two colors of 512 sites: 2^20 of them at once are 2^11 replicas. Four products of 2^12 couplings."""
    sampler = build(model)
    program, tables = sampler.program, sampler.tables
    assert gains_from(program, tables) == least
    present = replace(BACKENDS["cupy"], missing=lambda: None)
    for missing_card, name in ((False, "cupy"), (True, "numba")):
        reason = "none here" if missing_card else None
        card = replace(present, missing=lambda reason=reason: reason)
        monkeypatch.setitem(BACKENDS, "cupy", card)
        assert choose.fastest_backend(program, tables, least).name == name
        assert choose.fastest_backend(program, tables, least - 1).name == "numba"
    monkeypatch.setitem(BACKENDS, "cupy", present)
    assert f"cupy from {least} replicas on" in str(sm.explain(model))
