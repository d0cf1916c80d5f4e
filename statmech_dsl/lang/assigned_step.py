"""What PyMC finds when it looks for a step that moves a variable of ours."""

from __future__ import annotations

from typing import Any

from pymc.step_methods import STEP_METHODS
from pymc.step_methods.compound import BlockedStep, Competence

from statmech_dsl.ir.domains.base import Domain


class AssignedStep(BlockedStep):
    """Stands for `LocalGibbs` in PyMC's list of steps, and makes one when a model is sampled.

    The compiler lies above this layer and takes time to import; the language only has to tell PyMC
    that somebody can move its variables.
    """

    name = "local_gibbs"

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make a `LocalGibbs`, which the package loads by its public name."""
        from statmech_dsl import LocalGibbs

        return LocalGibbs(*args, **kwargs)

    @staticmethod
    def competence(var: Any, has_grad: bool) -> Competence:
        """All that is ours and that NUTS cannot move, and nothing of anybody else."""
        domain = getattr(var.owner.op, "domain", None)
        if isinstance(domain, Domain) and (domain.values is not None or not has_grad):
            return Competence.IDEAL
        return Competence.INCOMPATIBLE


STEP_METHODS.append(AssignedStep)
