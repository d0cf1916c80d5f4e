"""Plain discrete variables of PyMC as variables of ours: what matters is their range."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pymc.distributions.discrete import DiscreteUniformRV, DiscreteWeibullRV
from pymc.distributions.distribution import SymbolicRandomVariable
from pymc.distributions.truncated import TruncatedRV
from pymc.pytensorf import constant_fold
from pytensor.compile.maker import function
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.random import basic as random
from pytensor.tensor.random.op import RandomVariable

from statmech_dsl.errors import ModelError
from statmech_dsl.ir.domains import Levels
from statmech_dsl.ir.marks import VariableMark

WIDEST = 32767
"""Largest absolute value that kernels store."""
Range = tuple[float, float, tuple[int, ...]]
"""Smallest and largest value of any element of a variable, and its shape."""


@singledispatch
def bounds(op: Any, node: Apply) -> tuple[Any, Any] | None:
    """Smallest and largest value of a distribution of whole numbers, as graphs; None if unknown.

    To support another distribution, register a function for its Op. Where elements differ in range, the
    log-density says so: the bounds only have to hold all values that any of them can have.
    """
    return None


@bounds.register
def _two(op: random.BernoulliRV, node: Apply) -> tuple[Any, Any]:
    return 0, 1


@bounds.register
def _classes(op: random.CategoricalRV, node: Apply) -> tuple[Any, Any]:
    p: Any = node.inputs[-1]
    return 0, p.shape[-1] - 1


@bounds.register
def _interval(op: DiscreteUniformRV, node: Apply) -> tuple[Any, Any]:
    lower, upper = node.inputs[2:]
    return lower, upper


@bounds.register
def _trials(op: random.BinomialRV | random.BetaBinomialRV, node: Apply) -> tuple[Any, Any]:
    return 0, node.inputs[2]


@bounds.register
def _sample(op: random.HyperGeometricRV, node: Apply) -> tuple[Any, Any]:
    good, bad, n = (pt.as_tensor_variable(x) for x in node.inputs[2:])
    return pt.maximum(0, n - bad), pt.minimum(n, good)


@bounds.register
def _counts(
    op: random.PoissonRV | random.NegBinomialRV | DiscreteWeibullRV, node: Apply
) -> tuple[Any, Any]:
    return 0, np.inf


@bounds.register
def _first_success(op: random.GeometricRV, node: Apply) -> tuple[Any, Any]:
    return 1, np.inf


@bounds.register
def _truncated(op: TruncatedRV, node: Apply) -> tuple[Any, Any] | None:
    *inner, lower, upper = node.inputs
    whole = bounds(op.base_rv_op, op.base_rv_op.make_node(*inner))
    if whole is None:
        return None
    return pt.maximum(whole[0], pt.ceil(lower)), pt.minimum(whole[1], pt.floor(upper))


class RangeOf:
    """Range of a plain discrete variable, as a function of the data that can be set.

    Parameters
    ----------
    rv : TensorVariable
        A free random variable of a model.

    Raises
    ------
    ModelError
        The range is unknown or depends on another random variable.
    """

    def __init__(self, rv: Any) -> None:
        self._name, self._distribution = str(rv.name), _distribution(rv)
        self._cut_off = _cut_off(rv.owner.op, self._name, f"pm.{self._distribution}.dist(...)")
        if (found := bounds(rv.owner.op, rv.owner)) is None:
            raise ModelError(
                f"sm.LocalGibbs does not know the range of {self._name}, "
                f"which is distributed as {self._distribution}",
                mend="leave it to PyMC's own steps, or give it a pm.DiscreteUniform or "
                "pm.Categorical, and its log-density as a pm.Potential",
            )
        low, high = (pt.as_tensor_variable(x) for x in found)
        graphs = [pt.min(low), pt.max(high), pt.as_tensor_variable(rv.shape)]
        folded: Any = constant_fold(graphs, raise_not_constant=False)
        self._folded = None if any(isinstance(x, Variable) for x in folded) else folded
        if self._folded is None:
            self._function: Any = function([], graphs, mode=Mode("py", "fast_run"))
            nodes = self._function.maker.fgraph.apply_nodes
            if any(isinstance(x.op, RandomVariable | SymbolicRandomVariable) for x in nodes):
                raise ModelError(
                    f"the range of {self._name} depends on other random variables",
                    mend="give it bounds that are numbers or pm.Data, and exclude values within "
                    "them by a pm.Potential",
                )

    def __call__(self) -> Range:
        """The range, with the present data."""
        low, high, shape = self._folded or self._function()
        return float(low), float(high), tuple(int(n) for n in shape)

    def mark(self) -> VariableMark:
        """What a variable of ours with this range is marked with.

        Raises
        ------
        ModelError
            The range has no end, is too wide, or holds a single value.
        """
        low, high, shape = self()
        if not np.isfinite([low, high]).all():
            raise ModelError(
                f"{self._name} has no largest value: it is distributed as {self._distribution}",
                where="compiled updates weigh the values of a site against each other",
                mend=f"cut it off where no weight is left: {self._cut_off}",
            )
        if max(abs(low), abs(high)) > WIDEST:
            raise ModelError(
                f"{self._name} has values from {low:.0f} to {high:.0f}",
                mend=f"sm.LocalGibbs moves numbers from {-WIDEST} to {WIDEST}",
            )
        if high <= low:
            raise ModelError(
                f"{self._name} has no value but {low:.0f}", mend="make it a number or pm.Data"
            )
        return VariableMark(self._name, Levels(range(int(low), int(high) + 1)), shape)


def _cut_off(op: Any, name: str, dist: str) -> str:
    """How to write a variable with a largest value."""
    if isinstance(op, TruncatedRV):
        return "give it upper=..."
    if isinstance(op, random.GeometricRV):  # a truncated one is continuous for PyMC
        return (
            f"n = pm.DiscreteUniform({name!r}, 1, ...), pm.Potential('prior', pm.logp({dist}, n))"
        )
    return f"pm.Truncated({name!r}, {dist}, upper=...)"


def _distribution(rv: Any) -> str:
    """Name of a distribution as PyMC has it."""
    return rv.owner.op._print_name[0] if hasattr(rv.owner.op, "_print_name") else str(rv.owner.op)
