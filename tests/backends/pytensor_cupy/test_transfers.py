"""What is copied between host and device, and when: counted by the stand-in."""

import gc
import weakref

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.conditional.op import ifelse
from pytensor.scan.utils import until


@pytest.fixture
def copies(device):
    """A function that runs another and returns the copies to the device and back, and the result."""

    def count(run, *args):
        before = dict(device.COPIES)
        result = run(*args)
        return tuple(device.COPIES[k] - before[k] for k in ("up", "down")), result

    return count


def compiled(*args, **kwargs):
    return pytensor.function(*args, mode="CUPY", **kwargs)


def test_inputs_go_up_and_outputs_come_down_once(copies):
    x, y = pt.matrix(), pt.matrix()
    f = compiled([x, y], [pt.exp(x) + y * x, (x * y).sum(), x.T @ y])
    assert copies(f, np.ones((3, 3)), np.ones((3, 3)))[0] == (2, 3)


def test_updated_shared_variables_stay_on_the_device(copies, device):
    state = pytensor.shared(np.zeros((4, 4)), name="state")
    f = compiled([], [state.sum()], updates={state: state * 0.5 + 1})
    assert copies(f)[0] == (1, 1)
    assert isinstance(state.get_value(borrow=True), device.ndarray)
    for _ in range(3):
        assert copies(f)[0] == (0, 1)
    assert f()[0] == pytest.approx(16 * 1.875)


def test_shared_variables_that_only_are_read_go_up_once(copies):
    couplings = pytensor.shared(np.arange(6.0), name="couplings")
    x = pt.vector()
    f = compiled([x], (couplings * x).sum())
    assert copies(f, np.ones(6)) == ((2, 1), 15)
    assert copies(f, np.ones(6)) == ((1, 1), 15)
    assert isinstance(couplings.get_value(borrow=True), np.ndarray)
    couplings.set_value(np.ones(6))
    assert copies(f, np.ones(6)) == ((2, 1), 6)
    assert copies(f, np.ones(6)) == ((1, 1), 6)


def test_past_values_of_a_state_are_not_kept_alive(device):
    state = pytensor.shared(np.zeros(1000), name="state")
    f = compiled([], [], updates={state: state + 1})
    past = [weakref.ref(state.get_value(borrow=True))]
    for _ in range(2):
        f()
        past.append(weakref.ref(state.get_value(borrow=True)))
    gc.collect()
    assert [p() is None for p in past] == [True, True, False]


def test_states_can_be_swapped(device):
    a, b = pytensor.shared(np.zeros(2)), pytensor.shared(np.ones(2))
    f = compiled([], [], updates={a: b, b: a})
    f()
    f()
    f()
    assert a.get_value(borrow=True).get().tolist() == [1, 1]
    assert b.get_value(borrow=True).get().tolist() == [0, 0]


def test_two_functions_share_a_state_on_the_device(copies):
    state = pytensor.shared(np.ones(5), name="state")
    step = compiled([], [], updates={state: state * 2})
    measure = compiled([], state.sum())
    step()
    assert copies(step)[0] == (0, 0)
    assert copies(measure) == ((0, 1), 20)
    state.set_value(np.zeros(5))
    assert copies(measure) == ((1, 1), 0)


def test_constants_go_up_when_compiling(copies):
    x = pt.vector()
    up_and_down, f = copies(compiled, [x], x[np.array([2, 0, 1])] * np.arange(3.0))
    assert up_and_down == (2, 0)
    assert copies(f, np.arange(3.0))[0] == (1, 1)


def test_shapes_and_slice_bounds_stay_on_the_host(copies):
    x, n = pt.matrix(), pt.iscalar()
    outputs = [x[: x.shape[0] // 2], x[n:].reshape((-1,)), pt.zeros((x.shape[1], n)) + x.mean()]
    f = compiled([x, n], outputs)
    assert copies(f, np.ones((4, 3)), np.int32(2))[0] == (1, 3)


def test_shapes_that_are_asked_for_are_not_copied(copies):
    x = pt.matrix()
    up_and_down, result = copies(compiled([x], [x.shape, x.shape[0] * 2]), np.ones((4, 3)))
    assert up_and_down == (0, 0)
    assert result[0].tolist() == [4, 3]
    assert result[1] == 8


def test_numbers_are_arguments_of_kernels(copies):
    x, a, k = pt.vector(), pt.scalar(), pt.lscalar()
    f = compiled([x, a, k], pt.exp(a * k) * x + a)
    assert copies(f, np.ones(3), 0.5, 2)[0] == (1, 1)


def test_shared_numbers_are_updated_on_the_host_if_they_can_be(copies):
    count = pytensor.shared(0, name="count")
    total = pytensor.shared(0.0, name="total")
    x = pt.vector()
    f = compiled([x], [], updates={count: count + 1, total: total + x.sum() / (count + 1)})
    assert copies(f, np.ones(4))[0] == (2, 0)
    assert copies(f, np.ones(4))[0] == (1, 0)
    assert count.get_value() == 2
    assert isinstance(count.get_value(), np.ndarray | int)
    assert total.get_value().get() == 6


def test_indices_do_not_wait_for_sums_that_they_are_fused_with(copies):
    x, n = pt.vector(), pt.lscalar()
    half = n // 2
    f = compiled([x, n], [x[half:], x.sum() * half])
    assert copies(f, np.arange(6.0), 4)[0] == (1, 2)


def test_indices_that_the_device_computes_are_brought_down(copies):
    x = pt.vector()
    f = compiled([x], x[x.argmax()] * 2)
    assert copies(f, np.arange(4.0)) == ((1, 2), 6)


def test_a_loop_copies_nothing_between_steps(copies):
    x, a, n = pt.vector(), pt.scalar(), pt.iscalar()
    last = pytensor.scan(
        lambda s, factor: pt.tanh(s * factor),
        outputs_info=[x],
        non_sequences=[a],
        n_steps=n,
        return_updates=False,
    )[-1]
    f = compiled([x, a, n], last)
    assert copies(f, np.ones(3), 0.5, 4)[0] == (1, 1)
    assert copies(f, np.ones(3), 0.5, 40)[0] == (1, 1)


def test_a_loop_that_may_stop_asks_at_each_step(copies):
    x = pt.vector()
    last = pytensor.scan(
        lambda s: (s / 2, until(s.sum() < 1)),
        outputs_info=[x],
        n_steps=20,
        return_updates=False,
    )[-1]
    assert copies(compiled([x], last), np.ones(4))[0] == (1, 1 + 4)


def test_only_the_chosen_branch_runs(copies, device):
    x, c = pt.matrix(), pt.scalar()
    f = compiled([x, c], ifelse(c > 0, pt.exp(x) @ x, x + 1))
    f(np.ones((2, 2)), -1.0)
    device.LAUNCHES.clear()
    assert copies(f, np.ones((2, 2)), -1.0)[0] == (1, 1)
    assert device.LAUNCHES == ["elementwise"]


def test_arrays_on_the_device_are_inputs_of_trusting_functions(copies, device):
    x = pt.vector()
    f = compiled([x], (x * x).sum())
    f.trust_input = True
    assert copies(f, device.asarray(np.ones(4)))[0] == (0, 1)
