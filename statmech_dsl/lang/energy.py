"""Energy terms and observables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.graph.basic import Constant
from pytensor.graph.traversal import ancestors
from pytensor.scalar.basic import Add, Neg, Sub
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.random.op import RandomVariable
from pytensor.tensor.variable import TensorVariable

from statmech_dsl.errors import EnergyError, ModelError
from statmech_dsl.ir.marks import EnergyMark, ObservableMark, VariableMark, attach, mark_of
from statmech_dsl.lang.normalizer import guard


def Energy(name: str, expr: Any) -> Any:
    """Add an energy term; it is summed over its elements.

    States have the weight ``exp(-E/T)``, E being the sum of all energy terms. The term is a
    `pm.Potential` of ``-expr``, so that PyMC sees the model at T = 1.

    Parameters
    ----------
    name : str
        Name of the term.
    expr : TensorVariable
        Any expression of local terms of declared variables, of any shape.

    Returns
    -------
    TensorVariable
        The potential.

    Raises
    ------
    EnergyError
        It depends on no declared variable, or a coupling is NaN or infinite.
    ModelError
        It is outside of a model, or depends on a variable of another model.

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> with sm.Model() as model:
    ...     s = sm.Spin("s", sm.lattices.chain(8))
    ...     i, j = sm.lattices.chain(8).bonds
    ...     exchange = sm.Energy("exchange", -1.0 * s[i] * s[j])
    """
    model, expr, behind = _examine("Energy", name, expr)
    parameters = [
        v
        for v in model.free_RVs
        if v in behind and not isinstance(mark_of(v), VariableMark) and not _part_of_ours(v, behind)
    ]
    _refuse_broadcast_sums(name, expr)
    potential: Any = pm.Potential(name, -pt.cast(expr, "float64"))
    attach(potential, EnergyMark(potential.name))
    if parameters:
        guard(model, parameters)
    return potential


def Observable(name: str, expr: Any, *, dims: str | Sequence[str] | None = None) -> Any:
    """Record an expression at every draw.

    Parameters
    ----------
    name : str
        Name in the results.
    expr : TensorVariable
        Any expression of declared variables, of any shape.
    dims : str or sequence of str, optional
        Names of its dimensions in the results.

    Returns
    -------
    TensorVariable
        A `pm.Deterministic`.

    Raises
    ------
    EnergyError
        It depends on no declared variable.
    ModelError
        It is outside of a model, or depends on a variable of another model.

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> with sm.Model() as model:
    ...     s = sm.Spin("s", 8)
    ...     m = sm.Observable("m", s.mean())
    """
    _, expr, _ = _examine("Observable", name, expr)
    deterministic: Any = pm.Deterministic(name, expr, dims=dims)
    attach(deterministic, ObservableMark(deterministic.name))
    return deterministic


def _examine(what: str, name: str, expr: Any) -> tuple[Any, Any, set]:
    try:
        model = pm.modelcontext(None)
    except TypeError:
        raise ModelError(
            f"{what} {name!r} stands outside of a model",
            mend="write it inside `with sm.Model() as model:`",
        ) from None
    expr = pt.as_tensor_variable(expr)
    ours = [v for v in model.named_vars.values() if isinstance(mark_of(v), VariableMark)]
    behind = set(ancestors([expr], blockers=ours))
    marked = [v for v in behind if isinstance(mark_of(v), VariableMark)]
    foreign = [v for v in marked if v not in ours]
    if foreign:
        raise ModelError(
            f"{what} {name!r} uses {', '.join(sorted(str(v.name) for v in foreign))} of another model",
            mend="declare all variables of an energy in the model that the energy is in",
        )
    if not marked:
        raise EnergyError(
            f"{what} {name!r} depends on no declared variable", mend="use a variable of this model"
        )
    for v in behind:
        if isinstance(v, Constant) and getattr(v.type, "dtype", "").startswith("float"):
            bad = ~np.isfinite(v.data)
            if bad.any():
                first = tuple(int(k) for k in np.argwhere(bad)[0]) if bad.ndim else ()
                raise EnergyError(
                    f"{what} {name!r} has a coupling that is {v.data[first]}",
                    where=f"at index {first} of an array of shape {bad.shape}, "
                    f"{int(bad.sum())} such entries",
                )
    return model, expr, behind


def _refuse_broadcast_sums(name: str, expr: Any) -> None:
    """Refuse ``(s[i] * s[j]).sum() + h * s``: the sum would count once for each site."""
    node = expr.owner
    if expr.type.ndim == 0 or node is None or not isinstance(node.op, Elemwise):
        return
    if not isinstance(node.op.scalar_op, Add | Sub | Neg):
        return
    for x in node.inputs:
        inner = x.owner.inputs[0] if x.owner and isinstance(x.owner.op, DimShuffle) else x
        marked = (v for v in ancestors([inner]) if isinstance(mark_of(v), VariableMark))
        if inner.type.ndim == 0 and next(marked, None) is not None:
            raise EnergyError(
                f"Energy {name!r} adds a sum over sites to an array with {expr.type.shape} elements, "
                "so that the sum would count once for each of them",
                mend="make each an Energy of its own, or sum both: (...).sum() + (h * s).sum()",
            )
        _refuse_broadcast_sums(name, inner)


def _part_of_ours(v: TensorVariable, behind: set) -> bool:
    """Whether v is the unobserved part that PyMC splits off a partly clamped variable of ours."""
    return isinstance(v.owner.op, RandomVariable) and hasattr(v.owner.op, "domain")
