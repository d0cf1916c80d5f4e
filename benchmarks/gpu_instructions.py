"""Count the instructions of bit-sliced CUDA sweeps for each spin update, as a card of sm_90 runs them.

``python -m benchmarks.gpu_instructions`` compiles kernels by NVRTC and reads what nvdisasm makes of them (pip install
nvidia-cuda-nvdisasm, or name one as the first argument); no card is needed. The common way through the loop over the
words of a stream is the shortest one: no lane is left open, and words lie where neighbors' neighbors have theirs.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections import Counter
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
    ("2D Ising, words of sites", lambda: sm.models.ising(L=128), 1, 64, False),
    ("2D Ising with a field, words of sites", lambda: sm.models.ising(L=128, h=0.5), 1, 64, False),
    ("2D +-J, words of sites", lambda: sm.models.edwards_anderson(L=128, d=2), 1, 64, False),
    ("2D Ising, replicas", lambda: sm.models.ising(L=16), 2, 32, False),
    ("3D Ising, replicas", lambda: cubic(8), 2, 32, False),
    ("3D +-J, replicas", lambda: sm.models.edwards_anderson(L=8, d=3), 2, 32, False),
    ("the same, rows listed", lambda: sm.models.edwards_anderson(L=8, d=3), 2, 32, True),
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

    def sweep(self, listed: bool) -> list[int]:
        """The way through the loop around the store of a whole word."""
        store = next(
            k
            for k, line in enumerate(self.lines)
            if line.split()[0] in ("STG.E", "STG.E.64") and k > self.first_random
        )
        loops = [(to, k) for k, to in self.jumps.items() if to <= self.first_random_in(to) and to < store < k]
        first, last = min(loops, key=lambda x: x[1] - x[0])
        if not listed:
            return self.path(first, last)
        byte = next(k for k in range(first, last) if self.lines[k].startswith("LDG.E.U8"))
        return self.path(first, byte) + self.path(byte, last)[1:]
