"""Arrays in; value, error and diagnostics out. Nothing here knows the DSL or xarray."""

from statmech_dsl.estimators.bar import FreeEnergyDifference, bar
from statmech_dsl.estimators.crossing import Crossing, crossing
from statmech_dsl.estimators.density_of_states import density_of_states
from statmech_dsl.estimators.exponential import ExponentialAverage, exponential
from statmech_dsl.estimators.flat_weights import FlatWeights
from statmech_dsl.estimators.integration import (
    ThermodynamicIntegral,
    gauss_legendre,
    thermodynamic_integration,
)
from statmech_dsl.estimators.jackknife import JackknifeEstimate, jackknife
from statmech_dsl.estimators.log_weights import LogPartition, LogWeights
from statmech_dsl.estimators.mbar import MBAR, PooledEstimate
from statmech_dsl.estimators.repeats import TimeToSolution, time_to_solution
from statmech_dsl.estimators.tau_int import CorrelatedMean, tau_int
from statmech_dsl.estimators.weights import Multihistogram, Pool, Weights

__all__ = [
    "CorrelatedMean",
    "Crossing",
    "ExponentialAverage",
    "FlatWeights",
    "FreeEnergyDifference",
    "JackknifeEstimate",
    "LogPartition",
    "LogWeights",
    "MBAR",
    "Multihistogram",
    "Pool",
    "PooledEstimate",
    "ThermodynamicIntegral",
    "TimeToSolution",
    "Weights",
    "bar",
    "crossing",
    "density_of_states",
    "exponential",
    "gauss_legendre",
    "jackknife",
    "tau_int",
    "thermodynamic_integration",
    "time_to_solution",
]
