"""Swendsen and Wang (1987): tie sites together at random, then give each cluster another value, or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from statmech_dsl.errors import ArgumentError
from statmech_dsl.ir.domains.base import Domain
from statmech_dsl.lower.collective import ClusterSpec
from statmech_dsl.updates.base import Situation, Update
from statmech_dsl.updates.clusters import ergodic, refuse


@dataclass(frozen=True)
class SwendsenWang:
    r"""Clusters of all sites, each of them reflected or not, for ``updates=``.

    The name "swendsen_wang" is the same without options.

    Parameters
    ----------
    improved : bool
        Report the improved estimator of \|m\|^2, m being the mean of the sites' vectors, in ``sample_stats``
        as ``{variable}_improved_m2``.
    correlation : sequence of int, optional
        Lengths of the torus that the sites fill, such as ``lattice.lengths``, to report the improved estimator
        of the two-point function as well, as ``{variable}_improved_correlation``: that of all pairs at
        distances 0, 1, ... along the axes, up to half of the shortest one.

    Notes
    -----
    The vector of a site is its value for `Spin`, `Levels` and `Field`, 2 n - 1 for `Occupation`, (cos, sin) for
    `Angle` and `Clock`, itself for `UnitVector`, and that to the corner of a simplex for `Potts`, where two
    colors have the scalar product -1 / (q - 1).

    References
    ----------
    R. H. Swendsen and J.-S. Wang, Phys. Rev. Lett. 58, 86 (1987).
    U. Wolff, Nucl. Phys. B 334, 581 (1990).

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> move = sm.SwendsenWang(correlation=(8, 8))
    >>> data = sm.sample(sm.models.ising(L=8), T=3.0, updates=move, seed=1, progressbar=False)
    >>> data.attrs["updates"]
    '{"s": "swendsen_wang(correlation=(8, 8))"}'
    >>> data.sample_stats.s_improved_correlation.mean(("chain", "draw")).values.round(2)
    array([1.  , 0.42, 0.22, 0.14, 0.12])
    """

    improved: bool = False
    correlation: Sequence[int] | None = None

    def __post_init__(self) -> None:
        if self.correlation is None:
            return
        try:
            lengths = tuple(int(n) for n in self.correlation)
        except (TypeError, ValueError):
            lengths = ()
        if not lengths or min(lengths) < 1:
            raise ArgumentError(
                "correlation= takes the lengths of a torus",
                where=f"correlation={self.correlation!r}",
                mend="give one whole number for each axis, such as lattice.lengths",
            )
        object.__setattr__(self, "correlation", lengths)

    def __str__(self) -> str:
        if self.correlation is not None:
            return f"swendsen_wang(correlation={self.correlation!r})"
        return "swendsen_wang(improved=True)" if self.improved else "swendsen_wang"

    def update(self) -> Update:
        """The update with these options."""
        return Update(
            "swendsen_wang",
            self._refuse,
            self._build,
            automatic=False,
            ergodic=ergodic,
            options=SwendsenWang,
        )

    def _refuse(self, where: Situation) -> str | None:
        lengths = tuple(self.correlation or ())
        return refuse(where, one=False, improved=self.improved or bool(lengths), lengths=lengths)

    def _build(self, variable: str, domain: Domain) -> ClusterSpec:
        lengths = tuple(self.correlation or ())
        improved = self.improved or bool(lengths)
        return ClusterSpec("swendsen_wang", variable, False, improved, lengths, str(self))


SWENDSEN_WANG = SwendsenWang().update()
