"""`time_to_solution`: how long an annealing has to be repeated."""

from __future__ import annotations

import xarray as xr

from statmech_dsl.errors import ArgumentError
from statmech_dsl.estimators.repeats import time_to_solution as of_repeats

TOLERANCE = 1e-9
"""How much an energy may miss the target by rounding, relative to it."""


def time_to_solution(
    result: xr.Dataset, *, target: float | None = None, confidence: float = 0.99
) -> xr.Dataset:
    """Estimate the time in which an annealing finds an energy, repeated as often as it takes.

    The time of a read is ``sampling_time`` divided by the number of reads: reads that run side by side
    share it. Compiling does not count.

    Parameters
    ----------
    result : Dataset
        What `sm.anneal` returned; give it 100 reads or more.
    target : float, optional
        The energy to reach; the lowest that the result has, unless given, which is no more than a guess.
    confidence : float
        Probability of reaching it at least once.

    Returns
    -------
    Dataset
        ``time_to_solution`` in seconds, ``time_to_solution_low`` and ``_high``, the ends of its 68 % interval
        (infinite if no read got there), ``success_probability`` and its error.

    Raises
    ------
    ArgumentError
        The result is not one of `sm.anneal`.
    DiagnosticsError
        The confidence is no probability.

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> model = sm.models.edwards_anderson(L=4, d=2, seed=1)
    >>> result = sm.anneal(model, reads=128, sweeps=20, seed=1, progressbar=False)
    >>> float(sm.time_to_solution(result, target=-20).success_probability) > 0.5
    True
    """
    if not isinstance(result, xr.Dataset) or "sampling_time" not in result.attrs:
        raise ArgumentError(
            f"expected the result of sm.anneal, got {type(result).__name__}",
            mend="give what sm.anneal returned",
        )
    energy = result["energy"].to_numpy()
    goal = float(energy.min()) if target is None else float(target)
    reached = int((energy <= goal + TOLERANCE * max(1.0, abs(goal))).sum())
    seconds = result.attrs["sampling_time"] / len(energy)
    found = of_repeats(reached, len(energy), seconds, confidence)
    return xr.Dataset(
        {
            "time_to_solution": ((), found.value, {"units": "s"}),
            "time_to_solution_low": ((), found.low, {"units": "s"}),
            "time_to_solution_high": ((), found.high, {"units": "s"}),
            "success_probability": found.probability,
            "success_probability_error": found.probability_error,
        },
        attrs={"target": goal, "confidence": confidence, "reads": len(energy)},
    )
