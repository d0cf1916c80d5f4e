"""The Z2 lattice gauge theory."""

from __future__ import annotations

import statmech_dsl as sm


def z2_gauge(L: int = 8, d: int = 3, J: float = 1.0, periodic: bool = True) -> sm.Model:
    """Return Z2 gauge theory: Ising spins on the links of a hypercubic lattice.

    Hamiltonian, each plaquette P counted once::

        E = -J sum_P U_P,  U_P the product of the spins on the 4 links around P

    The inverse coupling beta is J / T. Turning all spins at one site leaves E as it is.
    For d = 2 <U_P> = tanh(beta), without a transition (infinite lattice). For d = 3 the model is
    dual to the Ising model, tanh(K) = exp(-2 beta): beta_c = 0.761413. For d = 4 it is self-dual,
    with a first-order transition at beta_c = ln(1 + sqrt 2) / 2 = 0.440687.

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

    Returns
    -------
    Model
        Spins ``s``, one for each link; observable ``plaquette``, the mean of U_P.

    References
    ----------
    F. J. Wegner, J. Math. Phys. 12, 2259 (1971); R. Balian et al., Phys. Rev. D 11, 2098 (1975).

    Examples
    --------
    >>> list(z2_gauge(L=3).named_vars)
    ['s', 'action', 'plaquette']
    """
    lattice = sm.lattices.hypercubic(L, d, periodic=periodic)
    with sm.Model() as model:
        s = sm.Spin("s", lattice.n_links)
        product = s[lattice.plaquette_links].prod(axis=1)
        sm.Energy("action", -J * product)
        sm.Observable("plaquette", product.mean())
    return model
