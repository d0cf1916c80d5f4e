"""The arrays of a dense pass by lookup, which follow its couplings as fast as these may change in learning."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from statmech_dsl.backends.couplings import Steps, Units
from statmech_dsl.backends.numba_cpu.dense_arrays import DenseArrays
from statmech_dsl.backends.numba_cpu.lookups import CODES, FOUR, LINE, runs
from statmech_dsl.compiled import compiled
from statmech_dsl.ir.kernel import LoweredPass
from statmech_dsl.ir.model import ModelIR, Tables

LIMIT = 2**30
"""Largest sums of steps, which integers of 32 bits hold."""


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
        return np.zeros((-(-n // LINE), -(-n_sources // FOUR), CODES, LINE), np.int32)

    def follow(self, tables: Tables) -> None:
        """Take other couplings."""
        exact = self.incidences(tables)
        whole = np.zeros(len(self._lines) * LINE, np.int32)
        scale, slack = tabulate(exact.matrix, exact.offset, exact.error, LIMIT, self._lines, whole)
        self.units = Units(Steps(self._lines, whole, np.array([scale]), np.array([slack])))
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
