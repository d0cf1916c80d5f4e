"""`validate`: hold a user's own model against exact results at small size."""

from __future__ import annotations

import numpy as np
import pymc as pm
import xarray as xr

from statmech_dsl.backends.enumeration import Enumeration
from statmech_dsl.engine.choose import Updates, choose_backend
from statmech_dsl.engine.compile import refuse_random
from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.errors import InfeasibleError, ValidationError
from statmech_dsl.estimators import jackknife, tau_int
from statmech_dsl.ir.temperatures import temperatures
from statmech_dsl.runs.sample import sample
from statmech_dsl.solvers.exact import exact
from statmech_dsl.testing.conformance import TOLERANCE, check_backend, transitions
from statmech_dsl.testing.differences import energy_differences
from statmech_dsl.testing.report import Check, Comparison, Report
from statmech_dsl.testing.setup import begin, build

MAX_STATES = 2**16
"""States that are enumerated."""
MAX_MATRIX = 512
"""States up to which the transition matrix is made too."""
MAX_SITES = 1000
"""Sites that the reference interpreter can follow."""


def validate(
    model: pm.Model,
    *,
    T: float = 1.0,
    beta: float | None = None,
    draws: int = 5000,
    tune: int = 500,
    chains: int = 8,
    seed: int = 0,
    updates: Updates = "auto",
    backend: str = "auto",
    max_z: float = 5.0,
) -> Report:
    """Hold a model against exact results, at a size where these are feasible.

    Whatever the model: energy differences of the compiled terms against those of the energy as written,
    and the backend against the reference interpreter, bit for bit. If all variables are
    discrete: the means of a run (energy, heat capacity, observables) against enumeration, and up to
    512 states the exact transition matrix of a sweep.

    Parameters
    ----------
    model : Model
        The model at a small size, up to 2^16 states.
    T, beta : float
        Temperature (k_B = 1) or inverse temperature.
    draws, tune, chains, seed, updates, backend
        The run, as in `sample`.
    max_z : float
        Standard errors by which a mean may be off.

    Returns
    -------
    Report
        All numbers; print it.

    Raises
    ------
    ValidationError
        Something disagrees; the message holds the report.
    InfeasibleError
        The model is too large.

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> with sm.Model() as model:
    ...     s = sm.Spin("s", 4)
    ...     zeeman = sm.Energy("zeeman", -0.5 * s)
    ...     m = sm.Observable("m", s.mean())
    >>> report = sm.validate(model, T=2.0)
    >>> report.worst_z < 5
    True
    """
    refuse_random(model)
    sampler = build(model, updates=updates)
    at = temperatures(T, beta, sampler.tempered)
    n_states = _n_states(sampler)
    checks = [
        Check("energy differences", energy_differences(model), 1e-9),
        Check("trajectories off the reference", _trajectories(model, updates, backend), 0),
    ]
    comparisons, notes = [], []
    if n_states is None:
        names = ", ".join(v.name for v in _free(sampler) if v.domain.values is None)
        notes.append(f"means were not compared: {names} is continuous and has no exact result")
    else:
        run = {"draws": draws, "tune": tune, "chains": chains, "seed": seed, "updates": updates}
        data = sample(model, T=T, beta=beta, backend=backend, progressbar=False, **run)
        comparisons = _comparisons(exact(model, T=T, beta=beta), data, float(at.beta))
    if n_states is not None and n_states <= MAX_MATRIX:
        checks += _matrix(sampler, float(at.beta), seed)
    elif n_states is not None:
        notes.append(f"no transition matrix: it takes at most {MAX_MATRIX} states")
    states = "continuous" if n_states is None else f"{n_states} states"
    title = f"{', '.join(sampler.n_sites)}, {states}, T = {float(at.T):g}"
    report = Report(title, tuple(comparisons), tuple(checks), tuple(notes), max_z)
    if report.failures:
        raise ValidationError(
            str(report), mend="if only means are off, see whether more draws or a higher T bring them in"
        )
    return report


def _free(sampler: Sampler) -> list:
    return [v for v in sampler.program.model.variables if len(sampler.tables[v.free])]


def _n_states(sampler: Sampler) -> int | None:
    """Number of states, None if continuous; raises if that is too many."""
    sizes = {v.name: len(sampler.tables[v.free]) for v in _free(sampler)}
    mend = "build it at a smaller size, such as L=3, or clamp sites with observed="
    if sum(sizes.values()) > MAX_SITES:
        raise InfeasibleError(f"validate takes at most {MAX_SITES} free sites", where=f"{sizes}", mend=mend)
    if any(v.domain.values is None for v in _free(sampler)):
        return None
    n = 1
    for v in _free(sampler):
        n *= len(v.domain.values or ()) ** sizes[v.name]
    if n > MAX_STATES:
        raise InfeasibleError(
            f"validate enumerates at most 2^16 states, the model has 2^{np.log2(float(n)):.0f}", mend=mend
        )
    return n
