"""Pictures of results, with matplotlib."""

from statmech_dsl.plots.free_energies import free_energies
from statmech_dsl.plots.ladder import ladder
from statmech_dsl.plots.overlap_matrix import overlap_matrix
from statmech_dsl.plots.ranks import ranks
from statmech_dsl.plots.works import works

__all__ = ["free_energies", "ladder", "overlap_matrix", "ranks", "works"]
