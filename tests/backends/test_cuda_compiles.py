"""Every CUDA kernel of the model zoo compiles to machine code, for every architecture."""

from __future__ import annotations

import inspect

import pytest

from statmech_dsl.backends.cupy_gpu.kernels import TEAM, CupyKernels
from statmech_dsl.models import MODELS
from statmech_dsl.testing.host_device import HostDevice
from statmech_dsl.testing.setup import build
from tests.backends.nvrtc import ARCHITECTURES, compile_to_cubin

pytest.importorskip("cuda.bindings.nvrtc")
SMALL = {"L": 4, "N": 16, "n_visible": 10, "n_hidden": 9, "n_patterns": 2}
DENSE = ("sherrington_kirkpatrick", "restricted_boltzmann_machine")
ELSEWHERE = [a for a in ARCHITECTURES if a != "sm_90"]


def sources(name: str, **kwargs) -> list[str]:
    parameters = inspect.signature(MODELS[name]).parameters
    model = MODELS[name](**{k: v for k, v in SMALL.items() if k in parameters}, **kwargs)
    sampler = build(model)
    kernels = CupyKernels(sampler.program, sampler.tables, HostDevice())
    sweep = kernels.dense.kernels if kernels.dense else [kernels.sweep_kernel(TEAM)]
    found = [*sweep, kernels.measure_kernel]
    found += [kernels.feature_kernel] if kernels.feature_kernel.source.features else []
    return [k.source.text for k in found]


@pytest.mark.parametrize("name", MODELS)
def test_every_model(name):
    for source in sources(name):
        assert compile_to_cubin(source, "sm_90").startswith(b"\x7fELF")


@pytest.mark.parametrize("architecture", ELSEWHERE)
@pytest.mark.parametrize("name", ["potts", "xy", *DENSE])
def test_every_architecture(name, architecture):
    """A model of the field tier, one of the generic tier, and dense ones: sites in turn, and by colors."""
    for source in sources(name)[: 3 if name in DENSE else 1]:
        assert compile_to_cubin(source, architecture).startswith(b"\x7fELF")


@pytest.mark.parametrize("architecture", ["sm_75", "sm_90", "sm_120"])
@pytest.mark.parametrize("name", ["xy", "heisenberg", "phi4"])
def test_single_precision(name, architecture):
    source = sources(name, dtype="float32")[0]
    assert compile_to_cubin(source, architecture).startswith(b"\x7fELF")


def test_a_mistake_is_seen():
    with pytest.raises(AssertionError, match='identifier "beta_r" is undefined'):
        compile_to_cubin(sources("potts")[0].replace("beta_r", "beta_s", 1), "sm_90")
