"""The exchange algorithm: auxiliary states take the place of log Z."""

from __future__ import annotations

from typing import Any

import xarray as xr

from statmech_dsl.inference.methods.base import Method, Prepared, Run, sample_parameters
from statmech_dsl.inference.problem.parameter_model import coefficients
from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.inference.states.completed import Completed
from statmech_dsl.inference.states.equilibration import report
from statmech_dsl.inference.states.exchange_step import Exchange
from statmech_dsl.inference.states.replicas import Replicas, of_energies


class ExchangeMethod(Method):
    """Propose parameters, draw states from them, and let data and drawn states swap their parameters.

    Proposed parameters theta' are accepted with the ratio of priors times
    exp(-E(x, theta') + E(x, theta) + E(y, theta') - E(y, theta)), where x are the data and y auxiliary states
    drawn at theta', one for each state of the data. Z cancels. With independent draws y the posterior is exact
    (Murray, Ghahramani and MacKay, 2006). Here y come from a Markov chain that starts at the data (Liang,
    2010) and runs for ten autocorrelation times of what enters the ratio. Large systems make cluster moves too,
    where a symmetry allows them at all couplings.

    References
    ----------
    I. Murray, Z. Ghahramani and D. J. C. MacKay, MCMC for doubly-intractable distributions, UAI 2006.
    F. Liang, A double Metropolis-Hastings sampler for spatial models with intractable normalizing constants,
    J. Stat. Comput. Simul. 80, 1007 (2010).
    """

    name = "exchange"
    assumes = (
        "auxiliary states, which start at the data, forget them within the sweeps that they are given; "
        "exact if they do, and the result says whether they did"
    )

    def refuse(self, posed: Posed) -> str | None:  # noqa: D102
        return None

    def infer(self, posed: Posed, run: Run) -> xr.DataTree:  # noqa: D102
        completed = Completed(posed, run)
        step = _step(completed, run)
        tree = sample_parameters(completed.model, run, [*completed.sweep(), step])
        completed.add_to(tree)
        tree.attrs |= report(step.chains)
        return tree

    def prepare(self, posed: Posed, run: Run) -> Prepared:  # noqa: D102
        completed = Completed(posed, run)
        step = _step(completed, run)

        def take(other: Posed) -> None:
            completed.states.update(other.states())

        return Prepared(completed.model, step, take)


def _step(completed: Completed, run: Run) -> Any:
    posed, model = completed.posed, completed.model
    r, n = of_energies(posed.recovered), posed.n_states
    return Exchange(
        completed.moved,
        replicas=Replicas(posed.model, r, n, run.threads, clusters=True),
        couplings=coefficients(posed, posed.couplings, model),
        states=completed.states,
        model=model,
    )
