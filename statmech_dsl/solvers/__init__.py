"""Exact results where they are feasible, and approximations with names: log Z without sampling."""
