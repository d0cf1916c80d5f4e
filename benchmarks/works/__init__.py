"""What is measured: one file a group of rows, and one line here.

A file has ``measure()``, which yields rows. Its docstring, the title of the group and what it is about, goes
to the page of the documentation with them.
It runs in a process of its own, on one core unless it says ``CORES``.
"""

WORKS = (
    "ising",
    "one_lattice",
    "spin_glass",
    "annealing",
    "time_to_solution",
    "boltzmann_machine",
    "annealed_rbm",
    "learning",
    "mbar",
    "zoo",
    "languages",
    "threads",
    "clusters",
    "recording",
    "starting",
    "gradient_moves",
    "unequal_sites",
    "field_clusters",
)
