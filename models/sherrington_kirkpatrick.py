"""The Sherrington-Kirkpatrick spin glass."""

from __future__ import annotations

import numpy as np

import statmech_dsl as sm


def sherrington_kirkpatrick(N: int = 64, seed: int = 0) -> sm.Model:
    """Return the Sherrington-Kirkpatrick spin glass: random couplings between all pairs of spins.

    Hamiltonian, each pair counted once::

        E = -sum_{i<j} J_ij s_i s_j,  J_ij normal of mean 0 and variance 1 / N

    Exact for N -> infinity: T_c = 1, above which the energy is -1 / (2 T) and the free energy
    -1 / (4 T) - T ln 2 a spin; ground state energy -0.763167 a spin (Parisi), approached from above
    as about 0.70 N^(-2/3).

    Parameters
    ----------
    N : int
        Number of spins.
    seed : int
        Seed of the couplings.

    Returns
    -------
    Model
        Spins ``s``; observable ``m``, their mean.

    References
    ----------
    D. Sherrington and S. Kirkpatrick, Phys. Rev. Lett. 35, 1792 (1975); G. Parisi, Phys. Rev.
    Lett. 43, 1754 (1979); R. Oppermann et al., Phys. Rev. Lett. 98, 127201 (2007).

    Examples
    --------
    >>> list(sherrington_kirkpatrick(N=8, seed=7).named_vars)
    ['s', 'exchange', 'm']
    """
    sites = sm.lattices.complete(N)
    i, j = sites.bonds
    couplings = np.random.default_rng(seed).normal(scale=N**-0.5, size=sites.n_links)
    with sm.Model() as model:
        s = sm.Spin("s", sites)
        sm.Energy("exchange", -couplings * s[i] * s[j])
        sm.Observable("m", s.mean())
    return model
