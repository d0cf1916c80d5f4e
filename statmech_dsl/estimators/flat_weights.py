"""Draws with any known weights as draws of a temperature."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statmech_dsl.errors import DiagnosticsError
from statmech_dsl.estimators.series import as_series
from statmech_dsl.estimators.weights import Weights


class FlatWeights:
    r"""Draws of a run at weights other than those of a temperature, known before it.

    Multicanonical runs are such [1]_. A draw with the log weight v is worth :math:`e^{v}` where all states
    count alike, and :math:`e^{v - \beta E}` at an inverse temperature. Log Z is relative to beta = 0.

    Parameters
    ----------
    energy, log_weight : array_like, shape (chains, draws)
        Energies, and what makes all states count alike, up to a constant.

    References
    ----------
    .. [1] B. A. Berg and T. Neuhaus, Phys. Rev. Lett. 68, 9 (1992).

    Examples
    --------
    Two states drawn equally often, though the second stands for three:

    >>> energy = np.array([[0.0, 1.0]])
    >>> weights = FlatWeights(energy, np.log([[1.0, 3.0]])).at(np.log(3.0))
    >>> print(f"{weights.mean(energy[..., None])[0]:.2f} {weights.log_partition:.3f}")
    0.50 -0.693
    """

    reference_name = "infinite temperature, within the levels of the run"
    source = "the draws of a flat histogram"

    def __init__(self, energy: ArrayLike, log_weight: ArrayLike) -> None:
        self.energy = as_series(energy, "energy")[..., None]
        self._log_weight = as_series(log_weight, "log_weight").reshape(-1)
        if self._log_weight.size != self.energy.size:
            raise DiagnosticsError(
                "every draw needs a weight",
                where=f"{self.energy.size} energies, {self._log_weight.size} weights",
            )

    def at(self, beta: float) -> Weights:
        """Weights of all draws at an inverse temperature."""
        w, log_mean = self._weights(beta)
        return Weights(self, w, log_mean - self._uniform[1])

    @property
    def reference_influence(self) -> NDArray[np.float64]:
        """What each draw adds to log Z at beta = 0."""
        return self._uniform[0].reshape(self.energy.shape[:2]) - 1.0

    def corrected(self, parts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Columns by chain and draw: the weights hang on no draw."""
        return parts.reshape(*self.energy.shape[:2], -1)

    @cached_property
    def _uniform(self) -> tuple[NDArray[np.float64], float]:
        return self._weights(0.0)

    def _weights(self, beta: float) -> tuple[NDArray[np.float64], float]:
        """Weights of mean 1, and the log of what their mean was."""
        log_w = self._log_weight - beta * self.energy.reshape(-1)
        top = log_w.max()
        w = np.exp(log_w - top)
        return w / w.mean(), float(np.log(w.mean()) + top)
