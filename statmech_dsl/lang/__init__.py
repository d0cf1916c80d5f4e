"""What a user writes: models, variables, energies, observables, lattices."""
