"""Couplings from states: posteriors and fits of the parameters of an energy."""
