"""The rewrites: periodic shifts are found and read in place, reductions are fused."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.tensor.basic import Join, Split
from pytensor.tensor.elemwise import CAReduce
from pytensor.tensor.subtensor import IncSubtensor, Subtensor

from statmech_dsl.backends.pytensor_cupy import elemwise, fused_reduction
from statmech_dsl.backends.pytensor_cupy.fused import FusedElemwise, MapReduce
from statmech_dsl.backends.pytensor_cupy.loops import reciprocal
from statmech_dsl.backends.pytensor_cupy.roll import Roll
from tests.backends.pytensor_cupy.cases import field_energy

COPYING = (Join, Split, Subtensor, IncSubtensor, Roll)


def compiled(*args):
    return pytensor.function(*args, mode="CUPY")


def ops(f):
    return [node.op for node in f.maker.fgraph.toposort()]


@pytest.mark.parametrize("ndim", [1, 2, 3, 4])
@pytest.mark.parametrize("shape_is_known", [True, False])
def test_energy_and_gradient_are_one_pass_over_the_field(ndim, shape_is_known, device):
    shape = (3, 4, 2, 5)[:ndim]
    phi = pt.tensor("phi", shape=shape if shape_is_known else (None,) * ndim, dtype="float64")
    energy = field_energy(phi)
    f = compiled([phi], [energy, pt.grad(energy, phi)])
    assert not [op for op in ops(f) if isinstance(op, (*COPYING, CAReduce))]
    assert len([op for op in ops(f) if isinstance(op, FusedElemwise)]) == 1
    values = np.random.default_rng(ndim).normal(size=shape)
    device.LAUNCHES.clear()
    results = f(values)
    # The last one adds up the terms: numbers.
    assert device.LAUNCHES == ["reduce_chunks", "reduce_totals", "elementwise"]
    expected = pytensor.function([phi], [energy, pt.grad(energy, phi)], mode="FAST_COMPILE")(values)
    for r, e in zip(results, expected, strict=True):
        np.testing.assert_allclose(r, e, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("replicas", [(), (3,), (2, 3), (3000,), (0,)])
def test_replicas_have_sums_of_their_own(replicas, device):
    """Energies of many fields, and the gradients of all of them, in one pass."""
    n = len(replicas)
    phi = pt.tensor("phi", shape=(None,) * (n + 2), dtype="float64")
    links = sum((pt.roll(phi, -1, n + a) - phi) ** 2 for a in range(2))
    energies = (0.5 * links + 0.1 * phi**4).sum(axis=(n, n + 1))
    f = compiled([phi], [energies, pt.grad(energies.sum(), phi)])
    assert not [op for op in ops(f) if isinstance(op, (*COPYING, CAReduce))]
    values = np.random.default_rng(n).normal(size=(*replicas, 3, 4))
    device.LAUNCHES.clear()
    results = f(values)
    assert device.LAUNCHES[:2] == ["reduce_chunks", "reduce_totals"]
    assert len(device.LAUNCHES) == 2
    expected = pytensor.function(
        [phi], [energies, pt.grad(energies.sum(), phi)], mode="FAST_COMPILE"
    )(values)
    for r, e in zip(results, expected, strict=True):
        assert r.shape == e.shape
        np.testing.assert_allclose(r, e, rtol=1e-12, atol=1e-12)


def stencil_reads(f):
    (op,) = [op for op in ops(f) if isinstance(op, FusedElemwise)]
    return sorted(set(op.shifts))


def test_the_gradient_reads_each_neighbor_once(device):
    phi = pt.matrix("phi")
    f = compiled([phi], pt.grad(field_energy(phi), phi))
    assert stencil_reads(f) == [(), (-1, 0), (0, -1), (0, 1), (1, 0)]


@pytest.mark.parametrize("shift", [0, 1, -1, 2, 7, -9])
def test_shifts_beyond_the_length_wrap(shift, device):
    x = pt.matrix("x")
    values = np.arange(12.0).reshape(3, 4)
    for axis in (0, 1):
        expected = np.roll(values, shift, axis) * 2 + values
        np.testing.assert_array_equal(
            compiled([x], pt.roll(x, shift, axis) * 2 + x)(values), expected
        )


def test_opposite_shifts_cancel_where_the_length_is_known_or_not(device):
    for shape in ((5, 6), (None, None)):
        x = pt.tensor("x", shape=shape, dtype="float64")
        f = compiled([x], pt.roll(pt.roll(x, 2, 0), -2, 0) + 1)
        assert not [op for op in ops(f) if isinstance(op, (*COPYING, FusedElemwise))]


@pytest.mark.parametrize(
    "rotate",
    [
        lambda x: pt.concatenate([x[2:], x[:2]]),  # of a length of one this is x
        lambda x: pt.concatenate([x[1:], x[:2]]),
        lambda x: pt.concatenate([x[1:], x[:1], x[:1]]),
        lambda x: pt.concatenate([x[:1], x[1:]]),
        lambda x: pt.concatenate([x[:], x[:]]),
        lambda x: pt.concatenate([x[::2], x[:2]]),
        lambda x: pt.concatenate([x[1:], 2 * x[:1]]),
        lambda x: pt.concatenate([x[1::2], x[:1]]),
    ],
)
def test_what_is_no_shift_is_left_alone(rotate, device):
    x = pt.vector("x")
    f = compiled([x], rotate(x) * 2)
    assert not [op for op in ops(f) if isinstance(op, Roll | FusedElemwise)]
    for n in (1, 2, 5):
        values = np.arange(float(n))
        expected = pytensor.function([x], rotate(x) * 2, mode="FAST_COMPILE")(values)
        np.testing.assert_array_equal(f(values), expected)


def test_a_shift_of_an_argument_is_not_read_in_place(device):
    x, n = pt.vector("x"), pt.iscalar("n")
    f = compiled([x, n], pt.roll(x, n) + x)
    assert [op for op in ops(f) if isinstance(op, Join)]
    np.testing.assert_array_equal(f(np.arange(4.0), 3), [1.0, 3.0, 5.0, 3.0])


def test_what_is_stored_and_summed_is_computed_once(device):
    x = pt.matrix("x")
    y = pt.exp(x)
    f = compiled([x], [y, y.sum()])
    assert not [op for op in ops(f) if isinstance(op, FusedElemwise)]
    np.testing.assert_allclose(f(np.ones((2, 2)))[1], 4 * np.e)


def test_different_reductions_of_an_expression(device):
    x = pt.matrix("x")
    y = pt.exp(x)
    values = np.arange(6.0).reshape(2, 3)
    results = compiled([x], [y.sum(), y.max(), y.sum() + 1])(values)
    np.testing.assert_allclose(results, [np.exp(values).sum(), np.exp(5), np.exp(values).sum() + 1])


def test_reductions_over_some_axes_are_fused(device):
    x, y = pt.matrix("x"), pt.vector("y")
    f = compiled([x, y], (x * y).sum(axis=1))
    assert [type(op) for op in ops(f) if isinstance(op, MapReduce)] == [MapReduce]
    device.LAUNCHES.clear()
    np.testing.assert_array_equal(f(np.ones((2, 3)), np.arange(3.0)), [3, 3])
    assert device.LAUNCHES == ["map_reduce"]


def test_sums_over_axes_are_taken_out_of_what_they_are_fused_with(device):
    x = pt.matrix("x")
    f = compiled([x], [pt.exp(x).sum(0), (x * x).max(1), x + 1])
    device.LAUNCHES.clear()
    values = np.arange(6.0).reshape(2, 3)
    results = f(values)
    assert sorted(device.LAUNCHES) == ["elementwise", "map_reduce", "map_reduce"]
    for r, e in zip(results, [np.exp(values).sum(0), values[:, 2] ** 2, values + 1], strict=True):
        np.testing.assert_allclose(r, e)


def test_a_sum_of_many_chunks(device):
    """More chunks than one, the last of them not full, and none of the elements lost."""
    x = pt.vector("x")
    values = np.random.default_rng(1).integers(-9, 9, 300_001).astype(float)
    f = compiled([x], [(x * x).sum(), (x + 1).max(), pt.roll(x, 1) * x])
    results = f(values)
    assert results[0] == (values**2).sum()
    assert results[1] == values.max() + 1
    np.testing.assert_array_equal(results[2], np.roll(values, 1) * values)


def test_replicas_of_many_chunks(device):
    x = pt.matrix("x")
    values = np.random.default_rng(1).integers(-9, 9, (3, 50_001)).astype(float)
    f = compiled([x], (pt.roll(x, 1, 1) * x).sum(1))
    np.testing.assert_array_equal(f(values), (np.roll(values, 1, 1) * values).sum(1))


def test_views_are_read_in_the_right_order(device):
    x = pt.matrix("x")
    values = np.arange(12.0).reshape(3, 4)
    f = compiled([x], pt.roll(x.T, 1, 0) + x.T)
    np.testing.assert_array_equal(f(values), np.roll(values.T, 1, 0) + values.T)


def test_lengths_of_one_are_not_broadcast_at_run_time(device):
    x, y = pt.matrix("x"), pt.matrix("y")
    for expression in (x + y, (x * y).sum(), pt.roll(x, 1, 0) * y, (x * y).sum(0)):
        with pytest.raises(ValueError, match="Runtime broadcasting not allowed"):
            compiled([x, y], expression)(np.ones((2, 3)), np.ones((1, 3)))


def test_division_is_exact_below_two_to_the_31():
    rng = np.random.default_rng(0)
    lengths = [1, 2, 3, 5, 7, 2**16, 2**30 + 1, 2**31 - 1, *rng.integers(1, 2**31, 200).tolist()]
    for n in lengths:
        factor, down = reciprocal(n)
        assert factor < 2**32
        multiples = n * rng.integers(0, 2**31 // n + 1, 50)
        for k in {0, 2**31 - 1, *multiples.tolist(), *(multiples - 1).tolist()}:
            if 0 <= k < 2**31:
                assert k * factor >> down == k // n


def test_long_loops_have_wide_indices(device, monkeypatch):
    for module in (elemwise, fused_reduction):
        monkeypatch.setattr(module, "NARROW", 0)
    x = pt.tensor3("x")
    f = compiled([x], [pt.roll(x, 1, 1) + x, (pt.roll(x, 2, 0) * x).sum()])
    values = np.arange(24.0).reshape(2, 3, 4)
    shifted, total = f(values)
    np.testing.assert_array_equal(shifted, np.roll(values, 1, 1) + values)
    assert total == (np.roll(values, 2, 0) * values).sum()
    parameters = {p.text for source, _ in device.KERNELS for p in source.params}
    assert "int64 length1" in parameters
    assert "uint32 length1" not in parameters


def test_reductions_avoid_names_that_cupy_takes_for_its_own(device):
    x = pt.matrix("x")
    compiled([x], [(x * x).sum()])(np.ones((2, 2)))
    compiled([x], [(x * x).sum(0)])(np.ones((2, 2)))
    reductions = [s for s, _ in device.KERNELS if s.reduce]
    assert len(reductions) == 3
    for source in reductions:
        inputs = [p for p in source.params if p.is_input]
        assert len(inputs) > 1 or inputs[0].name not in ("in0", "a", "b")
        assert len(inputs) > 1 or source.params[-1].name not in ("out0", "a", "b")
