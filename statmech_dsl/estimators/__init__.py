"""Arrays in; value, error and diagnostics out. Nothing here knows the DSL or xarray."""

from statmech_dsl.estimators.jackknife import JackknifeEstimate, jackknife
from statmech_dsl.estimators.repeats import TimeToSolution, time_to_solution
from statmech_dsl.estimators.tau_int import CorrelatedMean, tau_int

__all__ = [
    "CorrelatedMean",
    "JackknifeEstimate",
    "TimeToSolution",
    "jackknife",
    "tau_int",
    "time_to_solution",
]
