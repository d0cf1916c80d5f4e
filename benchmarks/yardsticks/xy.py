"""The XY model by Metropolis and by heat bath, E = -sum cos(theta_i - theta_j).

Spins are cosines and sines. The heat bath draws from the von Mises distribution by the envelope of Best and
Fisher, Applied Statistics 28, 152 (1979), in all lanes until the last of them has accepted.
"""

from __future__ import annotations

import math

import numpy as np

from benchmarks.contender import Contender, clocked
from benchmarks.yardsticks.lanes import (
    HALF,
    LANES,
    ONE,
    TWO,
    ZERO,
    exp,
    f4,
    forward,
    inline,
    kernel,
    neighbors,
    rows,
    sin_pi,
    uniform,
    words,
)

TINY = f4(1e-12)


@inline
def fields(c, s, y, x, beta, hx, hy):
    """Beta times the sum of the neighbors."""
    up, down, right, left = neighbors(c, y, x)
    for r in range(LANES):
        hx[r] = beta * (up[r] + down[r] + right[r] + left[r])
    up, down, right, left = neighbors(s, y, x)
    for r in range(LANES):
        hy[r] = beta * (up[r] + down[r] + right[r] + left[r])


@kernel
def metropolis(c, s, words, rows, beta):
    """Turn each spin by an angle up to pi/2 either way, or not."""
    L = c.shape[0]
    hx, hy, first, second = rows[0], rows[1], rows[2], rows[3]
    for color in range(2):
        for y in range(L):
            for x in range((y + color) & 1, L, 2):
                fields(c, s, y, x, beta, hx, hy)
                uniform(words, first)
                uniform(words, second)
                cosine, sine = c[y, x], s[y, x]
                for r in range(LANES):
                    half = sin_pi(HALF * (first[r] - HALF))  # of the sine of half the angle
                    turn_s, turn_c = (
                        TWO * half * np.sqrt(ONE - half * half),
                        ONE - TWO * half * half,
                    )
                    a, b = cosine[r], sine[r]
                    new_a, new_b = a * turn_c - b * turn_s, a * turn_s + b * turn_c
                    length = HALF * (f4(3) - new_a * new_a - new_b * new_b)  # stays 1
                    gain = hx[r] * (new_a - a) + hy[r] * (new_b - b)
                    accept = second[r] < exp(gain)
                    hx[r] = new_a * length if accept else a
                    hy[r] = new_b * length if accept else b
                for r in range(LANES):
                    cosine[r] = hx[r]
                    sine[r] = hy[r]


@kernel
def heat_bath(c, s, words, rows, beta):
    """Draw each spin anew."""
    L = c.shape[0]
    hx, hy, kappa, rho, wide = rows[0], rows[1], rows[2], rows[3], rows[4]
    first, second, third, found = rows[5], rows[6], rows[7], rows[8]
    for color in range(2):
        for y in range(L):
            for x in range((y + color) & 1, L, 2):
                fields(c, s, y, x, beta, hx, hy)
                for r in range(LANES):
                    k = np.sqrt(hx[r] * hx[r] + hy[r] * hy[r])
                    tau = ONE + np.sqrt(ONE + f4(4) * k * k)
                    wide[r] = tau + np.sqrt(TWO * tau)
                    kappa[r] = k
                    rho[r] = TWO * k / wide[r]
                    found[r] = TWO  # not a cosine: not found yet
                missing = True
                while missing:
                    uniform(words, first)
                    uniform(words, second)
                    open_ = ZERO
                    for r in range(LANES):
                        z = sin_pi(first[r] - HALF)
                        p = rho[r]
                        square = ONE + p * p
                        g = (TWO * p + square * z) / (square + TWO * p * z)
                        excess = f4(0.25) * square * wide[r] - kappa[r] * g
                        accept = second[r] < excess * exp(ONE - excess)
                        new = g if accept else TWO
                        found[r] = new if found[r] == TWO else found[r]
                    for r in range(LANES):
                        open_ = max(open_, found[r])
                    missing = open_ == TWO
                uniform(words, third)
                cosine, sine = c[y, x], s[y, x]
                for r in range(LANES):
                    turn_c = found[r]
                    turn_s = np.sqrt(max(ZERO, ONE - turn_c * turn_c))
                    turn_s = turn_s if third[r] < HALF else -turn_s
                    inverse = ONE / (kappa[r] + TINY)
                    ex, ey = hx[r] * inverse, hy[r] * inverse
                    first[r] = ex * turn_c - ey * turn_s
                    second[r] = ex * turn_s + ey * turn_c
                for r in range(LANES):
                    cosine[r] = first[r]
                    sine[r] = second[r]


def contender(L: int, T: float, sweep) -> Contender:
    """64 replicas on an L x L torus."""
    angles = 2 * math.pi * np.random.default_rng(1).random((L, L, LANES))
    c, s = np.cos(angles).astype(f4), np.sin(angles).astype(f4)
    generator, work, beta = words(1), rows(9), f4(1 / T)

    def run(n: int) -> None:
        for _ in range(n):
            sweep(c, s, generator, work, beta)

    def energy() -> np.ndarray:
        return -(forward(c, np.multiply) + forward(s, np.multiply)) / L**2

    return Contender("yardstick", clocked(run), L * L * LANES, energy)
