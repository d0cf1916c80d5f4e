"""The Boltzmann machine."""

from __future__ import annotations

import numpy as np

import statmech_dsl as sm


def boltzmann_machine(
    N: int = 16,
    seed: int = 0,
    weights: np.typing.ArrayLike | None = None,
    biases: np.typing.ArrayLike = 0.0,
) -> sm.Model:
    """Return the Boltzmann machine: units n_i = 0 or 1 with weights between all pairs.

    Hamiltonian, each pair counted once::

        E = -sum_{i<j} W_ij n_i n_j - sum_i b_i n_i

    At T = 1 a unit is on with the probability 1 / (1 + exp(-b_i - sum_j W_ij n_j)), given the
    others. With n_i = (1 + s_i) / 2 it is an Ising model of exchange W_ij / 4.

    Parameters
    ----------
    N, seed : int
        Number of units, and seed of random weights, normal of variance 1 / N; unused with weights
        of your own.
    weights : array_like, optional
        Symmetric matrix W, shape (N, N); its diagonal is not used.
    biases : array_like
        Biases b, one for each unit or one for all.

    Returns
    -------
    Model
        Units ``n``; observable ``activity``, their mean.

    References
    ----------
    D. H. Ackley, G. E. Hinton and T. J. Sejnowski, Cognitive Science 9, 147 (1985).

    Examples
    --------
    >>> list(boltzmann_machine(weights=[[0, 2], [2, 0]], biases=[-1, -1]).named_vars)
    ['n', 'weights', 'biases', 'activity']
    """
    if weights is None:
        weights = np.random.default_rng(seed).normal(scale=N**-0.5, size=(N, N))
    W = np.asarray(weights)
    units = sm.lattices.complete(len(W))
    i, j = units.bonds
    with sm.Model() as model:
        n = sm.Occupation("n", units)
        sm.Energy("weights", -W[i, j] * n[i] * n[j])
        sm.Energy("biases", -np.asarray(biases) * n)
        sm.Observable("activity", n.mean())
    return model
