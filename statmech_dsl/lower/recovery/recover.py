"""From a PyMC model to families of local terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
from pytensor.graph.basic import Variable
from pytensor.scalar.basic import Neg
from pytensor.tensor.elemwise import Elemwise

from statmech_dsl.errors import EnergyError, IntractableNormalizerError, ModelError
from statmech_dsl.ir.marks import EnergyMark, NormalizerMark, VariableMark, mark_of
from statmech_dsl.ir.model import ModelIR
from statmech_dsl.ir.model import Variable as SiteVariable
from statmech_dsl.lower.recovery.emit import Emitter
from statmech_dsl.lower.recovery.graph import stabilized
from statmech_dsl.lower.recovery.rules import register_sparse
from statmech_dsl.lower.recovery.walker import Walker


@dataclass(frozen=True, eq=False)
class Recovered:
    """A model as the compiler sees it.

    Attributes
    ----------
    ir : ModelIR
        Variables, families of local terms, running sums.
    tables : dict of str to ndarray
        Read-only arrays: indices (uint32), coefficients (float64), free sites of each variable.
    clamped : dict of str to tuple
        For each clamped variable which of its sites are clamped, and the values of all sites.
    parameters : dict of str to TensorVariable
        Graphs of the coefficient tables that depend on data that can be set or on random variables;
        the tables hold their present values.
    random : frozenset of str
        Those of ``parameters`` that depend on free random variables.
    """

    ir: ModelIR
    tables: dict[str, np.ndarray]
    clamped: dict[str, tuple[np.ndarray, np.ndarray]]
    parameters: dict[str, Any]
    random: frozenset[str]


@dataclass(frozen=True, eq=False)
class _Term:
    """A term of the energy; T divides it if it is ``tempered``."""

    name: str
    graph: Variable
    tempered: bool

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"energy term {self.name!r}" if self.tempered else f"log-density of {self.name!r}"


@contextmanager
def _located(label: str) -> Iterator[None]:
    """Put the name of a term into the errors it causes."""
    try:
        yield
    except (EnergyError, ModelError) as e:
        where = f"{label}, in {e.where}" if e.where else label
        raise type(e)(e.what, where=where, mend=e.mend) from e


def recover(model: pm.Model) -> Recovered:
    """Find the local terms of a model's energy.

    Everything in the log-density that depends on declared variables takes part: energies, which T
    divides, and, untempered, other potentials and the log-densities of ordinary random variables.

    Parameters
    ----------
    model : pymc.Model
        A model with variables of statmech_dsl.

    Returns
    -------
    Recovered
        The terms and the arrays that they read.

    Raises
    ------
    ModelError
        The model has no variables of ours, or an energy uses those of another model.
    EnergyError
        An energy depends on no variable, has couplings that are not finite or indices out of range.
    NonLocalEnergyError
        An energy is neither a sum of local terms nor a function of sums over sites.

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> with sm.Model() as model:
    ...     s = sm.Spin("s", sm.lattices.chain(8))
    ...     i, j = sm.lattices.chain(8).bonds
    ...     exchange = sm.Energy("exchange", -1.0 * s[i] * s[j])
    >>> (family,) = recover(model).ir.families
    >>> [(c.kind, c.array) for c in family.columns]
    [('state', 's'), ('state', 's'), ('coefficient', 'c.0')]
    """
    variables = {
        v: mark for v in model.named_vars.values() if isinstance(mark := mark_of(v), VariableMark)
    }
    if not variables:
        raise ModelError(
            "the model has no variables to sample",
            mend="declare one, such as sm.Spin('s', lattice)",
        )
    register_sparse()
    walker = Walker(model, variables.values())
    emitter = Emitter(walker.coefficients, walker.domains)
    for term in _terms(model, variables, walker):
        with _located(term.label):
            walker.coefficients.infinite = not term.tempered
            emitter.energy(term.name, walker.total(term.name, term.graph), term.tempered)
    sums = tuple(emitter.running_sum(s) for s in walker.sums.found)
    clamped = {m.name: c for v, m in variables.items() if (c := _clamped(v, m, model, walker))}
    tables = dict(emitter.tables)
    for mark in variables.values():
        mask = clamped[mark.name][0] if mark.name in clamped else np.zeros(mark.n_sites, bool)
        tables[f"{mark.name}.free"] = free = np.flatnonzero(~mask).astype(np.uint32)
        free.setflags(write=False)
    ours = tuple(SiteVariable(m.name, m.domain, m.shape) for m in variables.values())
    graphs = {name: c.graph for name, c in walker.coefficients.tables.items() if name in tables}
    parameters = {name: graph for name, graph in graphs.items() if graph is not None}
    random = frozenset(name for name, graph in parameters.items() if walker.known.is_random(graph))
    ir = ModelIR(ours, tuple(emitter.families), sums)
    return Recovered(ir, tables, clamped, parameters, random)


def _terms(
    model: pm.Model, variables: Mapping[Any, VariableMark], walker: Walker
) -> Iterator[_Term]:
    """Energies, then all else in the log-density that depends on our variables."""
    energies, others = [], []
    for potential in model.potentials:
        match mark_of(potential):
            case EnergyMark(name):
                energies.append(_Term(name, _minus(potential), tempered=True))
            case NormalizerMark():
                if walker.depends(potential):
                    raise IntractableNormalizerError(
                        "an energy depends on a variable that is none of statmech_dsl: the posterior "
                        "of that variable needs log Z, which is unknown here",
                        mend="write the term as a pm.Potential, or give the variable a number",
                    )
            case _:
                others.append(_Term(str(potential.name), _minus(potential), tempered=False))
    for rv in model.basic_RVs:
        if (density := _log_density(rv, model, variables, walker)) is not None:
            others.append(_Term(rv.name, _minus(density), tempered=False))
    for term in (*energies, *others):
        with _located(term.label):
            if walker.depends(term.graph):
                yield term
            elif term.tempered:
                raise EnergyError(
                    "an energy without variables",
                    mend="use a variable of this model in it, or leave it out",
                )


def _log_density(
    rv: Any, model: pm.Model, variables: Mapping[Any, VariableMark], walker: Walker
) -> Variable | None:
    """Log-density of a random variable that depends on our variables or is one of them, else None.

    A variable declared as ours has a flat base measure, which does not count.
    """
    ours = rv in variables
    if hasattr(rv.owner.op, "domain") or not (ours or any(map(walker.depends, rv.owner.inputs))):
        return None
    value = rv if ours or rv in model.free_RVs else model.rvs_to_values[rv]
    density = pm.logp(rv, value, warn_rvs=False)
    return stabilized(density, [*model.basic_RVs, *variables])


def _minus(v: Any) -> Any:
    """-v; a potential of -E gives back E."""
    if v.owner and isinstance(v.owner.op, Elemwise) and isinstance(v.owner.op.scalar_op, Neg):
        return v.owner.inputs[0]
    return -v


def _clamped(
    v: Any, mark: VariableMark, model: pm.Model, walker: Walker
) -> tuple[np.ndarray, np.ndarray] | None:
    """Which sites are clamped, and to which values; also after ``pm.observe``."""
    if mark.clamped is not None and mark.values is not None:
        return np.asarray(mark.clamped), np.asarray(mark.values)
    if v not in model.observed_RVs:
        return None
    data = np.asarray(walker.known.value(model.rvs_to_values[v]))
    vector = mark.shape[-1:] if mark.domain.components > 1 else ()
    return np.ones(mark.n_sites, bool), data.reshape(mark.n_sites, *vector)
