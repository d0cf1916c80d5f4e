"""Observables of many states at once: the user's graph, vectorized over a leading axis.

They run uncompiled (NumPy, node by node), on a block of many states, so that the cost of a node is shared
and nobody waits for a compiler: a graph with a dot product would take Numba half a minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.compile.maker import function
from pytensor.compile.mode import Mode
from pytensor.graph.replace import vectorize_graph
from pytensor.graph.traversal import ancestors

from statmech_dsl.errors import ModelError
from statmech_dsl.ir.marks import ObservableMark, VariableMark, mark_of


def marked_variables(model: pm.Model) -> dict[str, Any]:
    """The declared variables of a model, in order; of a partly clamped one the joined variable."""
    found = [v for v in model.named_vars.values() if isinstance(mark_of(v), VariableMark)]
    return {mark_of(v).name: v for v in found}


class Observables:
    """The observables of a model as a function of blocks of states."""

    def __init__(self, model: pm.Model) -> None:
        variables = marked_variables(model)
        graphs = {
            mark_of(d).name: d
            for d in model.deterministics
            if isinstance(mark_of(d), ObservableMark)
        }
        self.names = tuple(graphs)
        self.shapes = {name: mark_of(v).shape for name, v in variables.items()}
        self.dtypes = {name: v.type.dtype for name, v in variables.items()}
        self.dims = {name: model.named_vars_to_dims.get(d.name) for name, d in graphs.items()}
        if not graphs:
            return
        behind = set(ancestors(list(graphs.values()), blockers=list(variables.values())))
        random = [v for v in model.free_RVs if v in behind and v not in variables.values()]
        if random:
            raise ModelError(
                f"an observable depends on the random variable {random[0].name}",
                mend="sample parameters with pm.sample",
            )
        batch: dict[Any, Any] = {
            v: pt.tensor(name, dtype=v.type.dtype, shape=(None, *v.type.shape))
            for name, v in variables.items()
            if v in behind
        }
        self.needed = tuple(mark_of(v).name for v in batch)
        outputs: Any = vectorize_graph(list(graphs.values()), batch)
        self._function: Any = function(
            list(batch.values()), outputs, mode=Mode(linker="py", optimizer="fast_compile")
        )
        self._function.trust_input = True

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
        results = dict(zip(self.names, self._function(*arguments), strict=True))
        return {
            name: x.astype(np.int8) if x.dtype == bool else np.asarray(x)
            for name, x in results.items()
        }
