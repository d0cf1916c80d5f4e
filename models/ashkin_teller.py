"""The Ashkin-Teller model."""

from __future__ import annotations

import statmech_dsl as sm


def ashkin_teller(
    L: int = 32,
    J: float = 1.0,
    K: float = 0.5,
    lattice: str | sm.lattices.Lattice = "square",
    periodic: bool = True,
) -> sm.Model:
    """Return the Ashkin-Teller model: two Ising models coupled through their bond energies.

    Hamiltonian, each bond <ij> counted once::

        E = -sum_<ij> [J (s_i s_j + t_i t_j) + K s_i s_j t_i t_j]

    At K = 0 these are two Ising models, at K = J the 4-state Potts model of exchange 4 J plus J for
    each bond. On the infinite square lattice with -J < K <= J it is exactly critical where
    sinh(2 J / T) = exp(-2 K / T), with exponents that vary with K.

    Parameters
    ----------
    L, periodic : int, bool
        Unit cells along each axis, and whether the lattice closes on itself.
    J, K : float
        Exchange of each Ising model and of the products s_i t_i; positive is ferromagnetic.
    lattice : str or Lattice
        Name in ``sm.lattices``, or a lattice; with a lattice `L` and `periodic` are unused.

    Returns
    -------
    Model
        Spins ``s`` and ``t``; observables ``m_s``, ``m_t`` and ``m_st``, the means of s, t and s t.

    References
    ----------
    J. Ashkin and E. Teller, Phys. Rev. 64, 178 (1943); R. J. Baxter, Exactly Solved Models (1982).

    Examples
    --------
    >>> list(ashkin_teller(L=4).named_vars)
    ['s', 't', 'exchange', 'four_spin', 'm_s', 'm_t', 'm_st']
    """
    sites = sm.lattices.named(lattice, L, periodic=periodic)
    i, j = sites.bonds
    with sm.Model() as model:
        s, t = sm.Spin("s", sites), sm.Spin("t", sites)
        sm.Energy("exchange", -J * (s[i] * s[j] + t[i] * t[j]))
        sm.Energy("four_spin", -K * s[i] * s[j] * t[i] * t[j])
        sm.Observable("m_s", s.mean())
        sm.Observable("m_t", t.mean())
        sm.Observable("m_st", (s * t).mean())
    return model
