"""The compact U(1) lattice gauge theory."""

from __future__ import annotations

import pytensor.tensor as pt

import statmech_dsl as sm


def u1_gauge(
    L: int = 4, d: int = 4, J: float = 1.0, periodic: bool = True, dtype: str = "float64"
) -> sm.Model:
    """Return compact U(1) gauge theory: angles theta on the links of a hypercubic lattice.

    Hamiltonian (Wilson's action), each plaquette P counted once::

        E = -J sum_P cos(theta_P),  theta_P = theta_1 + theta_2 - theta_3 - theta_4 around P

    The inverse coupling beta is J / T. Links that are passed against their direction have the minus
    sign; theta_l + a_i - a_j on the links l from i to j has the same E, for any angles a. For d = 2
    <cos theta_P> = I_1(beta) / I_0(beta), without a transition (infinite lattice). For d = 4 a weak
    first-order transition at beta_c = 1.01113 (numerical) separates confinement from free photons.
    The measure is d theta on each link; the literature often divides it by 2 pi.

    Parameters
    ----------
    L : int
        Sites along each axis.
    d : int
        Dimension.
    J : float
        Coupling.
    periodic : bool
        Whether the lattice closes on itself.
    dtype : str
        Precision of the states: "float64" or "float32".

    Returns
    -------
    Model
        Angles ``theta``, one for each link; observable ``plaquette``, the mean of cos(theta_P).

    References
    ----------
    K. G. Wilson, Phys. Rev. D 10, 2445 (1974); G. Arnold et al., Nucl. Phys. B Proc. Suppl. 119,
    864 (2003).

    Examples
    --------
    >>> list(u1_gauge(L=3, d=2).named_vars)
    ['theta', 'action', 'plaquette']
    """
    lattice = sm.lattices.hypercubic(L, d, periodic=periodic)
    with sm.Model() as model:
        theta = sm.Angle("theta", lattice.n_links, dtype=dtype)
        flux = (lattice.plaquette_signs * theta[lattice.plaquette_links]).sum(axis=1)
        sm.Energy("action", -J * pt.cos(flux))
        sm.Observable("plaquette", pt.cos(flux).mean())
    return model
