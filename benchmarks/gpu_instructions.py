"""Count the instructions of bit-sliced CUDA sweeps for each spin update, as a card of sm_90 runs them.

``python -m benchmarks.gpu_instructions [NVDISASM]`` compiles kernels by NVRTC and reads what nvdisasm makes of
them (pip install nvidia-cuda-nvdisasm); no card is needed. The common way through the loop over the words of a
stream is the shortest one: no lane is left open. Other ways of reading are counted beside it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from heapq import heappop, heappush

from cuda.bindings import nvrtc

import statmech_dsl as sm
from statmech_dsl.backends.cupy_gpu.bit_sliced import CupyBitKernels
from statmech_dsl.backends.cupy_gpu.device import OPTIONS
from statmech_dsl.testing.host_device import HostDevice
from statmech_dsl.testing.setup import build

INTEGER = {"IADD3", "ISETP", "LEA", "LOP3", "PRMT", "SEL", "SHF", "VIADD"}
"""Half of what a card issues may be of these."""
MULTIPLY, MEMORY = {"IMAD"}, {"LDG", "STG"}


def cubic(L: int):
    """The ferromagnet in three dimensions."""
    lattice = sm.lattices.cubic(L)
    with sm.Model() as model:
        s = sm.Spin("s", lattice)
        i, j = lattice.bonds
        sm.Energy("exchange", -1.0 * s[i] * s[j])
    return model


ROWS = (
    ("2D Ising, words of sites", lambda: sm.models.ising(L=128), 1, 64),
    ("2D Ising with a field, words of sites", lambda: sm.models.ising(L=128, h=0.5), 1, 64),
    ("2D +-J, words of sites", lambda: sm.models.edwards_anderson(L=128, d=2), 1, 64),
    ("2D Ising, replicas", lambda: sm.models.ising(L=16), 2, 32),
    ("3D Ising, replicas", lambda: cubic(8), 2, 32),
    ("3D +-J, replicas", lambda: sm.models.edwards_anderson(L=8, d=3), 2, 32),
)


@dataclass(frozen=True)
class Code:
    """Instructions of a kernel, and where their branches go."""

    lines: list[str]
    jumps: dict[int, int]

    @staticmethod
    def of(text: str) -> Code:
        """Read what nvdisasm prints."""
        lines: list[str] = []
        labels: dict[str, int] = {}
        for line in text.splitlines():
            if label := re.match(r"\s*(\.L_x_\d+):", line):
                labels[label[1]] = len(lines)
            elif found := re.match(r"\s*/\*[0-9a-f]{4,}\*/\s+(.*?);", line):
                lines.append(found[1].strip())
        jumps = {
            k: labels[m[1]]
            for k, line in enumerate(lines)
            if (m := re.search(r"\bBRA\b.*`\((\.L_x_\d+)\)", line))
        }
        return Code(lines, jumps)

    def name(self, k: int) -> str:
        """Operation of an instruction, without its variant."""
        return re.sub(r"^@!?U?P\d+\s+", "", self.lines[k]).split()[0].split(".")[0]

    def path(self, first: int, last: int) -> list[int]:
        """The shortest way from one instruction to another."""
        before, queue = {first: first}, [(0, first, first)]
        while queue:
            n, k, came = heappop(queue)
            if k != first and k in before:
                continue
            before[k] = came
            if k == last:
                break
            for to in [self.jumps[k]] if k in self.jumps else []:
                heappush(queue, (n + 1, to, k))
            if not (k in self.jumps and self.lines[k].startswith("BRA `")):
                heappush(queue, (n + 1, k + 1, k))
        way = [last]
        while way[-1] != first:
            way.append(before[way[-1]])
        return way[::-1]

    def sweeps(self) -> dict[str, list[int]]:
        """Ways through the smallest loop that stores a word: that of a sweep over the words of a stream."""
        stores = [k for k, x in enumerate(self.lines) if re.match(r"STG\.E(\.64)? ", x)]
        loops = [
            (to, k) for k, to in self.jumps.items() for at in stores if to < at < k and k - to > 200
        ]
        first, last = min(loops, key=lambda x: x[1] - x[0])
        found = {"": self.path(first, last)}
        loads = {k for k in range(first, last) if self.lines[k].startswith("LDG")}
        bytes_ = [k for k in loads if self.lines[k].startswith("LDG.E.U8")]
        if bytes_:
            found[", rows listed"] = self.through(first, min(bytes_), last)
            others = sorted(loads - {k for way in found.values() for k in way})
            quads = [k for k in others if self.lines[k].startswith("LDG.E R")]
            found[", quads shifted"] = self.through(first, quads[0], last)
        return found

    def through(self, first: int, k: int, last: int) -> list[int]:
        """The shortest way by an instruction."""
        return self.path(first, k) + self.path(k, last)[1:]


def disassembled(source: str, nvdisasm: str) -> Code:
    """Machine code of a kernel for sm_90."""
    options = [x.encode() for x in ("--gpu-architecture=sm_90", *OPTIONS)]
    _, program = nvrtc.nvrtcCreateProgram(source.encode(), b"kernel.cu", 0, [], [])
    nvrtc.nvrtcCompileProgram(program, len(options), options)
    binary = b" " * nvrtc.nvrtcGetCUBINSize(program)[1]
    nvrtc.nvrtcGetCUBIN(program, binary)
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(binary)
        file.flush()
        found = subprocess.run(
            [nvdisasm, "-c", file.name], capture_output=True, text=True, check=True
        )
    return Code.of(found.stdout)


def main() -> None:
    """Print a row of the table in docs/gpu.md for each kernel."""
    nvdisasm = sys.argv[1] if len(sys.argv) > 1 else "nvdisasm"
    for name, model, lowered_for, spins in ROWS:
        reference = build(model(), lowered_for=lowered_for)
        source = CupyBitKernels(reference.program, reference.tables, HostDevice()).source()
        code = disassembled(source, nvdisasm)
        for kind, way in code.sweeps().items():
            names = [code.name(k) for k in way]
            counts = [sum(x in group for x in names) for group in (INTEGER, MULTIPLY, MEMORY)]
            numbers = " | ".join(f"{n / spins:.1f}" for n in (len(names), *counts))
            print(f"| {name}{kind} | {numbers} |")


if __name__ == "__main__":
    main()
