"""Hamiltonian Monte Carlo: momenta for all sites, then a trajectory along the gradient of the energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import cast

import numpy as np

from statmech_dsl.errors import ArgumentError
from statmech_dsl.ir.domains.base import Domain
from statmech_dsl.lower.collective.hamiltonian import HamiltonianSpec, Mass, why_none
from statmech_dsl.updates.base import Situation, Update

TARGET, TARGET_OF_ONE = 0.8, 0.57
"""Acceptances that the step is tuned to: of trajectories, and of a single step (Roberts and Rosenthal 1998)."""


@dataclass(frozen=True)
class HMC:
    r"""Trajectories of all sites of a continuous variable, for ``updates=``.

    A move draws momenta and follows Hamilton's equations by leapfrog steps; the end is accepted with
    probability min(1, exp(-change of the total energy / T)). With one step it is the Metropolis-adjusted
    Langevin algorithm, which also has the name "mala".

    Parameters
    ----------
    leapfrogs : int
        Steps of a trajectory.
    step : float, optional
        Length of a step. If not given it is tuned for each chain, before recording, to an acceptance of
        0.8 (0.57 for one step); then each trajectory takes a random part of it, one half at least, so
        that no mode returns to where it was time and again.
    mass : {"unit", "fourier", "diagonal"} or sequence of float
        Masses of the sites: all 1, or given one by one; or "diagonal", for a `Field` whose sites differ
        in stiffness: each chain takes the inverse variance of every site, as it finds it before recording.
        "fourier" are those of the modes of a `Field` on a periodic lattice, the inverse propagator of the
        energy's quadratic part, by which all modes move alike, however long their waves are.

    Notes
    -----
    Momenta are those of exp(-E/T), so that lengths in time depend on T. Great circles carry a
    `UnitVector` (Byrne and Girolami 2013).

    References
    ----------
    S. Duane, A. D. Kennedy, B. J. Pendleton and D. Roweth, Phys. Lett. B 195, 216 (1987).
    M. D. Hoffman and A. Gelman, J. Mach. Learn. Res. 15, 1593 (2014).
    S. Byrne and M. Girolami, Scand. J. Stat. 40, 825 (2013).

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> model = sm.models.gaussian_field(L=8)
    >>> move = sm.HMC(leapfrogs=5, mass="fourier")
    >>> data = sm.sample(model, updates=move, draws=200, seed=1, progressbar=False)
    >>> data.attrs["updates"]
    '{"phi": "hmc(leapfrogs=5, mass=\'fourier\')"}'
    """

    leapfrogs: int = 10
    step: float | None = None
    mass: str | Sequence[float] = "unit"

    def __post_init__(self) -> None:
        n = self.leapfrogs
        if not isinstance(n, int) or isinstance(n, bool) or n < 1:
            raise ArgumentError("leapfrogs is a whole number, 1 or more", where=f"leapfrogs={n!r}")
        if self.step is not None and not (isinstance(self.step, int | float) and self.step > 0):
            raise ArgumentError("step is a positive number", where=f"step={self.step!r}")
        if not isinstance(self.mass, str):
            masses = np.asarray(self.mass, float).ravel()
            if not (np.isfinite(masses) & (masses > 0)).all():
                raise ArgumentError("masses are positive numbers", where=f"mass={self.mass!r}")
            object.__setattr__(self, "mass", tuple(masses.tolist()))
        elif self.mass not in ("unit", "fourier", "diagonal"):
            raise ArgumentError(
                "there is no such mass",
                where=f"mass={self.mass!r}",
                mend="use 'unit', 'fourier', 'diagonal' or a number for each site",
            )
        if self.mass == "diagonal" and self.step is not None:
            raise ArgumentError(
                "masses that are estimated change the step, so that it has to be tuned with them",
                where=f"step={self.step!r}, mass='diagonal'",
                mend="leave out step=, or give a mass for each site",
            )

    @property
    def name(self) -> str:
        """Name of the update."""
        return "mala" if self.leapfrogs == 1 else "hmc"

    def __str__(self) -> str:
        plain = HMC(leapfrogs=1 if self.leapfrogs == 1 else HMC.leapfrogs)
        given = [
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if getattr(self, f.name) != getattr(plain, f.name)
        ]
        return f"{self.name}({', '.join(given)})" if given else self.name

    def update(self) -> Update:
        """The update with these options."""
        return Update(
            self.name,
            self._refuse,
            self._build,
            automatic=False,
            options=type(self)._of(self.name),
            variant=self._variant,
        )

    @classmethod
    def _of(cls, name: str):
        """Read options that stand behind a name."""
        if name == "mala":
            return lambda **given: replace(cls(leapfrogs=1), **given)
        return cls

    def _refuse(self, where: Situation) -> str | None:
        if where.law != "boltzmann":
            return "trajectories follow Boltzmann weights only"
        return why_none(where.variable, where.ir, where.tables, cast(Mass, self.mass))

    def _variant(self, where: Situation) -> str | None:
        """With the best masses that the variable may have."""
        moves = (replace(self, step=None, mass=mass) for mass in ("fourier", "diagonal"))
        return next((str(x) for x in moves if x._refuse(where) is None), None)

    def _build(self, variable: str, domain: Domain) -> HamiltonianSpec:
        target = TARGET_OF_ONE if self.leapfrogs == 1 else TARGET
        return HamiltonianSpec(
            self.name, variable, str(self), self.leapfrogs, self.step, cast(Mass, self.mass), target
        )


HMC_UPDATE = HMC().update()
MALA_UPDATE = HMC(leapfrogs=1).update()
