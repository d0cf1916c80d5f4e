"""Draws of several temperatures as draws of any other: the multiple-histogram weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statmech_dsl.errors import DiagnosticsError
from statmech_dsl.estimators.levels import Levels
from statmech_dsl.estimators.self_consistent import solve
from statmech_dsl.estimators.series import as_series

AT_ONCE = 1 << 22
"""Numbers of an array over energies and temperatures, at most."""
PILOT = 200
"""Draws of each temperature, about, that a first solution is found from."""


class Pool(Protocol):
    """Draws that can be weighted for any temperature."""

    energy: NDArray[np.float64]
    reference_name: str
    """What log Z is relative to, in words."""

    @property
    def source(self) -> str:
        """Where the draws come from, in words."""
        ...

    @property
    def reference_influence(self) -> NDArray[np.float64]:
        """What each moment adds to the log Z that others are relative to: (chains, draws)."""
        ...

    def at(self, beta: float) -> Weights:
        """Weights of all draws at an inverse temperature."""
        ...

    def corrected(self, parts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Columns (draws, columns) averaged over each moment, and what it adds to the weights themselves."""
        ...


class Multihistogram:
    r"""Pooled draws at several temperatures, and log Z of each.

    The pool is drawn from a mixture with density :math:`m(E) = \frac1K \sum_k e^{f_k - \beta_k E}`, where
    :math:`f_k = -\ln Z_k` follow from the draws themselves, by the condition that every temperature has
    its share of the pool [1]_. A draw then has the weight :math:`e^{-\beta E} / m(E)` at any other
    temperature. Errors of the :math:`f_k` are part of all errors: estimates come with their influence,
    what each moment adds to them to first order.

    Parameters
    ----------
    energy : array_like, shape (chains, draws, n)
        Energies; n of them belong to each moment, the same number at every temperature.
    beta : array_like, shape (K,)
        Inverse temperatures.

    References
    ----------
    .. [1] A. M. Ferrenberg and R. H. Swendsen, Phys. Rev. Lett. 63, 1195 (1989), without binning:
       M. R. Shirts and J. D. Chodera, J. Chem. Phys. 129, 124105 (2008).

    Examples
    --------
    Harmonic oscillators, whose energies follow a Gamma distribution:

    >>> beta = np.array([2.0, 1.0])
    >>> energy = np.random.default_rng(1).gamma(3.0, 1 / beta, size=(4, 2000, 2))
    >>> weights = Multihistogram(energy, beta).at(1.4)
    >>> print(f"{weights.mean(energy)[0]:.1f}, exactly {3 / 1.4:.1f}")
    2.1, exactly 2.1
    """

    reference_name = "the highest temperature"

    def __init__(self, energy: ArrayLike, beta: ArrayLike) -> None:
        self.energy = as_series(energy, "energy")
        self.beta = np.asarray(beta, float)
        if self.energy.ndim != 3 or self.energy.shape[2] % len(self.beta):
            raise DiagnosticsError(
                "the pool needs as many draws at one temperature as at every other",
                where=f"energies of shape {self.energy.shape}, {len(self.beta)} temperatures",
                mend="pass energies of shape (chains, draws, temperatures)",
            )
        self.reference = int(np.argmin(self.beta))
        self._flat = self.energy.reshape(-1)
        self._center = float(self._flat.mean())
        self._levels = Levels.of(self._flat)
        self._f = self._solve()

    @property
    def source(self) -> str:
        """Where the draws come from, in words."""
        b = self.beta
        return f"the run has {len(b)} temperatures from {1 / b.max():g} to {1 / b.min():g}"

    @property
    def log_partition(self) -> NDArray[np.float64]:
        """Log Z of each temperature, relative to the highest one."""
        return self._relative(-self._f, self.beta)

    @property
    def overlap_matrix(self) -> NDArray[np.float64]:
        """Probability that a draw weighted for one temperature (row) was drawn from another (column)."""
        mean, slope = self._mean_shares(self._f, self._levels)
        return (np.diag(mean) - slope) * len(self.beta)

    def at(self, beta: float) -> Weights:
        """Weights of all draws at an inverse temperature."""
        log_w = self.log_weights(beta)
        log_z = float(_log_sum_exp(log_w[None])[0] - np.log(log_w.size))
        return Weights(self, np.exp(log_w - log_z), float(self._relative(log_z, beta)))

    def log_weights(self, beta: float) -> NDArray[np.float64]:
        """Log weights of all draws, up to a constant."""
        return -beta * (self._flat - self._center) - self._density

    def _relative(self, log_z: Any, beta: Any) -> Any:
        """Undo in log Z that energies are measured from their mean; it is 0 at the reference."""
        return log_z - (beta - self.beta[self.reference]) * self._center

    # ---- the self-consistent equations ----------------------------------------------------------

    @cached_property
    def _density(self) -> NDArray[np.float64]:
        """Log density of the pool at each draw."""
        levels = self._levels
        parts = [
            _log_sum_exp(self._exponent(self._f, levels.values[p])) for p in self._parts(levels)
        ]
        return levels.spread(np.concatenate(parts) - np.log(len(self.beta)))

    def _exponent(self, f: NDArray[np.float64], energy: NDArray[np.float64]) -> NDArray[np.float64]:
        return f - (energy[:, None] - self._center) * self.beta

    def _parts(self, levels: Levels) -> list[slice]:
        step = max(1, AT_ONCE // len(self.beta))
        return [slice(a, a + step) for a in range(0, len(levels.values), step)]

    def _shares(self, f: NDArray[np.float64], energy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability that a draw of each energy came from each of the temperatures."""
        x = self._exponent(f, energy)
        x -= x.max(axis=1, keepdims=True)
        np.exp(x, out=x)
        x /= x.sum(axis=1, keepdims=True)
        return x

    @cached_property
    def _only_part(self) -> NDArray[np.float64]:
        return self._shares(self._f, self._levels.values)

    def _solved(self) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """All shares, in parts; kept where they are one part."""
        energy, parts = self._levels.values, self._parts(self._levels)
        for part in parts:
            whole = len(parts) == 1
            yield part, self._only_part if whole else self._shares(self._f, energy[part])

    def average_shares(self, w: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean of the shares times w, which has one or more numbers for each draw: (K, ...)."""
        sums = self._levels.sum(w)
        return np.sum([x.T @ sums[part] for part, x in self._solved()], axis=0) / len(w)

    def combined_shares(self, v: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum over k of v_k times (share k - 1/K), for each draw and each column of v."""
        found = np.concatenate([x @ v for _, x in self._solved()]) - v.mean(axis=0)
        return self._levels.spread(found)

    def corrected(self, parts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Columns averaged over each moment, with what its draws add through the f_k, as weights hang on them.

        Shape (draws, columns) in, (chains, draws, columns) out.
        """
        answer = self.response @ self.average_shares(parts)
        whole = parts + self.combined_shares(answer)
        return whole.reshape(*self.energy.shape, -1).mean(axis=2)

    @property
    def reference_influence(self) -> NDArray[np.float64]:
        """What each moment adds to log Z of the reference."""
        return self._reference_influence

    @cached_property
    def _reference_influence(self) -> NDArray[np.float64]:
        shift = self.combined_shares(self.response[self.reference])
        return shift.reshape(self.energy.shape).mean(axis=2)

    def _solve(self) -> NDArray[np.float64]:
        """Solve for the f_k, from thermodynamic integration: for some of the draws first, then for all."""
        order = np.argsort(self.beta)
        u = self.energy.reshape(*self.energy.shape[:2], len(self.beta), -1).mean(axis=(0, 1, 3))
        u, b = u[order] - self._center, self.beta[order]
        f = np.empty(len(b))
        f[order] = np.concatenate([[0.0], np.cumsum(np.diff(b) * (u[1:] + u[:-1]) / 2)])
        target = np.full(len(b), 1.0 / len(b))
        step = self.energy.shape[0] * self.energy.shape[1] // PILOT
        if step > 1:
            some = Levels.of(self.energy[:, ::step].reshape(-1))
            f = solve(lambda f: self._mean_shares(f, some), target, f)
        f = solve(lambda f: self._mean_shares(f, self._levels), target, f)
        return f - f[self.reference]

    def _mean_shares(
        self, f: NDArray[np.float64], levels: Levels
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The share of each temperature in the pool, and the derivative by f."""
        n, K = levels.counts.sum(), len(self.beta)
        mean, square = np.zeros(K), np.zeros((K, K))
        for part in self._parts(levels):
            x = self._shares(f, levels.values[part])
            each = levels.counts[part, None] * x
            mean, square = mean + each.sum(axis=0) / n, square + each.T @ x / n
        return mean, np.diag(mean) - square

    @cached_property
    def response(self) -> NDArray[np.float64]:
        """How the f_k answer to shares that are off, up to the sign."""
        return np.linalg.pinv(
            self._mean_shares(self._f, self._levels)[1], rcond=1e-12, hermitian=True
        )


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights of the pooled draws at one temperature, of mean 1, and log Z relative to the reference."""

    pool: Pool
    w: NDArray[np.float64]
    log_partition: float

    @property
    def effective_size(self) -> float:
        """Number of equally weighted draws that these are worth: (sum w)^2 / sum w^2."""
        return float(self.w.sum() ** 2 / (self.w**2).sum())

    def mean(self, values: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weighted mean of values (chains, draws, n, ...), and its influence (chains, draws, ...)."""
        values = np.asarray(values, float)
        chains, draws, n = self.pool.energy.shape
        columns = values.reshape(chains * draws * n, -1)
        mean = self.w @ columns / len(self.w)
        influence = self.pool.corrected(self.w[:, None] * (columns - mean))
        shape = values.shape[3:]
        return mean.reshape(shape)[()], influence.reshape(chains, draws, *shape)

    @property
    def log_partition_influence(self) -> NDArray[np.float64]:
        """What each moment adds to log Z: (chains, draws)."""
        return self.pool.corrected(self.w[:, None])[..., 0] - 1.0 - self.pool.reference_influence


def _log_sum_exp(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each row."""
    top = x.max(axis=1)
    return top + np.log(np.exp(x - top[:, None]).sum(axis=1))
