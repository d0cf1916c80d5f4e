"""The Blume-Capel model."""

from __future__ import annotations

import statmech_dsl as sm


def blume_capel(
    L: int = 32,
    J: float = 1.0,
    D: float = 0.0,
    lattice: str | sm.lattices.Lattice = "square",
    periodic: bool = True,
) -> sm.Model:
    """Return the Blume-Capel model: spins s_i = -1, 0 or +1 with a crystal field against +-1.

    Hamiltonian, each bond <ij> counted once::

        E = -J sum_<ij> s_i s_j + D sum_i s_i^2

    At D -> -infinity this is the Ising model. With z bonds at each site all spins are 0 at T = 0 if
    D > z J / 2. On the square lattice the continuous transition (T_c near 1.69 J at D = 0) becomes
    one of first order at the tricritical point near D = 1.966 J, T = 0.608 J (numerical).

    Parameters
    ----------
    L, periodic : int, bool
        Unit cells along each axis, and whether the lattice closes on itself.
    J, D : float
        Exchange (positive is ferromagnetic) and crystal field (positive favors 0).
    lattice : str or Lattice
        Name in ``sm.lattices``, or a lattice; with a lattice `L` and `periodic` are unused.

    Returns
    -------
    Model
        Spins ``s``; observables ``m``, their mean, and ``density``, the share of those not at 0.

    References
    ----------
    M. Blume, Phys. Rev. 141, 517 (1966); H. W. Capel, Physica 32, 966 (1966).

    Examples
    --------
    >>> list(blume_capel(L=4, D=1.9).named_vars)
    ['s', 'exchange', 'crystal_field', 'm', 'density']
    """
    sites = sm.lattices.named(lattice, L, periodic=periodic)
    i, j = sites.bonds
    with sm.Model() as model:
        s = sm.Levels("s", sites, values=[-1, 0, 1])
        sm.Energy("exchange", -J * s[i] * s[j])
        sm.Energy("crystal_field", D * s**2)
        sm.Observable("m", s.mean())
        sm.Observable("density", (s**2).mean())
    return model
