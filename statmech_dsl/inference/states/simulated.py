"""Parameters from the prior, and states from the model at these parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pymc as pm

from statmech_dsl.errors import InfeasibleError, ModelError
from statmech_dsl.inference.problem.parameter_model import coefficients, parameter_model
from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.inference.states.replicas import Replicas, of_energies
from statmech_dsl.ir.model import Tables
from statmech_dsl.lower.recovery import Recovered
from statmech_dsl.solvers.enumeration import Enumeration, enumeration
from statmech_dsl.solvers.system import Values, discrete_system

FEW_STATES = 2**12
"""States of a system up to which they are drawn from their exact probabilities."""
SWEEPS = 1000
"""Sweeps of a state otherwise, from a random one."""
ADAPTATIONS = 20
"""How often the proposals of its continuous sites are adapted before."""


def simulated(
    posed: Posed, simulations: int, seed: int, threads: int | None
) -> Iterator[tuple[dict[str, np.ndarray], Values]]:
    """Pairs of parameters and states, one in each column."""
    only = parameter_model(posed)
    names = [str(v.name) for v in posed.parameters]
    graphs = coefficients(posed, posed.couplings, only)
    # Couplings are drawn with the parameters that they depend on.
    drawn = pm.draw(
        [*(only[name] for name in names), *graphs.values()], draws=simulations, random_seed=seed
    )
    parameters = dict(zip(names, drawn, strict=False))
    tables = dict(zip(graphs, drawn[len(names) :], strict=True))
    recovered = of_energies(posed.recovered)
    generator = np.random.default_rng(seed)
    try:
        drawer = _enumerated(recovered)
        if drawer.system.n_states > FEW_STATES:
            raise InfeasibleError("many states")
    except (InfeasibleError, ModelError):
        drawer = Replicas(posed.model, recovered, posed.n_states, threads)
        drawer.reset(int(generator.integers(2**63)))
    for k in range(simulations):
        couplings = {name: x[k] for name, x in tables.items()}
        if isinstance(drawer, Replicas):
            states = _swept(drawer, couplings, posed.states(), generator)
        else:
            states = _drawn(recovered, couplings, posed.n_states, generator)
        yield {name: x[k] for name, x in parameters.items()}, states


def _enumerated(recovered: Recovered, tables: Tables = {}) -> Enumeration:  # noqa: B006
    return enumeration(
        discrete_system(recovered.ir, recovered.tables | dict(tables), recovered.clamped)
    )


def _drawn(
    recovered: Recovered,
    couplings: Mapping[str, np.ndarray],
    n: int,
    generator: np.random.Generator,
) -> Values:
    """States from their exact probabilities."""
    found = _enumerated(recovered, couplings)
    logs = found.spectrum.log_weights(1.0)
    p = np.exp(logs - logs.max())
    chosen = generator.choice(len(p), n, p=p / p.sum())
    chunks = [{name: x.copy() for name, x in part.items()} for part in found.states()]
    return {
        name: np.concatenate([part[name] for part in chunks], axis=1)[:, chosen]
        for name in chunks[0]
    }


def _swept(
    replicas: Replicas,
    couplings: Mapping[str, np.ndarray],
    clamped: Values,
    generator: np.random.Generator,
) -> Values:
    """States after many sweeps."""
    replicas.follow(couplings)
    packed = replicas.pack(replicas.scrambled(clamped, generator))
    for _ in range(ADAPTATIONS):
        replicas.adapt(packed)
    replicas.sweep(packed, SWEEPS)
    return replicas.values(packed)
