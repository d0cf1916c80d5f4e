"""Time graphs in mode CUPY on the GPU of this machine, against what their bytes allow.

python -m benchmarks.gpu_graphs

The bound of a graph is the time in which the device copies as many bytes as the graph's arrays must be
read and written, measured on the same device. PyTorch, if it is installed, computes the same in eager mode.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt

from statmech_dsl.backends.pytensor_cupy import array_module

L = 4096


@dataclass(frozen=True)
class Timing:
    """Median seconds of a graph, of its bound, and of PyTorch (NaN without it)."""

    dtype: str
    seconds: float
    bound: float
    torch: float

    def __str__(self) -> str:
        return (
            f"phi^4, energy and gradient, {self.dtype}: {self.seconds * 1e6:.0f} us, "
            f"{self.bound / self.seconds:.2f} of the bound, "
            f"{self.torch / self.seconds:.2f} times as fast as eager PyTorch"
        )


def phi4(roll: Callable, phi: Any) -> Any:
    """The energy of a scalar field on a periodic square lattice."""
    links = sum(((roll(phi, -1, axis) - phi) ** 2).sum() for axis in (0, 1))
    return 0.5 * links + (0.3 * phi**2 + 0.1 * phi**4).sum()


def measure(dtype: str, size: int = L) -> Timing:
    """Energy and gradient of phi^4, both left on the device."""
    start = np.random.default_rng(0).normal(size=(size, size)).astype(dtype)
    field = pytensor.shared(start, name="field")
    gradient = pytensor.shared(np.zeros_like(start), name="gradient")
    energy = pytensor.shared(np.zeros((), "float64"), name="energy")
    new = phi4(pt.roll, field)
    updates = {energy: new.astype("float64"), gradient: pt.grad(new, field)}
    f = pytensor.function([], [], updates=updates, mode="CUPY")
    f()
    cp = array_module.load()
    source = cp.asarray(start)
    target = cp.empty(start.shape, dtype)
    # The field is read once and the gradient is written once: the bytes of one copy.
    bound = _seconds(lambda: cp.copyto(target, source))
    return Timing(
        dtype, _seconds(f), bound, _torch_seconds(start) if find_spec("torch") else np.nan
    )


def _seconds(run: Callable) -> float:
    """Median time on the device between the start and the end of a call."""
    profiler = array_module.load("cupyx.profiler")
    result = profiler.benchmark(run, (), n_repeat=100, n_warmup=10)
    return float(np.median(np.maximum(result.gpu_times.ravel(), result.cpu_times.ravel())))


def _torch_seconds(start: np.ndarray) -> float:
    import torch

    phi = torch.tensor(start, device="cuda", requires_grad=True)

    def run() -> None:
        phi.grad = None
        phi4(torch.roll, phi).backward()

    for _ in range(10):
        run()
    events = [
        (torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True))
        for _ in range(100)
    ]
    for begin, end in events:
        begin.record()
        run()
        end.record()
    torch.cuda.synchronize()
    return float(np.median([b.elapsed_time(e) for b, e in events])) * 1e-3


if __name__ == "__main__":
    for each in ("float64", "float32"):
        print(measure(each), flush=True)
