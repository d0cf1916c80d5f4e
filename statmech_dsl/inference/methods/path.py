"""Log Z around the posterior, from states that the fast kernels draw at a net of couplings."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import xarray as xr

from statmech_dsl.errors import (
    ImproperDistributionError,
    InfeasibleError,
    NotConvergedWarning,
    OverlapError,
)
from statmech_dsl.estimators.tau_int import tau_int
from statmech_dsl.inference.log_partition.log_z_surface import Surface, surface
from statmech_dsl.inference.log_partition.region import (
    SPACING,
    WIDTH,
    Region,
    find_region,
    first_guess,
    region,
)
from statmech_dsl.inference.methods.base import (
    Likelihood,
    LikelihoodMethod,
    Run,
    couplings_of_draws,
    from_partition,
    sample_likelihood,
    statistics,
)
from statmech_dsl.inference.problem.directions import Beliefs, Directions, beliefs, directions
from statmech_dsl.inference.problem.parameter_model import parameter_model
from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.inference.problem.smooth import Smooth
from statmech_dsl.inference.pseudolikelihood.conditionals import conditionals
from statmech_dsl.inference.states.replicas import Replicas, of_energies
from statmech_dsl.solvers.slopes import slopes

MOST = 3
"""Couplings, at most: a net of more has too many nodes."""
REPLICAS = 64
BURN, PILOT = 200, 32
"""Sweeps from random states, and draws in which the autocorrelation is measured."""
CORRELATED = 1.5
"""Autocorrelation time in draws above which there are to be more sweeps between them."""
MAX_THIN = 256
"""Sweeps between draws, at most: longer autocorrelations enter the error."""
PER_STATE = 400
"""Draws for each state that was seen: they shift the posterior by about 1/20 of its width."""
PER_NODE = 512
MAX_DRAWS = 2**19
MAX_TABLE = 2**24
"""Potentials of all draws at all nodes."""
OUTSIDE = 0.01
"""Share of the posterior outside the region from which on it is moved and log Z found again."""
ROUNDS = 3
POOR = 0.3
"""Shift of the posterior, in its standard deviations, that is warned of."""


class Path(LikelihoodMethod):
    """Reweighting between the nodes of a net."""

    name = "path"
    assumes = (
        "estimates log Z around the posterior from states sampled there, with the error that is stated; "
        "that chains of states reach equilibrium"
    )

    def refuse(self, posed: Posed) -> str | None:  # noqa: D102
        if reason := super().refuse(posed):
            return reason
        if directions(posed, MOST) is None:
            return f"the energy is a function of more than {MOST} couplings"
        return None

    def likelihood(self, posed: Posed, run: Run) -> Likelihood:  # noqa: D102
        return _Net(posed, run).likelihood()

    def infer(self, posed: Posed, run: Run) -> xr.DataTree:  # noqa: D102
        net = _Net(posed, run)
        for _ in range(ROUNDS):
            tree = sample_likelihood(posed, net.likelihood(), run)
            z = couplings_of_draws(posed, parameter_model(posed), tree) @ net.directions.Q
            outside = float(np.mean(np.linalg.norm(net.region.to_u(z), axis=1) > WIDTH))
            if outside <= OUTSIDE:
                break
            net.move(z)
        tree.attrs["outside"] = outside
        if outside > OUTSIDE:
            warnings.warn(
                f"{outside:.1%} of the posterior lie outside the region where log Z is known: "
                "intervals are not to be trusted",
                NotConvergedWarning,
                stacklevel=4,
            )
        shift = tree.attrs["expected_shift"]
        if shift > POOR:
            warnings.warn(
                f"the error of log Z may shift the posterior by {shift:.2g} of its standard deviations",
                NotConvergedWarning,
                stacklevel=4,
            )
        return tree


class _Net:
    """A simulation that goes from node to node."""

    def __init__(self, posed: Posed, run: Run) -> None:
        self.posed, self.run = posed, run
        found = directions(posed, MOST)
        assert found is not None
        self.directions: Directions = found
        Q = found.Q
        self.beliefs: Beliefs = beliefs(posed, found, parameter_model(posed), run.seed)
        _, S = statistics(posed)
        z = first_guess(self.beliefs, _pseudolikelihood(posed, Q))
        recovered = of_energies(posed.recovered)
        self.replicas = Replicas(posed.model, recovered, REPLICAS, run.threads)
        self.replicas.reset(run.seed)
        self.replicas.follow(posed.tables_of(Q @ z))
        self._packed = self.replicas.start()
        self.replicas.tune(self._packed, BURN)
        self.thin = 1
        self.region: Region = find_region(
            z, S.mean(axis=0) @ Q, posed.n_states, self.beliefs, self._moments
        )

    def move(self, z: np.ndarray) -> None:
        """Take another region, around draws of couplings."""
        _, information = self._moments(z.mean(axis=0))
        covariance = np.cov(z.T).reshape(len(information), -1)
        self.region = region(z.mean(axis=0), covariance, information)

    def likelihood(self) -> Likelihood:
        """Draw at all nodes, closer ones where neighbors have nothing in common, and find log Z."""
        try:
            return self._covered(self.region.nodes(self.beliefs))
        except OverlapError:  # next to a transition, information rises fast
            return self._covered(self.region.nodes(self.beliefs, SPACING / 2))

    def _covered(self, nodes: np.ndarray) -> Likelihood:
        n = self.posed.n_states
        most = min(MAX_DRAWS, MAX_TABLE // len(nodes))
        wanted = min(most // len(nodes), max(PER_NODE, PER_STATE * n // len(nodes)))
        length = max(2, wanted // REPLICAS)
        draws, kept = [], []
        for u in nodes:
            S = self._independent(self.region.to_z(u), length)
            if S is not None:
                kept.append(u)
                draws.append(S)
        found: Surface = surface(self.region, np.array(kept), np.array(draws), n)
        Q = self.directions.Q

        def log_partition(c: np.ndarray) -> tuple[float, np.ndarray]:
            value, slope = found(c @ Q)
            return value, Q @ slope

        attrs: dict[str, Any] = {
            "nodes": len(kept),
            "draws_at_node": length * REPLICAS,
            "log_partition_error": found.error,
            "expected_shift": n * found.error,
            "log_likelihood": "but for a constant: only differences of log Z are known",
        }
        return from_partition(self.posed, log_partition, attrs)

    def _moments(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        S = self._draws(z, 8)
        if S is None:
            raise ImproperDistributionError(
                "the weights of states cannot be normalized at couplings of the posterior",
                where=f"couplings {self.directions.Q @ z}",
                mend="give parameters priors that keep the energy bounded from below",
            )
        flat = S.reshape(-1, S.shape[-1]) @ self.directions.Q
        return flat.mean(axis=0), np.cov(flat.T).reshape(len(z), len(z))

    def _independent(self, z: np.ndarray, length: int) -> np.ndarray | None:
        """Statistics along the axes, [chain, draw, few], with as many sweeps between draws as it takes."""
        axes = self.directions.Q @ self.region.axes
        while (S := self._draws(z, min(length, PILOT))) is not None:
            tau = max(tau_int(x).tau for x in np.moveaxis(S @ axes, -1, 0))
            if tau < CORRELATED or self.thin >= MAX_THIN:
                rest = length - S.shape[1]
                more = self._draws(z, rest) if rest else S[:, :0]
                self.thin = max(1, self.thin // 2)  # the next node may do with less
                return None if more is None else np.concatenate([S, more], axis=1) @ axes
            self.thin *= 2
        return None

    def _draws(self, z: np.ndarray, length: int) -> np.ndarray | None:
        """Statistics [chain, draw, coupling], after a while at the new couplings; None if they run away."""
        posed, names = self.posed, self.posed.couplings
        self.replicas.follow(posed.tables_of(self.directions.Q @ z))
        self.replicas.sweep(self._packed, max(20, 10 * self.thin))
        out = []
        for _ in range(length):
            self.replicas.sweep(self._packed, self.thin)
            r = self.replicas.recovered
            each = slopes(r.ir, r.tables, self.replicas.values(self._packed), names)
            out.append(np.concatenate([each[name] for name in names], axis=1))
        S = np.stack(out, axis=1)
        if not np.isfinite(S).all():
            self._packed = self.replicas.start()
            return None
        return S


def _pseudolikelihood(posed: Posed, Q: np.ndarray) -> Smooth | None:
    r = posed.recovered
    try:
        found = conditionals(r.ir, r.tables, posed.states(), posed.couplings)
    except InfeasibleError:
        return None

    def minus_log(z: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = found(Q @ z)
        return value, gradient @ Q

    return minus_log
