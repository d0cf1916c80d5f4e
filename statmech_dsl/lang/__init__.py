"""What a user writes: models, variables, energies, observables, lattices."""

from statmech_dsl.lang import lattices

__all__ = ["lattices"]
