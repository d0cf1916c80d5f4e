"""The Heisenberg model by heat bath on a cubic torus, E = -sum s_i . s_j.

Along the field the component has the density exp(k z), drawn by inversion.
"""

from __future__ import annotations

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
    inline,
    kernel,
    log,
    rows,
    sin_pi,
    uniform,
    words,
)

TINY = f4(1e-6)


@inline
def field(s, z, y, x, k, beta, out):
    """Beta times the sum of component k of the six neighbors."""
    n = s.shape[0]
    a, b = s[(z + 1) % n, y, x, k], s[(z + n - 1) % n, y, x, k]
    c, d = s[z, (y + 1) % n, x, k], s[z, (y + n - 1) % n, x, k]
    e, g = s[z, y, (x + 1) % n, k], s[z, y, (x + n - 1) % n, k]
    for r in range(LANES):
        out[r] = beta * (a[r] + b[r] + c[r] + d[r] + e[r] + g[r])


@kernel
def sweep(s, words, rows, beta):
    """Update all sites, checkerboard by checkerboard."""
    n = s.shape[0]
    hx, hy, hz, first, second = rows[0], rows[1], rows[2], rows[3], rows[4]
    for color in range(2):
        for z in range(n):
            for y in range(n):
                for x in range((z + y + color) & 1, n, 2):
                    field(s, z, y, x, 0, beta, hx)
                    field(s, z, y, x, 1, beta, hy)
                    field(s, z, y, x, 2, beta, hz)
                    uniform(words, first)
                    uniform(words, second)
                    for r in range(LANES):
                        k = np.sqrt(hx[r] * hx[r] + hy[r] * hy[r] + hz[r] * hz[r]) + TINY
                        u = first[r]
                        along = ONE + log(u + (ONE - u) * exp(-TWO * k)) / k
                        across = np.sqrt(max(ZERO, ONE - along * along))
                        ex, ey, ez = hx[r] / k, hy[r] / k, hz[r] / k
                        # Two directions across e (Duff et al., J. Comput. Graph. Tech. 6, 1 (2017)).
                        sign = ONE if ez >= ZERO else -ONE
                        a = -ONE / (sign + ez)
                        b = ex * ey * a
                        turn = TWO * second[r] - ONE  # the angle around e is pi times this
                        sine = sin_pi(
                            turn - (ONE if turn > HALF else (-ONE if turn < -HALF else ZERO))
                        )
                        sine = -sine if abs(turn) > HALF else sine
                        cosine = sin_pi(HALF - abs(turn))
                        p, q = across * cosine, across * sine
                        hx[r] = along * ex + p * (ONE + sign * ex * ex * a) + q * b
                        hy[r] = along * ey + p * sign * b + q * (sign + ey * ey * a)
                        hz[r] = along * ez - p * sign * ex - q * ey
                    own = s[z, y, x]
                    for r in range(LANES):
                        own[0, r] = hx[r]
                        own[1, r] = hy[r]
                        own[2, r] = hz[r]


def contender(L: int, T: float) -> Contender:
    """64 replicas on an L x L x L torus."""
    s = np.random.default_rng(1).normal(size=(L, L, L, 3, LANES)).astype(f4)
    s /= np.linalg.norm(s, axis=3, keepdims=True)
    generator, work, beta = words(1), rows(5), f4(1 / T)

    def run(n: int) -> None:
        for _ in range(n):
            sweep(s, generator, work, beta)

    def energy() -> np.ndarray:
        bonds = sum((s * np.roll(s, -1, axis)).sum((0, 1, 2, 3)) for axis in range(3))
        return -bonds / L**3

    return Contender("yardstick", clocked(run), L**3 * LANES, energy)
