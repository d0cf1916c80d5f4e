"""Observables as functions of a few sums over sites, which kernels add up without unpacking states.

The graph of an observable is cut where a sum of local terms ends: ``abs(s.mean())`` becomes the sum of s,
which is a family of local terms as those of an energy are, and the function abs(x / N) of it. What has
no such form is evaluated on unpacked states (`observables`): always right, fast where possible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.graph.replace import graph_replace
from pytensor.graph.traversal import ancestors
from pytensor.tensor.shape import Shape, Shape_i

from statmech_dsl.errors import EnergyError, ModelError
from statmech_dsl.ir.marks import mark_of
from statmech_dsl.ir.model import Column, Family, ModelIR, Tables
from statmech_dsl.lower.cutting import Cutter, Reduction
from statmech_dsl.lower.observables import (
    Batched,
    declared_variables,
    observable_graphs,
    random_behind,
    simplified,
)
from statmech_dsl.lower.recovery.emit import Emitter
from statmech_dsl.lower.recovery.rules import register_sparse
from statmech_dsl.lower.recovery.walker import Walker

PREFIX = "measured."
"""Of the names of sums and tables, which lie beside those of the energy."""


@dataclass(frozen=True, eq=False)
class Measured:
    """The observables of a model, by how they are measured.

    Attributes
    ----------
    names : tuple of str
        All observables.
    ir : ModelIR
        The sums that kernels add up, as a model without an energy.
    tables : dict of str to ndarray
        Tables of ``ir``; index tables that the energy reads too are not repeated.
    sums : dict of str to tuple of str
        For each observable that is a function of sums, which of them it reads.
    unpacked : dict of str to str
        The other observables, and why they are evaluated on states.
    """

    names: tuple[str, ...]
    ir: ModelIR
    tables: dict[str, np.ndarray]
    sums: dict[str, tuple[str, ...]]
    unpacked: dict[str, str]
    _inputs: tuple[Reduction, ...]
    _outer: Batched | None

    def __call__(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        """Observables that are functions of sums, given all elements of all sums, shape (n, elements)."""
        if self._outer is None:
            return {}
        start = np.cumsum([0, *(s.size for s in self.ir.sums)])
        columns = {s.name: slice(a, a + s.size) for s, a in zip(self.ir.sums, start, strict=False)}
        arguments = []
        for x in self._inputs:
            values = sums[:, columns[PREFIX + x.sum_name]] * x.factor
            values = np.rint(values) if "int" in x.dtype else values
            arguments.append(values.reshape(-1, *x.shape).astype(x.dtype))
        return self._outer(arguments, len(sums))


def measure(model: pm.Model, energy: ModelIR, tables: Tables) -> Measured:
    """Find the sums that a model's observables are functions of.

    Parameters
    ----------
    model : Model
        The model.
    energy : ModelIR
        Its variables and energy.
    tables : dict of str to ndarray
        The tables of the energy, to share.

    Returns
    -------
    Measured
        Sums and functions of them.

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> from statmech_dsl.lower.recovery import recover
    >>> with sm.Model() as model:
    ...     s = sm.Spin("s", 16)
    ...     zeeman = sm.Energy("zeeman", -1.0 * s)
    ...     m = sm.Observable("m", s.mean())
    ...     largest = sm.Observable("largest", s.max())
    >>> recovered = recover(model)
    >>> measured = measure(model, recovered.ir, recovered.tables)
    >>> measured.sums
    {'m': ('measured.sum.0',)}
    >>> measured.unpacked
    {'largest': 'a maximum over 16 elements of the states'}
    >>> measured(np.array([[8.0]]))
    {'m': array([0.5])}
    """
    register_sparse()
    declared = declared_variables(model)
    observables = observable_graphs(model)
    random = {name: random_behind(graph, model) for name, graph in observables.items()}
    unpacked = {n: f"it depends on the random variable {v!r}" for n, v in random.items() if v}
    names = [name for name in observables if name not in unpacked]
    cutter = Cutter(Walker(model, map(mark_of, declared.values())))
    prepared = _prepared([observables[name] for name in names], declared, cutter.walker)
    cuts: dict[str, dict[Variable, Reduction]] = {}
    for name, graph in zip(names, prepared, strict=True):
        try:
            cuts[name] = cutter.observable(graph)
        except (EnergyError, ModelError) as error:
            unpacked[name] = error.what
    inputs = {v: x for cut in cuts.values() for v, x in cut.items()}
    outer = _outer({n: g for n, g in zip(names, prepared, strict=True) if n in cuts}, inputs)
    read = {x.sum_name for x in inputs.values()}
    emitter = Emitter(cutter.walker.coefficients, cutter.walker.domains)
    found = [emitter.running_sum(s) for s in cutter.walker.sums.found if s.name in read]
    sums = tuple(replace(s, name=PREFIX + s.name) for s in found)
    families, own = _beside(emitter, tables)
    return Measured(
        tuple(observables),
        ModelIR(energy.variables, families, sums),
        own,
        {
            name: tuple(dict.fromkeys(PREFIX + x.sum_name for x in c.values()))
            for name, c in cuts.items()
        },
        unpacked,
        tuple(inputs.values()),
        outer,
    )


def _prepared(graphs: list[Any], declared: Mapping[str, Any], walker: Walker) -> list[Any]:
    """Simplified graphs, in which numbers stand for shapes: those would keep states alive."""
    if not graphs:
        return []
    shapes: dict[Variable, Variable] = {
        x: pt.constant(walker.known.value(x))
        for x in ancestors(graphs, blockers=list(declared.values()))
        if x.owner is not None and isinstance(x.owner.op, Shape | Shape_i)
    }
    plain = graph_replace(graphs, shapes, strict=False)
    return simplified(plain, {v: v.clone() for v in declared.values()})


def _outer(graphs: Mapping[str, Any], inputs: Mapping[Variable, Reduction]) -> Batched | None:
    """The observables as functions of sums."""
    if not graphs:
        return None
    new: dict[Variable, Variable] = {
        v: pt.tensor(f"x{k}", dtype=x.dtype, shape=x.shape)
        for k, (v, x) in enumerate(inputs.items())
    }
    functions = graph_replace(list(graphs.values()), new, strict=False)
    named = {f"x{k}": x for k, x in enumerate(new.values())}
    return Batched(dict(zip(graphs, functions, strict=True)), named)


def _beside(emitter: Emitter, tables: Tables) -> tuple[tuple[Family, ...], dict[str, np.ndarray]]:
    """Families and tables under names beside those of the energy, whose index tables they share."""
    known = {x.tobytes(): name for name, x in tables.items() if name.startswith("i.")}
    new = {
        name: known.get(x.tobytes() if name.startswith("i.") else b"", PREFIX + name)
        for name, x in emitter.tables.items()
    }

    def column(c: Column) -> Column:
        array = new[c.array] if c.kind == "coefficient" else c.array
        return replace(c, array=array, index=c.index and new[c.index])

    families = tuple(
        replace(
            f,
            columns=tuple(map(column, f.columns)),
            feeds=f"{PREFIX}{f.feeds}",
            element=f.element and new[f.element],
        )
        for f in emitter.families
    )
    own = {new[k]: x for k, x in emitter.tables.items() if new[k] not in tables}
    return families, own
