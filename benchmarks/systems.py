"""The systems of Ising spins that several libraries can run, as lists of bonds."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
import pymc as pm

import statmech_dsl as sm


@dataclass(frozen=True, eq=False)
class System:
    """Ising spins with E = -sum over bonds of J s_i s_j.

    ``L`` and ``d`` are those of a periodic hypercubic lattice, or 0; its sites are in row-major order.
    """

    n_sites: int
    i: np.ndarray
    j: np.ndarray
    J: np.ndarray
    L: int = 0
    d: int = 0

    def energy(self, spins: np.ndarray) -> np.ndarray:
        """Energy per site of states of shape (chains, sites)."""
        products = spins[:, self.i].astype(np.int8) * spins[:, self.j].astype(np.int8)
        return -(products @ self.J) / self.n_sites

    def model(self) -> pm.Model:
        """The same in this library; equal couplings are one number."""
        sites = sm.lattices.hypercubic(self.L, self.d) if self.d else self.n_sites
        J = float(self.J[0]) if np.all(self.J == self.J[0]) else self.J
        with sm.Model() as model:
            s = sm.Spin("s", sites)
            sm.Energy("exchange", -J * s[self.i] * s[self.j])
            sm.Observable("m", s.mean())
        return model


def square(L: int) -> System:
    """The ferromagnet on an L x L torus."""
    lattice = sm.lattices.square(L)
    i, j = lattice.bonds
    return System(L * L, i, j, np.ones(len(i)), L, 2)


def spin_glass(L: int) -> System:
    """Bimodal couplings on a cubic torus."""
    i, j = sm.lattices.cubic(L).bonds
    J = np.random.default_rng(1).choice([-1.0, 1.0], len(i))
    return System(L**3, i, j, J, L, 3)


def regular_graph(n: int, degree: int) -> System:
    """Gaussian couplings on a random regular graph."""
    i, j = np.array(nx.random_regular_graph(degree, n, seed=1).edges).T
    return System(n, i, j, np.random.default_rng(1).normal(size=len(i)))


def complete(n: int) -> System:
    """The Sherrington-Kirkpatrick spin glass."""
    i, j = np.triu_indices(n, 1)
    return System(n, i, j, np.random.default_rng(1).normal(size=len(i)) / np.sqrt(n))
