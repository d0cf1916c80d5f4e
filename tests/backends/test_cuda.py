"""CUDA kernels without a card: their source on the processor, and compiled by NVRTC."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.backends import BACKENDS, Backend
from statmech_dsl.backends.cupy_gpu import gains_from
from statmech_dsl.backends.cupy_gpu.kernels import CupyKernels
from statmech_dsl.engine import choose
from statmech_dsl.errors import BackendError, ValidationError
from statmech_dsl.ir.kernel import FieldForm
from statmech_dsl.testing import check_backend, declarations, legal_updates, small_models
from statmech_dsl.testing.host_device import HostDevice, missing
from statmech_dsl.testing.setup import begin, build

LAUNCHES = (HostDevice(1), HostDevice(1 << 20, True), HostDevice(7), HostDevice(5, True))
"""One thread after the other, in both orders: one in all, one for each item, and a few with several items."""
TYPES = list({d.label: d for d in declarations()}.values())
SHAPES = list(
    {(d.domain.values is None, d.domain.components > 1): d for d in reversed(TYPES)}.values()
)

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
@cases(SHAPES)
@pytest.mark.parametrize("kind", ["local", "sum", "mixed"])
def test_irregular_graphs_running_sums_and_mixed_models(declaration, kind, host):
    check_backend(small_models(declaration)[kind], host, replicas=(3,), threads=(2, 3))


@needs_compiler
@cases(SHAPES)
def test_neighbors_that_follow_each_other(declaration, host):
    """Colors of 75 sites of a ring: groups of 16 ranks have one base, but for those at the ends."""
    model = small_models(declaration, 150)["pairs"]
    kernels = build(model).kernels
    text = CupyKernels(kernels.program, kernels.tables, LAUNCHES[0]).source()
    assert "follower(" in text[text.index("sweep(") :]
    check_backend(model, host, replicas=(1, 3), threads=(1, 2), sweeps=2)
