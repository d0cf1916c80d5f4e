"""Random expressions of shifts, arithmetic and reductions, with gradients, against PyTensor's own results."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode


def expressions(rng, x, v, c, n):
    """Arrays of the shape of x."""
    found = [x, x * 2, x + v]
    for _ in range(rng.integers(2, 7)):
        a, b = (found[k] for k in rng.integers(len(found), size=2))
        axis, shift = int(rng.integers(x.type.ndim)), int(rng.integers(-3, 4))
        makers = [
            lambda a, b, axis, shift: pt.roll(a, shift, axis),
            lambda a, b, axis, shift: pt.roll(a * b, -1, axis),
            lambda a, b, axis, shift: pt.roll(a, 1, axis) + pt.roll(a, -1, axis),
            lambda a, b, axis, shift: a * b,
            lambda a, b, axis, shift: a - b * c,
            lambda a, b, axis, shift: a / (1 + b * b),
            lambda a, b, axis, shift: pt.switch(a > b, a, b + n),
            lambda a, b, axis, shift: pt.maximum(a, c),
        ]
        found.append(makers[rng.integers(len(makers))](a, b, axis, shift))
    return found


def results(rng, found, ndim):
    """Outputs: arrays as they are, or reduced."""
    outputs = []
    for k in rng.integers(len(found), size=rng.integers(1, 4)):
        axis = int(rng.integers(ndim))
        makers = [
            lambda a, axis: a,
            lambda a, axis: a.sum(),
            lambda a, axis: a.sum(axis),
            lambda a, axis: a.max(),
            lambda a, axis: a.sum(tuple(range(axis, ndim))),
            lambda a, axis: (a > 0).any(),
        ]
        outputs.append(makers[rng.integers(len(makers))](found[k], axis))
    return outputs


@pytest.mark.parametrize("seed", range(12))
def test_random_graphs(seed, device):
    rng = np.random.default_rng(seed)
    dtype = ("float64", "float32", "int64")[seed % 3]
    shape = tuple(rng.integers(2, 5, size=rng.integers(1, 4)).tolist())
    x = pt.tensor("x", shape=shape if seed % 2 else (None,) * len(shape), dtype=dtype)
    v, c, n = pt.vector("v"), pt.scalar("c"), pt.iscalar("n")
    found = expressions(rng, x, v, c, n)
    outputs = results(rng, found, len(shape))
    if dtype != "int64":
        outputs.append(pt.grad((found[-1] * found[-1]).sum() + (x * x).sum(), x))
    inputs = [x, v, c, n]
    values = [
        (2 * rng.normal(size=shape)).astype(dtype),
        rng.normal(size=shape[-1]),
        0.7,
        np.int32(2),
    ]
    options = {"on_unused_input": "ignore"}
    expected = pytensor.function(inputs, outputs, mode=Mode("py", "fast_compile"), **options)(
        *values
    )
    tolerance = 3e-5 if dtype == "float32" else 1e-9
    for r, e in zip(
        pytensor.function(inputs, outputs, mode="CUPY", **options)(*values), expected, strict=True
    ):
        assert (np.shape(r), r.dtype) == (np.shape(e), e.dtype)
        np.testing.assert_allclose(r, e, rtol=tolerance, atol=tolerance)
