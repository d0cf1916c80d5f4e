"""The XY model."""

from __future__ import annotations

import pytensor.tensor as pt

import statmech_dsl as sm


def xy(
    L: int = 32,
    J: float = 1.0,
    h: float = 0.0,
    lattice: str | sm.lattices.Lattice = "square",
    periodic: bool = True,
    dtype: str = "float64",
) -> sm.Model:
    """Return the XY model: planar spins of any angle theta_i.

    Hamiltonian, each bond <ij> counted once::

        E = -J sum_<ij> cos(theta_i - theta_j) - h sum_i cos(theta_i)

    The square lattice has a Kosterlitz-Thouless transition at T = 0.8929 J, the cubic one orders at
    2.201844 J (numerical). An infinite chain has exactly the energy -J I_1(J/T) / I_0(J/T) a bond.

    Parameters
    ----------
    L, periodic, dtype : int, bool, str
        Unit cells along each axis; whether the lattice closes on itself; "float32" for such states.
    J, h : float
        Exchange (positive is ferromagnetic) and field along theta = 0 (at 0 there is no such term).
    lattice : str or Lattice
        Name in ``sm.lattices``, or a lattice; with a lattice `L` and `periodic` are unused.

    Returns
    -------
    Model
        Angles ``theta``; observables ``mx`` and ``my``, the mean cosine and sine.

    References
    ----------
    J. M. Kosterlitz and D. J. Thouless, J. Phys. C 6, 1181 (1973).

    Examples
    --------
    >>> list(xy(L=4).named_vars)
    ['theta', 'exchange', 'mx', 'my']
    """
    sites = sm.lattices.named(lattice, L, periodic=periodic)
    i, j = sites.bonds
    with sm.Model() as model:
        theta = sm.Angle("theta", sites, dtype=dtype)
        sm.Energy("exchange", -J * pt.cos(theta[i] - theta[j]))
        if h:
            sm.Energy("zeeman", -h * pt.cos(theta))
        sm.Observable("mx", pt.cos(theta).mean())
        sm.Observable("my", pt.sin(theta).mean())
    return model
