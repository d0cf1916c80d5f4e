"""Pictures of results, with matplotlib."""

from statmech_dsl.plots.free_energies import free_energies
from statmech_dsl.plots.ladder import ladder

__all__ = ["free_energies", "ladder"]
