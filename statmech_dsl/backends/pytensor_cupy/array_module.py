"""The one place that imports CuPy: when the first function is compiled, and not before."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from statmech_dsl.errors import BackendError


@cache
def load(name: str = "cupy") -> Any:
    """A module of CuPy, on a machine where CuPy can work.

    Parameters
    ----------
    name : str
        Full name of the module, such as ``"cupyx.scipy.sparse"``.

    Raises
    ------
    BackendError
        If CuPy, the driver or the device is missing.
    """
    try:
        cupy = import_module("cupy")
    except ImportError as e:
        raise BackendError(
            "mode CUPY needs CuPy, which cannot be imported here",
            where=str(e),
            mend="pip install 'statmech_dsl[gpu]' on a machine with an NVIDIA GPU",
        ) from e
    try:
        devices = cupy.cuda.runtime.getDeviceCount()
    except RuntimeError as e:
        raise BackendError(
            "mode CUPY needs an NVIDIA driver, and none that works was found",
            where=str(e),
            mend="install or update the driver, or compile with another mode",
        ) from e
    if not devices:
        raise BackendError(
            "mode CUPY needs an NVIDIA GPU, and the driver sees none",
            mend="check CUDA_VISIBLE_DEVICES, or compile with another mode",
        )
    try:
        return import_module(name)
    except ImportError as e:
        raise BackendError(
            f"mode CUPY needs {name}, which cannot be imported here",
            where=str(e),
            mend="install the CUDA Toolkit, or the libraries of CUDA that CuPy misses",
        ) from e
