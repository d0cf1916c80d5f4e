"""Gaussian fields: quadratic energies of real fields, in closed form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csc_array
from scipy.sparse.linalg import splu

from statmech_dsl.errors import ImproperDistributionError, InfeasibleError, ModelError
from statmech_dsl.ir.domains.field import Field
from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.solvers.cost import Cost
from statmech_dsl.solvers.quadratic_form import Form, Reader
from statmech_dsl.solvers.system import SMALLER
from statmech_dsl.solvers.thermal import Thermal

MAX_DENSE = 4096
"""Most sites where traces of dense matrices are needed: some seconds for each temperature."""
MAX_SITES = 2**16
"""Most sites of a sparse matrix."""
FLAT = 1e-12
"""Curvatures below this, relative to the largest, are those of a zero mode."""

Clamped = Mapping[str, tuple[np.ndarray, np.ndarray]]
Solve = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Gaussian:
    """The energy that T divides, the energy that it does not, and what messages call the fields."""

    tempered: Form
    fixed: Form
    names: str

    @property
    def n(self) -> int:
        """Free sites."""
        return len(self.tempered.linear)

    @property
    def dense(self) -> bool:
        """Whether T changes more than the scale of the matrix, so that traces are needed."""
        return self.fixed.matrix.nnz > 0

    @property
    def cost(self) -> Cost:
        """Dense: a Cholesky factor and an inverse; sparse: as for nested dissection in two dimensions."""
        if self.dense:
            return Cost(3 * self.n**3, 40 * self.n**2)
        return Cost(30 * round(self.n**1.5), 500 * self.n)

    def thermal(self, beta: float) -> Thermal:
        """Integrate over all free sites.

        Raises
        ------
        ImproperDistributionError
            The integral diverges: a zero mode, or a curvature below 0.
        """
        if self.n == 0:
            return Thermal(
                beta,
                -beta * self.tempered.constant - self.fixed.constant,
                self.tempered.constant,
                0.0,
            )
        A = beta * self.tempered.matrix + self.fixed.matrix
        b = beta * self.tempered.linear + self.fixed.linear
        solve, log_det = self._dense(A) if self.dense else self._sparse(A)
        mean = -solve(b)
        E = beta * self.tempered.at(mean) + self.fixed.at(mean)
        log_Z = (self.n * np.log(2 * np.pi) - log_det) / 2 - E
        # The slope of the tempered energy at the mean, and the traces of S T and S T S T.
        slope = self.tempered.matrix @ mean + self.tempered.linear
        if self.dense:
            X = solve(self.tempered.matrix.toarray())
            first, second = np.trace(X), np.vdot(X, X.T)
        else:
            first, second = self.n / beta, self.n / beta**2
        energy = self.tempered.at(mean) + first / 2
        variance = second / 2 + slope @ solve(slope)
        return Thermal(beta, float(log_Z), float(energy), float(variance))

    def _dense(self, A: Any) -> tuple[Solve, float]:
        matrix = A.toarray()
        try:
            factor = cho_factor(matrix, lower=True)
        except np.linalg.LinAlgError:
            raise self._improper() from None
        diagonal = np.diag(factor[0]) ** 2
        self._require(diagonal)
        return lambda x: cho_solve(factor, x), float(np.log(diagonal).sum())

    def _sparse(self, A: Any) -> tuple[Solve, float]:
        try:
            factor = splu(
                csc_array(A),
                permc_spec="MMD_AT_PLUS_A",
                diag_pivot_thresh=0.0,
                options={"SymmetricMode": True},
            )
        except RuntimeError:  # exactly singular
            raise self._improper() from None
        diagonal = factor.U.diagonal()
        self._require(diagonal)
        return factor.solve, float(np.log(diagonal).sum())

    def _require(self, pivots: np.ndarray) -> None:
        if not pivots.min() > FLAT * np.abs(pivots).max():
            raise self._improper()

    def _improper(self) -> ImproperDistributionError:
        return ImproperDistributionError(
            f"log Z is infinite: the energy does not bind {self.names}",
            where="a zero mode, such as a shift of a massless field or all at beta = 0, or a curvature below 0",
            mend="add a mass term such as 0.5 * m2 * phi**2, or clamp a site with observed=",
        )


def gaussian(ir: ModelIR, tables: Tables, clamped: Clamped) -> Gaussian:
    """Find the quadratic form of a model all of whose free sites are real fields.

    Raises
    ------
    ModelError
        Other variables have free sites.
    InfeasibleError
        A term is not quadratic, or there are too many sites.
    """
    numbers, base, n = {}, {}, 0
    for v in ir.variables:
        free = tables[v.free].astype(int)
        if len(free) and not isinstance(v.domain, Field):
            raise ModelError(
                "gaussian needs real fields and nothing else",
                where=f"{v.domain.label} {v.name!r} is free",
                mend=f"clamp {v.name!r} with observed=, or sample",
            )
        numbers[v.name] = np.full(v.n_sites * v.domain.components, -1)
        numbers[v.name][free] = np.arange(n, n + len(free))
        base[v.name] = np.zeros(len(numbers[v.name]))
        if v.name in clamped:
            base[v.name] = np.where(numbers[v.name] < 0, clamped[v.name][1].reshape(-1), 0.0)
        n += len(free)
    names = ", ".join(repr(v.name) for v in ir.variables if len(tables[v.free]))
    read = Reader(ir, tables, numbers, base, n)
    result = Gaussian(read.form(tempered=True), read.form(tempered=False), names)
    if n > (MAX_DENSE if result.dense else MAX_SITES):
        raise InfeasibleError(
            f"gaussian has {n} sites, at most {MAX_DENSE if result.dense else MAX_SITES} are allowed"
            + (", as there are terms that T does not divide" if result.dense else ""),
            mend=SMALLER,
        )
    return result
