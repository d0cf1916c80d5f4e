"""What kernels ask of a device: compile source, hold arrays, launch.

`CupyDevice` is the card. `statmech_dsl.testing.host_device` runs the same source on the processor, so that all
but the card itself is tested without one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

OPTIONS = ("--std=c++17", "--fmad=false")
"""Of the compiler: products and sums are rounded one by one, as on the processor."""
Launch = Callable[..., None]
"""``launch(items, *arguments)``: run a kernel whose largest stage has so many items.

Arguments are arrays of the device and NumPy scalars of the kernel's own types; the first parameter of every
kernel, the counter of its meetings, is the device's.
"""


class Device(Protocol):
    """Where kernels run."""

    def compile(self, source: str, kernels: Sequence[str]) -> Mapping[str, Launch]:
        """The kernels of a source by name; the source begins with `runtime.runtime`."""
        ...

    def put(self, x: np.ndarray) -> Any:
        """Copy an array to the device."""
        ...

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """An array on the device, with anything in it."""
        ...

    def get(self, x: Any) -> np.ndarray:
        """Copy an array back."""
        ...

    def matmul(self, a: Any, b: Any, out: Any) -> None:
        """Put the product of two matrices of float32 into a third one.

        It is exact if the factors are whole numbers of up to 11 bits, and no sum exceeds 24 bits.
        """
        ...
