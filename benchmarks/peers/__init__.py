"""The peers: what else runs these models. One file a peer, and one line here.

A file offers what its peer can do:

``chains(system, T, n)``
    n Markov chains of a `System` at T (at each T of an array, if the peer takes several).
``annealed(system, betas, reads)``
    Reads that go along a geometric schedule from random states; ``sweep(n)`` is a schedule of n sweeps.

``free_energies(u, counts, protocol)``
    Free energies of all states and their errors, from draws of them.

``Machine(x, n_hidden, batch, rate)``
    A restricted Boltzmann machine before its first of ``epochs(n)``.

``CHAINS`` says how many chains to run: many where the peer works on them together, a few where it takes
one after the other.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from types import ModuleType

PEERS = {
    "mcising": "mcising",
    "dwave-samplers": "dwave_samplers",
    "openjij": "openjij",
    "peapods": "peapods",
    "ferrotherm": "ferrotherm",
    "thrml": "thrml",
    "hamon": "hamon",
    "numpyro": "numpyro",
    "pymc": "pymc",
    "pymbar": "pymbar",
    "rbms": "rbms",
}
"""Distribution and module of each peer."""


def version(name: str) -> str | None:
    """The installed version of a peer, None if there is none."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def load(name: str) -> ModuleType:
    """What runs a peer; only the peer that is asked for is imported."""
    return importlib.import_module(f"benchmarks.peers.{PEERS[name]}")
