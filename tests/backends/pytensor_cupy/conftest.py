"""The stand-in takes the place of CuPy in this folder."""

import pytensor
import pytest

from statmech_dsl.backends.pytensor_cupy import array_module
from tests.backends.pytensor_cupy import fakecupy, kernel_sources


@pytest.fixture
def device(monkeypatch):
    """The stand-in for CuPy."""
    if not kernel_sources.has_compiler():
        pytest.skip("no g++: kernels cannot be run on the host")
    fakecupy.KERNELS.clear()
    fakecupy.LAUNCHES.clear()
    monkeypatch.setattr(array_module, "load", fakecupy.load)
    with pytensor.config.change_flags(on_opt_error="raise"):
        yield fakecupy
