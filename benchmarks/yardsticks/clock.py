"""The clock model of six directions by heat bath, E = -sum cos(theta_i - theta_j)."""

from __future__ import annotations

import numpy as np

from benchmarks.contender import Contender, clocked
from benchmarks.yardsticks.lanes import (
    LANES,
    ONE,
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

Q = 6
_C, _S = f4(0.5), f4(np.sqrt(0.75))
"""Cosine and sine of 2 pi / 6."""


@kernel
def sweep(c, s, words, rows, beta):
    """Update all sites, checkerboard by checkerboard; spins are cosines and sines."""
    L = c.shape[0]
    hx, hy, number = rows[0], rows[1], rows[2]
    for color in range(2):
        for y in range(L):
            for x in range((y + color) & 1, L, 2):
                uniform(words, number)
                up, down, right, left = neighbors(c, y, x)
                for r in range(LANES):
                    hx[r] = beta * (up[r] + down[r] + right[r] + left[r])
                up, down, right, left = neighbors(s, y, x)
                for r in range(LANES):
                    hy[r] = beta * (up[r] + down[r] + right[r] + left[r])
                cosine, sine = c[y, x], s[y, x]
                for r in range(LANES):
                    # Opposite directions have inverse weights.
                    w0, w1 = exp(hx[r]), exp(_C * hx[r] + _S * hy[r])
                    w2 = exp(_S * hy[r] - _C * hx[r])
                    w3, w4, w5 = ONE / w0, ONE / w1, ONE / w2
                    a, b = w0, w0 + w1
                    d = b + w2
                    e = d + w3
                    g = e + w4
                    level = number[r] * (g + w5)
                    k = i4(level >= a) + i4(level >= b) + i4(level >= d) + i4(level >= e)
                    k = i4(k + i4(level >= g))
                    half = i4(k) % i4(3)
                    sign = ONE if k < 3 else -ONE
                    hx[r] = sign * (ONE if half == 0 else (_C if half == 1 else -_C))
                    hy[r] = sign * (f4(0) if half == 0 else _S)
                for r in range(LANES):
                    cosine[r] = hx[r]
                    sine[r] = hy[r]


def contender(L: int, T: float) -> Contender:
    """64 replicas on an L x L torus."""
    angles = 2 * np.pi / Q * np.random.default_rng(1).integers(0, Q, (L, L, LANES))
    c, s = np.cos(angles).astype(f4), np.sin(angles).astype(f4)
    generator, work, beta = words(1), rows(3), f4(1 / T)

    def run(n: int) -> None:
        for _ in range(n):
            sweep(c, s, generator, work, beta)

    def energy() -> np.ndarray:
        return -(forward(c, np.multiply) + forward(s, np.multiply)) / L**2

    return Contender("yardstick", clocked(run), L * L * LANES, energy)
