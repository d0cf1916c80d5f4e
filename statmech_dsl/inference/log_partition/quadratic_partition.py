"""Log Z of real fields whose energy is quadratic, and linear in its couplings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import diags_array

from statmech_dsl.errors import InfeasibleError
from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.ir.model import ModelIR
from statmech_dsl.solvers.gaussian import gaussian
from statmech_dsl.solvers.quadratic_form import Form

MAX_SITES = 512
"""Most sites where matrices do not commute: each log Z takes a Cholesky factor and an inverse."""
MAX_COMMUTING = 2048
"""Most sites where they do, as on periodic lattices: their modes are found once."""
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class QuadraticPartition:
    """Log Z of ``E = F_0 + sum_a c_a F_a``; call it for the value and its gradient, -<F_a>.

    ``forms`` begins with F_0. If ``curvatures`` is given, the forms are diagonal: these are their diagonals.
    """

    forms: Sequence[Form]
    curvatures: np.ndarray | None

    def __call__(self, c: np.ndarray) -> tuple[float, np.ndarray]:
        """Log Z, infinite where the energy does not bind the fields."""
        x = np.concatenate([[1.0], c])
        unbound = np.inf, np.zeros(len(c))
        b = sum(k * f.linear for k, f in zip(x, self.forms, strict=True))
        n = len(self.forms[0].linear)
        if self.curvatures is not None:
            d = x @ self.curvatures
            if not d.min() > 0.0:
                return unbound
            mean, log_det, traces = -b / d, np.log(d).sum(), self.curvatures @ (1.0 / d)
        else:
            A = sum(k * f.matrix.toarray() for k, f in zip(x, self.forms, strict=True))
            try:
                factor = cho_factor(A, lower=True)
            except np.linalg.LinAlgError:
                return unbound
            mean, log_det = -cho_solve(factor, b), 2 * np.log(np.diag(factor[0])).sum()
            inverse = cho_solve(factor, np.eye(n))
            traces = np.array([f.matrix.multiply(inverse).sum() for f in self.forms])
        at = np.array([f.at(mean) for f in self.forms])
        log_Z = (n * np.log(2 * np.pi) - log_det) / 2 - x @ at
        return float(log_Z), -(at + traces / 2)[1:]


def quadratic_partition(posed: Posed) -> QuadraticPartition:
    """Find the forms of the energies alone.

    Raises
    ------
    ModelError, InfeasibleError
        The energy is not quadratic, other variables are free, or there are too many sites.
    """
    r = posed.recovered
    own = tuple(f for f in r.ir.families if f.tempered)
    ir = ModelIR(r.ir.variables, own, r.ir.sums)
    bare = r.tables | {name: np.zeros_like(r.tables[name]) for name in posed.couplings}
    base = gaussian(ir, bare, r.clamped).tempered
    forms = [base]
    for name in posed.couplings:
        for k in range(len(bare[name])):
            unit = np.zeros(len(bare[name]))
            unit[k] = 1.0
            forms.append(_minus(gaussian(ir, bare | {name: unit}, r.clamped).tempered, base))
    n = len(base.linear)
    commute = _commute([f.matrix for f in forms])
    if n > (MAX_COMMUTING if commute else MAX_SITES):
        raise InfeasibleError(
            f"there are {n} sites, and at most {MAX_COMMUTING if commute else MAX_SITES} are allowed"
        )
    if not commute:
        return QuadraticPartition(forms, None)
    weights = np.random.default_rng(1).uniform(1.0, 2.0, len(forms))
    _, modes = np.linalg.eigh(
        sum(w * f.matrix.toarray() for w, f in zip(weights, forms, strict=True))
    )
    turned = [_turned(f, modes) for f in forms]
    return QuadraticPartition(turned, np.array([f.matrix.diagonal() for f in turned]))


def _minus(a: Form, b: Form) -> Form:
    return Form(a.constant - b.constant, a.linear - b.linear, a.matrix - b.matrix)


def _commute(matrices: list) -> bool:
    """Whether all matrices have the same modes."""
    for k, a in enumerate(matrices):
        for b in matrices[:k]:
            scale = abs(a).max() * abs(b).max() * a.shape[0]
            if scale and abs(a @ b - b @ a).max() > ROUNDING * scale:
                return False
    return True


def _turned(f: Form, modes: np.ndarray) -> Form:
    diagonal = np.einsum("im,im->m", modes, f.matrix @ modes)
    return Form(f.constant, modes.T @ f.linear, diags_array(diagonal).tocsr())
