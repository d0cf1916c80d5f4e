"""Models of this library as binary quadratic models of dimod."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm

from statmech_dsl.errors import ModelError
from statmech_dsl.ir.model import Variable
from statmech_dsl.lang.bqm import import_dimod
from statmech_dsl.lang.labels import site_labels
from statmech_dsl.lang.model import given_or_context
from statmech_dsl.lower.recovery import Recovered, recover
from statmech_dsl.solvers.quadratic import Levels, quadratic

VARTYPES = {"Spin": "SPIN", "Occupation": "BINARY"}


def to_bqm(model: pm.Model | None = None) -> Any:
    """Return the energy of a model as a `dimod.BinaryQuadraticModel`.

    Parameters
    ----------
    model : Model
        A model of spins or of occupations with an energy of at most second order; penalties such as
        ``(x.sum() - k) ** 2`` are of second order.

    Returns
    -------
    dimod.BinaryQuadraticModel
        Same energy, of vartype SPIN or BINARY. The sites of one vector have the labels 0 .. n-1, or those of
        its coordinate; others ``name[index]``. Clamped sites do not occur.

    Raises
    ------
    ModelError
        A variable has more than two values, spins and occupations are mixed, a parameter is random, or a
        term is of higher order.
    PackageError
        dimod is not installed.

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> sm.to_bqm(sm.models.max_cut(N=4)).num_interactions  # doctest: +SKIP
    6
    """
    model = given_or_context(model)
    recovered = recover(model)
    variables = recovered.ir.variables
    kinds = {v.domain.label for v in variables}
    if len(kinds) > 1 or not kinds <= set(VARTYPES):
        raise ModelError(
            "a binary quadratic model has spins, or occupations, and nothing else",
            where=", ".join(f"{v.domain.label} {v.name!r}" for v in variables),
            mend="declare all variables as sm.Spin, or all as sm.Occupation",
        )
    if recovered.random:
        raise ModelError("an energy depends on random parameters", mend="give them numbers")
    found = quadratic(recovered.ir, recovered.tables, _levels(recovered))
    dimod = import_dimod()
    shapes = {v.name: (_dims(model, v), v.shape) for v in variables}
    labels = site_labels(shapes, {d: c for d, c in model.coords.items() if c is not None})
    free = {labels[k]: found.linear[k] for k in _free(recovered)}
    pairs = {(labels[i], labels[j]): x for (i, j), x in found.pairs.items() if x}
    bqm = dimod.BinaryQuadraticModel(free, pairs, found.offset, "SPIN")
    return bqm.change_vartype(VARTYPES[kinds.pop()], inplace=False)


def _levels(recovered: Recovered) -> Levels:
    """Low and high value of each site; clamped ones have the same twice."""
    levels, first = {}, 0
    for v in recovered.ir.variables:
        assert v.domain.values is not None
        low, high = (np.full(v.n_sites, x) for x in v.domain.values)
        if v.name in recovered.clamped:
            mask, values = recovered.clamped[v.name]
            low[mask] = high[mask] = values.reshape(-1)[mask]
        levels[v.name] = (first, low, high)
        first += v.n_sites
    return levels


def _free(recovered: Recovered) -> list[int]:
    """Numbers of the sites that are not clamped."""
    numbers, first = [], 0
    for v in recovered.ir.variables:
        numbers += (first + recovered.tables[v.free].astype(int)).tolist()
        first += v.n_sites
    return numbers


def _dims(model: pm.Model, v: Variable) -> tuple[str, ...]:
    return model.named_vars_to_dims.get(v.name) or ("",) * len(v.shape)
