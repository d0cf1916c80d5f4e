"""Whether a run is long enough for its error bars; one warning for a whole table."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

from statmech_dsl.errors import ShortChainWarning

MIN_TAUS = 50
"""Autocorrelation times in a chain below which tau, and with it every error, is a rough guess."""
MIN_BLOCKS = 8
"""Jackknife blocks below which an error is uncertain by more than a quarter."""


@dataclass
class ChainCheck:
    """Collects what is known about the length of chains, and warns once about the worst."""

    draws: int
    too_short: list[tuple[float, str]] = field(default_factory=list)
    few_blocks: list[tuple[int, str]] = field(default_factory=list)

    def see(self, where: str, tau: float, n_blocks: int | None = None) -> None:
        """Note the autocorrelation time (in draws) of a quantity, and its number of blocks."""
        if self.draws < MIN_TAUS * tau:
            self.too_short.append((tau, where))
        if n_blocks is not None and n_blocks < MIN_BLOCKS:
            self.few_blocks.append((n_blocks, where))

    def warn(self, stacklevel: int = 3) -> None:
        """Issue a `ShortChainWarning` at the caller of a verb if anything was too short."""
        if not (self.too_short or self.few_blocks):
            return
        text = []
        if self.too_short:
            tau, where = max(self.too_short)
            text.append(
                f"{len(self.too_short)} estimate(s) rest on chains shorter than {MIN_TAUS} "
                f"autocorrelation times or on chains that disagree, so errors are unreliable and "
                f"probably too small; the worst is {where}: tau_int = {tau:.3g} of {self.draws} "
                f"draws."
            )
        if self.few_blocks:
            n_blocks, where = min(self.few_blocks)
            text.append(
                f"{len(self.few_blocks)} error(s) come from fewer than {MIN_BLOCKS} jackknife "
                f"blocks; the fewest, {n_blocks}, for {where}."
            )
        text.append("Use more draws or a larger thin; see whether the chains agree with az.rhat.")
        warnings.warn(" ".join(text), ShortChainWarning, stacklevel=stacklevel)


def at_temperature(name: str, T: float | None) -> str:
    """Name a quantity at a temperature in messages.

    Examples
    --------
    >>> at_temperature("energy", 2.5)
    'energy at T=2.5'
    """
    return name if T is None else f"{name} at T={T:g}"
