"""Random variables, from generators of `cupy.random`.

A PyTensor generator is a value: the same generator gives the same draws, and each draw returns the
generator to go on with. The state stays a NumPy generator on the host. A draw takes a seed from it for
a generator on the device, so that draws are reproducible, and independent of each other; they are not
those of NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import numpy as np
import pytensor.tensor.random.basic as ptr
from pytensor.graph.basic import Apply
from pytensor.tensor.random.op import RandomVariable

from statmech_dsl.backends.pytensor_cupy import array_module
from statmech_dsl.backends.pytensor_cupy.dispatch import Rule, cupy_funcify
from statmech_dsl.backends.pytensor_cupy.placement import host_inputs
from statmech_dsl.errors import BackendError

Sampler = Callable[..., Any]
"""Of the array module, a generator, the shape of the draws, and parameters that have that shape."""


def _student(cp: Any, g: Any, n: Any, df: Any, loc: Any, scale: Any) -> Any:
    return loc + scale * g.standard_normal(n) * cp.sqrt(df / (2 * g.standard_gamma(df / 2, n)))


def _open_unit(cp: Any, g: Any, n: Any) -> Any:
    """Uniform numbers, never 0: their logarithm is finite."""
    return 1.0 - g.random(n)


def _beta(cp: Any, g: Any, n: Any, a: Any, b: Any) -> Any:
    x, y = g.standard_gamma(a, n), g.standard_gamma(b, n)
    return x / (x + y)


SCALAR: dict[type, Sampler] = {
    ptr.UniformRV: lambda cp, g, n, low, high: low + (high - low) * g.random(n),
    ptr.NormalRV: lambda cp, g, n, mean, sd: mean + sd * g.standard_normal(n),
    ptr.HalfNormalRV: lambda cp, g, n, loc, sd: loc + sd * cp.abs(g.standard_normal(n)),
    ptr.LogNormalRV: lambda cp, g, n, mean, sd: cp.exp(mean + sd * g.standard_normal(n)),
    ptr.ExponentialRV: lambda cp, g, n, scale: -scale * cp.log(_open_unit(cp, g, n)),
    ptr.GammaRV: lambda cp, g, n, shape, scale: scale * g.standard_gamma(shape, n),
    ptr.InvGammaRV: lambda cp, g, n, shape, scale: scale / g.standard_gamma(shape, n),
    ptr.BetaRV: _beta,
    ptr.StudentTRV: _student,
    ptr.CauchyRV: lambda cp, g, n, loc, scale: loc + scale * cp.tan(np.pi * (g.random(n) - 0.5)),
    ptr.HalfCauchyRV: lambda cp, g, n, loc, scale: loc + scale * cp.tan(np.pi / 2 * g.random(n)),
    ptr.LaplaceRV: lambda cp, g, n, loc, scale: (
        loc + scale * (cp.log(_open_unit(cp, g, n)) - cp.log(_open_unit(cp, g, n)))
    ),
    ptr.GumbelRV: lambda cp, g, n, loc, scale: loc - scale * cp.log(-cp.log(_open_unit(cp, g, n))),
    ptr.LogisticRV: lambda cp, g, n, loc, scale: (
        loc - scale * cp.log(1.0 / _open_unit(cp, g, n) - 1.0)
    ),
    ptr.WeibullRV: lambda cp, g, n, shape: (-cp.log(_open_unit(cp, g, n))) ** (1.0 / shape),
    ptr.ParetoRV: lambda cp, g, n, shape, scale: scale * _open_unit(cp, g, n) ** (-1.0 / shape),
    ptr.BernoulliRV: lambda cp, g, n, p: g.random(n) < p,
    ptr.PoissonRV: lambda cp, g, n, mean: g.poisson(mean, n),
    ptr.BinomialRV: lambda cp, g, n, trials, p: g.binomial(trials.astype("int64"), p, n),
    ptr.GeometricRV: lambda cp, g, n, p: g.geometric(p, n),
    ptr.NegBinomialRV: lambda cp, g, n, shape, p: g.poisson(
        g.standard_gamma(shape, n) * (1 - p) / p, n
    ),
    ptr.IntegersRV: lambda cp, g, n, low, high: low + cp.floor(g.random(n) * (high - low)),
}
"""How to draw; a distribution of single numbers is added by one entry."""


@host_inputs.register
def _generator_and_size(op: RandomVariable, node: Apply) -> Iterable[int]:
    return (0, 1)


@cupy_funcify.register
def _random(op: RandomVariable, node: Apply) -> Rule:
    sampler = _batched(op)
    cp = array_module.load()
    dtype = node.outputs[1].type.dtype  # type: ignore[attr-defined]

    def draw(rng: np.random.Generator, size: Any, *parameters: Any) -> Any:
        rng = deepcopy(rng)
        seed = int(rng.integers(2**63))
        generator = cp.random.Generator(cp.random.Philox4x3210(seed))
        shape = None if size is None else tuple(int(k) for k in size)
        return rng, sampler(cp, generator, shape, *parameters).astype(dtype, copy=False)

    return draw


def _batched(op: RandomVariable) -> Sampler:
    if type(op) in VECTOR:
        return VECTOR[type(op)]
    if type(op) not in SCALAR:
        raise BackendError(
            f"mode CUPY cannot draw from {op.name or type(op).__name__}",
            mend="draw it with another mode, or transform a distribution that is there: "
            + ", ".join(sorted(t.__name__.removesuffix("RV") for t in (*SCALAR, *VECTOR))),
        )
    sampler = SCALAR[type(op)]

    def sample(cp: Any, g: Any, shape: Any, *parameters: Any) -> Any:
        if shape is None:
            shape = np.broadcast_shapes(*[p.shape for p in parameters])
        return sampler(cp, g, shape, *[cp.broadcast_to(p, shape) for p in parameters])

    return sample


def _multivariate_normal(cp: Any, g: Any, shape: Any, mean: Any, cov: Any) -> Any:
    if shape is None:
        shape = np.broadcast_shapes(mean.shape[:-1], cov.shape[:-2])
    noise = g.standard_normal((*shape, mean.shape[-1], 1))
    return mean + cp.matmul(cp.linalg.cholesky(cov), noise)[..., 0]


def _dirichlet(cp: Any, g: Any, shape: Any, alpha: Any) -> Any:
    full = alpha.shape if shape is None else (*shape, alpha.shape[-1])
    x = g.standard_gamma(cp.broadcast_to(alpha, full), full)
    return x / x.sum(axis=-1, keepdims=True)


def _categorical(cp: Any, g: Any, shape: Any, p: Any) -> Any:
    shape = p.shape[:-1] if shape is None else shape
    last = p.shape[-1] - 1
    below = cp.cumsum(p, axis=-1) <= g.random((*shape, 1))
    return cp.minimum(below.sum(axis=-1), last)


def _permutation(cp: Any, g: Any, shape: Any, x: Any) -> Any:
    if x.ndim > 1 or shape:
        raise BackendError("mode CUPY permutes vectors only", mend="permute an index vector")
    n = int(x) if x.ndim == 0 else x.shape[0]
    order = cp.argsort(g.random(n))
    return order if x.ndim == 0 else x[order]


VECTOR: dict[type, Sampler] = {
    ptr.MvNormalRV: _multivariate_normal,
    ptr.DirichletRV: _dirichlet,
    ptr.CategoricalRV: _categorical,
    ptr.PermutationRV: _permutation,
}
"""Distributions whose parameters or draws are vectors; these make the shape of the draws themselves."""
