"""Observables of many states at once: the user's graphs, vectorized over a leading axis.

They run uncompiled (NumPy, node by node), on a block of many states, so that the cost of a node is shared
and nobody waits for a compiler: a graph with a dot product would take Numba half a minute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.compile.maker import function
from pytensor.compile.mode import Mode
from pytensor.graph.replace import clone_replace, vectorize_graph
from pytensor.graph.rewriting.utils import rewrite_graph
from pytensor.graph.traversal import ancestors

from statmech_dsl.errors import ModelError
from statmech_dsl.ir.marks import ObservableMark, VariableMark, mark_of


def observable_graphs(model: pm.Model) -> dict[str, Any]:
    """The observables of a model by name."""
    marks = [(mark_of(d), d) for d in model.deterministics]
    return {mark.name: d for mark, d in marks if isinstance(mark, ObservableMark)}


def declared_variables(model: pm.Model) -> dict[str, Any]:
    """The variables that this library declared, by name."""
    marks = [(mark_of(v), v) for v in model.named_vars.values()]
    return {mark.name: v for mark, v in marks if isinstance(mark, VariableMark)}


def simplified(graphs: Sequence[Any], replace: Mapping[Any, Any]) -> list[Any]:
    """Copies of graphs in terms of other inputs.

    The views that Deterministics are would become loops over states, so they are removed.
    """
    return rewrite_graph(clone_replace(list(graphs), dict(replace)), include=("canonicalize",))  # type: ignore[return-value]


class Batched:
    """Graphs as a function of blocks: every input has a leading axis more, and so have the results.

    Parameters
    ----------
    graphs : dict of str to TensorVariable
        What to evaluate.
    inputs : dict of str to TensorVariable
        What it depends on.
    """

    def __init__(self, graphs: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:
        many = {
            n: pt.tensor(n, dtype=x.dtype, shape=(None, *x.type.shape)) for n, x in inputs.items()
        }
        batch: Any = vectorize_graph(list(graphs.values()), {x: many[n] for n, x in inputs.items()})
        # What simplifies to a constant has no batch axis, and may leave an input unused.
        self._axes = {name: x.type.ndim + 1 for name, x in graphs.items()}
        self._function: Any = function(
            list(many.values()),
            batch,
            mode=Mode(linker="py", optimizer="fast_compile"),
            on_unused_input="ignore",
        )
        self._function.trust_input = True

    def __call__(self, arguments: Sequence[np.ndarray], n: int) -> dict[str, np.ndarray]:
        """Evaluate on inputs of shape (n, ...), in their order."""
        results = {
            name: x if x.ndim == axes else np.broadcast_to(x, (n, *x.shape))
            for (name, axes), x in zip(self._axes.items(), self._function(*arguments), strict=True)
        }
        # ArviZ subtracts draws, which NumPy refuses for booleans.
        return {n: x.astype(np.int8) if x.dtype == bool else x for n, x in results.items()}


class Observables:
    """Observables of a model as a function of blocks of states.

    Parameters
    ----------
    model : Model
        The model.
    names : sequence of str, optional
        Which observables; all of them unless given.

    Raises
    ------
    ModelError
        An observable depends on a random variable that is none of ours.
    """

    def __init__(self, model: pm.Model, names: Sequence[str] | None = None) -> None:
        graphs = observable_graphs(model)
        graphs = {name: graphs[name] for name in (graphs if names is None else names)}
        declared = declared_variables(model)
        self.names = tuple(graphs)
        self.shapes = {name: mark_of(v).shape for name, v in declared.items()}
        self.dtypes = {name: v.type.dtype for name, v in declared.items()}
        self.needed: tuple[str, ...] = ()
        if not graphs:
            return
        for name, graph in graphs.items():
            if (v := random_behind(graph, model)) is not None:
                raise ModelError(
                    f"the observable {name!r} depends on the random variable {v!r}",
                    mend="give it a number (pm.do), or sample with pm.sample",
                )
        behind = set(ancestors(list(graphs.values()), blockers=list(declared.values())))
        self.needed = tuple(name for name, v in declared.items() if v in behind)
        one = {name: declared[name].clone() for name in self.needed}
        single = simplified(list(graphs.values()), {declared[name]: x for name, x in one.items()})
        self._function = Batched(dict(zip(graphs, single, strict=True)), one)

    def __call__(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Evaluate on states ``values[name]`` of shape (n, rows); results have leading axis n."""
        if not self.names:
            return {}
        arguments = [
            np.ascontiguousarray(values[name], dtype=self.dtypes[name]).reshape(
                -1, *self.shapes[name]
            )
            for name in self.needed
        ]
        return self._function(arguments, len(arguments[0]))


def random_behind(graph: Any, model: pm.Model) -> str | None:
    """Name of a random variable that is none of ours and that a graph depends on, if there is one."""
    declared = list(declared_variables(model).values())
    behind = set(ancestors([graph], blockers=declared))
    return next((v.name for v in model.basic_RVs if v in behind and v not in declared), None)
