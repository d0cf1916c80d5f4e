from . import errors, models, plots
from .diagnostics import (
    Derived,
    correlation,
    correlation_length,
    derived,
    reweight,
    tau_int,
)
from .engine.explain import explain
from .inference.calibrate import calibrate
from .inference.infer import infer
from .inference.learn import learn
from .inference.predictive_check import predictive_check
from .lang import lattices
from .lang.bqm import from_bqm
from .lang.energy import Energy, Observable
from .lang.gset import read_gset
from .lang.model import Model
from .lang.variables import (
    Angle,
    Clock,
    Field,
    Levels,
    Occupation,
    Potts,
    Spin,
    UnitVector,
)
from .results.sampleset import to_sampleset
from .results.time_to_solution import time_to_solution
from .runs.annealing import anneal
from .runs.flat_histogram import flat_histogram
from .runs.free_energy import free_energy, free_energy_profile
from .runs.population import population_anneal
from .runs.pymc_step import LocalGibbs
from .runs.sample import sample
from .runs.tempering import temper
from .solvers.approximations.approximate import approximate
from .solvers.bqm import to_bqm
from .solvers.exact import exact, exact_costs
from .testing.validate import validate
from .updates import HMC, SwendsenWang, Wolff

__version__: str

__all__ = [
    "HMC",
    "Angle",
    "Clock",
    "Derived",
    "Energy",
    "Field",
    "Levels",
    "LocalGibbs",
    "Model",
    "Observable",
    "Occupation",
    "Potts",
    "Spin",
    "SwendsenWang",
    "UnitVector",
    "Wolff",
    "__version__",
    "anneal",
    "approximate",
    "calibrate",
    "correlation",
    "correlation_length",
    "derived",
    "errors",
    "exact",
    "exact_costs",
    "explain",
    "flat_histogram",
    "free_energy",
    "free_energy_profile",
    "from_bqm",
    "infer",
    "lattices",
    "learn",
    "models",
    "plots",
    "population_anneal",
    "predictive_check",
    "read_gset",
    "reweight",
    "sample",
    "tau_int",
    "temper",
    "time_to_solution",
    "to_bqm",
    "to_sampleset",
    "validate",
]
