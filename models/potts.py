"""The Potts model."""

from __future__ import annotations

import pytensor.tensor as pt

import statmech_dsl as sm


def potts(
    L: int = 32,
    q: int = 3,
    J: float = 1.0,
    lattice: str | sm.lattices.Lattice = "square",
    periodic: bool = True,
) -> sm.Model:
    """Return the Potts model: q colors, and a gain for each bond between equal ones.

    Hamiltonian, each bond <ij> counted once::

        E = -J sum_<ij> [s_i = s_j]

    At q = 2 this is the Ising model of exchange J / 2. On the square lattice T_c is exactly
    J / ln(1 + sqrt q); the transition is continuous up to q = 4 and of first order above.

    Parameters
    ----------
    L, periodic : int, bool
        Unit cells along each axis, and whether the lattice closes on itself.
    q : int
        Number of colors.
    J : float
        Exchange; positive is ferromagnetic.
    lattice : str or Lattice
        Name in ``sm.lattices``, or a lattice; with a lattice `L` and `periodic` are unused.

    Returns
    -------
    Model
        Colors ``s``; observable ``order``, (q f - 1) / (q - 1) with f the largest share of a color.

    References
    ----------
    F. Y. Wu, Rev. Mod. Phys. 54, 235 (1982); R. J. Baxter, J. Phys. C 6, L445 (1973).

    Examples
    --------
    >>> list(potts(L=4, q=5).named_vars)
    ['s', 'exchange', 'order']
    """
    sites = sm.lattices.named(lattice, L, periodic=periodic)
    i, j = sites.bonds
    with sm.Model() as model:
        s = sm.Potts("s", sites, q=q)
        sm.Energy("exchange", -J * pt.eq(s[i], s[j]))
        shares = pt.eq(s[:, None], pt.arange(q)).mean(axis=0)
        sm.Observable("order", (q * shares.max() - 1) / (q - 1))
    return model
