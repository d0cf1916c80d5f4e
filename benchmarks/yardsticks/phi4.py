"""phi^4 by Metropolis, E = sum of 1/2 (grad phi)^2 + mu2/2 phi^2 + lam/4 phi^4 at T = 1."""

from __future__ import annotations

import numpy as np

from benchmarks.contender import Contender, clocked
from benchmarks.yardsticks.lanes import (
    HALF,
    LANES,
    exp,
    f4,
    forward,
    kernel,
    neighbors,
    rows,
    uniform,
    words,
)

WIDTH = f4(1.6)


@kernel
def sweep(phi, words, rows, mass, lam):
    """Update all sites, checkerboard by checkerboard."""
    L = phi.shape[0]
    field, first, second = rows[0], rows[1], rows[2]
    for color in range(2):
        for y in range(L):
            for x in range((y + color) & 1, L, 2):
                up, down, right, left = neighbors(phi, y, x)
                uniform(words, first)
                uniform(words, second)
                for r in range(LANES):
                    field[r] = up[r] + down[r] + right[r] + left[r]
                own = phi[y, x]
                for r in range(LANES):
                    old = own[r]
                    new = old + WIDTH * (first[r] - HALF)
                    a, b = old * old, new * new
                    change = (b - a) * mass + lam * (b * b - a * a) - field[r] * (new - old)
                    own[r] = new if second[r] < exp(-change) else old


def contender(L: int, mu2: float, lam: float) -> Contender:
    """64 replicas on an L x L torus."""
    phi = np.random.default_rng(1).normal(size=(L, L, LANES)).astype(f4)
    generator, work = words(1), rows(3)
    mass, quartic = f4(mu2 / 2 + 2), f4(lam / 4)

    def run(n: int) -> None:
        for _ in range(n):
            sweep(phi, generator, work, mass, quartic)

    def energy() -> np.ndarray:
        x = phi.astype(float)
        gradient = forward(x, lambda a, b: (b - a) ** 2 / 2)
        return (gradient + (mu2 / 2 * x**2 + lam / 4 * x**4).sum((0, 1))) / L**2

    return Contender("yardstick", clocked(run), L * L * LANES, energy)
