"""Averages out of weighted draws, with errors from what every draw adds to them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from statmech_dsl.estimators import Pool, tau_int
from statmech_dsl.results.free_energy import Curve
from statmech_dsl.runs.free_energy.segment import ENOUGH, Ground

MOMENTS = 20.0
"""Independent moments below which an error is known to a sixth at best."""
AT_ONCE = 1 << 24
"""Numbers of an array over draws and columns."""
BLOCKS = 16
"""Of each chain, over which two estimates are correlated."""


@dataclass(frozen=True, eq=False)
class _Row:
    """Averages at one x: value and influence (chains, draws) of each quantity, and of how many draws.

    Draws of one moment are independent of each other, but an error is made of ``moments``.
    """

    parts: dict[str, tuple[float, np.ndarray]]
    effective_size: float
    moments: float


def from_pool(
    pool: Pool,
    wanted: np.ndarray,
    trouble: tuple[str, ...] = (),
    ground: Ground | None = None,
    last: float = 0.0,
) -> Curve:
    """Log Z and averages at the wanted x, from draws that can be weighted for any of them.

    Where the ``ground`` state is known, so is log Z at the ``last`` x, but for the part of the draws that are
    not in that state. By how much the draws miss it corrects all other estimates, as far as they correlate.
    """
    rows = _rows(pool, wanted)
    if ground is not None:
        miss = _miss(pool, ground, last)
        rows = [replace(r, parts=_corrected(r.parts, *miss)) for r in rows]
    size = np.array([row.effective_size for row in rows])
    few = [
        f"{x:g}"
        for x, row in zip(wanted, rows, strict=True)
        if not (row.effective_size >= ENOUGH and row.moments >= MOMENTS)
    ]
    if few:
        trouble = (*trouble, f"too few effective draws at x = {', '.join(few)}")
    pairs = {
        name: (
            np.array([row.parts[name][0] for row in rows]),
            np.array([tau_int(row.parts[name][1]).error for row in rows]),
        )
        for name in rows[0].parts
    }
    return Curve(**pairs, effective_size=size, trouble=trouble)  # type: ignore[arg-type]


def _rows(pool: Pool, wanted: np.ndarray) -> list[_Row]:
    energy, rows = pool.energy, []
    flat = energy.reshape(-1)
    step = max(1, AT_ONCE // (3 * len(flat)))
    for first in range(0, len(wanted), step):
        some = [float(x) for x in wanted[first : first + step]]
        weights = [pool.at(x) for x in some]
        means = [(w.w @ flat / len(flat), w.w @ flat**2 / len(flat)) for w in weights]
        columns = [
            column
            for w, (mean, square) in zip(weights, means, strict=True)
            for column in (w.w, w.w * (flat - mean), w.w * (flat**2 - square))
        ]
        influence = pool.corrected(np.stack(columns, axis=1))
        for k, (x, w, (mean, square)) in enumerate(zip(some, weights, means, strict=True)):
            of_log_z = influence[..., 3 * k] - 1.0 - pool.reference_influence
            of_mean, of_square = influence[..., 3 * k + 1], influence[..., 3 * k + 2]
            parts = {
                "log_partition": (w.log_partition, of_log_z),
                "energy": (mean, of_mean),
                "heat_capacity": (
                    x**2 * (square - mean**2),
                    x**2 * (of_square - 2 * mean * of_mean),
                ),
                "entropy": (x * mean + w.log_partition, x * of_mean + of_log_z),
            }
            kept = 1 / (2 * tau_int(of_mean).tau)
            rows.append(_Row(parts, w.effective_size * kept, of_mean.size * min(kept, 1.0)))
    return rows


def _miss(pool: Pool, ground: Ground, last: float) -> tuple[float, np.ndarray]:
    """By how much log Z of the ground state misses what it is, and what each moment adds to that."""
    weights = pool.at(last)
    inside = pool.energy.reshape(-1) <= ground.energy + ground.resolution
    w = weights.w * inside
    p = float(w.mean())
    influence = pool.corrected(np.stack([weights.w, w - p * weights.w], axis=1))
    of_log_z = influence[..., 0] - 1.0 - pool.reference_influence
    value = weights.log_partition + np.log(p) - (ground.log_weight - last * ground.energy)
    return float(value), of_log_z + influence[..., 1] / p


def _corrected(
    parts: dict[str, tuple[float, np.ndarray]], miss: float, of_miss: np.ndarray
) -> dict[str, tuple[float, np.ndarray]]:
    """Estimates, less what they have in common with one that is known to be off by ``miss``."""
    d = _blocks(of_miss)
    norm = float((d**2).sum())
    if norm == 0.0:
        return parts
    out = {}
    for name, (value, influence) in parts.items():
        slope = float((_blocks(influence) * d).sum()) / norm
        out[name] = value - slope * miss, influence - slope * of_miss
    return out


def _blocks(x: np.ndarray) -> np.ndarray:
    """Means of blocks of draws: neighbors in a chain are not independent."""
    n = min(BLOCKS, x.shape[1])
    return np.stack([b.mean(axis=1) for b in np.array_split(x, n, axis=1)])
