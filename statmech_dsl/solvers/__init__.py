"""Exact results where they are feasible: sums over all states, or over site after site."""
