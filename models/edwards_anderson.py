"""The Edwards-Anderson spin glass."""

from __future__ import annotations

from typing import Literal

import numpy as np

import statmech_dsl as sm


def edwards_anderson(
    L: int = 8,
    d: int = 3,
    couplings: Literal["bimodal", "gaussian"] = "bimodal",
    seed: int = 0,
    periodic: bool = True,
) -> sm.Model:
    """Return the Edwards-Anderson spin glass: Ising spins with random nearest-neighbor couplings.

    Hamiltonian, each bond <ij> counted once::

        E = -sum_<ij> J_ij s_i s_j,  J_ij = -1 or +1, or normal of mean 0 and variance 1

    In three dimensions T_c is 1.102(3) (bimodal) or 0.951(9) (Gaussian), and the ground state has
    -1.788 or -1.700 a site; in two dimensions T_c = 0, with -1.402 or -1.315 (all numerical). The
    bimodal couplings of a seed are the signs of its Gaussian ones.

    Parameters
    ----------
    L, d, seed : int
        Sites along each axis, dimension, and seed of the couplings.
    couplings : {"bimodal", "gaussian"}
        Their distribution.
    periodic : bool
        Whether the lattice closes on itself.

    Returns
    -------
    Model
        Spins ``s``; observable ``m``, their mean.

    References
    ----------
    S. F. Edwards and P. W. Anderson, J. Phys. F 5, 965 (1975).

    Examples
    --------
    >>> list(edwards_anderson(L=4, seed=7).named_vars)
    ['s', 'exchange', 'm']
    """
    sites = sm.lattices.hypercubic(L, d, periodic=periodic)
    i, j = sites.bonds
    normal = np.random.default_rng(seed).standard_normal(sites.n_links)
    J = {"bimodal": np.sign(normal), "gaussian": normal}[couplings]
    with sm.Model() as model:
        s = sm.Spin("s", sites)
        sm.Energy("exchange", -J * s[i] * s[j])
        sm.Observable("m", s.mean())
    return model
