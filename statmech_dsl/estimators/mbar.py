"""The multistate Bennett acceptance ratio: free energies and means of many states from draws of some."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statmech_dsl.errors import DiagnosticsError, OverlapError, OverlapWarning
from statmech_dsl.estimators.pooled import (
    Array,
    Exponentials,
    blocks,
    first_guess,
    weakest_link,
)
from statmech_dsl.estimators.self_consistent import solve
from statmech_dsl.estimators.tau_int import tau_int

PILOT = 200
"""Draws of each state that a first solution is found from."""
POOR = 0.03
"""Likeness of states below which free energies hang on tails (Klimovich, Shirts and Mobley 2015)."""
FEW = 20
"""Draws that an estimate must be worth: then its error is below 0.22, and known to about a sixth."""
OFF = 1e-6
"""By how much a share may be off, as a part of itself, in a solution."""


@dataclass(frozen=True, eq=False)
class PooledEstimate:
    """An estimate from pooled draws, with its error."""

    value: float
    """The estimate."""
    error: float
    """Standard error, which allows for the autocorrelation of the draws of each state."""
    influence: NDArray[np.float64]
    """What each draw adds, shape (N,): value minus truth is their mean, to first order."""


class MBAR:
    r"""Estimate free energies, and means in any state, from pooled draws of several states.

    The reduced free energies :math:`f_k = -\ln Z_k` solve
    :math:`e^{-f_k} = \sum_n e^{-u_k(x_n)} / \sum_j N_j e^{f_j - u_j(x_n)}`, which has the least variance
    of all estimates from independent draws [1]_ [2]_. Draws of different states are independent of each other;
    for tempering, where they are not, there is `Multihistogram`.

    Parameters
    ----------
    u : array_like, shape (K, N)
        Reduced potentials, where p(x) = exp(-u(x)) / Z, of all states at all draws. Draws of the first
        state come first, then those of the second one, and so on.
    counts : array_like, shape (K,)
        Draws of each state; none, or two at least.
    chains : int
        The draws of each state are so many chains of equal length, one after the other.

    Attributes
    ----------
    free_energy : ndarray, shape (K,)
        f of each state, relative to the first.
    covariance : ndarray, shape (K, K)
        Its covariance, if all draws are independent.
    overlap_matrix : ndarray, shape (K, K)
        Probability that a draw weighted for one state (row) was drawn from another (column).
    overlap : float
        The least likeness on the best way between any two states with draws: from 1, where all are the
        same, to 0. It is the cosine of the angle between the weights of both states.
    bridging : float
        Number of draws that may as well stem from one side of that link as from the other.
    effective_size : ndarray, shape (K,)
        How many draws of a state the weighted ones are worth, at most: 1 / sum of W^2.

    Warns
    -----
    OverlapWarning
        States have little in common, or the draws say little about one of them.

    Raises
    ------
    OverlapError
        Some states have nothing in common with the others, so that their free energies are not related.
    DiagnosticsError
        Shapes do not fit, or a potential is not finite.

    References
    ----------
    .. [1] M. R. Shirts and J. D. Chodera, J. Chem. Phys. 129, 124105 (2008).
    .. [2] Z. Tan, J. Am. Stat. Assoc. 99, 1027 (2004); covariance: A. Kong, P. McCullagh, X.-L. Meng,
       D. Nicolae and Z. Tan, J. R. Stat. Soc. B 65, 585 (2003).

    Examples
    --------
    Three harmonic oscillators, with draws of two of them:

    >>> k = np.array([1.0, 2.0, 4.0])
    >>> x = np.random.default_rng(1).normal(size=4000) / np.repeat([1.0, 2.0], 2000)
    >>> pool = MBAR(k[:, None] * x**2 / 2, [2000, 0, 2000])
    >>> found = pool.difference(0, 1)
    >>> print(f"{found.value:.2f} +- {found.error:.2f}, exactly {np.log(2) / 2:.2f}")
    0.35 +- 0.01, exactly 0.35
    >>> print(f"{pool.mean(x**2, 1).value:.2f}, exactly 0.50")
    0.50, exactly 0.50
    """

    def __init__(self, u: ArrayLike, counts: ArrayLike, *, chains: int = 1) -> None:
        self._u, self.counts = _checked(u, counts, chains)
        self.chains = chains
        self._sampled = np.flatnonzero(self.counts)
        self._f = self._solve()
        self.free_energy = self._f - self._f[0]
        self.overlap_matrix = self._gram * self.counts
        self.effective_size = 1.0 / np.diag(self._gram)
        self.overlap, self.bridging, self._side = self._link()
        self._check()
        self.covariance = _covariance(self._gram, self.counts)

    def difference(self, i: int, j: int) -> PooledEstimate:
        """Free energy of state j minus that of state i; its error allows for autocorrelation."""
        c = np.zeros(len(self.counts))
        c[j] += 1.0
        c[i] -= 1.0
        influence = -self._combined(c + self._answer(self._gram @ c))
        return self._estimate(float(c @ self.free_energy), influence)

    def mean(self, values: ArrayLike, state: int) -> PooledEstimate:
        """Mean of values, one for each draw, in a state."""
        a = np.asarray(values, float)
        if a.shape != self._log_density.shape or not np.isfinite(a).all():
            raise DiagnosticsError(
                "a mean needs one finite value for each draw",
                where=f"values of shape {a.shape}, {self._log_density.size} draws",
            )
        w = np.exp(self._f[state] - self._u[state] - self._log_density)
        value = float(w @ a)
        own = w * (a - value)
        influence = own * own.size + self._combined(self._answer(self._combined_sums(own)))
        return self._estimate(value, influence)

    # ---- the solution ---------------------------------------------------------------------------

    def _solve(self) -> Array:
        """Free energies: of the sampled states from some draws first, then from all; then of the others."""
        counts = self.counts[self._sampled]
        whole = len(counts) == len(self.counts)
        u = self._u if whole else self._u[self._sampled]
        some, first = np.minimum(counts, PILOT), np.cumsum(counts) - counts
        of_states = zip(first, some, counts, strict=True)
        chosen = np.concatenate([a + np.arange(m) * n // m for a, m, n in of_states])
        pilot = Exponentials(u[:, chosen], some)
        f = solve(pilot.shares, some / some.sum(), first_guess(pilot.u, some))
        pool = Exponentials(u, counts)
        f = solve(pool.shares, counts / counts.sum(), f)
        self._log_density, self._gram = pool.log_density(f), pool.products(f)
        if whole:
            return f
        every = self._free_energies()
        every[self._sampled] = f
        self._gram = self._products(every)
        return every

    def _free_energies(self) -> Array:
        """Of all states: minus the log of the sum of exp(-u) / density."""
        top, total = np.full(len(self.counts), -np.inf), np.zeros(len(self.counts))
        for part in blocks(*self._u.shape):
            x = -self._u[:, part] - self._log_density[part]
            higher = np.maximum(top, x.max(axis=1))
            x -= higher[:, None]
            total = total * np.exp(top - higher) + np.exp(x, out=x).sum(axis=1)
            top = higher
        return -(top + np.log(total))

    def _weights(self, f: Array, part: slice) -> Array:
        """Weights W of draws in each state: their sums over all draws are 1."""
        x = f[:, None] - self._u[:, part]
        x -= self._log_density[part]
        return np.exp(x, out=x)

    def _products(self, f: Array) -> Array:
        """Sum over draws of W_i W_j."""
        out = np.zeros((len(f), len(f)))
        for part in blocks(*self._u.shape):
            w = self._weights(f, part)
            out += w @ w.T
        return out

    # ---- errors ---------------------------------------------------------------------------------

    def _answer(self, sums: Array) -> Array:
        """Coefficients of W in what sampled free energies add to something with these derivatives -N g."""
        n = self.counts[self._sampled].astype(float)
        gram = self._gram[np.ix_(self._sampled, self._sampled)]
        slope = np.diag(n) - n[:, None] * gram * n
        slope += n.sum() / len(n) ** 2  # constants have no effect: any slope along them will do
        out = np.zeros(len(self.counts))
        g = sums[self._sampled]
        out[self._sampled] = n * np.linalg.solve(slope, n * (g - (n @ g) / n.sum()))
        return out

    def _combined(self, c: Array) -> Array:
        """N times the sum over k of c_k W_k, for each draw."""
        parts = [c @ self._weights(self._f, part) for part in blocks(*self._u.shape)]
        return np.concatenate(parts) * self._u.shape[1]

    def _combined_sums(self, own: Array) -> Array:
        """Sum over draws of W_k times a number for each."""
        parts = (self._weights(self._f, p) @ own[p] for p in blocks(*self._u.shape))
        return np.sum(list(parts), axis=0)

    def _estimate(self, value: float, influence: Array) -> PooledEstimate:
        influence = influence - influence.mean()
        ends = np.cumsum(self.counts[self._sampled])
        variance = 0.0
        for series in np.split(influence, ends[:-1]):
            error = tau_int(series.reshape(self.chains, -1)).error
            variance += (error * series.size / influence.size) ** 2
        return PooledEstimate(value, float(np.sqrt(variance)), influence)

    # ---- diagnostics ----------------------------------------------------------------------------

    def _link(self) -> tuple[float, float, NDArray[np.bool_]]:
        gram, n = self._gram[np.ix_(self._sampled, self._sampled)], self.counts[self._sampled]
        norm = np.sqrt(np.diag(gram))
        link, side = weakest_link(gram / norm[:, None] / norm)
        bridging = n[side] @ gram[np.ix_(side, ~side)] @ n[~side] if side.any() else np.inf
        return link, float(bridging), side

    def _check(self) -> None:
        """Refuse states that nothing relates; warn of those that little relates."""
        apart = f"states {_listed(self._sampled[self._side])}"
        mend = "draw from states between them, or take more draws"
        shares = self._gram[self._sampled] @ self.counts
        nothing = self.overlap < POOR and self.bridging < 1
        if nothing or not np.abs(shares - 1).max() < OFF:
            raise OverlapError(
                "states have nothing in common with the others: their free energies are not related",
                where=f"{apart}; {self.bridging:.2g} draws lie between",
                mend=mend,
            )
        n = np.bincount(self._side, self.counts[self._sampled], 2)
        variance = 1 / self.bridging - (1 / n).sum() if n.all() else 0.0
        if self.overlap < POOR or variance > 1 / FEW:
            warnings.warn(
                f"{apart} have little in common with the others: overlap {self.overlap:.2g}, "
                f"{self.bridging:.3g} draws between; {mend}",
                OverlapWarning,
                stacklevel=3,
            )
        poor = np.flatnonzero((self.counts == 0) & (self.effective_size < FEW))
        if poor.size:
            warnings.warn(
                f"the draws say little about states {_listed(poor)}: they are worth "
                f"{self.effective_size[poor].min():.2g} there; {mend}",
                OverlapWarning,
                stacklevel=3,
            )


def _checked(u: ArrayLike, counts: ArrayLike, chains: int) -> tuple[Array, NDArray[np.int64]]:
    potentials = np.ascontiguousarray(u, np.float64)
    given = np.asarray(counts)
    whole = given.astype(np.int64)
    fits = potentials.ndim == 2 and whole.shape == potentials.shape[:1]
    if not fits or (whole != given).any() or whole.sum() != potentials.shape[1]:
        raise DiagnosticsError(
            "u must be of shape (states, draws), with a count for each state and the draws as their sum",
            where=f"u of shape {potentials.shape}, counts={given}",
        )
    if (whole < 0).any() or not whole.any() or (whole == 1).any() or (whole % chains).any():
        raise DiagnosticsError(
            "a state needs no draws, or two at least, and chains of equal length",
            where=f"counts={given}, chains={chains}",
        )
    if not np.isfinite(potentials).all():
        state, draw = np.argwhere(~np.isfinite(potentials))[0]
        raise DiagnosticsError(
            "a reduced potential is NaN or infinite", where=f"state {state}, draw {draw}"
        )
    return potentials, whole


def _covariance(gram: Array, counts: NDArray[np.int64]) -> Array:
    """Asymptotic covariance of the free energies relative to the first: Kong et al. (2003).

    From W = U S V', of which the Gram matrix holds S and V; one direction is known to have no variance.
    """
    square, V = np.linalg.eigh(gram)
    keep = square > square.max() * 1e-14
    root = V[:, keep] * np.sqrt(square[keep])
    slope = np.eye(root.shape[1]) - root.T @ (counts[:, None] * root)
    null = counts @ root / np.sqrt(counts.sum())
    covariance = root @ np.linalg.solve(slope + np.outer(null, null), root.T)
    relative = covariance - covariance[0]
    return relative - relative[:, :1]


def _listed(states: NDArray[np.int64]) -> str:
    text = ", ".join(map(str, states[:10]))
    return text + (", ..." if len(states) > 10 else "")
