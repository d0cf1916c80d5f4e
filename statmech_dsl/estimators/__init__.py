"""Arrays in; value, error and diagnostics out. Nothing here knows the DSL or xarray."""

from statmech_dsl.estimators.bar import FreeEnergyDifference, bar
from statmech_dsl.estimators.density_of_states import density_of_states
from statmech_dsl.estimators.flat_weights import FlatWeights
from statmech_dsl.estimators.jackknife import JackknifeEstimate, jackknife
from statmech_dsl.estimators.repeats import TimeToSolution, time_to_solution
from statmech_dsl.estimators.tau_int import CorrelatedMean, tau_int
from statmech_dsl.estimators.weights import Multihistogram, Pool, Weights

__all__ = [
    "CorrelatedMean",
    "FlatWeights",
    "FreeEnergyDifference",
    "JackknifeEstimate",
    "Multihistogram",
    "Pool",
    "TimeToSolution",
    "Weights",
    "bar",
    "density_of_states",
    "jackknife",
    "tau_int",
    "time_to_solution",
]
