"""Power series in the change of beta, cut after the second order.

The last axis of an array holds c_0, c_1, c_2, which stand for c_0 + c_1 d + c_2 d^2 at beta + d.
A Boltzmann factor exp(-(beta + d) E) has c_n = exp(-beta E) (-E)^n / n!, sums are taken term by
term, and log Z = a_0 + a_1 d + a_2 d^2 gives <E> = -a_1 and var(E) = 2 a_2 without differences.

Arrays are scaled so that their largest element is 1 + 0 d + 0 d^2. That keeps weights within range,
and as it counts energies from that of the largest weight, the variance loses no digits.
"""

from __future__ import annotations

import numpy as np

from statmech_dsl.solvers.thermal import no_weight

ORDERS = 3
"""Coefficients that are kept."""


def boltzmann(
    tempered: np.ndarray, fixed: np.ndarray, beta: float
) -> tuple[np.ndarray, np.ndarray]:
    """Scaled series of exp(-beta E - E_fixed), and the logarithm of the scale.

    Raises
    ------
    ImproperDistributionError
        All weights are 0.
    """
    log_weight = -(beta * tempered + fixed)
    top = log_weight.max()
    if top == -np.inf:
        raise no_weight()
    lowest = tempered.flat[log_weight.argmax()]
    x = lowest - tempered
    coefficients = np.stack([np.ones_like(x), x, 0.5 * x**2], axis=-1)
    weight = np.exp(log_weight - top)
    return weight[..., np.newaxis] * coefficients, np.array([top, -lowest, 0.0])


def scaled(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Divide an array of series by its largest element; also the logarithm of that series.

    Raises
    ------
    ImproperDistributionError
        All weights are 0.
    """
    flat = a.reshape(-1, ORDERS)
    s = flat[flat[:, 0].argmax()]
    if s[0] <= 0.0:
        raise no_weight()
    first, second = s[1] / s[0], s[2] / s[0]
    inverse = np.array([1.0, -first, first**2 - second]) / s[0]
    log = np.array([np.log(s[0]), first, second - 0.5 * first**2])
    return (flat @ toeplitz(inverse)).reshape(a.shape), log


def toeplitz(b: np.ndarray) -> np.ndarray:
    """Matrices B[k, n] = b_(n-k), so that the product of two series is ``a @ B``.

    Examples
    --------
    >>> np.array([1.0, 1.0, 0.0]) @ toeplitz(np.array([1.0, -1.0, 1.0]))
    array([1., 0., 0.])
    """
    B = np.zeros((*b.shape, ORDERS))
    for k in range(ORDERS):
        B[..., k, k:] = b[..., : ORDERS - k]
    return B
