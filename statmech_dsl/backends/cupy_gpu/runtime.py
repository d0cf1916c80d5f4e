"""The first part of every CUDA source: constants, `runtime.cuh`, and the elementary functions in C."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from statmech_dsl import rng
from statmech_dsl.backends.cupy_gpu.translate import translate
from statmech_dsl.ir import elementary, elementary_float32

PREFIX = {"float64": "el_", "float32": "el32_"}
"""Before the names of elementary functions, some of which CUDA has as well."""
_CONSTANTS = {
    "PHILOX_M0": rng.M0,
    "PHILOX_M1": rng.M1,
    "PHILOX_W0": rng.W0,
    "PHILOX_W1": rng.W1,
    "WARM_UP": rng.WARM_UP,
}


@cache
def runtime() -> str:
    """Source that generated kernels follow."""
    numbers = [f"#define {name} {value}u" for name, value in _CONSTANTS.items()]
    header = Path(__file__).with_name("runtime.cuh").read_text()
    functions = (
        translate(elementary, PREFIX["float64"], "double"),
        translate(elementary_float32, PREFIX["float32"], "float"),
    )
    return "\n".join([*numbers, header, *functions])
