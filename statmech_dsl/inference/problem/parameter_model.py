"""The model of the parameters alone, in which the likelihood of the states takes the place of the states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pymc as pm
import pytensor.tensor as pt
from pymc.model.fgraph import ModelVar, fgraph_from_model, model_from_fgraph
from pytensor.graph.basic import Variable
from pytensor.graph.replace import graph_replace
from pytensor.graph.traversal import ancestors

from statmech_dsl.inference.problem.posed import Posed, marks_of
from statmech_dsl.ir.marks import NormalizerMark, mark_of


def parameter_model(posed: Posed) -> pm.Model:
    """A copy of the model without its states and all that depends on them.

    Priors, other data and initial values stay.

    Examples
    --------
    >>> import numpy as np, pymc as pm
    >>> import statmech_dsl as sm
    >>> from statmech_dsl.inference.problem.posed import pose
    >>> with sm.Model() as model:
    ...     J = pm.Normal("J", 0, 1)
    ...     s = sm.Spin("s", sm.lattices.chain(8))
    ...     i, j = sm.lattices.chain(8).bonds
    ...     exchange = sm.Energy("exchange", -J * s[i] * s[j])
    >>> parameter_model(pose(model, {"s": np.ones(8)})).basic_RVs
    [J]
    """
    model = posed.model
    # Names, not variables: PyMC copies what it puts in a graph.
    ours = set(marks_of(model))
    ours |= {v for v in model.named_vars.values() if isinstance(mark_of(v), NormalizerMark)}
    gone = {name for name, v in model.named_vars.items() if ours.intersection(ancestors([v]))}
    starts = dict(model.rvs_to_initial_values)
    try:  # PyMC does not convert a model with them
        model.rvs_to_initial_values.update(dict.fromkeys(starts))
        graph, _ = fgraph_from_model(model, inlined_views=True)
    finally:
        model.rvs_to_initial_values.update(starts)
    doomed = [
        node
        for node in graph.apply_nodes
        if isinstance(node.op, ModelVar) and node.outputs[0].name in gone
    ]
    for node in doomed:
        graph.remove_node(node)
    only = model_from_fgraph(graph, mutate_fgraph=True)
    for rv, start in starts.items():
        if rv.name in only.named_vars and not isinstance(start, Variable):
            only.set_initval(only[rv.name], start)
    return only


def coefficients(posed: Posed, names: Iterable[str], within: pm.Model) -> dict[str, Any]:
    """Coefficient tables as graphs of the parameters of another model that has them by name."""
    names = list(names)
    old = posed.model.named_vars
    new = {old[name]: v for name, v in within.named_vars.items() if name in old}
    graphs = [posed.recovered.parameters[name] for name in names]
    replaced: Any = graph_replace(graphs, new, strict=False)
    return dict(zip(names, replaced, strict=True))


def linear_energy(statistics: Mapping[str, Any], tables: Mapping[str, Any]) -> Any:
    """sum_a c_a S_a: the energy of all states, where it is linear in its couplings, as a graph."""
    total: Any = pt.constant(0.0)
    for name, s in statistics.items():
        total = total + pt.dot(pt.as_tensor_variable(s), tables[name])
    return total
