"""Swaps: which replica has which temperature. Temperatures move, states stay where they are."""

from __future__ import annotations

import numpy as np

from statmech_dsl.rng import swap_words, uniform

WORDS_AT_ONCE = 1 << 14
"""Random words are computed for many swaps at once."""


class Exchange:
    """Ladders whose neighbors swap temperatures, even and odd pairs in turn.

    That deterministic order lets a replica keep its direction until a swap is rejected, and so travel
    in time proportional to the number of temperatures instead of its square: S. Okabe et al., Chem. Phys.
    Lett. 335, 435 (2001); Syed et al., J. R. Stat. Soc. B 84, 321 (2022).

    A ladder is one copy of a chain; ``rows[k, n]`` is the replica at temperature k of ladder n, the
    coldest first.
    """

    def __init__(self, beta: np.ndarray, chains: np.ndarray, copies: int, seed: int) -> None:
        self.beta, self.seed = beta, seed
        self.chain = np.repeat(chains, copies)
        self.copy = np.tile(np.arange(copies), len(chains))
        shape = (len(beta), len(self.chain))
        self.rows = np.arange(shape[0] * shape[1]).reshape(shape)
        self._steps = np.diff(beta)[:, None]
        self._block = max(1, WORDS_AT_ONCE // max(self.rows.size, 1))
        self._first, self._uniforms = -1, np.zeros((0, 1, 1))
        self.round_trips = np.zeros(shape[1], np.int64)
        self._phase = np.zeros(self.rows.size, np.int8)

    @property
    def levels(self) -> np.ndarray:
        """Index of the temperature of each replica."""
        return self.of_replicas(np.arange(len(self.beta)))

    def of_replicas(self, x: np.ndarray) -> np.ndarray:
        """What belongs to temperatures (or to places), handed to the replicas that have them."""
        out = np.empty(self.rows.size, x.dtype)
        out[self.rows] = x if x.ndim == 2 else x[:, None]
        return out

    def swap(self, energy: np.ndarray, number: int) -> np.ndarray:
        """Swap number ``number``; energies are [temperature, ladder].

        Returns the probabilities of a swap between all neighbors, also those whose turn it is not.
        """
        gain = self._steps * np.diff(energy, axis=0)
        chance = np.exp(np.minimum(gain, 0.0))
        first = number % 2
        lower, upper = self.rows[first:-1:2], self.rows[first + 1 :: 2]
        accepted = self._uniform(number)[first:-1:2] < chance[first::2]
        lower[:], upper[:] = np.where(accepted, upper, lower), np.where(accepted, lower, upper)
        return chance

    def count_round_trips(self) -> None:
        """Note which replicas came from the coldest temperature, saw the hottest, and are back."""
        cold, hot = self.rows[0], self.rows[-1]
        self.round_trips += self._phase[cold] == 2
        self._phase[cold] = 1
        self._phase[hot] *= 2  # 0: not yet seen at the cold end
        self._phase[hot] = np.minimum(self._phase[hot], 2)

    def _uniform(self, number: int) -> np.ndarray:
        """Uniforms [temperature, ladder], of which that of a lower temperature decides."""
        first = number - number % self._block
        if first != self._first:
            swaps = (first + np.arange(self._block))[:, None, None]
            level = np.arange(len(self.beta))[:, None]
            words = swap_words(level, self.chain, self.copy, swaps, self.seed)
            self._first, self._uniforms = first, np.asarray(uniform(words[0]))
        return self._uniforms[number - first]
