"""Free energies by several independent routes."""

from statmech_dsl.runs.free_energy.profile import free_energy_profile
from statmech_dsl.runs.free_energy.verb import free_energy

__all__ = ["free_energy", "free_energy_profile"]
