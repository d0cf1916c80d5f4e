"""States that are drawn at given couplings, and steps of PyMC that move them."""
