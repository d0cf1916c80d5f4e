"""The Gaussian free field."""

from __future__ import annotations

import statmech_dsl as sm


def gaussian_field(
    L: int = 16, m2: float = 1.0, d: int = 2, periodic: bool = True, dtype: str = "float64"
) -> sm.Model:
    """Return the Gaussian free field: a real field on a hypercubic lattice.

    Hamiltonian (the Euclidean action at T = 1), mu running over the d forward directions::

        E = 1/2 sum_x [sum_mu (phi_{x+mu} - phi_x)^2 + m2 phi_x^2]

    All is exact. On the periodic lattice of N sites, with w_k = m2 + sum_mu 4 sin^2(k_mu / 2) for
    the N momenta k, log Z = 1/2 sum_k ln(2 pi T / w_k), <phi^2> = (T / N) sum_k 1 / w_k, and
    <E> = N T / 2. It has no normalizable density at m2 = 0, where phi may shift as a whole.

    Parameters
    ----------
    L : int
        Unit cells along each axis.
    m2 : float
        Squared mass, positive.
    d : int
        Dimension.
    periodic : bool
        Whether the lattice closes on itself.
    dtype : str
        Precision of the states: "float64" or "float32".

    Returns
    -------
    Model
        Field ``phi``; observables ``m`` and ``phi2``, the means of phi and phi^2.

    References
    ----------
    S. Friedli and Y. Velenik, Statistical Mechanics of Lattice Systems (2017), chapter 8.

    Examples
    --------
    >>> list(gaussian_field(L=4).named_vars)
    ['phi', 'gradient', 'mass', 'm', 'phi2']
    """
    sites = sm.lattices.hypercubic(L, d, periodic=periodic)
    i, j = sites.bonds
    with sm.Model() as model:
        phi = sm.Field("phi", sites, dtype=dtype)
        sm.Energy("gradient", 0.5 * (phi[j] - phi[i]) ** 2)
        sm.Energy("mass", 0.5 * m2 * phi**2)
        sm.Observable("m", phi.mean())
        sm.Observable("phi2", (phi**2).mean())
    return model
