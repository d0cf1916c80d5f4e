"""Pseudolikelihood: the product of one-site conditionals in place of the likelihood."""

from __future__ import annotations

import numpy as np

from statmech_dsl.errors import InfeasibleError
from statmech_dsl.inference.methods.base import Likelihood, LikelihoodMethod, Run
from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.inference.pseudolikelihood.conditionals import Conditionals, conditionals


class Pseudolikelihood(LikelihoodMethod):
    """No Z at all."""

    name = "pseudolikelihood"
    assumes = (
        "takes the product of the probabilities of all sites, each given all others, for the likelihood: "
        "consistent, but intervals are not calibrated, and mostly too narrow, where sites are correlated"
    )

    def refuse(self, posed: Posed) -> str | None:  # noqa: D102
        if reason := super().refuse(posed):
            return reason
        try:
            _conditionals(posed)
        except InfeasibleError as error:
            return error.what
        return None

    def likelihood(self, posed: Posed, run: Run) -> Likelihood:  # noqa: D102
        found = _conditionals(posed)

        def total(c: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = found(c)
            return -value, -gradient

        return Likelihood(total, found.each)


def _conditionals(posed: Posed) -> Conditionals:
    r = posed.recovered
    return conditionals(r.ir, r.tables, posed.states(), posed.couplings)
