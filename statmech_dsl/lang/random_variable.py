"""One PyTensor random variable for all domains: a flat base measure over the domain's values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pymc.distributions.distribution import _support_point
from pymc.distributions.transforms import _default_transform, circular
from pymc.logprob.abstract import _logprob
from pymc.logprob.transforms import Transform
from pymc.step_methods import STEP_METHODS
from pymc.step_methods.compound import BlockedStep, Competence
from pytensor.link.numba.dispatch import basic as numba_basic
from pytensor.link.numba.dispatch.random import numba_core_rv_funcify
from pytensor.tensor.random.op import RandomVariable

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
        return -0.5 * pt.sum(value**2, axis=-1)


TRANSFORMS: dict[str | None, Transform | None] = {
    None: None,
    "circular": circular,
    "sphere": SphereTransform(),
}


@_logprob.register(DomainRV)
def _log_base_measure(op: DomainRV, values, *inputs, **kwargs):
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


@_support_point.register(DomainRV)
def _all_alike(op: DomainRV, rv, *inputs):
    return pt.full_like(rv, 1) * pt.as_tensor(op.domain.cold(1)[0].astype(op.dtype))


@_default_transform.register(DomainRV)
def _transform(op: DomainRV, rv):
    return TRANSFORMS[op.domain.transform]


@numba_core_rv_funcify.register(DomainRV)
def _numba_core(op: DomainRV, node: Any):
    """Discrete domains compile; the others fall back to NumPy."""
    if op.domain.values is None:
        raise NotImplementedError(f"{op.domain.label} is drawn in object mode")
    values = np.asarray(op.domain.values).astype(op.dtype)

    @numba_basic.numba_njit
    def random(rng, zero):
        return values[rng.integers(0, len(values))]

    return random


class AssignedStep(BlockedStep):
    """What PyMC finds when it looks for a step for our variables: makes a `LocalGibbs`."""

    name = "local_gibbs"

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        # Runs lie above this layer, so the step goes by its public name, when a model is sampled.
        from statmech_dsl import LocalGibbs

        return LocalGibbs(*args, **kwargs)

    @staticmethod
    def competence(var, has_grad):
        """All variables that NUTS cannot move."""
        ours = isinstance(var.owner.op, DomainRV)
        discrete = ours and var.owner.op.domain.values is not None
        return Competence.IDEAL if discrete or ours and not has_grad else Competence.INCOMPATIBLE


STEP_METHODS.append(AssignedStep)
