"""One PyTensor random variable for all domains: a flat base measure over the domain's values."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pymc.distributions.distribution import _support_point
from pymc.distributions.transforms import _default_transform, circular
from pymc.logprob.abstract import _logprob
from pymc.logprob.transforms import Transform
from pytensor.compile.mode import optdb
from pytensor.graph.rewriting.basic import GraphRewriter
from pytensor.tensor.random.op import RandomVariable

import statmech_dsl.lang.assigned_step  # noqa: F401  (registers the step of our variables)
from statmech_dsl.ir.domains.base import Domain


class DomainRV(RandomVariable):
    """A site of a domain, drawn from its base measure (infinite temperature).

    The parameter is a dummy: PyTensor compiles random variables without parameters in object mode only.
    """

    __props__ = ("name", "signature", "dtype", "inplace", "domain")

    def __init__(self, domain: Domain, inplace: bool = False, **same: Any) -> None:
        # PyTensor rebuilds an Op from all its props; name, signature and dtype follow from the domain.
        self.domain = domain
        core = f"({domain.components})" if domain.components > 1 else "()"
        self._print_name = (domain.label, rf"\operatorname{{{domain.label}}}")
        super().__init__(
            name=domain.kind, signature=f"()->{core}", dtype=domain.graph_dtype, inplace=inplace
        )

    def rng_fn(self, rng, zero, size=None):  # noqa: D102
        shape = np.shape(zero) if size is None else tuple(size)
        flat = self.domain.hot(rng, int(np.prod(shape, dtype=np.int64)))
        return flat.reshape(*shape, *flat.shape[1:]).astype(self.dtype)


class SphereTransform(Transform):
    """Unit vector x / |x| of any vector x, with a normal weight that keeps |x| in bounds."""

    name = "sphere"
    ndim_supp = 1

    def forward(self, value, *inputs):  # noqa: D102
        return value

    def backward(self, value, *inputs):  # noqa: D102
        return value / pt.sqrt(pt.sum(value**2, axis=-1, keepdims=True))

    def log_jac_det(self, value, *inputs):  # noqa: D102
        squared: Any = pt.sum(value**2, axis=-1)
        return -0.5 * squared


TRANSFORMS: dict[str | None, Transform | None] = {
    None: None,
    "circular": circular,
    "sphere": SphereTransform(),
}


def _register(dispatcher: Any) -> Any:
    """Register for our variables; PyMC types its dispatchers by what their defaults return."""
    return dispatcher.register(DomainRV)


@_register(_logprob)
def _log_base_measure(op: DomainRV, values, *inputs, **kwargs) -> Any:
    """0 on the domain, -inf outside: nothing of the base measure leaks into log Z."""
    (value,) = values
    if op.domain.components > 1:
        return pt.zeros_like(value[..., 0], dtype="float64")
    if (legal := op.domain.values) is None:
        return pt.zeros_like(value, dtype="float64")
    low, high = int(legal[0]), int(legal[-1])
    if high - low + 1 == len(legal):
        inside = (value >= low) & (value <= high)
    elif len(legal) == 2 and low == -high:
        inside = pt.eq(pt.abs(value), high)
    else:
        inside = pt.any(pt.eq(value[..., None], np.asarray(legal, dtype="int64")), axis=-1)
    return pt.switch(inside, 0.0, -np.inf)


@_register(_support_point)
def _all_alike(op: DomainRV, rv, *inputs):
    return pt.full_like(rv, 1) * pt.as_tensor(op.domain.cold(1)[0].astype(op.dtype))


@_register(_default_transform)
def _transform(op: DomainRV, rv) -> Any:
    return TRANSFORMS[op.domain.transform]


class _RegisterNumbaDraws(GraphRewriter):
    """Teach Numba to draw our variables, when a graph with one is compiled for the first time.

    PyTensor's Numba dispatch takes a third of a second to import, which nobody who never draws from a
    base measure should pay; so this is not done when the package is imported.
    """

    def add_requirements(self, fgraph) -> None:
        """Nothing is needed."""

    def apply(self, fgraph) -> None:
        """Register the implementation if the graph holds one of our variables."""
        if any(isinstance(node.op, DomainRV) for node in fgraph.apply_nodes):
            _register_numba_draws()


optdb.register("statmech_dsl_numba_draws", _RegisterNumbaDraws(), "fast_run", position=0.0)


@cache
def _register_numba_draws() -> None:
    from pytensor.link.numba.dispatch import basic as numba_basic
    from pytensor.link.numba.dispatch.random import numba_core_rv_funcify

    @numba_core_rv_funcify.register(DomainRV)
    def _core(op: DomainRV, node: Any):
        """Discrete domains compile; the others fall back to NumPy."""
        if op.domain.values is None:
            raise NotImplementedError(f"{op.domain.label} is drawn in object mode")
        values = np.asarray(op.domain.values).astype(op.dtype)

        @numba_basic.numba_njit
        def random(rng, zero):
            return values[rng.integers(0, len(values))]

        return random
