"""Approximations with names, from the same factors as the exact methods."""
