"""The restricted Boltzmann machine."""

from __future__ import annotations

import numpy as np

import statmech_dsl as sm


def restricted_boltzmann_machine(
    n_visible: int = 12,
    n_hidden: int = 6,
    seed: int = 0,
    weights: np.typing.ArrayLike | None = None,
    visible_biases: np.typing.ArrayLike = 0.0,
    hidden_biases: np.typing.ArrayLike = 0.0,
) -> sm.Model:
    """Return the restricted Boltzmann machine: weights between visible and hidden units only.

    Hamiltonian, all units 0 or 1::

        E = -sum_i a_i v_i - sum_k b_k h_k - sum_ik v_i W_ik h_k

    At T = 1, p(v) = exp(a . v) prod_k (1 + exp(b_k + v . W_k)) / Z: Z is a sum over one layer.

    Parameters
    ----------
    n_visible, n_hidden, seed : int
        Units, and seed of weights of standard deviation 1/2; unused with weights of your own.
    weights : array_like, optional
        Matrix W, shape (n_visible, n_hidden).
    visible_biases, hidden_biases : array_like
        Biases a and b, one for each unit or one for all.

    Returns
    -------
    Model
        Units ``v`` and ``h``; observables ``visible`` and ``hidden``, their means.

    References
    ----------
    P. Smolensky, in Parallel Distributed Processing 1, 194 (1986).

    Examples
    --------
    >>> list(restricted_boltzmann_machine().named_vars)
    ['v', 'h', 'a', 'b', 'W', 'visible', 'hidden']
    """
    if weights is None:
        weights = np.random.default_rng(seed).normal(scale=0.5, size=(n_visible, n_hidden))
    W = np.asarray(weights)
    with sm.Model() as model:
        v, h = sm.Occupation("v", W.shape[0]), sm.Occupation("h", W.shape[1])
        sm.Energy("a", -np.asarray(visible_biases) * v)
        sm.Energy("b", -np.asarray(hidden_biases) * h)
        sm.Energy("W", -v[:, None] * W * h)
        sm.Observable("visible", v.mean())
        sm.Observable("hidden", h.mean())
    return model
