"""A model with data: what is known, what is wanted, and the parameters."""
