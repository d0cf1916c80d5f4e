"""The card, through CuPy, which is imported when it is first used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from statmech_dsl.backends.cupy_gpu.device import OPTIONS, Launch

BLOCK = 256
"""Most threads of a block."""
WARP = 32
_ONE, _ZERO = np.ones(1, np.float32), np.zeros(1, np.float32)


@cache
def missing() -> str | None:
    """What keeps kernels from running on a card here, in one sentence, or None."""
    if find_spec("cupy") is None:
        return "CuPy is not installed (pip install cupy-cuda13x nvidia-cuda-nvrtc nvidia-cublas)"
    import cupy

    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        if "NoDevice" in str(error):
            return "there is a driver, but no NVIDIA card"
        return f"there is no NVIDIA driver that CuPy {cupy.__version__} can use ({error})"
    if not count:
        return "there is a driver, but no NVIDIA card"
    try:
        cupy.cuda.nvrtc.getVersion()
    except Exception as error:  # what is raised depends on the loader
        return f"CuPy finds no NVRTC (pip install nvidia-cuda-nvrtc): {error}"
    try:
        from cupy_backends.cuda.libs import cublas  # noqa: F401
    except ImportError as error:
        return f"CuPy finds no cuBLAS (pip install nvidia-cublas): {error}"
    return None


class CupyDevice:
    """The current card of CuPy."""

    def __init__(self) -> None:
        import cupy

        self._cupy = cupy
        device = cupy.cuda.Device()
        self._processors = device.attributes["MultiProcessorCount"]
        self.tf32 = int(device.compute_capability) >= 80
        self._meeting = cupy.zeros(1, np.uint64)

    def compile(self, source: str, kernels: Sequence[str]) -> Mapping[str, Launch]:
        """Compile for this card.

        Not by `cupy.RawModule`, which would flush small float32 numbers to zero.
        """
        cuda = self._cupy.cuda
        binary, _ = cuda.compiler.compile_using_nvrtc(source, OPTIONS)
        module = cuda.function.Module()
        module.load(binary)
        return {name: self._launcher(module.get_function(name)) for name in kernels}

    def _launcher(self, function: Any) -> Launch:
        from cupy_backends.cuda.api import driver

        def launch(items: int, *arguments: Any) -> None:
            each = -(-items // self._processors)
            block = min(BLOCK, max(WARP, -(-each // WARP) * WARP))
            resident = driver.occupancyMaxActiveBlocksPerMultiprocessor(function.ptr, block, 0)
            blocks = max(1, min(-(-items // block), resident * self._processors))
            # Blocks wait for each other: all of them have to be resident.
            function.linear_launch(
                blocks * block, (self._meeting, *arguments), 0, block, None, True
            )

        return launch

    def put(self, x: np.ndarray) -> Any:
        """Copy an array to the card."""
        return self._cupy.asarray(np.ascontiguousarray(x))

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """An array on the card."""
        return self._cupy.empty(shape, dtype)

    def get(self, x: Any) -> np.ndarray:
        """Copy an array back."""
        return self._cupy.asnumpy(x)

    def matmul(self, a: Any, b: Any, out: Any) -> None:
        """Multiply by cuBLAS, on tensor cores where there are any for TF32.

        Not by `cupy.matmul`, whose precision is a setting of the whole process. cuBLAS has columns where we
        have rows, so it is asked for the transposed product.
        """
        from cupy_backends.cuda.libs import cublas

        (n_rows, n_sums), n_columns = a.shape, b.shape[1]
        real = self._cupy.cuda.runtime.CUDA_R_32F
        cublas.gemmEx(
            self._cupy.cuda.device.get_cublas_handle(),
            cublas.CUBLAS_OP_N,
            cublas.CUBLAS_OP_N,
            n_columns,
            n_rows,
            n_sums,
            _ONE.ctypes.data,
            b.data.ptr,
            real,
            n_columns,
            a.data.ptr,
            real,
            n_sums,
            _ZERO.ctypes.data,
            out.data.ptr,
            real,
            n_columns,
            cublas.CUBLAS_COMPUTE_32F_FAST_TF32 if self.tf32 else cublas.CUBLAS_COMPUTE_32F,
            cublas.CUBLAS_GEMM_DEFAULT,
        )
