"""The p-spin glass."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np

import statmech_dsl as sm


def p_spin(N: int = 24, p: int = 3, seed: int = 0) -> sm.Model:
    """Return the p-spin glass: random couplings between all groups of p Ising spins.

    Hamiltonian, each group counted once::

        E = -sum_{i1<...<ip} J_{i1...ip} s_i1 ... s_ip,  J normal, mean 0, variance p! / (2 N^(p-1))

    At p = 2 this is the Sherrington-Kirkpatrick model; for p -> infinity the random energy model,
    which freezes at T = 1 / (2 sqrt(ln 2)) = 0.600561 with -sqrt(ln 2) = -0.832555 a spin. Above
    the transition the free energy is -1 / (4 T) - T ln 2 a spin, exact for N -> infinity.

    All N! / (p! (N - p)!) groups are listed, at 8 (p + 1) bytes each: at p = 3, 1.3 MB for 64 spins
    and 5 GB for 1000.

    Parameters
    ----------
    N : int
        Number of spins.
    p : int
        Spins in a group.
    seed : int
        Seed of the couplings.

    Returns
    -------
    Model
        Spins ``s``; observable ``m``, their mean.

    References
    ----------
    B. Derrida, Phys. Rev. B 24, 2613 (1981); E. Gardner, Nucl. Phys. B 257, 747 (1985).

    Examples
    --------
    >>> list(p_spin(N=8, seed=7).named_vars)
    ['s', 'interaction', 'm']
    """
    groups = np.fromiter(combinations(range(N), p), dtype=(int, p))
    scale = (factorial(p) / (2 * N ** (p - 1))) ** 0.5
    couplings = np.random.default_rng(seed).normal(scale=scale, size=len(groups))
    with sm.Model() as model:
        s = sm.Spin("s", N)
        sm.Energy("interaction", -couplings * s[groups].prod(axis=1))
        sm.Observable("m", s.mean())
    return model
