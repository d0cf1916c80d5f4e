"""`predictive_check`: states of the posterior beside the data, in a few numbers."""

from __future__ import annotations

import numpy as np
import pymc as pm
import xarray as xr

from statmech_dsl.errors import DiagnosticsError
from statmech_dsl.inference.methods.base import couplings_of_draws
from statmech_dsl.inference.problem.parameter_model import parameter_model
from statmech_dsl.inference.problem.posed import Posed, pose
from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.lower.observables import Observables, observable_graphs, random_behind
from statmech_dsl.solvers.evaluate import energies
from statmech_dsl.solvers.system import Values


def predictive_check(model: pm.Model, result: xr.DataTree) -> xr.Dataset:
    """Compare observables and energies of the data with those of states that the posterior predicts.

    A model that describes the data has differences of a few standard errors at most. That the energies agree
    says little, as couplings are fitted to them; what observables that are no energies do says more.

    Parameters
    ----------
    model : Model
        The model.
    result : DataTree
        What `infer` returned with ``posterior_predictive`` states; all variables were seen everywhere.

    Returns
    -------
    Dataset
        Over ``statistic``: means ``data`` and ``predictive``, standard deviations of states ``data_sd`` and
        ``predictive_sd``, and ``z``, the difference of the means in standard errors. Energies are those of
        the terms of the model, at the posterior mean of their couplings.

    Raises
    ------
    DiagnosticsError
        There are no predictive states, or some data are missing.

    Examples
    --------
    >>> import pymc as pm
    >>> import statmech_dsl as sm
    >>> with sm.Model() as model:
    ...     h = pm.Normal("h", 0, 1)
    ...     s = sm.Spin("s", 16)
    ...     zeeman = sm.Energy("zeeman", -h * s)
    ...     clustered = sm.Observable("clustered", (s[1:] * s[:-1]).mean())
    >>> states = np.repeat(np.random.default_rng(1).choice([-1, 1], (40, 8)), 2, axis=1)
    >>> short = {"draws": 100, "tune": 100, "chains": 2, "seed": 1, "progressbar": False}
    >>> result = sm.infer(model, {"s": states}, posterior_predictive=200, **short)
    >>> found = sm.predictive_check(model, result)
    >>> bool(abs(found.z.sel(statistic="energy of zeeman")) < 3)
    True
    >>> bool(found.z.sel(statistic="clustered") > 10)  # the model has no coupling between neighbors
    True
    """
    if "posterior_predictive" not in result.children:
        raise DiagnosticsError(
            "the result has no predictive states", mend="infer with posterior_predictive=500"
        )
    data = {str(name): x.values for name, x in result["observed_data"].data_vars.items()}
    posed = pose(model, data)
    if posed.hidden:
        raise DiagnosticsError(
            f"{', '.join(map(repr, posed.hidden))} was not seen, or not everywhere",
            mend="compare predictive states with what was seen of the data yourself",
        )
    predicted = result["posterior_predictive"].to_dataset()
    states = {
        v.name: predicted[v.name].values.reshape(-1, v.n_sites * v.domain.components).T
        for v in posed.recovered.ir.variables
    }
    tables = _mean_tables(posed, result)
    seen, drawn = (_statistics(posed, tables, x) for x in (posed.states(), states))
    names = list(seen)
    columns = {}
    for what, x in (("data", seen), ("predictive", drawn)):
        columns[what] = ("statistic", [x[name].mean() for name in names])
        columns[f"{what}_sd"] = ("statistic", [x[name].std() for name in names])
    n = [len(next(iter(x.values()))) for x in (seen, drawn)]
    out = xr.Dataset(columns, coords={"statistic": names})
    error = out.predictive_sd * np.sqrt(1 / n[0] + 1 / n[1])
    difference = out.data - out.predictive
    return out.assign(z=xr.where(difference == 0, 0.0, difference / error))


def _mean_tables(posed: Posed, result: xr.DataTree) -> Tables:
    mean = couplings_of_draws(posed, parameter_model(posed), result).mean(axis=0)
    return posed.recovered.tables | posed.tables_of(mean)


def _statistics(posed: Posed, tables: Tables, states: Values) -> dict[str, np.ndarray]:
    """Scalar observables of each state, and the energy of each term."""
    ir = posed.recovered.ir
    graphs = observable_graphs(posed.model)
    plain = [name for name, graph in graphs.items() if random_behind(graph, posed.model) is None]
    found = Observables(posed.model, plain)({name: x.T for name, x in states.items()})
    out = {name: x for name, x in found.items() if x.ndim == 1}
    for term in dict.fromkeys(f.term for f in ir.energy_families if f.tempered):
        families = tuple(f for f in ir.families if f.term == term or f.feeds is not None)
        only = ModelIR(ir.variables, families, ir.sums)
        out[f"energy of {term}"] = energies(only, tables, states)[0]
    return out
