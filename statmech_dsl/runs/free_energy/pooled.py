"""Averages out of weighted draws, with errors from what every draw adds to them."""

from __future__ import annotations

import numpy as np

from statmech_dsl.estimators import Pool, tau_int
from statmech_dsl.runs.free_energy.segment import Found

ENOUGH = 50.0
"""Effective draws below which an estimate is no estimate: its error could not be trusted either."""


def from_pool(pool: Pool, wanted: np.ndarray, trouble: tuple[str, ...] = ()) -> Found:
    """Log Z and averages at the wanted x, from draws that can be weighted for any of them."""
    rows = [_at(pool, float(x)) for x in wanted]
    columns = [tuple(np.array(c).T) for c in zip(*(row[:4] for row in rows), strict=True)]
    size = np.array([row[4] for row in rows])
    few = [f"{x:g}" for x, n in zip(wanted, size, strict=True) if not n >= ENOUGH]
    if few:
        trouble = (*trouble, f"fewer than {ENOUGH:g} effective draws at x = {', '.join(few)}")
    return Found(*columns, size, trouble)  # type: ignore[arg-type]


def _at(pool: Pool, x: float) -> tuple:
    weights = pool.at(x)
    energy = pool.energy
    (mean, square), both = weights.mean(np.stack([energy, energy**2], axis=-1))
    of_mean, of_square = both[..., 0], both[..., 1]
    of_log_z = weights.log_partition_influence
    heat = x**2 * (square - mean**2)
    tau = tau_int(of_mean).tau
    return (
        (weights.log_partition, tau_int(of_log_z).error),
        (mean, tau_int(of_mean).error),
        (heat, tau_int(x**2 * (of_square - 2 * mean * of_mean)).error),
        (x * mean + weights.log_partition, tau_int(x * of_mean + of_log_z).error),
        weights.effective_size / (2 * tau),
    )
