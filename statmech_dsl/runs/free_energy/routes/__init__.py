"""Routes to log Z, one file each; a new one is exported here and becomes a method and part of panels."""

from statmech_dsl.runs.free_energy.routes import (
    annealing,
    flat_histogram,
    integration,
    population,
    tempering,
)
from statmech_dsl.runs.free_energy.routes.base import Route

ROUTES: dict[str, Route] = {
    "tempering": Route(tempering.run),
    "integration": Route(integration.run),
    "population": Route(population.run),
    "annealing": Route(annealing.run),
    "flat_histogram": Route(flat_histogram.run, flat_histogram.refuse),
}
"""All routes by the name of their method."""

__all__ = ["ROUTES", "Route"]
