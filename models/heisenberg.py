"""The Heisenberg model and its O(n) relatives."""

from __future__ import annotations

import statmech_dsl as sm


def heisenberg(
    L: int = 8,
    J: float = 1.0,
    h: float = 0.0,
    n: int = 3,
    lattice: str | sm.lattices.Lattice = "cubic",
    periodic: bool = True,
    dtype: str = "float64",
) -> sm.Model:
    """Return the classical Heisenberg model: unit vectors s_i with 3, or any n, components.

    Hamiltonian, each bond <ij> counted once::

        E = -J sum_<ij> s_i . s_j - h sum_i s_i^n,  s_i^n being the last component

    On the cubic lattice T_c = 1.442995 J (numerical); in two dimensions there is no order at T > 0.
    An infinite chain has exactly the energy -J (coth(J / T) - T / J) a bond.

    Parameters
    ----------
    L, periodic, dtype : int, bool, str
        Unit cells along each axis; whether the lattice closes on itself; "float32" for such states.
    J, h : float
        Exchange (positive is ferromagnetic) and magnetic field (at 0 there is no such term).
    n : int
        Number of components.
    lattice : str or Lattice
        Name in ``sm.lattices``, or a lattice; with a lattice `L` and `periodic` are unused.

    Returns
    -------
    Model
        Vectors ``s`` of shape (sites, n); observable ``m`` of shape (n,), their mean.

    References
    ----------
    M. E. Fisher, Am. J. Phys. 32, 343 (1964); Y. Deng et al., Phys. Rev. E 72, 016128 (2005).

    Examples
    --------
    >>> list(heisenberg(L=3, h=0.1).named_vars)
    ['s', 'exchange', 'zeeman', 'm']
    """
    sites = sm.lattices.named(lattice, L, periodic=periodic)
    i, j = sites.bonds
    with sm.Model() as model:
        s = sm.UnitVector("s", sites, n=n, dtype=dtype)
        sm.Energy("exchange", -J * s[i] * s[j])
        if h:
            sm.Energy("zeeman", -h * s[:, -1])
        sm.Observable("m", s.mean(axis=0))
    return model
