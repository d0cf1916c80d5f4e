"""`learn`: point estimates of the parameters of an energy, from states."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr
from numpy.typing import ArrayLike

from statmech_dsl.errors import ArgumentError, ModelError
from statmech_dsl.inference.learning import LEARNERS, Learner, Task
from statmech_dsl.inference.learning.learned import labelled
from statmech_dsl.inference.problem.posed import Posed, pose
from statmech_dsl.inference.problem.space import Arrays, Space
from statmech_dsl.lang.model import given_or_context
from statmech_dsl.runs.arguments import count, seed_of
from statmech_dsl.runs.progress import progress
from statmech_dsl.solvers.slopes import is_linear

UNLIKE = 0.01
"""Scatter of the first values beside hidden units."""
Penalty = float | Mapping[str, float]
"""One number for all parameters, or one by name."""


def learn(
    model: pm.Model | None = None,
    data: Mapping[str, ArrayLike] | None = None,
    *,
    method: str = "auto",
    l1: Penalty = 0.0,
    l2: Penalty = 0.0,
    init: Mapping[str, ArrayLike] | xr.DataTree | str | None = None,
    test_data: Mapping[str, ArrayLike] | None = None,
    seed: int | None = None,
    backend: str = "auto",
    threads: int | None = None,
    progressbar: bool = True,
    **options: Any,
) -> xr.DataTree:
    """Fit the random parameters of an energy to states, at T = 1.

    The methods, and what each maximizes:

    * ``"exact"``: the likelihood, log Z and hidden sites summed over all states;
    * ``"pseudolikelihood"``: the product of the distributions of each site given all others [1]_;
    * ``"pcd"``: the likelihood, its gradient estimated with persistent chains (stochastic maximum
      likelihood, persistent contrastive divergence) [2]_;
    * ``"cd"``: contrastive divergence: chains of ``k`` sweeps that begin at the data [3]_;
    * ``"mean_field"``: no maximum, but what mean-field theory finds from correlations [4]_.

    Parameters
    ----------
    model : Model
        Energies whose couplings are random variables; that of the ``with`` block unless given. Priors give
        bounds and, unless ``init`` does, where to begin; they play no other part.
    data : mapping of str to array_like
        Independent states of variables, along the first axis. NaN or a mask is a site that was not seen.
        Variables that are not named are hidden.
    method : str
        One of the methods above; ``"auto"`` is the exact one where it is feasible, else the
        pseudolikelihood if nothing is hidden, else ``"pcd"``.
    l1, l2 : float or mapping of str to float
        Penalties ``l1 |x| + l2 x^2 / 2`` a state, of all parameters or by name, where x is the value in PyMC's
        unconstrained space. CD calls l2 weight decay.
    init : mapping, DataTree or str, optional
        Where to begin: values by name; an earlier result, which then goes on; or ``"mean_field"``.
    test_data : mapping of str to array_like, optional
        States to hold the fit against.
    seed, backend, threads, progressbar
        As for `sample`.
    **options
        Options of the method. ``"exact"`` and ``"pseudolikelihood"``: ``max_steps``, ``tol`` (of the
        gradient). ``"cd"`` and ``"pcd"``: ``epochs``, ``batch_size``, ``chains``, ``k`` (sweeps for an
        update), ``learning_rate``, ``decay``, ``momentum``, ``test_every`` and ``patience`` (epochs).

    Returns
    -------
    DataTree
        Groups ``point`` (fitted values), ``standard_error`` (where there are any), ``history`` (one number
        a step or epoch) and ``state`` (to go on from). Attributes name the method and what it assumes.

    Raises
    ------
    ArgumentError, DomainError
        A method or an option is unknown, or data do not fit.
    ModelError
        There is nothing to learn, or the method cannot serve this model.
    UnboundedLikelihoodError
        The likelihood has no maximum.

    References
    ----------
    .. [1] J. Besag, J. R. Stat. Soc. D 24, 179 (1975).
    .. [2] L. Younes, Stochastics 65, 177 (1999); T. Tieleman, Proc. ICML, 1064 (2008).
    .. [3] G. E. Hinton, Neural Comput. 14, 1771 (2002).
    .. [4] H. J. Kappen and F. B. Rodriguez, Neural Comput. 10, 1137 (1998).

    Examples
    --------
    >>> import pymc as pm
    >>> import statmech_dsl as sm
    >>> truth = sm.models.ising(L=4, J=0.3)
    >>> run = sm.sample(truth, draws=100, chains=8, thin=5, store="s", seed=1, progressbar=False)
    >>> states = run.posterior.s.values.reshape(-1, 16)
    >>> lattice = sm.lattices.square(4)
    >>> with sm.Model() as model:
    ...     J = pm.Normal("J")
    ...     s = sm.Spin("s", lattice)
    ...     i, j = lattice.bonds
    ...     exchange = sm.Energy("exchange", -J * s[i] * s[j])
    >>> fit = sm.learn(model, {"s": states})
    >>> bool(abs(fit.point.J - 0.3) < 3 * fit.standard_error.J)
    True
    """
    model = given_or_context(model)
    posed = posed_to_learn(model, data)
    learner = learner_of(method, posed, options)
    space = Space(posed)
    seed = seed_of(seed)
    threads = None if threads is None else count("threads", threads, 1)
    test = None if test_data is None else posed_to_learn(model, test_data)
    if isinstance(init, str):
        init = learn(model, data, method=init, l1=l1, l2=l2, progressbar=False).point
    start, resumed = _start(space, init, learner)
    if init is None and posed.hidden:
        # Hidden units that are all alike would stay so.
        start = start + UNLIKE * np.random.default_rng(seed).standard_normal(len(start))
    began = time.perf_counter()
    with progress(progressbar, f"learning, {learner.name}", learner.total, learner.unit) as advance:
        task = Task(
            posed,
            space,
            start,
            _penalties("l1", l1, space),
            _penalties("l2", l2, space),
            seed,
            test,
            resumed,
            backend,
            threads,
            advance,
        )
        fit = learner.fit(task)
    attrs = {"seed": str(seed), "learning_time": time.perf_counter() - began}
    return labelled(learner, task, fit, attrs)


def posed_to_learn(model: pm.Model, data: Mapping[str, ArrayLike] | None) -> Posed:
    """Put a model and data together, if energies are what is to be learned.

    Raises
    ------
    ModelError
        A density that depends on states and is no energy has random parameters, or the energy is not
        linear in its couplings.
    """
    posed = pose(model, data)  # type: ignore[arg-type]
    if others := posed.recovered.random - set(posed.couplings):
        terms = {
            f.term for f in posed.recovered.ir.families for c in f.columns if c.array in others
        }
        raise ModelError(
            f"{', '.join(sorted(terms))} is no Energy and depends on states and on parameters: "
            "learn fits parameters of energies",
            mend="use sm.infer, or give those parameters numbers",
        )
    if not is_linear(posed.recovered.ir, posed.couplings):
        raise ModelError(
            "the energy is not linear in its couplings: the data enter by no fixed statistics",
            mend="multiply functions of states by parameters, not what they are functions of",
        )
    return posed


def learner_of(method: str, posed: Posed, options: Mapping[str, Any]) -> Learner:
    """The method of a name, with its options.

    Raises
    ------
    ArgumentError, ModelError
        There is no such method or option, or it cannot serve the model.
    """
    if method == "auto":
        method = next(name for name, kind in LEARNERS.items() if kind.refuse(posed) is None)
    if method not in LEARNERS:
        raise ArgumentError(
            f"there is no method {method!r}", mend=f"use one of auto, {', '.join(LEARNERS)}"
        )
    kind = LEARNERS[method]
    known = [f.name for f in fields(kind)]
    if unknown := [name for name in options if name not in known]:
        raise ArgumentError(
            f"method={method!r} has no option {unknown[0]!r}",
            mend=f"its options are {', '.join(known)}" if known else "it has none",
        )
    if (reason := kind.refuse(posed)) is not None:
        raise ModelError(f"method={method!r} cannot serve this model: {reason}")
    return kind(**options)


def _penalties(what: str, given: Penalty, space: Space) -> np.ndarray:
    """Penalties of all elements of the vector."""
    each = given if isinstance(given, Mapping) else dict.fromkeys(space.names, given)
    out = np.zeros(space.size)
    for name, value in each.items():
        if name not in space.names:
            raise ArgumentError(
                f"{what}= names {name!r}, which is no parameter that energies read",
                mend=f"those are {', '.join(space.names)}",
            )
        if not np.isscalar(value) or not np.isfinite(value) or value < 0:
            raise ArgumentError(f"{what} must be a number >= 0", where=f"{what}={value!r}")
        out[space.of(name)] = value
    return out


def _start(space: Space, init: Any, learner: Learner) -> tuple[np.ndarray, Arrays]:
    """Where the fit begins, and what an earlier one has left."""
    if isinstance(init, xr.DataTree) and "state" in init.children:
        resumed = {str(name): x.values for name, x in init["state"].data_vars.items()}
        x = resumed.pop("unconstrained")
        if x.shape != (space.size,):
            raise ArgumentError(
                f"init= is a fit of {x.size} numbers, this model has {space.size}",
                mend="resume a fit of the same model",
            )
        return x, resumed if init.attrs["method"] == learner.name else {}
    if init is None:
        return space.start, {}
    if isinstance(init, Mapping | xr.DataTree):
        return space.vector({str(k): np.asarray(v) for k, v in init.items()}, space.start), {}
    raise ArgumentError(
        f"init={init!r} is unknown",
        mend="give values by name, an earlier result or a method's name",
    )
