"""The phi^4 lattice field theory."""

from __future__ import annotations

import statmech_dsl as sm


def phi4(
    L: int = 16,
    mu2: float = -1.0,
    lam: float = 1.0,
    d: int = 2,
    periodic: bool = True,
    dtype: str = "float64",
) -> sm.Model:
    """Return phi^4 theory: a real field in a double well (mu2 < 0) on a hypercubic lattice.

    Hamiltonian (the Euclidean action at T = 1), mu running over the d forward directions::

        E = sum_x [1/2 sum_mu (phi_{x+mu} - phi_x)^2 + mu2/2 phi_x^2 + lam/4 phi_x^4]

    Mind the factor: the literature has lam, lam/2, lam/4 and lam/4! before phi^4. With lam/4 the
    critical point in d = 2 is mu2 = -1.2723 at lam = 1, and mu2 = -0.721 at lam = 0.5 (numerical).
    The action sum phi (box + m^2) phi + lam phi^4 of the literature on normalizing flows has the
    same mu2 = m^2 and lam, its field being phi / sqrt 2. At lam = 0 this is `gaussian_field`.

    Parameters
    ----------
    L, d, periodic : int, int, bool
        Unit cells along each axis, dimension, and whether the lattice closes on itself.
    mu2 : float
        Squared bare mass; negative for two wells.
    lam : float
        Coupling of phi^4 / 4.
    dtype : str
        Precision of the states: "float64" or "float32".

    Returns
    -------
    Model
        Field ``phi``; observables ``m`` and ``phi2``, the means of phi and phi^2.

    References
    ----------
    D. Schaich and W. Loinaz, Phys. Rev. D 79, 056008 (2009).

    Examples
    --------
    >>> list(phi4(L=4).named_vars)
    ['phi', 'gradient', 'well', 'm', 'phi2']
    """
    sites = sm.lattices.hypercubic(L, d, periodic=periodic)
    i, j = sites.bonds
    with sm.Model() as model:
        phi = sm.Field("phi", sites, dtype=dtype)
        sm.Energy("gradient", 0.5 * (phi[j] - phi[i]) ** 2)
        sm.Energy("well", 0.5 * mu2 * phi**2 + 0.25 * lam * phi**4)
        sm.Observable("m", phi.mean())
        sm.Observable("phi2", (phi**2).mean())
    return model
