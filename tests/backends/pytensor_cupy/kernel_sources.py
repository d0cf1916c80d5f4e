"""The kernels that a stand-in for CuPy is given, as whole programs: C++ for the host, CUDA for NVRTC."""

from __future__ import annotations

import ctypes
import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

C_TYPES = {
    "bool": "bool",
    "int8": "signed char",
    "uint8": "unsigned char",
    "int16": "short",
    "uint16": "unsigned short",
    "int32": "int",
    "uint32": "unsigned int",
    "int64": "long long",
    "uint64": "unsigned long long",
    "float32": "float",
    "float64": "double",
}

HOST_HEADER = r"""
#include <cmath>
#include <cstddef>
#include <algorithm>
using namespace std;
#define __device__
#define WITHIN_KERNEL
template <class T> struct Array {
    T* data;
    T& operator[](ptrdiff_t k) const { return data[k]; }
};
// What CUDA's mathematical library has and C++ has not.
inline double erfinv(double y) {
    if (!(fabs(y) < 1)) return y / (1 - fabs(y)) * (fabs(y) == 1 ? 1 : NAN);
    double w = log1p(-y * y), a = 4.3307467 + w / 2;
    double x = copysign(sqrt(sqrt(a * a - w / 0.147) - a), y);
    for (int k = 0; k < 4; ++k) {
        double e = y < 0.5 && y > -0.5 ? erf(x) - y : y > 0 ? (1 - y) - erfc(x) : erfc(-x) - (1 + y);
        double step = e / (2 / sqrt(M_PI) * exp(-x * x));
        x -= step / (1 + x * step);
    }
    return x;
}
inline double erfcinv(double y) { return erfinv(1 - y); }
inline double erfcx(double x) { return exp(x * x) * erfc(x); }
inline double cyl_bessel_i0(double x) { return std::cyl_bessel_i(0.0, fabs(x)); }
inline double cyl_bessel_i1(double x) { return copysign(std::cyl_bessel_i(1.0, fabs(x)), x); }
inline float erfinvf(float x) { return erfinv((double)x); }
inline float erfcinvf(float x) { return erfcinv((double)x); }
inline float erfcxf(float x) { return erfcx((double)x); }
inline float cyl_bessel_i0f(float x) { return cyl_bessel_i0((double)x); }
inline float cyl_bessel_i1f(float x) { return cyl_bessel_i1((double)x); }
"""

CUDA_HEADER = r"""
template <class T> struct Array {
    T* data;
    __device__ T& operator[](ptrdiff_t k) const { return data[k]; }
};
"""


@dataclass(frozen=True)
class Parameter:
    """A parameter of a kernel as CuPy reads it: ``raw float64 in0``."""

    text: str
    is_input: bool

    @property
    def name(self) -> str:
        return self.text.split()[-1]

    @property
    def raw(self) -> bool:
        return self.text.startswith("raw ")

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(self.text.split()[-2])

    @property
    def ctype(self) -> str:
        return C_TYPES[str(self.dtype)]


def parameters(text: str, is_input: bool) -> list[Parameter]:
    """The parameters in a list of them."""
    return [Parameter(p.strip(), is_input) for p in text.split(",") if p.strip()]


@dataclass(frozen=True)
class Source:
    """The texts of an elementwise kernel; of a reduction if `reduce` is there."""

    params: tuple[Parameter, ...]
    preamble: str
    operation: str
    reduce: str = ""
    store: str = ""
    identity: str = ""
    reduce_type: str = ""

    def _arguments(self, scalars: frozenset[str]) -> list[str]:
        """How each parameter is declared from a pointer."""
        lines = []
        for k, p in enumerate(self.params):
            kind = f"const {p.ctype}" if p.is_input else p.ctype
            if p.name in scalars:
                lines.append(f"const {p.ctype} {p.name} = *(const {p.ctype}*)pointers[{k}];")
            else:
                name = p.name if p.raw else f"all_{p.name}"
                lines.append(f"Array<{kind}> {name} = {{({kind}*)pointers[{k}]}};")
        return lines

    def _elements(self, scalars: frozenset[str], inputs: bool, at: str) -> list[str]:
        return [
            f"{'const ' if p.is_input else ''}{p.ctype} &{p.name} = all_{p.name}[{at}];"
            for p in self.params
            if not p.raw and p.name not in scalars and p.is_input is inputs
        ]

    def elementwise(self, scalars: frozenset[str], first: str, step: str) -> str:
        """The loop of an elementwise kernel."""
        return "\n".join(
            [
                *self._arguments(scalars),
                f"for (ptrdiff_t i = {first}; i < loop_size_; i += {step}) {{",
                *self._elements(scalars, True, "i"),
                *self._elements(scalars, False, "i"),
                self.operation,
                "}",
            ]
        )

    def reduction(self, scalars: frozenset[str], first: str, step: str) -> str:
        """The loops of a reduction: results, four lanes that take turns, and the elements of each."""
        return "\n".join(
            [
                *self._arguments(scalars),
                f"typedef {self.reduce_type} type_reduce;",
                f"#define REDUCE(a, b) ({self.reduce})",
                f"#define POST_MAP(a) ({self.store})",
                f"for (ptrdiff_t _i = {first}; _i < n_results_; _i += {step}) {{",
                f"type_reduce total = type_reduce({self.identity});",
                "for (int lane_ = 0; lane_ < 4; ++lane_) {",
                f"type_reduce part = type_reduce({self.identity});",
                "for (int _J = lane_; _J < loop_size_ / n_results_; _J += 4) {",
                *self._elements(scalars, True, "_J * n_results_ + _i"),
                f"type_reduce mapped = static_cast<type_reduce>({self.operation});",
                "part = REDUCE(part, mapped);",
                "}",
                "total = REDUCE(total, part);",
                "}",
                *self._elements(scalars, False, "_i"),
                "POST_MAP(total);",
                "}",
                "#undef REDUCE",
                "#undef POST_MAP",
            ]
        )

    def _unguarded(self) -> str:
        """Lets another kernel of the same program define the same functions in its own namespace."""
        return "\n".join(f"#undef {g}" for g in re.findall(r"#ifndef (_\w+)", self.preamble))

    def body(self, scalars: frozenset[str], first: str, step: str) -> str:
        loop = self.reduction if self.reduce else self.elementwise
        return loop(scalars, first, step)

    def host(self, scalars: frozenset[str], name: str = "run") -> str:
        """C++ with a function of a given name, in a namespace of its own."""
        return f"""namespace in_{name} {{
{self.preamble}
{self._unguarded()}
extern "C" void {name}(void** pointers, ptrdiff_t loop_size_, ptrdiff_t n_results_) {{
{self.body(scalars, "0", "1")}
}}
}}"""

    def cuda(self, scalars: frozenset[str], name: str) -> str:
        """CUDA C++ with a kernel, in a namespace of its own."""
        start = "blockIdx.x * (ptrdiff_t)blockDim.x + threadIdx.x"
        # Another kernel of the same program must bring its own macros.
        forget = "\n".join(f"#undef {m}" for m in re.findall(r"#define (\w+)", self.preamble))
        return f"""namespace in_{name} {{
{self.preamble}
__global__ void kernel(void** pointers, ptrdiff_t loop_size_, ptrdiff_t n_results_) {{
{self.body(scalars, start, "gridDim.x * (ptrdiff_t)blockDim.x")}
}}
{forget}
}}"""


def run(function: Any, arrays: Sequence[np.ndarray], size: int, results: int = 1) -> None:
    """Call a compiled function with arrays for its parameters."""
    pointers = (ctypes.c_void_p * len(arrays))(*[a.ctypes.data for a in arrays])
    function(pointers, ctypes.c_ssize_t(size), ctypes.c_ssize_t(results))


def has_compiler() -> bool:
    """Whether kernels can be run on the host."""
    return shutil.which("g++") is not None


@cache
def _folder() -> Path:
    """A folder for this process, with the header compiled once."""
    folder = Path(tempfile.mkdtemp(prefix="kernels_"))
    (folder / "host.h").write_text(HOST_HEADER)
    _compile(["-x", "c++-header", str(folder / "host.h"), "-o", str(folder / "host.h.gch")])
    return folder


def _compile(arguments: list[str]) -> None:
    options = ["-std=c++17", "-O0", "-fPIC", "-ffp-contract=off", "-w"]
    run = subprocess.run(["g++", *options, *arguments], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[:4000]


@cache
def compiled(text: str) -> Any:
    """A C++ program as a library."""
    folder = _folder()
    stem = folder / hashlib.sha256(text.encode()).hexdigest()[:16]
    stem.with_suffix(".cpp").write_text(text)
    _compile(["-shared", "-include", str(folder / "host.h"), f"{stem}.cpp", "-o", f"{stem}.so"])
    return ctypes.CDLL(f"{stem}.so")


def has_nvrtc() -> bool:
    """Whether CUDA programs can be compiled: there is no NVRTC for macOS."""
    return find_spec("cuda") is not None


ARCHITECTURES = ("sm_75", "sm_90", "sm_120")


def nvrtc_errors(text: str, architecture: str) -> str:
    """What NVRTC has to say about a CUDA program, without a GPU; nothing if there is a cubin.

    Code for a debugger is made in a third of the time.
    """
    from cuda.bindings import nvrtc

    options = [f"--gpu-architecture={architecture}", "--std=c++17", "--device-debug"]
    _, program = nvrtc.nvrtcCreateProgram((CUDA_HEADER + text).encode(), b"kernels.cu", 0, [], [])
    (status,) = nvrtc.nvrtcCompileProgram(program, len(options), [o.encode() for o in options])
    _, size = nvrtc.nvrtcGetProgramLogSize(program)
    log = b" " * size
    nvrtc.nvrtcGetProgramLog(program, log)
    if status != nvrtc.nvrtcResult.NVRTC_SUCCESS:
        return "\n".join(line for line in log.decode().splitlines() if "error" in line)
    _, size = nvrtc.nvrtcGetCUBINSize(program)
    return "" if size else "NVRTC made no cubin"
