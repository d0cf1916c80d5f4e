"""The clock model."""

from __future__ import annotations

import pytensor.tensor as pt

import statmech_dsl as sm


def clock(
    L: int = 32,
    q: int = 6,
    J: float = 1.0,
    lattice: str | sm.lattices.Lattice = "square",
    periodic: bool = True,
) -> sm.Model:
    """Return the clock model: planar spins that point in one of q directions.

    Hamiltonian, each bond <ij> counted once::

        E = -J sum_<ij> cos(theta_i - theta_j),  theta_i = 2 pi k_i / q

    On the square lattice T_c is exactly 2 J / ln(1 + sqrt 2), 3 J / (2 ln(1 + sqrt 3)) and
    J / ln(1 + sqrt 2) for q = 2, 3 and 4; from q = 5 on, two transitions enclose an XY-like phase.

    Parameters
    ----------
    L, periodic : int, bool
        Unit cells along each axis, and whether the lattice closes on itself.
    q : int
        Number of directions.
    J : float
        Exchange; positive is ferromagnetic.
    lattice : str or Lattice
        Name in ``sm.lattices``, or a lattice; with a lattice `L` and `periodic` are unused.

    Returns
    -------
    Model
        Directions ``s`` from 0 to q - 1; observables ``mx`` and ``my``, the mean cosine and sine.

    References
    ----------
    J. V. Jose et al., Phys. Rev. B 16, 1217 (1977).

    Examples
    --------
    >>> list(clock(L=4, q=5).named_vars)
    ['s', 'exchange', 'mx', 'my']
    """
    sites = sm.lattices.named(lattice, L, periodic=periodic)
    i, j = sites.bonds
    with sm.Model() as model:
        s = sm.Clock("s", sites, q=q)
        sm.Energy("exchange", -J * pt.cos(s.angle[i] - s.angle[j]))
        sm.Observable("mx", pt.cos(s.angle).mean())
        sm.Observable("my", pt.sin(s.angle).mean())
    return model
