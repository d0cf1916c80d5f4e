"""The exact solution of the Ising model on a finite torus (B. Kaufman, Phys. Rev. 76, 1232 (1949)).

On an L x L torus of N sites, with E = -sum_<ij> s_i s_j and K = 1 / T,

    Z = (2 sinh 2K)^(N/2) / 2 [ prod_r 2 cosh(L g_{2r+1} / 2) + prod_r 2 sinh(L g_{2r+1} / 2)
                              + prod_r 2 cosh(L g_{2r} / 2)   + prod_r 2 sinh(L g_{2r} / 2) ]

where r = 0 ... L-1 and cosh g_k = cosh 2K coth 2K - cos(pi k / L), but g_0 = 2K + ln tanh K, which
changes its sign at the transition. log Z is written as a PyTensor graph: its derivatives, the energy and
the heat capacity, are then exact as well and need no formulas of their own.
"""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt

T_C = 2 / np.log(1 + np.sqrt(2))
"""Transition of the infinite lattice."""


def kaufman(L: int, T: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return log Z (total), the energy per site and the heat capacity per site at each T."""
    K = pt.dvector("K")
    x = (pt.cosh(2 * K) / pt.tanh(2 * K))[:, None] - np.cos(np.pi * np.arange(1, 2 * L) / L)
    g0 = L / 2 * (2 * K + pt.log(pt.tanh(K)))
    g = L / 2 * pt.arccosh(x)  # of k = 1, 2, ..., 2 L - 1; all positive
    odd, even = g[:, 0::2], g[:, 1::2]
    # sinh = cosh tanh, and log 2 cosh(x) = softplus(2 x) - x does not overflow.
    cosh_odd = (pt.softplus(2 * odd) - odd).sum(axis=1)
    cosh_even = (pt.softplus(2 * even) - even).sum(axis=1) + pt.softplus(2 * g0) - g0
    tanh_odd = pt.exp(pt.log(pt.tanh(odd)).sum(axis=1))
    tanh_even = pt.exp(pt.log(pt.tanh(even)).sum(axis=1)) * pt.tanh(g0)
    bracket = 1 + tanh_odd + pt.exp(cosh_even - cosh_odd) * (1 + tanh_even)
    log_z = L**2 / 2 * pt.log(2 * pt.sinh(2 * K)) - np.log(2) + cosh_odd + pt.log(bracket)
    energy = -pytensor.grad(log_z.sum(), K)
    heat_capacity = -(K**2) * pytensor.grad(energy.sum(), K)
    results = [log_z, energy / L**2, heat_capacity / L**2]
    interpreted = pytensor.Mode("py", None)  # evaluated once: compiling it would take longer
    return tuple(pytensor.function([K], results, mode=interpreted)(1 / np.asarray(T, float)))


def spontaneous_magnetization(T: np.ndarray) -> np.ndarray:
    """Return |m| of the infinite lattice (C. N. Yang, Phys. Rev. 85, 808 (1952))."""
    return np.maximum(1 - np.sinh(2 / np.asarray(T, float)) ** -4, 0) ** (1 / 8)
