"""What a ladder tells: swaps, round trips, barrier and log Z, out of its energies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.estimators import bar, tau_int


@dataclass(frozen=True, eq=False)
class Passage:
    """How replicas went through a ladder.

    ``beta`` is the ladder, coldest first; ``path`` the index of the temperature of each replica, (draws,
    replicas), replicas in the order temperature, chain, copy of their first places; ``round_trips`` are those
    of each ladder, ``rows`` the replicas at the end, [temperature, ladder].
    """

    beta: np.ndarray
    path: np.ndarray
    round_trips: np.ndarray
    rows: np.ndarray
    copies: int


def swap_chances(energy: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Probability of a swap between neighbors, from energies (..., T)."""
    return np.exp(np.minimum(np.diff(beta) * np.diff(energy, axis=-1), 0.0))


def log_partition(energy: np.ndarray, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log Z relative to the last temperature, with errors, from energies (chains, draws, copies, T).

    Differences between neighbors are by Bennett's acceptance ratio. Replicas swap, so that neighboring
    differences are correlated: errors are those of the sums of what each draw contributes.
    """
    steps = -np.diff(beta)
    found = [bar(step * energy[..., k + 1], -step * energy[..., k]) for k, step in enumerate(steps)]
    value = np.append(np.cumsum([-x.value for x in found][::-1])[::-1], 0.0)
    parts = np.stack([-x.influence for x in found], axis=-1)
    parts = np.cumsum(parts[..., ::-1], axis=-1)[..., ::-1]
    errors = [tau_int(parts[..., k]).error for k in range(len(steps))]
    return value, np.append(errors, 0.0)


def log_volume(sampler: Sampler) -> float | None:
    """Log Z at beta = 0: the measure of all states.

    None if the energy has parts that T does not divide, or updates reach only some of the states.
    """
    program = sampler.program
    if sampler.conserved or not all(f.tempered for f in program.model.energy_families):
        return None
    return math.fsum(
        len(sampler.tables[v.free]) * v.domain.log_volume for v in program.model.variables
    )


def add_ladder(tree: xr.DataTree, sampler: Sampler, passage: Passage) -> xr.DataTree:
    """Add to the results of a tempering run what is known about its ladder."""
    beta, copies = passage.beta, passage.copies
    posterior = tree["posterior"]
    energy = posterior["energy"].to_numpy()
    energy = energy.reshape(*energy.shape[:3], copies).swapaxes(2, 3)
    n_chains, n_draws = energy.shape[:2]
    chance = swap_chances(energy, beta).mean(axis=(1, 2))
    rejection = 1.0 - chance.mean(axis=0)
    value, error = log_partition(energy, beta)
    reference = "the highest temperature"
    if beta[-1] == 0 and (absolute := log_volume(sampler)) is not None:
        value, reference = value + absolute, "absolute"
    trips = passage.round_trips.reshape(n_chains, copies)
    n_T, n = len(beta), len(beta) * copies
    # Replicas of a chain are numbered copy by copy, from the coldest on.
    path = passage.path.reshape(n_draws, n_T, n_chains, copies).transpose(2, 0, 3, 1)
    known = {
        "swap_acceptance": (
            ("chain", "gap"),
            chance,
            {"long_name": "mean probability of a swap of T[gap] and T[gap + 1]"},
        ),
        "round_trips": (
            "chain",
            trips.sum(axis=1),
            {"long_name": "trips from the lowest temperature to the highest and back"},
        ),
        "round_trip_rate": (
            "chain",
            trips.mean(axis=1) / n_draws,
            {"long_name": "round trips of a ladder", "units": "1 / swap"},
        ),
        "barrier": (
            "T",
            np.append(np.cumsum(rejection[::-1])[::-1], 0.0),
            {"long_name": "sum of the swap rejections from the highest temperature on"},
        ),
        "log_partition": ("T", value, {"long_name": "log Z", "reference": reference}),
        "log_partition_error": ("T", error, {"long_name": "standard error of log Z"}),
        "temperature_index": (
            ("chain", "draw", "replica"),
            path.reshape(n_chains, n_draws, n),
            {"long_name": "index of the temperature of each replica"},
        ),
    }
    tree = add_variables(tree, "sample_stats", known)
    level, ladder = np.divmod(passage.rows, passage.rows.shape[1])
    replica = (level + n_T * (ladder % copies)).reshape(n_T, n_chains, copies).swapaxes(0, 1)
    dims = ("chain", "T", "copy")[: 2 + (copies > 1)]
    last = {"replica": (dims, replica if copies > 1 else replica[..., 0])}
    return add_variables(tree, "final_state", last)


def add_variables(tree: xr.DataTree, group: str, variables: Mapping[str, tuple]) -> xr.DataTree:
    """Add variables to a group of results."""
    tree[group] = xr.DataTree(tree[group].to_dataset().assign(variables))
    return tree
