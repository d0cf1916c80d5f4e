"""A stand-in for a card: CUDA source compiled for the processor, thread after thread.

A kernel runs stage by stage, and within a stage its threads come one after the other, first to last or
last to first. Kernels whose items depend on each other give other results in another order, or with another
number of threads.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from statmech_dsl.backends.cupy_gpu.device import Launch

SHIM = Path(__file__).with_name("host_shim.h")
COMPILE = "g++ -O0 -std=c++17 -shared -fPIC -ffp-contract=off -w -x c++ -include".split()


def missing() -> str | None:
    """Why kernels cannot be compiled for the processor, or None."""
    return (
        None if shutil.which("g++") else "there is no g++ to compile CUDA source for the processor"
    )


class HostDevice:
    """Runs kernels with a number of threads, in one order or the other."""

    def __init__(self, threads: int = 1, reversed: bool = False) -> None:
        self.threads, self.reversed = threads, reversed

    def compile(self, source: str, kernels: Sequence[str]) -> Mapping[str, Launch]:
        """Compile for the processor."""
        library = _library(source)
        return {name: self._launcher(library, name) for name in kernels}

    def _launcher(self, library: ctypes.CDLL, name: str) -> Launch:
        function = getattr(library, name)
        meeting = ctypes.c_uint64()

        def launch(items: int, *arguments: Any) -> None:
            library.shim_configure(ctypes.c_uint64(self.threads), ctypes.c_int(self.reversed))
            function(ctypes.byref(meeting), *(_passed(x) for x in arguments))

        return launch

    def put(self, x: np.ndarray) -> np.ndarray:
        """Copy an array."""
        return np.array(x, order="C")

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """An array filled with bytes that are no zeros."""
        x = np.empty(shape, dtype)
        x.view(np.uint8).fill(0xA5)
        return x

    def get(self, x: np.ndarray) -> np.ndarray:
        """Copy an array."""
        return x.copy()

    def matmul(self, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
        """Multiply, and see to it that tensor cores would get the same."""
        for x in (a, b):
            assert not (x.view(np.uint32) & 0x1FFF).any(), "TF32 would round a factor"
        for sign in (1.0, -1.0):  # of the terms of one sign: then no order exceeds it
            sums = np.maximum(sign * a.astype(float), 0.0) @ np.abs(b.astype(float))
            assert (sums <= 2.0**24).all(), "float32 would round a sum"
        np.matmul(a, b, out=out)


def _passed(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        assert x.flags.c_contiguous
        return ctypes.c_void_p(x.ctypes.data)
    return np.ctypeslib.as_ctypes_type(x.dtype)(x)


@cache
def _library(source: str) -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        code, library = Path(folder, "kernel.cu"), Path(folder, "kernel.so")
        code.write_text(source)
        subprocess.run([*COMPILE, SHIM, code, "-o", library], check=True)
        return ctypes.CDLL(str(library))
