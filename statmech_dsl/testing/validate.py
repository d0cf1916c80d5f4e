"""`validate`: hold a user's own model against exact results at small size."""

from __future__ import annotations

import numpy as np
import pymc as pm
import xarray as xr

from statmech_dsl.engine.choose import choose_backend
from statmech_dsl.engine.compile import refuse_random
from statmech_dsl.engine.composition import Updates, conserved
from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.errors import ArgumentError, InfeasibleError, ValidationError
from statmech_dsl.estimators import jackknife, tau_int
from statmech_dsl.ir.temperatures import temperatures
from statmech_dsl.lang.model import given_or_context
from statmech_dsl.runs.sample import sample
from statmech_dsl.runs.sectors import require_all_states
from statmech_dsl.solvers.exact import exact
from statmech_dsl.testing.conformance import TOLERANCE, check_backend, enumeration, transitions
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
    model: pm.Model | None = None,
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
    model = given_or_context(model)
    refuse_random(model)
    sampler = build(model, updates=updates)
    require_all_states(sampler, "validate compares with averages over all states")
    at = temperatures(T, beta, sampler.tempered)
    if at.T.ndim:
        raise ArgumentError("validate takes one temperature", where=f"T={T}, beta={beta}")
    n_states = _n_states(sampler)
    checks = [Check("energy differences", energy_differences(model), 1e-9)]
    comparisons, notes = [], []
    name = choose_backend(backend).name
    if name != "reference":
        n = check_backend(model, name, updates=updates, replicas=(1, 9), threads=(1, 2), sweeps=2)
        notes.append(f"{n} runs of backend {name} follow the reference bit for bit")
    if n_states is None:
        names = ", ".join(v.name for v in _free(sampler) if v.domain.values is None)
        notes.append(f"means were not compared: {names} is continuous and has no exact result")
    else:
        run = {"draws": draws, "tune": tune, "chains": chains, "seed": seed, "updates": updates}
        data = sample(model, T=T, beta=beta, backend=backend, progressbar=False, **run)
        comparisons = compare(exact(model, T=T, beta=beta), data, float(at.beta), sampler)
    if n_states is not None and n_states <= MAX_MATRIX:
        checks += _matrix(sampler, float(at.beta), seed)
    elif n_states is not None:
        notes.append(f"no transition matrix: it takes at most {MAX_MATRIX} states")
    states = "continuous" if n_states is None else f"{n_states} states"
    title = f"{', '.join(sampler.n_sites)}, {states}, T = {float(at.T):g}"
    report = Report(title, tuple(comparisons), tuple(checks), tuple(notes), max_z)
    if report.failures:
        raise ValidationError(
            str(report),
            mend="if only means are off, see whether more draws or a higher T bring them in",
        )
    return report


def _free(sampler: Sampler) -> list:
    return [v for v in sampler.program.model.variables if len(sampler.tables[v.free])]


def _n_states(sampler: Sampler) -> int | None:
    """Number of states, None if continuous; raises if that is too many."""
    sizes = {v.name: len(sampler.tables[v.free]) for v in _free(sampler)}
    mend = "build it at a smaller size, such as L=3, or clamp sites with observed="
    if sum(sizes.values()) > MAX_SITES:
        raise InfeasibleError(
            f"validate takes at most {MAX_SITES} free sites", where=f"{sizes}", mend=mend
        )
    if any(v.domain.values is None for v in _free(sampler)):
        return None
    n = 1
    for v in _free(sampler):
        n *= len(v.domain.values or ()) ** sizes[v.name]
    if n > MAX_STATES:
        what = (
            f"validate enumerates at most 2^16 states, the model has 2^{n.bit_length() - 1} or more"
        )
        raise InfeasibleError(what, where=f"{sizes} free sites", mend=mend)
    return n


def _matrix(sampler: Sampler, beta: float, seed: int) -> list[Check]:
    state = begin(sampler, beta, seed=seed)
    found = transitions(enumeration(sampler, state), conserved(sampler.program))
    return [
        Check("transition matrix: pi P - pi", found.deviation, TOLERANCE),
        Check("eigenvalues of modulus 1", found.n_unit, 1),
        Check("sites of a color see each other", found.simultaneous, TOLERANCE),
    ]


def compare(
    expected: xr.Dataset, data: xr.DataTree, beta: float, sampler: Sampler
) -> list[Comparison]:
    """Means of a run against exact ones: energy, heat capacity and every element of the observables."""
    posterior = data["posterior"].to_dataset()
    energy = posterior["energy"].values
    found = jackknife(lambda E, E2: beta**2 * (E2 - E**2), {"E": energy, "E2": energy**2})
    capacity = float(expected["heat_capacity"])
    out = [
        _mean("energy", float(expected["energy"]), energy),
        Comparison("heat_capacity", capacity, float(found.value), float(found.error)),
    ]
    for name in sampler.measured.names:
        series = posterior[name].values
        for k, value in np.ndenumerate(expected[name].values):
            label = name + (f"[{', '.join(map(str, k))}]" if k else "")
            out.append(_mean(label, float(value), series[(..., *k)]))
    return out


def _mean(name: str, value: float, series: np.ndarray) -> Comparison:
    found = tau_int(series)
    return Comparison(name, value, found.value, found.error)
