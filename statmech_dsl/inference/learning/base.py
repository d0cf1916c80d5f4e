"""What a way to learn is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.inference.problem.space import Arrays, Space
from statmech_dsl.runs.progress import Advance


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be fitted, and how much is asked of it.

    Attributes
    ----------
    posed : Posed
        Model and data.
    space : Space
        The parameters.
    start : ndarray
        Where the fit begins.
    l1, l2 : ndarray
        Penalties of each element: l1 |x| + l2 x^2 / 2, for the mean over states.
    test : Posed or None
        The same model with other data, which are not fitted.
    resumed : dict of str to ndarray
        What a method left in the state of an earlier fit.
    seed, backend, threads
        For methods that sample.
    advance : callable
        Shows progress.
    """

    posed: Posed
    space: Space
    start: np.ndarray
    l1: np.ndarray
    l2: np.ndarray
    seed: int
    test: Posed | None = None
    resumed: Arrays = field(default_factory=dict)
    backend: str = "auto"
    threads: int | None = None
    advance: Advance = lambda n, note="": None

    @property
    def penalized(self) -> np.ndarray:
        """Which elements a penalty keeps from running away."""
        return (self.l1 > 0) | (self.l2 > 0)


@dataclass(eq=False)
class Fit:
    """What a method found.

    ``history`` has one number for each step; ``covariance`` that of the fitted vector, if it is known.
    ``state`` is what the method needs to go on.
    """

    x: np.ndarray
    history: Arrays
    covariance: np.ndarray | None = None
    state: Arrays = field(default_factory=dict)
    attrs: dict[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Learner(ABC):
    """A way to fit parameters; its fields are its options."""

    name: ClassVar[str]
    """What users call it."""
    assumes: ClassVar[str]
    """In one sentence for results and docs: what it maximizes, and what that takes for granted."""
    unit: ClassVar[str] = "steps"
    """What progress counts."""

    @property
    def total(self) -> int | None:
        """How many of them there are at most."""
        return None

    @classmethod
    @abstractmethod
    def refuse(cls, posed: Posed) -> str | None:
        """Why this method cannot serve a problem; None if it can."""

    @abstractmethod
    def fit(self, task: Task) -> Fit:
        """Fit; what is done until Ctrl-C is kept."""
