"""The Ising model."""

from __future__ import annotations

import statmech_dsl as sm


def ising(
    L: int = 32,
    J: float = 1.0,
    h: float = 0.0,
    lattice: str | sm.lattices.Lattice = "square",
    periodic: bool = True,
) -> sm.Model:
    """Return the Ising model: spins s_i = -1 or +1 that align with their neighbors.

    Hamiltonian, each bond <ij> counted once::

        E = -J sum_<ij> s_i s_j - h sum_i s_i

    Exact at h = 0 on infinite lattices: T_c = 2 J / ln(1 + sqrt 2) = 2.269185 J on the square one,
    where |m| = (1 - sinh(2 J / T)^-4)^(1/8) below, 4 J / ln 3 on the triangular one, 1.518651 J on
    honeycomb; a chain has the energy -J tanh(J / T) a site. T_c = 4.511523 J (numerical) on cubic.

    Parameters
    ----------
    L, periodic : int, bool
        Unit cells along each axis, and whether the lattice closes on itself.
    J, h : float
        Exchange (positive is ferromagnetic) and magnetic field (at 0 there is no such term).
    lattice : str or Lattice
        Name in ``sm.lattices``, or a lattice; with a lattice `L` and `periodic` are unused.

    Returns
    -------
    Model
        Spins ``s``; observable ``m``, their mean.

    References
    ----------
    L. Onsager, Phys. Rev. 65, 117 (1944); C. N. Yang, Phys. Rev. 85, 808 (1952).

    Examples
    --------
    >>> list(ising(L=4, h=0.5).named_vars)
    ['s', 'exchange', 'zeeman', 'm']
    """
    sites = sm.lattices.named(lattice, L, periodic=periodic)
    i, j = sites.bonds
    with sm.Model() as model:
        s = sm.Spin("s", sites)
        sm.Energy("exchange", -J * s[i] * s[j])
        if h:
            sm.Energy("zeeman", -h * s)
        sm.Observable("m", s.mean())
    return model
