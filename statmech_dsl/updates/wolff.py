"""Wolff (1989): reflect the cluster of a random site."""

from __future__ import annotations

from dataclasses import dataclass

from statmech_dsl.ir.domains.base import Domain
from statmech_dsl.lower.collective import ClusterSpec
from statmech_dsl.updates.base import Situation, Update
from statmech_dsl.updates.clusters import ergodic, refuse


@dataclass(frozen=True)
class Wolff:
    r"""The cluster of a random site, reflected, for ``updates=``.

    The name "wolff" is the same without options.

    Parameters
    ----------
    improved : bool
        Report the improved estimator of \|m\|^2 in ``sample_stats`` as ``{variable}_improved_m2``, m being
        the mean of the sites' vectors, as in `SwendsenWang`.

    Notes
    -----
    From 64 replicas on, the clusters of two-state models without fields grow in the bits of words, all replicas
    at once, unless they are to report something; `explain` says so.

    References
    ----------
    U. Wolff, Phys. Rev. Lett. 62, 361 (1989); Nucl. Phys. B 334, 581 (1990).

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> move = sm.Wolff(improved=True)
    >>> data = sm.sample(sm.models.ising(L=8), T=3.0, updates=move, seed=1, progressbar=False)
    >>> round(float(data.sample_stats.s_improved_m2.mean()), 2)
    0.17
    """

    improved: bool = False

    def __str__(self) -> str:
        return "wolff(improved=True)" if self.improved else "wolff"

    def update(self) -> Update:
        """The update with these options."""
        return Update(
            "wolff", self._refuse, self._build, automatic=False, ergodic=ergodic, options=Wolff
        )

    def _refuse(self, where: Situation) -> str | None:
        return refuse(where, one=True, improved=self.improved)

    def _build(self, variable: str, domain: Domain) -> ClusterSpec:
        return ClusterSpec("wolff", variable, True, self.improved, recipe=str(self))


WOLFF = Wolff().update()
