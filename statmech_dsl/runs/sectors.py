"""Runs in which an update conserves what the first state holds: they are of one sector of the states."""

from __future__ import annotations

import numpy as np

from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.errors import ArgumentError
from statmech_dsl.ir.state import State


def require_one_sector(sampler: Sampler, state: State, ladder: np.ndarray) -> None:
    """Raise unless the replicas of each ladder, by its number, hold the same values.

    Else they could not take each other's places.
    """
    for name in sampler.conserved:
        variable = sampler.program.model.variable(name)
        x = state.values[name].reshape(len(ladder), variable.n_sites, -1)
        x = np.stack([np.sort(x[..., k], axis=1) for k in range(x.shape[2])])
        first = np.unique(ladder, return_index=True)[1][np.searchsorted(np.unique(ladder), ladder)]
        if not np.array_equal(x, x[:, first]):
            raise ArgumentError(
                f"replicas that swap temperatures hold other values of {name!r}, which its updates conserve",
                mend=f"give them one first state: init={{{name!r}: state}}",
            )


def require_all_states(sampler: Sampler, what: str) -> None:
    """Raise if an update conserves what a run takes from all states; ``what`` is a clause that says so."""
    if sampler.conserved:
        raise ArgumentError(
            f"{what}, but the updates of {', '.join(map(repr, sampler.conserved))} keep to those states "
            "that hold the values of the first one",
            mend="use sm.sample or sm.temper with init={variable: state}, or other updates",
        )
