"""Potts models of three colors by heat bath, E = -sum [s_i = s_j]."""

from __future__ import annotations

import numpy as np

from benchmarks.contender import Contender, clocked
from benchmarks.yardsticks.lanes import (
    LANES,
    exp,
    f4,
    forward,
    i4,
    kernel,
    neighbors,
    rows,
    uniform,
    words,
)


@kernel
def sweep(s, words, rows, beta):
    """Update all sites, checkerboard by checkerboard."""
    L = s.shape[0]
    zeros, ones, number = rows[0], rows[1], rows[2]
    for color in range(2):
        for y in range(L):
            for x in range((y + color) & 1, L, 2):
                up, down, right, left = neighbors(s, y, x)
                uniform(words, number)
                for r in range(LANES):
                    a, b, c, d = up[r], down[r], right[r], left[r]
                    zeros[r] = f4(i4(a == 0) + i4(b == 0) + i4(c == 0) + i4(d == 0))
                    ones[r] = f4(i4(a == 1) + i4(b == 1) + i4(c == 1) + i4(d == 1))
                own = s[y, x]
                for r in range(LANES):
                    first = exp(beta * zeros[r])
                    second = first + exp(beta * ones[r])
                    all_ = second + exp(beta * (f4(4) - zeros[r] - ones[r]))
                    level = number[r] * all_
                    own[r] = np.int8(i4(level >= first) + i4(level >= second))


def contender(L: int, T: float) -> Contender:
    """64 replicas on an L x L torus."""
    s = np.random.default_rng(1).integers(0, 3, (L, L, LANES)).astype(np.int8)
    generator, work, beta = words(1), rows(3), f4(1 / T)

    def run(n: int) -> None:
        for _ in range(n):
            sweep(s, generator, work, beta)

    def energy() -> np.ndarray:
        return -forward(s, np.equal) / L**2

    return Contender("yardstick", clocked(run), L * L * LANES, energy)
