"""The arrays of a dense pass by lookup, which follow its couplings as fast as these may change in learning."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from statmech_dsl.backends.couplings import Steps, Units
from statmech_dsl.backends.numba_cpu.decide_lines import COARSE, buffers, weigh_line, weigh_together
from statmech_dsl.backends.numba_cpu.dense_arrays import DenseArrays
from statmech_dsl.backends.numba_cpu.lookups import CODES, FOUR, LINE, NEAR, aligned, runs
from statmech_dsl.backends.numba_cpu.verdicts import BY_EXPONENT
from statmech_dsl.compiled import compiled
from statmech_dsl.ir.kernel import LoweredPass
from statmech_dsl.ir.model import ModelIR, Tables

LIMIT = 2**30
"""Largest sums of steps, which integers of 32 bits hold."""
LARGEST = 126.0
"""Exponents of a first look are less."""
_NO_WEIGHTS = np.empty(0, np.float32)


class LookupArrays(DenseArrays):
    """What the kernel takes for one pass by lookup; all sites of its sources have a place in the tables."""

    def __init__(self, p: LoweredPass, model: ModelIR, tables: Tables) -> None:
        super().__init__(p, model, tables)
        n, n_sources = self.incidences.shape
        self.arrays |= {
            "colors": np.array([[0, n, 0, n * n_sources, *self.first]], np.int64),
            "members": np.concatenate([np.arange(size) for size in self.sizes]),
            "runs": runs(self.order),
        }

    @cached_property
    def _lines(self) -> np.ndarray:
        n, n_sources = self.incidences.shape
        return aligned((-(-n // LINE), -(-n_sources // FOUR), CODES, LINE), np.int32)

    def factors(self, beta: np.ndarray) -> dict[str, np.ndarray]:
        """What beta decides; where all replicas have the same, also the weights of the lines."""
        known = super().factors(beta)
        exponent, edges = known["exponent"], np.empty((len(beta), 2), np.float32)
        alike = close_to_one(exponent, known["width"], self.units.slack[0], edges)
        start = weights = _NO_WEIGHTS
        if alike and self._worth_weighing(len(beta)) and 2 * LIMIT * abs(exponent[0, 0]) < LARGEST:
            start, weights = self._weights
            if self._weighed != exponent[0, 0]:
                weigh(self._lines, self.arrays["offset"], exponent[0, 0], weights, start)
                self._weighed = exponent[0, 0]
        return known | {"edges": edges, "start": start, "weights": weights.reshape(-1)}

    def _worth_weighing(self, n: int) -> bool:
        """Whether weights of all lines cost less than those of all sites, and few of them are multiplied."""
        fours = self._lines.shape[1]
        return fours <= NEAR and n >= CODES * fours

    @cached_property
    def _weights(self) -> tuple[np.ndarray, np.ndarray]:
        start, weights = aligned((len(self._lines) * LINE,), np.float32), self._lines.shape
        return start, aligned(weights, np.float32)

    def buffers(self, chunks: int) -> dict[str, np.ndarray]:  # noqa: D102
        return buffers(chunks, self.incidences.shape[1])

    def follow(self, tables: Tables) -> None:
        """Take other couplings."""
        exact = self.incidences(tables)
        whole = aligned((len(self._lines) * LINE,), np.int32)
        scale, slack = tabulate(exact.matrix, exact.offset, exact.error, LIMIT, self._lines, whole)
        self.units = Units(Steps(self._lines, whole, np.array([scale]), np.array([slack])))
        self._weighed = np.nan  # the exponent of the weights of lines: none
        known: dict[str, np.ndarray] = getattr(self, "arrays", {})
        self.arrays = known | {
            "scale": self.units.scale,
            "slack": self.units.slack,
            "lines": self._lines.reshape(-1),
            "offset": whole,
            "matrix": exact.matrix.reshape(-1),
            "constant": exact.offset,
            "error": exact.error,
        }


@compiled
def close_to_one(exponent, width, slack, edges):
    """Numbers 2^32 (1 -+ the margin of a first look), infinite where exponents may leave +-126.

    Whether all replicas have the same.
    """
    alike = True
    for c in range(len(exponent)):
        alike &= exponent[c, 0] == exponent[0, 0]
        reach = abs(exponent[c, 0]) * LIMIT
        margin = COARSE + BY_EXPONENT * reach + slack * width[c, 0]
        certain = reach < LARGEST and margin < 1.0
        edges[c, 0] = 2.0**32 * (1.0 - margin) if certain else -np.inf
        edges[c, 1] = 2.0**32 * (1.0 + margin) if certain else np.inf
    return alike


@compiled
def weigh(lines, offset, exponent, weights, start):
    """Weights of lines, 2**(steps * exponent), and of the offset: those of single sources are multiplied.

    At most `NEAR` fours and an offset are, so that relative errors stay below 4 (NEAR + 1) 5e-7.
    """
    steps, to = lines.reshape(-1), weights.reshape(-1)
    for k in range(0, offset.shape[0], LINE):
        weigh_line(LINE, start, k, offset, k, exponent)
    for first in range(0, to.shape[0], CODES * LINE):
        to[first : first + LINE] = 1.0
        for j in range(FOUR):
            one = first + LINE * 2**j
            weigh_line(LINE, to, one, steps, one, exponent)
            for code in range(1, 2**j):
                weigh_together(LINE, to, one + LINE * code, to, one, to, first + LINE * code)


@compiled
def tabulate(matrix, offset, error, limit, lines, whole):
    """Couplings in whole steps of one scale, as sums of four sources at a time; the scale, and the slack.

    See `couplings.Steps`. Rows that are not finite get no steps, and the slack is infinite.
    """
    n, n_sources = matrix.shape
    finite, reach, slack = np.zeros(n, np.bool_), 2.0**-900, 0.0
    whole_fours = n_sources // 4 * 4
    for k in range(n):
        up0 = up1 = up2 = up3 = total = 0.0
        for j in range(0, whole_fours, 4):
            x0, x1, x2, x3 = matrix[k, j], matrix[k, j + 1], matrix[k, j + 2], matrix[k, j + 3]
            up0, up1 = up0 + max(x0, 0.0), up1 + max(x1, 0.0)
            up2, up3 = up2 + max(x2, 0.0), up3 + max(x3, 0.0)
            total += (x0 + x1) + (x2 + x3)
        for j in range(whole_fours, n_sources):
            up0, total = up0 + max(matrix[k, j], 0.0), total + matrix[k, j]
        up = (up0 + up1) + (up2 + up3)
        far = max(up, up - total) + abs(offset[k])
        finite[k] = np.isfinite(far)
        reach = max(reach, far) if finite[k] else reach
    scale = reach / (limit - n_sources - 2)  # each rounding may add half a step
    inverse, steps = 1.0 / scale, np.zeros((4, LINE), np.int32)
    for block in range(lines.shape[0]):
        first, m = block * LINE, min(LINE, n - block * LINE)
        up, down = np.zeros(LINE), np.zeros(LINE)
        for four in range(lines.shape[1]):
            for j in range(4):
                source = 4 * four + j
                steps[j] = 0
                for r in range(m if source < n_sources else 0):
                    x = matrix[first + r, source] if finite[first + r] else 0.0
                    step = np.rint(x * inverse)
                    rest = x - step * scale
                    up[r] += max(rest, 0.0)
                    down[r] += max(-rest, 0.0)
                    steps[j, r] = np.int32(step)
            of_four = lines[block, four]
            for j in range(4):
                for code in range(2**j):
                    for r in range(LINE):
                        of_four[2**j + code, r] = of_four[code, r] + steps[j, r]
        for r in range(m):
            k = first + r
            step = np.rint(offset[k] / scale) if finite[k] else 0.0
            whole[k] = np.int32(step)
            rest = max(up[r], down[r]) + abs(offset[k] - step * scale) + error[k]
            slack = max(slack, rest if finite[k] else np.inf)
    return scale, slack
