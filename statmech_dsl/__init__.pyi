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
from .lang import lattices
from .lang.energy import Energy, Observable
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
from .runs.flat_histogram import flat_histogram
from .runs.pymc_step import LocalGibbs
from .runs.sample import sample
from .runs.tempering import temper
from .solvers.exact import exact
from .testing.validate import validate

__version__: str

__all__ = [
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
    "UnitVector",
    "__version__",
    "correlation",
    "correlation_length",
    "derived",
    "errors",
    "exact",
    "explain",
    "flat_histogram",
    "lattices",
    "models",
    "plots",
    "reweight",
    "sample",
    "tau_int",
    "temper",
    "validate",
]
