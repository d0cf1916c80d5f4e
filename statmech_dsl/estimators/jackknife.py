"""Errors of functions of several means: the jackknife over blocks of correlated draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statmech_dsl.errors import DiagnosticsError
from statmech_dsl.estimators.series import as_series
from statmech_dsl.estimators.tau_int import tau_int

MIN_TAUS = 8
"""A block is at least this many autocorrelation times long."""
MAX_BLOCKS = 400
"""More blocks cost time and tell no more: the error is then known to 4 percent."""


@dataclass(frozen=True)
class JackknifeEstimate:
    """A function of means, its error and what is known about both."""

    value: Any
    """The function at the means over all draws: a float, or an array if it returns one."""
    error: Any
    """Standard error, of the same shape."""
    bias: Any
    """Estimate of the bias of order 1/N that ``value`` has because the function is not linear."""
    tau: float
    """Integrated autocorrelation time of the slowest quantity, in draws."""
    block_length: int
    """Draws in a block (some have one more)."""
    n_blocks: int
    """Blocks in all chains together; the error is known to about 1 / sqrt(2 n_blocks)."""


def jackknife(
    function: Callable[..., ArrayLike],
    quantities: Mapping[str, ArrayLike],
    *,
    block_length: int | None = None,
) -> JackknifeEstimate:
    r"""Estimate a function of means and its error, allowing for autocorrelation.

    With :math:`\theta_b` the function at the means without block b of n,
    :math:`\sigma^2 = \frac{n-1}{n} \sum_b (\theta_b - \bar\theta)^2` and the bias is
    :math:`(n-1)(\bar\theta - \theta)` [1]_. Correlations between the quantities are allowed for.

    Blocks lie within chains. Their length is :math:`\tau (2N/\tau)^{1/3}`, which balances the
    correlation left between blocks against the noise of few of them [2]_, and at least 8 tau of
    the slowest quantity. Where chains are too short for that, or their means disagree (which
    `tau_int` reports as a large tau), each of several chains is one block.

    Parameters
    ----------
    function : callable
        Takes the means as keyword arguments under the names in ``quantities``, each of the shape
        of one draw, and returns a number or an array.
    quantities : mapping of str to array_like, shape (draws,) or (chains, draws, ...)
        What is averaged; all with the same chains and draws.
    block_length : int, optional
        Draws in a block, instead of the automatic choice.

    Returns
    -------
    JackknifeEstimate
        Value, error and diagnostics; constant quantities have error 0.

    Raises
    ------
    DiagnosticsError
        If there are no quantities, they differ in chains or draws, have fewer than two draws or one
        that is not finite, or blocks have no draws.

    References
    ----------
    .. [1] B. Efron, The Jackknife, the Bootstrap and Other Resampling Plans (1982).
    .. [2] U. Wolff, Comput. Phys. Commun. 156, 143 (2004), hep-lat/0306017.

    Examples
    --------
    >>> x = np.random.default_rng(1).normal(size=(4, 2500))
    >>> variance = jackknife(lambda x, x2: x2 - x**2, {"x": x, "x2": x**2})
    >>> print(f"{variance.value:.2f} +- {variance.error:.2f}")
    1.00 +- 0.01
    """
    if not quantities or (block_length is not None and block_length < 1):
        raise DiagnosticsError(
            "the jackknife has no quantities, or blocks without draws",
            where=f"quantities {list(quantities)}, block_length={block_length}",
            mend="pass at least one array of draws, and block_length of at least 1 or not at all",
        )
    series = {name: as_series(values, name) for name, values in quantities.items()}
    n_chains, n_draws = _common_shape(series)
    tau = max(_slowest_tau(values) for values in series.values())
    if block_length is None:
        block_length = _block_length(tau, n_chains * n_draws)
    per_chain = max(n_draws // block_length, 1 if n_chains > 1 else 2)

    means, deleted = {}, {}
    for name, values in series.items():
        means[name], deleted[name] = _means(values, per_chain)
    n_blocks = n_chains * per_chain
    value = np.asarray(function(**means), dtype=np.float64)
    replicates = np.array(
        [function(**{name: left[b] for name, left in deleted.items()}) for b in range(n_blocks)],
        dtype=np.float64,
    )
    center = replicates[0] + (replicates - replicates[0]).mean(axis=0)  # exact for constants
    variance = (n_blocks - 1) / n_blocks * np.sum((replicates - center) ** 2, axis=0)
    return JackknifeEstimate(
        value=value[()],
        error=np.sqrt(variance)[()],
        bias=((n_blocks - 1) * (center - value))[()],
        tau=tau,
        block_length=n_draws // per_chain,
        n_blocks=n_blocks,
    )


def _common_shape(series: Mapping[str, NDArray[np.float64]]) -> tuple[int, int]:
    """Chains and draws of all quantities."""
    shapes = {name: values.shape[:2] for name, values in series.items()}
    if len(set(shapes.values())) != 1:
        raise DiagnosticsError(
            "the jackknife needs quantities with the same chains and draws",
            where=", ".join(f"{name}: {shape}" for name, shape in shapes.items()),
            mend="pass arrays of shape (chains, draws, ...) from the same run",
        )
    n_chains, n_draws = next(iter(shapes.values()))
    return n_chains, n_draws


def _slowest_tau(series: NDArray[np.float64]) -> float:
    """Longest autocorrelation time among the components of a series (chains, draws, ...)."""
    components = np.moveaxis(series.reshape(*series.shape[:2], -1), -1, 0)
    return max((tau_int(component).tau for component in components), default=0.5)


def _block_length(tau: float, n: int) -> int:
    """Draws in a block: several tau, and more of them the more draws there are."""
    return int(np.ceil(max(MIN_TAUS * tau, tau * (2 * n / tau) ** (1 / 3), n / MAX_BLOCKS)))


def _means(
    series: NDArray[np.float64], per_chain: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean over all draws, and the means without each of the blocks, (blocks, ...)."""
    n_chains, n_draws = series.shape[:2]
    origin = series[0, 0]  # subtracted first: exact for constants, and no digits lost
    edges = np.linspace(0, n_draws, per_chain + 1).astype(int)
    sums = np.add.reduceat(series - origin, edges[:-1], axis=1)
    sums = sums.reshape(n_chains * per_chain, *series.shape[2:])
    kept = n_chains * n_draws - np.tile(np.diff(edges), n_chains)
    total = sums.sum(axis=0)
    kept = kept.reshape(-1, *[1] * total.ndim)
    return origin + total / (n_chains * n_draws), origin + (total - sums) / kept
