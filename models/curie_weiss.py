"""The Curie-Weiss model."""

from __future__ import annotations

import statmech_dsl as sm


def curie_weiss(N: int = 100, J: float = 1.0, h: float = 0.0) -> sm.Model:
    """Return the Curie-Weiss model: Ising spins that all align with all others.

    Hamiltonian, with every ordered pair, and i = j, in the square::

        E = -J / (2 N) (sum_i s_i)^2 - h sum_i s_i

    The sum -(J / N) sum_{i<j} s_i s_j over pairs leaves out i = j and is higher by J / 2. Exact for
    N -> infinity: T_c = J, and m = tanh((J m + h) / T); at any N the sum over magnetizations
    M = sum_i s_i, Z = sum_M binom(N, (N + M) / 2) exp(-E(M) / T), has N + 1 terms only.

    Parameters
    ----------
    N : int
        Number of spins.
    J : float
        Exchange; positive is ferromagnetic.
    h : float
        Magnetic field; without it there is no such term.

    Returns
    -------
    Model
        Spins ``s``; observable ``m``, their mean.

    References
    ----------
    S. Friedli and Y. Velenik, Statistical Mechanics of Lattice Systems (2017), chapter 2.

    Examples
    --------
    >>> list(curie_weiss(N=16).named_vars)
    ['s', 'exchange', 'm']
    """
    with sm.Model() as model:
        s = sm.Spin("s", N)
        sm.Energy("exchange", -J / (2 * N) * s.sum() ** 2)
        if h:
            sm.Energy("zeeman", -h * s)
        sm.Observable("m", s.mean())
    return model
