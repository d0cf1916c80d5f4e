"""What the solvers find at one temperature."""

from __future__ import annotations

from dataclasses import dataclass

from statmech_dsl.errors import ImproperDistributionError


@dataclass(frozen=True)
class Thermal:
    """log Z and the first two cumulants of the energy that T divides."""

    log_partition: float
    energy: float
    variance: float


def no_weight() -> ImproperDistributionError:
    """Error for Z = 0."""
    return ImproperDistributionError(
        "no state has a positive weight, so that Z = 0",
        mend="relax the constraints or the clamped values: every state has an infinite energy",
    )
