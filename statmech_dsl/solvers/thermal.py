"""What the solvers find at one temperature, and the quantities that follow from it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from statmech_dsl.errors import ImproperDistributionError


@dataclass(frozen=True)
class Thermal:
    """log Z, and mean and variance of the energy that T divides.

    ``rounding`` is the largest relative error of a factor of Z that was seen, where rounding matters.
    """

    beta: float
    log_partition: float
    energy: float
    variance: float
    rounding: float | None = None


@dataclass(frozen=True)
class Quantity:
    """A column of the results."""

    long_name: str
    units: str
    formula: str
    value: Callable[[Thermal], float]


def _free_energy(x: Thermal) -> float:
    return -x.log_partition / x.beta if x.beta else -math.inf


QUANTITIES = {
    "log_partition": Quantity(
        "logarithm of the partition function, total", "1", "log Z", lambda x: x.log_partition
    ),
    "free_energy": Quantity("free energy, total", "energy", "-T log Z", _free_energy),
    "energy": Quantity("mean energy, total", "energy", "<E>", lambda x: x.energy),
    "heat_capacity": Quantity(
        "heat capacity, total", "k_B", "(<E^2> - <E>^2) / T^2", lambda x: x.beta**2 * x.variance
    ),
    "entropy": Quantity(
        "entropy, total", "k_B", "(<E> - F) / T", lambda x: x.log_partition + x.beta * x.energy
    ),
}
"""All that follows from log Z as a function of T."""


def no_weight() -> ImproperDistributionError:
    """Error for Z = 0."""
    return ImproperDistributionError(
        "every state has an infinite energy, so that Z = 0",
        mend="relax the constraints or the clamped values",
    )
