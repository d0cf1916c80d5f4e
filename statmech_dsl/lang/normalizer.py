"""The guard for random parameters inside energies: log Z(theta), which nobody can evaluate in general.

p(x | theta) = exp(-E(x, theta)) / Z(theta). PyMC adds up log-densities and knows nothing of Z; without it
the posterior of theta is silently wrong. A model with such an energy therefore carries -log Z(theta) as
an Op that raises when it is evaluated, until an inference method replaces it.
"""

from __future__ import annotations

from typing import Any, NoReturn

import pymc as pm
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

from statmech_dsl.errors import IntractableNormalizerError
from statmech_dsl.ir.marks import NormalizerMark, attach, mark_of

NAME = "log_normalizer"


class LogNormalizer(Op):
    """log Z of the energy as a function of its random parameters; evaluating it raises."""

    __props__ = ("parameters",)

    def __init__(self, parameters: tuple[str, ...]) -> None:
        self.parameters = parameters

    def make_node(self, *theta) -> Apply:  # noqa: D102
        inputs = [pt.as_tensor_variable(x) for x in theta]
        return Apply(self, inputs, [pt.dscalar()])

    def perform(self, node, inputs, output_storage) -> NoReturn:  # noqa: D102
        self._refuse()

    def pullback(self, inputs, outputs, cotangents) -> NoReturn:  # noqa: D102
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise IntractableNormalizerError(
            f"the energy depends on the random variable {', '.join(self.parameters)}, so that its "
            "posterior needs log Z(theta), which is unknown here",
            mend="give the parameter a number, clamp the states with observed= and drop the prior, "
            "or use an inference verb that computes log Z",
        )


def guard(model: pm.Model, parameters: list) -> None:
    """Add or widen the model's -log Z(theta) for parameters that an energy depends on."""
    known = next((p for p in model.potentials if isinstance(mark_of(p), NormalizerMark)), None)
    if known is not None:
        node = known.owner.inputs[0].owner
        parameters = [*node.inputs, *(p for p in parameters if p not in node.inputs)]
        model.potentials.remove(known)
        del model.named_vars[model.name_for(NAME)]
    op: Any = LogNormalizer(tuple(str(p.name) for p in parameters))
    potential = pm.Potential(NAME, -op(*parameters), model=model)
    attach(potential, NormalizerMark())
