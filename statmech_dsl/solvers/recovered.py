"""A model whose log Z is a number."""

from __future__ import annotations

import pymc as pm
from pytensor.graph.traversal import ancestors

from statmech_dsl.errors import ModelError
from statmech_dsl.lower.recovery import Recovered, recover


def recovered_from(model: pm.Model) -> Recovered:
    """Find the local terms of a model.

    Raises
    ------
    ModelError
        A parameter is random.
    """
    recovered = recover(model)
    if recovered.random:
        behind = set(ancestors([recovered.parameters[name] for name in recovered.random]))
        names = ", ".join(repr(v.name) for v in model.free_RVs if v in behind)
        raise ModelError(
            f"the energy depends on the random variable {names}, and log Z is a function of it",
            mend="give it a number (pm.do) or use pm.Data",
        )
    return recovered
