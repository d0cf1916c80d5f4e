"""The Hopfield model of associative memory."""

from __future__ import annotations

import numpy as np

import statmech_dsl as sm


def hopfield(
    N: int = 100, n_patterns: int = 5, seed: int = 0, patterns: np.typing.ArrayLike | None = None
) -> sm.Model:
    """Return the Hopfield model: Ising spins that remember P patterns xi^mu of signs.

    Hamiltonian, each pair counted once::

        E = -sum_{i<j} J_ij s_i s_j,  J_ij = (1 / N) sum_mu xi^mu_i xi^mu_j

    This is -(N / 2) sum_mu m_mu^2 + P / 2, with the overlaps m_mu = (1 / N) sum_i xi^mu_i s_i. For
    N -> infinity and random patterns, each is retrieved below T = 1, with m = tanh(m / T), if P is
    much less than N; for P = alpha N at T = 0 up to alpha = 0.138, m = 0.967 (replica-symmetric).

    Parameters
    ----------
    N, n_patterns, seed : int
        Spins, patterns, and seed of the patterns; unused with patterns of your own.
    patterns : array_like, optional
        Patterns of -1 and +1, shape (P, N).

    Returns
    -------
    Model
        Spins ``s``; observable ``overlap`` of shape (P,).

    References
    ----------
    J. J. Hopfield, Proc. Natl. Acad. Sci. 79, 2554 (1982); D. J. Amit et al., Ann. Phys. 173, 30
    (1987).

    Examples
    --------
    >>> list(hopfield(N=10, n_patterns=2).named_vars)
    ['s', 'exchange', 'overlap']
    """
    if patterns is None:
        patterns = np.random.default_rng(seed).choice([-1.0, 1.0], (n_patterns, N))
    xi = np.asarray(patterns, dtype=float)
    sites = sm.lattices.complete(xi.shape[1])
    i, j = sites.bonds
    with sm.Model() as model:
        s = sm.Spin("s", sites)
        sm.Energy("exchange", -(xi.T @ xi / sites.n_sites)[i, j] * s[i] * s[j])
        sm.Observable("overlap", (xi * s).mean(axis=1))
    return model
