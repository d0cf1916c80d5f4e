"""Works in both directions: where their histograms cross, and whether they belong together."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from statmech_dsl.estimators import crossing
from statmech_dsl.estimators.series import as_series

FORWARD, REVERSE = "#0072B2", "#D55E00"
DISCRETE = 0.1
"""Works are levels, not numbers, if no more than this part of them differ."""
FEWEST = 5
"""Works of either direction in a bin whose ratio is drawn: that of fewer is biased."""


def works(forward: ArrayLike, reverse: ArrayLike) -> Figure:
    r"""Plot the histograms of forward and reverse works, and the log of their ratio.

    By Crooks' theorem :math:`\ln[p_F(w) / p_R(-w)] = w - (f_1 - f_0)`: histograms cross at the difference of
    free energies, and the log of their ratio is a line of slope 1. See `estimators.crossing`, which finds both
    and warns like it does here.

    Parameters
    ----------
    forward : array_like, shape (draws,) or (chains, draws, ...)
        Reduced works from state 0 to state 1; for sudden ones u_1 - u_0 at draws of state 0.
    reverse : array_like, the same shape
        Reduced works from state 1 to state 0.

    Returns
    -------
    matplotlib.figure.Figure
        Left both histograms, reverse works with their sign turned, with the crossing and its error; right the
        log of their ratio in each bin, with errors as if draws were independent, the line that is fitted
        without bins, and that of slope 1.

    Raises
    ------
    OverlapError
        The histograms do not meet.
    DiagnosticsError
        There are fewer than two draws, or one is not finite.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> figure = works(rng.normal(1.5, 1, 4000), rng.normal(-0.5, 1, 4000))
    >>> print(figure.axes[0].get_title())
    f_1 - f_0 = 1.00 +- 0.01, by BAR 1.00 +- 0.01
    >>> plt.close(figure)
    """
    found = crossing(forward, reverse)
    one, other = as_series(forward).ravel(), -as_series(reverse).ravel()
    edges = _edges(one, other)
    middle = (edges[1:] + edges[:-1]) / 2
    n, m = (np.histogram(w, edges)[0] for w in (one, other))
    figure, (densities, ratio) = plt.subplots(1, 2, figsize=(9.6, 3.4), layout="constrained")
    for w, name, color in ((one, "forward, w", FORWARD), (other, "reverse, -w", REVERSE)):
        densities.hist(w, edges, density=True, alpha=0.5, color=color, label=name)
    at, error = found.value, found.error
    densities.axvspan(at - error, at + error, color="0.3", alpha=0.3, lw=0)
    densities.axvline(at, color="black", lw=0.8)
    bennett = found.difference
    densities.set(
        xlabel="work",
        ylabel="density",
        title=f"f_1 - f_0 = {at:.2f} +- {error:.2f}, by BAR {bennett.value:.2f} +- {bennett.error:.2f}",
    )
    densities.legend(frameon=False)
    known = np.minimum(n, m) >= FEWEST
    x, n, m = middle[known], n[known], m[known]
    style = {"fmt": "o", "ms": 3, "lw": 0.8, "capsize": 2, "color": "0.3"}
    ratio.errorbar(x, np.log(n / m), np.sqrt(1 / n + 1 / m), **style)
    ends = np.array([min(at - 1, *x), max(at + 1, *x)])
    ratio.plot(ends, found.slope * (ends - at), color=FORWARD, label="fitted")
    ratio.plot(ends, ends - bennett.value, "--", color="black", lw=0.8, label="slope 1")
    ratio.set(
        xlabel="work",
        ylabel="log of forward / reverse",
        title=f"slope {found.slope:.2f} +- {found.slope_error:.2f}",
    )
    ratio.legend(frameon=False)
    return figure


def _edges(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Edges of bins for both; each holds as many levels as its neighbors where works are discrete."""
    both = np.concatenate([one, other])
    edges = np.histogram_bin_edges(both, "auto")
    levels = np.unique(both)
    levels = levels[np.diff(levels, prepend=-np.inf) > 1e-9 * np.ptp(both)]
    if not 1 < len(levels) <= DISCRETE * len(both):
        return edges
    span = levels[-1] - levels[0]
    step = span / np.round(span / np.diff(levels).min())
    width = step * np.ceil((edges[1] - edges[0]) / step)
    return np.arange(levels[0] - step / 2, levels[-1] + width, width)
