"""Dense passes on a card: products and kernels on the processor, against the reference and the CPU backend."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.backends import BACKENDS, Backend, couplings
from statmech_dsl.backends.cupy_gpu import CupyDevice
from statmech_dsl.backends.cupy_gpu.dense import panels
from statmech_dsl.backends.cupy_gpu.dense import source as dense_source
from statmech_dsl.backends.cupy_gpu.kernels import CupyKernels
from statmech_dsl.backends.reference import Reference
from statmech_dsl.errors import ValidationError
from statmech_dsl.testing import check_backend
from statmech_dsl.testing.host_device import HostDevice, missing
from statmech_dsl.testing.setup import begin, build
from tests.backends.test_dense import CASES, complete, layers

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
LAUNCHES = (HostDevice(1), HostDevice(1 << 12, True), HostDevice(5, True))


@pytest.fixture
def host(monkeypatch):
    """A backend that takes the number of threads for that of a launch."""

    def build_on_host(program, tables, n_replicas, threads):
        kernels = CupyKernels(program, tables, LAUNCHES[threads])
        assert kernels.dense
        return kernels

    monkeypatch.setitem(BACKENDS, "host", Backend("host", lambda: None, build_on_host))
    return "host"


@pytest.mark.parametrize("name", CASES)
def test_the_bits_are_those_of_the_reference(name, host):
    check_backend(CASES[name][0](), host, replicas=(1, 10), threads=(0, 1))


def test_three_colors_in_one_variable(host):
    """The sources of the second one lie on both sides of its own sites."""
    weights = np.random.default_rng(3).normal(scale=0.3, size=(3, 9, 9))
    with sm.Model() as model:
        s = sm.Spin("s", 27)
        for k, (a, b) in enumerate(((0, 1), (1, 2), (2, 0))):
            sm.Energy(f"W{k}", s[a::3, None] * weights[k] * s[b::3])
    (p,) = build(model).program.passes
    assert p.dense is not None
    assert p.dense.method == "products"
    check_backend(model, host, replicas=(9,), threads=(0, 1))


def test_several_panels(host):
    """Of 44 sites the last 12 see what the first 32 have changed by another product."""
    check_backend(complete(sm.Spin, 44), host, replicas=(9,), threads=(0, 1, 2))


@pytest.mark.parametrize(
    "declare",
    [lambda: complete(sm.Spin, 530), lambda: layers(sm.Occupation, 600, 520)],
    ids=["sites in turn", "colors"],
)
def test_several_tiles(declare):
    """More than 512 ranks, and more than one of them."""
    sampler = build(declare(), 2, backend="numba")
    kernels = CupyKernels(sampler.program, sampler.tables, LAUNCHES[1])
    state = begin(sampler, np.array([0.5, 1.0]), seed=2)
    agree(sampler.kernels, kernels, state)


def agree(first, second, state):
    ends = []
    for k in (first, second):
        packed = k.pack(state)
        k.sweep(packed, 2)
        ends.append(k.unpack(packed).values)
    for v in ends[0]:
        assert np.array_equal(ends[0][v], ends[1][v])


@pytest.mark.parametrize("scale", [1e-250, 1e-40, 1e7, 1e40, 1e306])
def test_weights_beyond_the_range_of_float32(scale, host):
    check_backend(complete(sm.Spin, scale=scale), host, replicas=(9,), threads=(1,))
    check_backend(layers(sm.Occupation, 9, 11, scale=scale), host, replicas=(9,), threads=(1,))


@pytest.mark.parametrize("scale", [1e7, 1e40])
def test_the_field_tier_beyond_the_range_of_float32(scale):
    """Infinite couplings at an inverse temperature of 0 are no number: the definition decides."""
    sampler = build(complete(sm.Spin, 40, scale=scale), 9)
    passes = tuple(replace(p, dense=None) for p in sampler.program.passes)
    program = replace(sampler.program, passes=passes)
    kernels = CupyKernels(program, sampler.tables, LAUNCHES[0])
    agree(sampler.kernels, kernels, begin(sampler, np.linspace(0, 1.5, 9), seed=3))


def test_couplings_that_are_not_finite():
    sampler = build(complete(sm.Occupation), 3)
    broken = {
        k: np.where(np.arange(len(t)) == 5, np.inf, t) if t.dtype == float else t
        for k, t in sampler.tables.items()
    }
    reference = Reference(sampler.program, broken)
    kernels = CupyKernels(sampler.program, broken, LAUNCHES[0])
    with np.errstate(invalid="ignore"):
        agree(reference, kernels, begin(sampler, np.ones(3), seed=1))


# ---- a test of the tests: what is forgotten is seen ----------------------------------------------


MANY = {"fields": lambda: complete(sm.Spin, 44), "products": lambda: layers(sm.Occupation, 30, 30)}


def test_changes_within_a_panel_count(host, monkeypatch):
    monkeypatch.setattr(dense_source, "_changes", lambda own: [])
    with pytest.raises(ValidationError, match="values of 's' differ"):
        check_backend(MANY["fields"](), host, replicas=(30,), threads=(1,))


@pytest.mark.parametrize("method", MANY)
def test_coarse_steps_are_covered_by_the_slack(method, host, monkeypatch):
    """With couplings of 8 bits many sites are decided again; without slack the bits are others."""

    def coarse(c):
        return 4096, couplings.in_steps(c, 2**8)

    monkeypatch.setattr(panels, "for_digits", coarse)
    check_backend(MANY[method](), host, replicas=(16,), threads=(1,), sweeps=4)

    def sure(c):
        base, steps = coarse(c)
        return base, replace(steps, slack=0.0 * steps.slack)

    monkeypatch.setattr(panels, "for_digits", sure)
    with pytest.raises(ValidationError, match="differ"):
        check_backend(MANY[method](), host, replicas=(16,), threads=(1,), sweeps=4)


# ---- products ------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [3, 4096, 4097, 70_000])
def test_digits_are_exact_in_tf32_and_so_are_their_sums(n):
    rng = np.random.default_rng(n)
    rows = [rng.choice([-1.0, 1.0], n), np.ones(n), rng.normal(size=n) ** 9, np.eye(1, n)[0]]
    exact = couplings.Couplings(np.array(rows), np.array([0.0, -n, 1.0, 0.0]), np.zeros(4))
    base, steps = panels.for_digits(exact)
    digits = panels.in_digits(steps.steps, base)
    assert np.array_equal(base * digits[:4].astype(float) + digits[4:], steps.steps)
    bits = rng.integers(0, 2, (n, 3)).astype(np.float32)
    bits[:, 0] = 1
    HostDevice().matmul(digits, bits, np.empty((8, 3), np.float32))
    size = np.abs(exact.matrix)
    reach = size.sum(1) + np.abs(exact.offset)
    assert (steps.scale <= np.maximum(size.max(1) / 2**10, reach / 2**23) / base).all()


class Queue(HostDevice):
    """A device that cannot be asked."""

    closed = False

    def put(self, x):
        """Copy an array, while that is allowed."""
        assert not self.closed, "a copy to the device"
        return super().put(x)

    def get(self, x):
        """Copy an array back, while that is allowed."""
        assert not self.closed, "a copy to the host"
        return super().get(x)


@pytest.mark.parametrize("method", MANY)
def test_sweeps_copy_nothing_between_host_and_device(method):
    sampler = build(MANY[method](), 9)
    device = Queue()
    kernels = CupyKernels(sampler.program, sampler.tables, device)
    packed = kernels.pack(begin(sampler, np.ones(9), seed=1))
    kernels.sweep(packed, 1)
    device.closed = True
    kernels.sweep(packed, 3)
    device.closed = False
    assert packed.state.sweep == 4


def test_what_cublas_is_asked_for(monkeypatch):
    """A stand-in for cuBLAS: matrices by columns, each with the distance between its columns."""

    def columns(address, n_rows, n_columns, distance):
        assert distance >= n_rows
        numbers = np.ctypeslib.as_array(
            (ctypes.c_float * (distance * n_columns)).from_address(address)
        )
        return numbers.reshape(n_columns, distance).T[:n_rows]

    def gemm_ex(
        handle, ta, tb, m, n, k, alpha, a, a_type, lda, b, b_type, ldb, beta, c, c_type, ldc, *how
    ):
        assert (ta, tb, a_type, b_type, c_type, how) == (
            "N",
            "N",
            "R32",
            "R32",
            "R32",
            ("TF32", "any"),
        )
        one, zero = columns(alpha, 1, 1, 1)[0, 0], columns(beta, 1, 1, 1)[0, 0]
        out = columns(c, m, n, ldc)
        out[:] = one * columns(a, m, k, lda) @ columns(b, k, n, ldb) + zero * out

    names = {"OP_N": "N", "COMPUTE_32F_FAST_TF32": "TF32", "GEMM_DEFAULT": "any"}
    cublas = SimpleNamespace(gemmEx=gemm_ex, **{f"CUBLAS_{k}": v for k, v in names.items()})
    for package in ("cupy_backends", "cupy_backends.cuda"):
        monkeypatch.setitem(sys.modules, package, ModuleType(package))
    monkeypatch.setitem(sys.modules, "cupy_backends.cuda.libs", SimpleNamespace(cublas=cublas))
    device = object.__new__(CupyDevice)
    cuda = SimpleNamespace(
        runtime=SimpleNamespace(CUDA_R_32F="R32"),
        device=SimpleNamespace(get_cublas_handle=lambda: 0),
    )
    vars(device).update(tf32=True, _cupy=SimpleNamespace(cuda=cuda))
    rng = np.random.default_rng(1)
    a, b, out = (rng.normal(size=s).astype(np.float32) for s in ((3, 5), (5, 4), (3, 4)))
    wanted = a @ b
    arrays = (
        SimpleNamespace(shape=x.shape, data=SimpleNamespace(ptr=x.ctypes.data)) for x in (a, b, out)
    )
    device.matmul(*arrays)
    assert np.allclose(out, wanted, atol=1e-6)
