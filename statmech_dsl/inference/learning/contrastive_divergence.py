"""Stochastic climbs of the likelihood: contrastive divergence, and its persistent form."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from statmech_dsl.errors import ArgumentError, InterruptedWarning
from statmech_dsl.inference.learning.base import Fit, Learner, Task
from statmech_dsl.inference.learning.held_out import HeldOut
from statmech_dsl.inference.learning.phases import Phases
from statmech_dsl.inference.learning.restricted import restricted
from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.inference.problem.space import Arrays
from statmech_dsl.runs.arguments import count


@dataclass(frozen=True)
class Stochastic(Learner):
    """Mini-batches: <S> of the data minus <S> of some chains, at every step.

    The step of a parameter is divided by about the variance of its statistic where that is above 1, so
    that the default serves a weight of one pair as well as a coupling of thousands.
    """

    epochs: int = 50
    batch_size: int = 100
    chains: int = 100
    k: int = 1
    learning_rate: float | tuple[float, float] = (0.1, 0.01)
    momentum: float = 0.0
    test_every: int = 0
    patience: int = 0

    unit: ClassVar[str] = "epochs"
    persistent: ClassVar[bool]

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "chains", "k"):
            count(name, getattr(self, name), 1)
        for name in ("test_every", "patience"):
            count(name, getattr(self, name), 0)
        rates = np.atleast_1d(self.learning_rate)
        if rates.shape not in ((1,), (2,)) or not (np.isfinite(rates) & (rates > 0)).all():
            raise ArgumentError(
                "learning_rate must be a number > 0, or two: of the first epoch and of the last",
                where=f"learning_rate={self.learning_rate!r}",
            )
        if not 0 <= self.momentum < 1:
            raise ArgumentError("momentum must be in [0, 1)", where=f"momentum={self.momentum!r}")
        if self.patience and not self.test_every:
            raise ArgumentError("patience waits for tests", mend="give test_every and test_data")

    @property
    def total(self) -> int:  # noqa: D102
        return self.epochs

    @classmethod
    def refuse(cls, posed: Posed) -> str | None:  # noqa: D102
        if any((x.known != x.known[0]).any() for x in posed.data.values()):
            return "different sites are missing in different states"
        return None

    def fit(self, task: Task) -> Fit:  # noqa: D102
        if self.test_every and task.test is None:
            raise ArgumentError("test_every needs test_data=")
        batch = min(self.batch_size, task.posed.n_states)
        run = Climb(self, task, batch)
        try:
            while run.epoch < run.last and not run.stopped:
                run.one_epoch()
                task.advance(1, run.note)
        except KeyboardInterrupt:
            if not run.history["gradient_norm"]:
                raise
            text = f"interrupted after {run.epoch} of {run.last} epochs"
            warnings.warn(text, InterruptedWarning, stacklevel=3)
        return run.result()


class ContrastiveDivergence(Stochastic):
    """Chains begin at the data of each batch."""

    name: ClassVar[str] = "cd"
    assumes: ClassVar[str] = (
        "its chains are k sweeps from the data: the gradient is biased where they mix slowly"
    )
    persistent: ClassVar[bool] = False


class PersistentChains(Stochastic):
    """Chains go on from step to step (stochastic maximum likelihood)."""

    name: ClassVar[str] = "pcd"
    assumes: ClassVar[str] = (
        "maximizes the likelihood if its chains keep up with the parameters: lower learning rates, more k help"
    )
    persistent: ClassVar[bool] = True


class Climb:
    """A fit in progress."""

    def __init__(self, learner: Stochastic, task: Task, batch: int) -> None:
        self.learner, self.task, self.batch = learner, task, batch
        self.x = task.start.astype(float).copy()
        n = learner.chains if learner.persistent else batch
        self.phases = Phases(task, n, batch)
        self.velocity = task.resumed.get("velocity", np.zeros_like(self.x))
        self.epoch = int(task.resumed.get("epoch", 0))
        self.last = self.epoch + learner.epochs
        if learner.persistent and "epoch" in task.resumed:
            self.phases.resume(task.resumed)
        self.scale = _scale(task, self.x)
        self.whole_epoch = restricted(task, self.phases, self.scale)
        rates = np.atleast_1d(learner.learning_rate).astype(float)
        self.rates = np.geomspace(rates[0], rates[-1], learner.epochs)
        self.history: dict[str, list[float]] = {"gradient_norm": []}
        self.test = HeldOut(task) if learner.test_every else None
        self.best, self.stopped, self.note = (-np.inf, self.x.copy(), 0), False, ""

    def one_epoch(self) -> None:
        """All data once, in a new order."""
        learner = self.learner
        rng = np.random.default_rng([self.task.seed, self.epoch])
        order = rng.permutation(self.task.posed.n_states)
        rate = self.rates[self.epoch - self.last + learner.epochs]
        if self.whole_epoch is not None:
            self.x, self.velocity, norm = self.whole_epoch(
                self.x,
                self.velocity,
                order,
                self.epoch,
                self.batch,
                learner.k,
                rate,
                learner.momentum,
                not learner.persistent,
            )
        else:
            norm = self._batches(order, rate)
        self.epoch += 1
        self._record(norm)

    def _batches(self, order: np.ndarray, rate: float) -> float:
        """Steps, batch after batch; the largest element of the last gradient."""
        task, g = self.task, np.zeros(1)
        for a in range(0, len(order) - self.batch + 1, self.batch):
            g = self.gradient(order[a : a + self.batch])
            pull = task.l2 * self.x + task.l1 * np.sign(self.x)
            self.velocity = self.learner.momentum * self.velocity + rate * self.scale * (g - pull)
            self.x = self.x + self.velocity
        return float(abs(g).max())

    def gradient(self, which: np.ndarray) -> np.ndarray:
        """Estimated gradient of the mean log-likelihood of a batch."""
        space, phases = self.task.space, self.phases
        tables = space.tables(self.x)
        phases.follow(tables)
        seen = phases.positive(which)
        if not self.learner.persistent:
            phases.restart()
        model = phases.negative(self.learner.k)
        return space.gradient(self.x, {name: model[name] - s for name, s in seen.items()})

    def _record(self, norm: float) -> None:
        learner = self.learner
        self.history["gradient_norm"].append(norm)
        self.note = f"gradient {norm:.3g}"
        error = self.phases.reconstruction_error(self.task.space.tables(self.x))
        if error is not None:
            self.history.setdefault("reconstruction_error", []).append(error)
            self.note = f"reconstruction error {error:.4g}"
        if self.test is not None:
            done = self.epoch % learner.test_every == 0
            value = self.test(self.x) if done else np.nan
            self.history.setdefault("test_log_likelihood", []).append(value)
            if done:
                self._keep_best(value)

    def _keep_best(self, value: float) -> None:
        if value > self.best[0]:
            self.best = value, self.x.copy(), self.epoch
        patience = self.learner.patience
        self.stopped = bool(patience) and self.epoch - self.best[2] >= patience

    def result(self) -> Fit:
        """The last parameters, or with patience the best."""
        x = self.best[1] if self.learner.patience and np.isfinite(self.best[0]) else self.x
        state: Arrays = {"velocity": self.velocity, "epoch": np.array(self.epoch)}
        state |= self.phases.state() if self.learner.persistent else {}
        history = {name: np.array(v) for name, v in self.history.items()}
        attrs: dict[str, str | int | float] = {
            "epochs": self.epoch,
            "positive_phase": self.phases.how,
        }
        return Fit(x, history, None, state, attrs)


def _scale(task: Task, x: np.ndarray, probes: int = 32) -> np.ndarray:
    """One over about the variance of the statistic of each element, at most 1.

    As if the terms that an element stands in were independent and of order 1.
    """
    r = task.posed.recovered
    counts = {name: np.zeros(len(r.tables[name])) for name in task.posed.couplings}
    for f in r.ir.families:
        for c in f.columns:
            if c.kind == "coefficient" and c.array in counts:
                n = f.n_instances(r.tables)
                at = np.zeros(n, int) if c.index is None else r.tables[c.index]
                counts[c.array] += np.bincount(at, minlength=len(counts[c.array]))
    rng = np.random.default_rng(0)
    total = np.zeros(len(x))
    for _ in range(probes):
        signs = {name: rng.choice([-1.0, 1.0], len(n)) * np.sqrt(n) for name, n in counts.items()}
        total += task.space.gradient(x, signs) ** 2
    return 1 / np.maximum(total / probes, 1.0)
