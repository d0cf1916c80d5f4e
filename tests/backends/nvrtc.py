"""Compile CUDA source to machine code without a card."""

from __future__ import annotations

from statmech_dsl.backends.cupy_gpu.device import OPTIONS

ARCHITECTURES = ("sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120")
CUPY_ADDS = "--device-as-default-execution-space"


def compile_to_cubin(source: str, architecture: str) -> bytes:
    """The machine code; what NVRTC says of an error is raised."""
    from cuda.bindings import nvrtc

    options = [o.encode() for o in (f"-arch={architecture}", *OPTIONS, CUPY_ADDS)]
    _, program = nvrtc.nvrtcCreateProgram(source.encode(), b"kernel.cu", 0, [], [])
    (error,) = nvrtc.nvrtcCompileProgram(program, len(options), options)
    if error != nvrtc.nvrtcResult.NVRTC_SUCCESS:
        _, size = nvrtc.nvrtcGetProgramLogSize(program)
        log = b" " * size
        nvrtc.nvrtcGetProgramLog(program, log)
        raise AssertionError(log.decode())
    _, size = nvrtc.nvrtcGetCUBINSize(program)
    code = b" " * size
    nvrtc.nvrtcGetCUBIN(program, code)
    nvrtc.nvrtcDestroyProgram(program)
    return code
