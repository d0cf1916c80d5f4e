"""Energy differences of compiled factors against differences of the energy that the user wrote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pymc as pm
from pytensor.compile.maker import function
from pytensor.compile.mode import Mode
from pytensor.tensor import as_tensor

from statmech_dsl.backends.reference import Reference, Values
from statmech_dsl.ir.domains import Domain
from statmech_dsl.ir.draws import Attempts, Draw, Let, meaning, old
from statmech_dsl.ir.expr import evaluate, read
from statmech_dsl.ir.kernel import Assign, LocalEnergy, SitePass
from statmech_dsl.ir.marks import NormalizerMark, VariableMark, mark_of
from statmech_dsl.ir.params import Param
from statmech_dsl.lower.pipeline import lower
from statmech_dsl.lower.recovery import recover
from statmech_dsl.lower.steps import Step
from statmech_dsl.testing.setup import begin, build


def energy_differences(model: pm.Model, n: int = 50, seed: int = 0) -> float:
    """Compare the change of the energy when a site moves, for random states, sites and moves.

    Parameters
    ----------
    model : Model
        Any model.
    n : int
        Moves of each variable.
    seed : int
        Seed of states and moves.

    Returns
    -------
    float
        Largest deviation, relative to the energy where that is above 1.

    Examples
    --------
    >>> from statmech_dsl.testing import declarations, small_models
    >>> energy_differences(small_models(declarations()[0])["sum"]) < 1e-12
    True
    """
    recovered, full = recover(model), energy_function(model)
    lowered = lower(
        recovered.ir,
        recovered.tables,
        lambda a: [Step(_probe(a.variable, recovered.ir.variable(a.variable).domain))],
    )
    reference = Reference(lowered.program, lowered.tables)
    state = begin(build(model), np.zeros(n), seed=seed)
    rng, worst = np.random.default_rng(seed), 0.0
    for lowered_pass in lowered.program.passes:
        p = replace(lowered_pass, real="float64")  # what is compared are terms, not their rounding
        for r in range(n):
            x: Values = {name: v[r].astype(float) for name, v in state.values.items()}
            before, sums = full(x), reference.running_sums(x)
            env = reference.environment(state, r, x) | {q.name: q.start for q in p.params}
            env |= {f"sum.{name}": s[0] for name, s in sums.items() if len(s) == 1}
            rank = int(rng.integers(len(lowered.tables[p.order])))
            new, bumps = reference.visit(p, rank, x, sums, env, _decide(rng))
            change = env["change.1"] + env.get("change.1.fixed", 0.0)
            reference.apply(p, rank, x, sums, new, bumps)
            worst = max(worst, abs(full(x) - before - change) / max(1.0, abs(before)))
    return worst


def energy_function(model: pm.Model) -> Callable[[Values], float]:
    """The energy as the user wrote it, terms that T does not divide included, evaluated by PyTensor."""
    named = [(mark_of(v), v) for v in model.named_vars.values()]
    variables = {mark.name: v for mark, v in named if isinstance(mark, VariableMark)}
    potentials = [v for v in model.potentials if not isinstance(mark_of(v), NormalizerMark)]
    densities = [
        pm.logp(v, model.rvs_to_values[v]) for v in model.observed_RVs if mark_of(v) is None
    ]
    total: Any = -sum((x.sum() for x in [*potentials, *densities]), as_tensor(0.0))
    mode = Mode(linker="py", optimizer="fast_compile")
    f: Any = function(list(variables.values()), total, mode=mode, on_unused_input="ignore")
    types = {name: v.type for name, v in variables.items()}
    return lambda x: float(
        f(*(x[name].reshape(t.shape).astype(t.dtype) for name, t in types.items()))
    )


def _probe(variable: str, domain: Domain) -> SitePass:
    """Move the site as proposed, always, and bind the change of the energy."""
    proposal = domain.proposal()
    proposed = tuple(read(f"proposed.{k}") for k in range(domain.components))
    body = (
        *proposal.body,
        *(Let(f"proposed.{k}", x) for k, x in enumerate(proposal.value)),
        LocalEnergy("change", (old(domain.components), proposed)),
        Assign(proposed),
    )
    width = () if proposal.width is None else (Param("width", proposal.width, 1.0),)
    return SitePass("probe", variable, body, width)


def _decide(rng: np.random.Generator) -> Callable[[Draw | Attempts, int, dict], float]:
    def decide(s: Draw | Attempts, slot: int, env: dict) -> float:
        assert not isinstance(s, Attempts), "proposals are single draws"
        m = meaning(s, tuple(read(f"u.{k}") for k in range(s.words)))
        env |= {f"u.{k}": float(u) for k, u in enumerate(rng.random(s.words))}
        for let in m.lets:
            env[let.name] = evaluate(let.expr, (), env)
        return evaluate(m.result, (), env)

    return decide
