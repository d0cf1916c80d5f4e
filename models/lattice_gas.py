"""The lattice gas."""

from __future__ import annotations

import statmech_dsl as sm


def lattice_gas(
    L: int = 32,
    eps: float = 1.0,
    mu: float | None = None,
    lattice: str | sm.lattices.Lattice = "square",
    periodic: bool = True,
) -> sm.Model:
    """Return the lattice gas: a cell holds a particle, n_i = 1, or none, n_i = 0.

    Hamiltonian (with the chemical potential: grand-canonical), each bond <ij> counted once::

        E = -eps sum_<ij> n_i n_j - mu sum_i n_i

    With n_i = (1 + s_i) / 2 and z bonds at each of N sites this is the Ising model of J = eps / 4
    and h = mu / 2 + z eps / 4, plus the constant -N (mu / 2 + z eps / 8). So liquid and gas coexist
    at h = 0, mu = -z eps / 2, up to T_c = 0.567296 eps (square, exact) or 1.127881 eps (cubic).
    For water T_c is 647.1 K: eps / k_B = 573.7 K in cubic cells. The densities of water and steam
    meet there as (T_c - T)^0.326, as the two magnetizations of the cubic Ising model do.

    Parameters
    ----------
    L, periodic : int, bool
        Unit cells along each axis, and whether the lattice closes on itself.
    eps, mu : float
        Attraction of neighbors; chemical potential, by default that of coexistence, -z eps / 2.
    lattice : str or Lattice
        Name in ``sm.lattices``, or a lattice; with a lattice `L` and `periodic` are unused.

    Returns
    -------
    Model
        Occupations ``n``; observable ``density``, their mean.

    References
    ----------
    T. D. Lee and C. N. Yang, Phys. Rev. 87, 410 (1952).

    Examples
    --------
    >>> list(lattice_gas(L=4).named_vars)
    ['n', 'attraction', 'reservoir', 'density']
    """
    sites = sm.lattices.named(lattice, L, periodic=periodic)
    i, j = sites.bonds
    mu = -eps * sites.coordination / 2 if mu is None else mu
    with sm.Model() as model:
        n = sm.Occupation("n", sites)
        sm.Energy("attraction", -eps * n[i] * n[j])
        sm.Energy("reservoir", -mu * n)
        sm.Observable("density", n.mean())
    return model
