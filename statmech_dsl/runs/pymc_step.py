"""`LocalGibbs`: compiled sweeps as a step of PyMC, beside NUTS or any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pymc as pm
from pymc.step_methods.compound import BlockedStep, StepMethodState
from pymc.step_methods.state import dataclass_state
from pytensor.compile.mode import Mode

from statmech_dsl.backends.numba_cpu.kernels import NumbaKernels, Packed
from statmech_dsl.engine.compile import lower_model
from statmech_dsl.engine.composition import Updates
from statmech_dsl.errors import ImproperDistributionError, ModelError
from statmech_dsl.ir.marks import marked
from statmech_dsl.ir.state import State
from statmech_dsl.lang.random_variable import DomainRV
from statmech_dsl.lower.recovery import Recovered
from statmech_dsl.runs.pymc_discrete import RangeOf
from statmech_dsl.runs.pymc_points import Place, PointFunction, choose, follow_points, places
from statmech_dsl.runs.tuning import BLOCK, adapt

INTERPRETED = {"mode": Mode(linker="py", optimizer="fast_compile")}
"""For what is evaluated once in a chain: compiling it would take longer."""

UNDERFLOW = -1e4
"""Logarithm of a random probability that has become zero: kernels subtract what they compare."""


@dataclass_state
class LocalGibbsState(StepMethodState):
    """What the next sweep depends on, besides the point."""

    seed: int
    sweep: int
    tune: bool
    params: np.ndarray
    accepted: np.ndarray


class LocalGibbs(BlockedStep):
    """A PyMC step: one compiled sweep over discrete variables, given the values of all else.

    ``pm.sample`` takes it by itself for our discrete variables, and for continuous ones where the
    log-density has no gradient; NUTS moves other continuous ones, unless given to this step.
    Plain discrete variables of PyMC are moved if given to it.
    A sweep leaves the posterior (T = 1) invariant; couplings that depend on other random variables
    follow them from step to step.

    Parameters
    ----------
    vars : sequence of variables, optional
        Discrete variables, ours or PyMC's, and continuous ones of ours; all discrete ones unless given.
    updates : str, list or dict
        As in `sample`;
        ``pm.sample(local_gibbs={"updates": ...})`` for the step that PyMC makes.
    model : Model, optional
        The model; that of the ``with`` block unless given.
    rng : Generator or int, optional
        Randomness until a chain begins, which brings its own.
    initial_point : dict, optional
        Not used; PyMC offers it to every step.
    compile_kwargs : dict, optional
        How PyTensor compiles couplings that depend on other random variables.
    blocked : bool
        Whether one step moves all the variables, or each has a step of its own.

    Raises
    ------
    ModelError
        A variable is not free, its range is not known or has no end, it is continuous and none of
        ours, or another one is bounded by it.
    NonLocalEnergyError
        The log-density has no local terms.
    ImproperDistributionError
        While sampling: a conditional distribution cannot be normalized.

    Notes
    -----
    PyMC starts all chains at one point: with all sites alike. Where that could hide
    other phases, start from random states with ``pm.sample(initvals={"s": "prior"})``.

    The statistic ``changed`` is the number of sites whose value has changed.

    Examples
    --------
    >>> import numpy as np
    >>> import statmech_dsl as sm
    >>> with sm.Model() as model:
    ...     s = sm.Spin("s", 16)
    ...     zeeman = sm.Energy("zeeman", -0.1 * s)
    ...     step = sm.LocalGibbs([s], rng=1)
    >>> point, stats = step.step({"s": np.ones(16, dtype="int64")})
    >>> bool(stats[0]["changed"] == (point["s"] == -1).sum())
    True
    """

    name = "local_gibbs"
    stats_dtypes_shapes = {"changed": (np.int64, [])}
    _state_class = LocalGibbsState

    def __init__(
        self,
        vars: Sequence[Any] | None = None,
        *,
        updates: Updates = "auto",
        model: pm.Model | None = None,
        rng: Any = None,
        initial_point: Mapping[str, Any] | None = None,
        compile_kwargs: Mapping[str, Any] | None = None,
        blocked: bool = True,
    ) -> None:
        within: Any = pm.modelcontext(model)
        moved = choose(within, vars)
        plain = [rv for rv in moved if not isinstance(rv.owner.op, DomainRV)]
        self._ranges = [RangeOf(rv) for rv in plain]
        self._at_first = [r() for r in self._ranges]
        with marked({rv: r.mark() for rv, r in zip(plain, self._ranges, strict=True)}):
            self._ours = places(within)
            self._moved = [p for rv in moved for p in self._ours if p.rv is rv]
            names = [p.name for p in self._moved]
            wanted = updates if isinstance(updates, Mapping) else dict.fromkeys(names, updates)
            compiled = lower_model(within, wanted)
        self.vars = [p.value for p in self._moved]
        program, self._tables = compiled.lowered.program, compiled.lowered.tables
        if program.collective:
            raise ModelError(
                f"sm.LocalGibbs makes local updates only, not {program.collective[0].update}"
            )
        passes = tuple(p for p in program.passes if p.variable in names)
        self._program = replace(program, passes=passes)
        params = [(number, p, q) for number, p in enumerate(passes) for q in p.params]
        self._start = np.array([[q.start] for _, _, q in params]).reshape(-1, 1)
        self._targets = np.array([q.target for _, _, q in params])
        self._moves = BLOCK * np.array([len(self._tables[p.order]) for _, p, _ in params])
        self._tuned = [number for number, _, _ in params]
        self._background = _background(compiled.recovered)
        graphs = compiled.recovered.parameters
        follow = follow_points(within, graphs)
        self._data = PointFunction(
            within, {name: g for name, g in graphs.items() if name not in follow}, INTERPRETED
        )
        self._couplings = PointFunction(
            within, {name: g for name, g in graphs.items() if name in follow}, compile_kwargs
        )
        self._natural = PointFunction(
            within, {p.name: p.rv for p in self._ours if p.transformed}, compile_kwargs
        )
        self.setup_chain(rng, 0, 0)
        # Compile now, or all worker processes would do so at the same time.
        self._kernels.sweep(self._packed, 1)

    def setup_chain(self, rng: Any, tune: int, draws: int) -> None:
        """Begin a chain: a seed of its own, proposals not yet tuned, data as they are now."""
        super().setup_chain(rng, tune, draws)
        self.seed, self.sweep, self.tune = int(self.rng.integers(2**63)), 0, tune > 0
        self.params = self._start.copy()
        self.accepted = np.zeros((len(self._program.passes), 1), np.int64)
        data = self._data({})
        was = self._tables
        changed = any(
            x.shape != was[name].shape or np.isinf(x).any() > np.isinf(was[name]).any()
            for name, x in data.items()
        )
        if changed or [r() for r in self._ranges] != self._at_first:
            raise ModelError(
                "data have another shape, give variables other bounds or make other values impossible "
                "than when sm.LocalGibbs was made",
                mend="make the step anew after pm.set_data",
            )
        self._kernels.replace_tables(data)

    def step(self, point: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], list[dict]]:
        """Do one sweep."""
        couplings = self._couplings(point)
        for name, x in couplings.items():
            couplings[name] = np.where(np.isneginf(x), UNDERFLOW, x)
        self._kernels.replace_tables(couplings)
        natural = self._natural(point)
        for p in self._ours:
            x = natural.get(p.name, point[p.key])
            self._packed.values[p.name][0, p.rows, 0] = x.ravel()
        self._kernels.refresh(self._packed)
        before = [self._rows(p) for p in self._moved]
        self._sweep()
        new, changed = dict(point), 0
        for p, old in zip(self._moved, before, strict=True):
            x, value = self._rows(p), point[p.key]
            if not np.isfinite(x).all():
                raise ImproperDistributionError(
                    f"the distribution of {p.name!r} given all else cannot be normalized",
                    mend="let the energy rise at large values, whatever its parameters are",
                )
            new[p.key] = x.astype(value.dtype).reshape(value.shape)
            first = slice(None, None, p.mark.domain.components)  # a vector moves as a whole
            changed += np.count_nonzero(x[first] != old[first])
        return new, [{"changed": changed}]

    def __getstate__(self) -> dict[str, Any]:
        # Compiled kernels cannot be pickled: each process makes its own.
        return {k: v for k, v in self.__dict__.items() if k not in ("_kernels", "_packed")}

    @cached_property
    def _kernels(self) -> NumbaKernels:
        """Kernels for one replica on one thread: PyMC runs chains in processes."""
        return NumbaKernels(self._program, self._tables, 1, 1)

    @cached_property
    def _packed(self) -> Packed:
        """The replica, at T = 1; a step writes the free sites of the point over it."""
        number, beta = np.zeros(1, np.uint32), np.ones(1)
        return self._kernels.pack(
            State(self._background, number, beta, 0, 0, self.params, self.accepted)
        )

    def _rows(self, p: Place) -> np.ndarray:
        """Copy of the values that a point holds of a variable."""
        return self._packed.values[p.name][0, p.rows, 0].copy()

    def _sweep(self) -> None:
        """Sweep; while tuning, adapt proposals as `sample` does."""
        packed = self._packed
        packed.state.seed, packed.state.sweep = self.seed, self.sweep
        packed.accepted[:] = 0
        for present, wanted in zip(packed.params, self.params, strict=True):
            present[:] = wanted
        self._kernels.sweep(packed, 1)
        self.sweep += 1
        if not (self.tune and self._tuned):
            return
        self.accepted += packed.accepted[:, 0, :1]
        if self.sweep % BLOCK == 0:
            state = replace(packed.state, params=self.params, accepted=self.accepted)
            adapt(state, self._tuned, self._targets, self._moves, self.sweep // BLOCK - 1)


def _background(recovered: Recovered) -> dict[str, np.ndarray]:
    """States of one replica in which the clamped sites have their values."""
    states = {}
    for v in recovered.ir.variables:
        x = v.domain.cold(v.n_sites).reshape(v.n_sites, -1).astype(v.domain.storage_dtype)
        if v.name in recovered.clamped:
            mask, values = recovered.clamped[v.name]
            x[mask] = values.reshape(v.n_sites, -1)[mask]
        states[v.name] = x.reshape(1, -1)
    return states
