"""Log Z in the Bethe approximation."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from statmech_dsl.errors import InfeasibleError, ModelError, NotConvergedWarning
from statmech_dsl.inference.log_partition.linear_factors import LinearFactors, linear_factors
from statmech_dsl.inference.methods.base import (
    PartitionMethod,
    Run,
)
from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.inference.problem.smooth import Smooth
from statmech_dsl.solvers.approximations.approximate import lowest
from statmech_dsl.solvers.approximations.bethe import Bethe, Messages
from statmech_dsl.solvers.approximations.groups import groups
from statmech_dsl.solvers.factors import Factor

SHORT, NOISE = 60, 1e-3
"""Iterations from messages nearby, and what these are disturbed by."""
PROPAGATION = "propagation"
"""Attribute under which what counts failures comes back from a run."""
MANY = 0.01
"""Share of points without a fixed point that is warned of."""


class BetheMethod(PartitionMethod):
    """Belief propagation at each point."""

    name = "bethe"
    automatic = False  # how far off it is nobody can say
    assumes = (
        "takes log Z in the Bethe approximation: exact on trees, good where loops are long or couplings weak, "
        "and with an error that is not known elsewhere"
    )

    def refuse(self, posed: Posed) -> str | None:  # noqa: D102
        if reason := super().refuse(posed):
            return reason
        try:
            linear_factors(posed)
        except (InfeasibleError, ModelError) as error:
            return error.what
        return None

    def log_partition(self, posed: Posed, run: Run) -> tuple[Smooth, dict[str, Any]]:  # noqa: D102
        found = Propagation(linear_factors(posed))
        return found, {PROPAGATION: found}

    def infer(self, posed: Posed, run: Run) -> xr.DataTree:  # noqa: D102
        tree = super().infer(posed, run)
        found: Propagation = tree.attrs.pop(PROPAGATION)
        tree.attrs["not_converged"] = found.failed / found.asked
        if tree.attrs["not_converged"] > MANY:
            warnings.warn(
                f"belief propagation did not converge at {tree.attrs['not_converged']:.1%} of the points "
                "asked for: log Z is not defined there",
                NotConvergedWarning,
                stacklevel=4,
            )
        return tree


class Propagation:
    """Log Z and -<S> at a fixed point, where the beliefs of factors give the exact gradient.

    ``failed`` of all points ``asked`` for did not converge.
    """

    def __init__(self, factors: LinearFactors) -> None:
        self.factors, self.asked, self.failed = factors, 0, 0
        number = factors.split(np.arange(len(factors.fixed)))
        of_factors = zip(factors.sites, number, strict=True)
        # Tables that hold the place of each energy in the vector of all.
        self.groups = groups([Factor(sites, at, np.zeros(at.shape)) for sites, at in of_factors])
        self.n_levels = np.array([len(x) for x in factors.system.levels], int)
        rng = np.random.default_rng(1)
        # An unstable fixed point, such as that of no magnetization below a transition, is to be left.
        self._noise = [
            [NOISE * rng.normal(size=(len(g.sites), n)) for n in g.tempered.shape[1:]]
            for g in self.groups
        ]
        self._last: Messages = []

    def __call__(self, c: np.ndarray) -> tuple[float, np.ndarray]:
        """The Bethe free energy at the fixed point near the last one, or else the lowest that is found."""
        E = self.factors.energies(c)
        solver = Bethe([replace(g, tempered=E[g.tempered]) for g in self.groups], self.n_levels)
        near = [
            [x + z for x, z in zip(*pair, strict=True)]
            for pair in zip(self._last, self._noise, strict=False)
        ]
        best = solver.follow(1.0, near, 0.0, SHORT) if near else None
        if best is None or not best.converged:
            best = lowest(solver, 1.0, self.n_levels)
        if best.converged:
            self._last = solver.messages
        self.asked += 1
        self.failed += not best.converged
        p = np.zeros(len(E))
        for g, belief in zip(self.groups, best.beliefs, strict=True):
            p[g.tempered.ravel()] = belief.ravel()
        return best.log_partition, -self.factors.means(p)
