"""Exact results where they are feasible: enumeration of all states, elimination of one site after another."""
