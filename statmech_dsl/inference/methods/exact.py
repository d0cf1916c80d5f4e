"""Exact log Z: all states, or counts of them; elimination; modes of quadratic fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from statmech_dsl.errors import InfeasibleError, ModelError
from statmech_dsl.inference.log_partition.contraction import Contraction
from statmech_dsl.inference.log_partition.linear_factors import linear_factors
from statmech_dsl.inference.log_partition.quadratic_partition import quadratic_partition
from statmech_dsl.inference.log_partition.sums import model_sums, too_many
from statmech_dsl.inference.methods.base import PartitionMethod, Run
from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.inference.problem.smooth import Smooth
from statmech_dsl.ir.domains import Field
from statmech_dsl.ir.model import ModelIR
from statmech_dsl.solvers.counting import counting
from statmech_dsl.solvers.evaluate import energies
from statmech_dsl.solvers.order import plan
from statmech_dsl.solvers.slopes import slopes
from statmech_dsl.solvers.system import discrete_system, power_of_two

MAX_MULTIPLICATIONS = 2**22
"""Of an elimination: some hundredths of a second for each log Z, of which NUTS asks some ten thousand."""
MAX_STEPS = 2**9
"""Products of an elimination, each of which takes as long as some ten thousand multiplications."""


class Exact(PartitionMethod):
    """Sums over all states."""

    name = "exact"
    assumes = "nothing: log Z is summed or integrated exactly"

    def refuse(self, posed: Posed) -> str | None:  # noqa: D102
        if reason := super().refuse(posed):
            return reason
        try:
            choose(posed)
        except (InfeasibleError, ModelError) as error:
            return error.what
        return None

    def log_partition(self, posed: Posed, run: Run) -> tuple[Smooth, dict[str, Any]]:  # noqa: D102
        how, prepare = choose(posed)
        return prepare(), {"log_partition": how}


def choose(posed: Posed) -> tuple[str, Callable[[], Smooth]]:
    """How log Z is to be had, in words, and what prepares it.

    Raises
    ------
    InfeasibleError, ModelError
        No way is feasible; the message says what they would take.
    """
    r = posed.recovered
    free = [v for v in r.ir.variables if len(r.tables[v.free])]
    if free and all(isinstance(v.domain, Field) for v in free):
        quadratic = quadratic_partition(posed)
        return "gaussian: the energy is quadratic", lambda: quadratic
    many = too_many(posed)
    if many is None:
        return "enumeration: all states were visited once", lambda: _summed(posed)
    reasons = [many]
    for attempt in (_counted, _eliminated):
        try:
            return attempt(posed)
        except (InfeasibleError, ModelError) as error:
            reasons.append(error.what)
    raise InfeasibleError("; ".join(reasons))


def _summed(posed: Posed) -> Smooth:
    sums = model_sums(posed)

    def log_partition(c: np.ndarray) -> tuple[float, np.ndarray]:
        log_Z, means, _ = sums.log_partition(c)
        return log_Z, -means

    return log_partition


@dataclass(frozen=True, eq=False)
class Levels:
    """Energies E_0 and statistics S of states, and the logarithm of how many each stands for."""

    energy: np.ndarray
    statistics: np.ndarray
    log_number: np.ndarray

    def __call__(self, c: np.ndarray) -> tuple[float, np.ndarray]:
        """Log Z and -<S>."""
        logs = self.log_number - self.energy - self.statistics @ c
        top = logs.max()
        p = np.exp(logs - top)
        Z = p.sum()
        return float(top + np.log(Z)), -(p @ self.statistics) / Z


def _counted(posed: Posed) -> tuple[str, Callable[[], Smooth]]:
    """Energies that depend on sums over sites only: one state for each way to divide sites among values."""
    r = posed.recovered
    bare = r.tables | {name: np.zeros_like(r.tables[name]) for name in posed.couplings}
    ir = ModelIR(r.ir.variables, tuple(f for f in r.ir.families if f.tempered), r.ir.sums)
    found = counting(discrete_system(ir, r.tables, r.clamped))

    def prepare() -> Smooth:
        visited = [
            (
                energies(ir, bare, x)[0],
                np.concatenate(list(slopes(ir, bare, x, posed.couplings).values()), axis=1),
            )
            for x in found.states()
        ]
        E, S = (np.concatenate(part) for part in zip(*visited, strict=True))
        return Levels(E, S, found.spectrum.log_number)

    return "counting: the energy depends on sums over sites only", prepare


def _eliminated(posed: Posed) -> tuple[str, Callable[[], Smooth]]:
    found = linear_factors(posed)
    order = plan(found.sites, [len(x) for x in found.system.levels])
    if order.multiplications > MAX_MULTIPLICATIONS or len(order.steps) > MAX_STEPS:
        raise InfeasibleError(
            f"elimination would take {power_of_two(order.multiplications)} multiplications in "
            f"{len(order.steps)} products for each log Z, at most {power_of_two(MAX_MULTIPLICATIONS)} in "
            f"{MAX_STEPS} are allowed"
        )
    return "elimination: few sites hang together at a time", lambda: Contraction(found, order)
