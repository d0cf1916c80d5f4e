"""Log Z by elimination, and by going back through it the probabilities of each factor's values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from statmech_dsl.inference.log_partition.linear_factors import LinearFactors
from statmech_dsl.solvers.order import Plan, Step
from statmech_dsl.solvers.thermal import no_weight

Sites = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Contraction:
    """Factors, and the order in which they are multiplied; call it for log Z and its gradient."""

    factors: LinearFactors
    plan: Plan

    def __call__(self, c: np.ndarray) -> tuple[float, np.ndarray]:
        """Log Z and -<S>."""
        E = self.factors.energies(c)
        log_Z = 0.0
        tensors: list[tuple[Sites, np.ndarray]] = []
        for sites, energy in zip(self.factors.sites, self.factors.split(E), strict=True):
            low = energy.min()
            if low == np.inf:
                raise no_weight()
            tensors.append((sites, np.exp(low - energy)))
            log_Z -= low
        made = []
        for step in self.plan.steps:
            product = _Product(step, *(tensors[k] for k in step.pair))
            made.append(product)
            tensors.append((step.product, product.value))
            log_Z += np.log(product.scale)
        log_Z += np.log(tensors[-1][1].item())
        back: list[np.ndarray] = [np.zeros(0)] * len(tensors)
        back[-1] = 1.0 / tensors[-1][1]
        for number, product in reversed(list(enumerate(made, len(self.factors.sites)))):
            for k, gradient in zip(product.step.pair, product.pull(back[number]), strict=True):
                back[k] = gradient
        n = len(self.factors.sites)
        p = [(w * g).ravel() for (_, w), g in zip(tensors[:n], back[:n], strict=True)]
        return float(log_Z), -self.factors.means(np.concatenate(p))


class _Product:
    """Two tensors multiplied and summed over sites that no other has, scaled to a largest element of 1."""

    def __init__(
        self, step: Step, a: tuple[Sites, np.ndarray], b: tuple[Sites, np.ndarray]
    ) -> None:
        self.step = step
        self.left = _Matrix(*a, (step.common, step.left, step.summed), step.lonely)
        self.right = _Matrix(*b, (step.common, step.summed, step.right), step.lonely)
        product = self.left.matrix @ self.right.matrix
        self.scale = product.max()
        if self.scale <= 0.0:
            raise no_weight()
        sizes = self.left.sizes | self.right.sizes
        self.value = (product / self.scale).reshape([sizes[s] for s in step.product])

    def pull(self, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradients by both tensors from that by the product."""
        G = g.reshape(len(self.left.matrix), self.left.matrix.shape[1], -1) / self.scale
        a, b = self.left.matrix, self.right.matrix
        return self.left.pull(G @ b.swapaxes(1, 2)), self.right.pull(a.swapaxes(1, 2) @ G)


class _Matrix:
    """A tensor, summed over lonely sites, its axes merged into three groups."""

    def __init__(self, sites: Sites, x: np.ndarray, groups: Sequence[Sites], lonely: Sites) -> None:
        self.sizes = dict(zip(sites, x.shape, strict=True))
        self.shape = x.shape
        self.axes = tuple(sites.index(s) for s in lonely if s in sites)
        x = x.sum(axis=self.axes)
        rest = [s for s in sites if s not in lonely]
        self.order = [rest.index(s) for group in groups for s in group]
        x = x.transpose(self.order)
        self.ordered = x.shape
        self.matrix = x.reshape([prod(self.sizes[s] for s in group) for group in groups])

    def pull(self, G: np.ndarray) -> np.ndarray:
        """Gradient by the tensor from that by the matrix."""
        g = G.reshape(self.ordered).transpose(np.argsort(self.order))
        return np.broadcast_to(np.expand_dims(g, self.axes), self.shape)
