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


@cache
def missing() -> str | None:
    """What keeps kernels from running on a card here, in one sentence, or None."""
    if find_spec("cupy") is None:
        return "CuPy is not installed (pip install cupy-cuda13x nvidia-cuda-nvrtc)"
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
    return None


class CupyDevice:
    """The current card of CuPy."""

    def __init__(self) -> None:
        import cupy

        self._cupy = cupy
        self._processors = cupy.cuda.Device().attributes["MultiProcessorCount"]
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
