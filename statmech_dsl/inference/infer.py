"""`infer`: the posterior of the random parameters of an energy, given states."""

from __future__ import annotations

import importlib.metadata
import time
import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr
from numpy.typing import ArrayLike

from statmech_dsl.errors import ArgumentError, ModelError
from statmech_dsl.inference.methods import METHODS, Method, Run
from statmech_dsl.inference.predictive import predictive
from statmech_dsl.inference.problem.identifiability import refuse_unbounded, unidentified
from statmech_dsl.inference.problem.posed import Posed, pose
from statmech_dsl.lang.model import given_or_context
from statmech_dsl.runs.arguments import count, seed_of

MANY = 16
"""Couplings from which on pseudolikelihood is preferred to the exchange algorithm."""


def infer(
    model: pm.Model | None = None,
    data: Mapping[str, ArrayLike] | None = None,
    *,
    method: str = "auto",
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    seed: int | None = None,
    threads: int | None = None,
    posterior_predictive: int = 0,
    store: str | Sequence[str] = (),
    progressbar: bool = True,
) -> xr.DataTree:
    """Sample the posterior of the random parameters of an energy, given states at T = 1.

    The likelihood of a state x is exp(-E(x, theta)) / Z(theta), and Z depends on the parameters. The
    methods differ in what they do about it:

    * ``"exact"``: log Z from all states, by counting, elimination, or the modes of quadratic fields;
    * ``"path"``: log Z around the posterior from sampled states, for up to three couplings [1]_;
    * ``"exchange"``: no log Z; each step draws states at the proposed parameters [2]_;
    * ``"pseudolikelihood"``: the product of the one-site conditionals in place of the likelihood [3]_;
    * ``"bethe"``: log Z in the Bethe approximation.

    Parameters
    ----------
    model : Model
        Energies whose couplings have priors; that of the ``with`` block unless given.
    data : mapping of str to array_like
        For each variable that was seen one state, or independent states along the first axis. NaN or a mask is
        a site that was not seen. Variables without data are hidden. May be left out where ``observed=``
        variables of the model, such as pixels, tell of hidden states.
    method : str
        One of the methods above. "auto" takes the first that can serve the model, in the order exact,
        path, exchange, pseudolikelihood; the attribute ``reason`` of the result says why.
    draws, tune, chains : int
        Of the chains of parameters, as in `pymc.sample`.
    seed : int, optional
        Makes the result reproducible.
    threads : int, optional
        Threads of kernels; all cores unless given.
    posterior_predictive : int
        Number of states to draw at parameters of the posterior, each after ``tune`` sweeps from a random
        state: group ``posterior_predictive``.
    store : str or sequence of str
        Hidden variables whose states are kept at every draw, in ``posterior``.
    progressbar : bool
        Whether to show progress.

    Returns
    -------
    DataTree
        Groups ``posterior``, ``sample_stats``, ``observed_data``, ``hidden`` (of what was not seen: the share
        of each value, or the mean of real ones) and, where it exists,
        ``log_likelihood`` (of each state; of pseudolikelihood its logarithm), for ArviZ. Attributes:
        ``method``, ``assumes``, ``reason``, and ``unidentified``: what the data do not tell.

    Raises
    ------
    ArgumentError, DomainError
        A method is unknown, or data do not fit.
    ModelError
        There is nothing to infer, or the method cannot serve the model.
    UnboundedLikelihoodError
        All that was seen is one value and a prior is flat: there is no posterior.

    Warns
    -----
    IdentifiabilityWarning
        The data leave parameters, or combinations of them, undetermined.

    References
    ----------
    .. [1] A. Gelman and X.-L. Meng, Stat. Sci. 13, 163 (1998).
    .. [2] I. Murray, Z. Ghahramani and D. J. C. MacKay, Proc. UAI, 359 (2006).
    .. [3] J. Besag, J. R. Stat. Soc. D 24, 179 (1975).

    Examples
    --------
    >>> import numpy as np
    >>> import pymc as pm
    >>> import statmech_dsl as sm
    >>> with sm.Model() as model:
    ...     J = pm.Normal("J", 0, 1)
    ...     s = sm.Spin("s", sm.lattices.chain(8))
    ...     i, j = sm.lattices.chain(8).bonds
    ...     exchange = sm.Energy("exchange", -J * s[i] * s[j])
    >>> states = np.random.default_rng(1).choice([-1, 1], (50, 8))
    >>> result = sm.infer(
    ...     model, {"s": states}, draws=200, tune=200, chains=2, seed=1, progressbar=False
    ... )
    >>> result.attrs["method"]
    'exact'
    >>> bool(abs(result.posterior.J.mean()) < 0.2)
    True
    """
    model = given_or_context(model)
    if method != "auto" and method not in METHODS:
        names = ", ".join(("auto", *METHODS))
        raise ArgumentError(f"unknown method {method!r}", mend=f"use one of {names}")
    seed = seed_of(seed)
    run = Run(
        count("draws", draws, 1),
        count("tune", tune, 0),
        count("chains", chains, 1),
        seed % 2**63,
        None if threads is None else count("threads", threads, 1),
        progressbar,
        (store,) if isinstance(store, str) else tuple(store),
    )
    states = count("posterior_predictive", posterior_predictive, 0)
    posed = pose(model, data)
    if wrong := [name for name in run.store if name not in posed.hidden]:
        raise ArgumentError(
            f"store= names {', '.join(map(repr, wrong))}, of which nothing is hidden",
            mend=f"hidden are {', '.join(map(repr, posed.hidden)) or 'no variables'}",
        )
    refuse_unbounded(posed)
    chosen, reason = choose(posed, method)
    began = time.perf_counter()
    tree = chosen.infer(posed, run)
    found = unidentified(posed, tree)
    for warning in found:
        warnings.warn(warning, stacklevel=2)
    if states:
        tree["posterior_predictive"] = xr.DataTree(predictive(posed, tree, states, run))
    tree["observed_data"] = xr.DataTree(_observed(posed))
    tree.attrs.update(
        {
            "inference_library": "statmech_dsl",
            "inference_library_version": importlib.metadata.version("statmech_dsl"),
            "created_at": datetime.now(UTC).isoformat(),
            "method": chosen.name,
            "assumes": chosen.assumes,
            "reason": reason,
            "unidentified": [str(w) for w in found],
            "seed": str(seed),
            "inference_time": time.perf_counter() - began,
        }
    )
    return tree


def choose(posed: Posed, method: str) -> tuple[Method, str]:
    """A method, and why.

    Raises
    ------
    ModelError
        It cannot serve the problem, or none can.
    """
    if method != "auto":
        if reason := METHODS[method].refuse(posed):
            raise ModelError(
                f"method={method!r} cannot serve this model: {reason}", mend="use method='auto'"
            )
        return METHODS[method], "as asked for"
    refused = []
    for m in METHODS.values():
        if not m.automatic:
            continue
        why = m.refuse(posed) or _slow(posed, m)
        if why is None:
            return m, "; ".join(refused) or "exact where it is feasible"
        refused.append(f"not {m.name}: {why}")
    raise ModelError(f"no method can serve this model: {'; '.join(refused)}")


def _slow(posed: Posed, m: Method) -> str | None:
    """Why another method is to be preferred to one that could serve the problem."""
    n = sum(len(posed.recovered.tables[name]) for name in posed.couplings)
    if m.name == "exchange" and n > MANY and METHODS["pseudolikelihood"].refuse(posed) is None:
        return f"a random walk through {n} couplings takes long"
    return None


def _observed(posed: Posed) -> xr.Dataset:
    """What was seen, as given: NaN where nothing was."""
    columns: dict[str, Any] = {}
    for name, x in posed.data.items():
        values = x.values.reshape(x.n_states, *x.mark.shape)
        if not x.complete:
            known = np.repeat(x.known, x.mark.domain.components, axis=1).reshape(values.shape)
            values = np.where(known, values, np.nan)
        dims = ("state", *(f"{name}_dim_{k}" for k in range(len(x.mark.shape))))
        columns[name] = (dims, values)
    return xr.Dataset(columns)
