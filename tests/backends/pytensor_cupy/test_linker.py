"""The linker as PyTensor and a user see it."""

import gc
import pickle
import subprocess
import sys
import weakref
from types import SimpleNamespace

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import get_mode
from pytensor.conditional.op import ifelse
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

import statmech_dsl as sm
from statmech_dsl.backends.pytensor_cupy import CUPY, CuPyLinker, array_module, cupy_funcify
from statmech_dsl.errors import BackendError
from tests.backends.pytensor_cupy.cases import field_energy


class Mystery(Op):
    """An Op without a rule."""

    __props__ = ()

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = inputs[0]


def test_an_op_without_a_rule_is_named(device):
    x = pt.vector("x")
    with pytest.raises(BackendError, match=r"no rule for the Op Mystery.*node Mystery\(.*mend"):
        pytensor.function([x], Mystery()(x) + 1, mode="CUPY")


def test_a_rule_can_be_added(device):
    class Doubled(Mystery):
        pass

    cupy_funcify.register(Doubled)(lambda op, node: lambda x: x + x)
    x = pt.vector("x")
    assert pytensor.function([x], Doubled()(x), mode="CUPY")(np.ones(2)).tolist() == [2, 2]


def test_a_scalar_function_without_code_is_named(device):
    x = pt.vector("x")
    with pytest.raises(BackendError, match="GammaInc"):
        pytensor.function([x], pt.gammainc(x, x), mode="CUPY")


def test_errors_name_the_node(device):
    x = pt.matrix("x")
    with pytest.raises(Exception, match="size") as error:
        pytensor.function([x], x.reshape((5, 5)), mode="CUPY")(np.ones((2, 2)))
    assert "Reshape" in str(error.value) + "".join(getattr(error.value, "__notes__", []))


def test_assertions_are_checked(device):
    x = pt.vector("x")
    f = pytensor.function([x], pytensor.raise_op.assert_op(x, x.sum() > 0), mode="CUPY")
    assert f(np.ones(2)).tolist() == [1, 1]
    with pytest.raises(AssertionError):
        f(-np.ones(2))


def test_both_branches_may_be_computed(device):
    x, c = pt.vector("x"), pt.scalar("c")
    mode = get_mode("CUPY").excluding("lazy_ifelse")
    f = pytensor.function([x, c], ifelse(c > x.sum(), [x + 1, x], [x - 1, 2 * x]), mode=mode)
    assert [r.tolist() for r in f(np.ones(2), 3.0)] == [[2, 2], [1, 1]]
    assert [r.tolist() for r in f(np.ones(2), 1.0)] == [[0, 0], [2, 2]]


def test_mode_and_linker_are_registered():
    assert get_mode("CUPY") is CUPY
    assert isinstance(pickle.loads(pickle.dumps(CUPY)).linker, CuPyLinker)
    assert "CuPyLinker" in repr(CUPY.linker)


def test_many_functions_of_one_mode(device):
    x = pt.vector("x")
    fs = [pytensor.function([x], x * k, mode="CUPY") for k in (2.0, 3.0)]
    assert [f(np.ones(1)).item() for f in fs] == [2, 3]


def test_functions_of_no_outputs_and_of_constants(device):
    state = pytensor.shared(np.zeros(2))
    pytensor.function([], [], updates={state: state + 1}, mode="CUPY")()
    assert state.get_value(borrow=True).get().tolist() == [1, 1]
    assert pytensor.function([], pt.constant([1.0, 2.0]), mode="CUPY")().tolist() == [1, 2]
    x = pt.vector("x")
    assert pytensor.function([x], x, mode="CUPY")(np.ones(2)).tolist() == [1, 1]


def test_memory_is_given_back_after_the_last_use(device):
    class Made(Mystery):
        pass

    class Used(Mystery):
        pass

    made, alive = [], []

    def make(x):
        y = x + 1
        made.append(weakref.ref(y))
        return y

    def use(x):
        gc.collect()
        alive.append(made[0]() is not None)
        return x + 1

    cupy_funcify.register(Made)(lambda op, node: make)
    cupy_funcify.register(Used)(lambda op, node: use)
    x = pt.vector("x")
    f = pytensor.function([x], Used()(Used()(Made()(x))), mode="CUPY")
    assert f(np.ones(1)).tolist() == [4]
    assert alive == [True, False]


def test_nothing_is_imported_before_it_is_used():
    code = (
        "import sys; import statmech_dsl.backends; import statmech_dsl as sm; sm.Model;"
        "assert 'statmech_dsl.backends.pytensor_cupy' not in sys.modules;"
        "import statmech_dsl.backends.pytensor_cupy;"
        "assert not {'cupy', 'cupyx'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def no_driver():
    raise RuntimeError("cudaErrorInsufficientDriver")


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (None, r"needs CuPy, which cannot be imported.*pip install"),
        (no_driver, r"needs an NVIDIA driver.*cudaErrorInsufficientDriver.*install or update"),
        (lambda: 0, r"needs an NVIDIA GPU, and the driver sees none"),
    ],
    ids=["no CuPy", "no driver", "no device"],
)
def test_what_is_missing_is_said_when_a_function_is_compiled(count, message, monkeypatch):
    runtime = SimpleNamespace(getDeviceCount=count)
    cupy = None if count is None else SimpleNamespace(cuda=SimpleNamespace(runtime=runtime))
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    array_module.load.cache_clear()
    x = pt.vector("x")
    with pytest.raises(BackendError, match=message):
        pytensor.function([x], x + 1, mode="CUPY")


def test_steps_of_a_field_in_a_loop_are_one_kernel_each(device):
    """Leapfrog: the rewrites reach into the loop."""
    field, momentum, dt = pt.matrix("field"), pt.matrix("momentum"), pt.scalar("dt")

    def leapfrog(q, p, dt):
        p = p - dt * pt.grad(field_energy(q), q)
        return q + dt * p, p

    (qs, ps) = pytensor.scan(
        leapfrog,
        outputs_info=[field, momentum],
        non_sequences=[dt],
        n_steps=5,
        return_updates=False,
    )
    inputs, outputs = [field, momentum, dt], [qs[-1], ps[-1]]
    values = *np.random.default_rng(0).normal(size=(2, 4, 6)), 0.05
    f = pytensor.function(inputs, outputs, mode="CUPY")
    device.LAUNCHES.clear()
    results = f(*values)
    assert device.LAUNCHES == ["elementwise"] * 5
    expected = pytensor.function(inputs, outputs, mode="FAST_COMPILE")(*values)
    np.testing.assert_allclose(results, expected, rtol=1e-12)


def test_log_densities_of_models(device):
    """A PyMC model of this library: energies with bonds, and a likelihood."""
    lattice = sm.lattices.square(4)
    i, j = lattice.bonds
    with sm.Model() as model:
        phi = sm.Field("phi", lattice)
        sm.Energy("gradient", 0.5 * (phi[i] - phi[j]) ** 2)
        sm.Energy("site", 0.3 * phi**2 + 0.1 * phi**4)
        pm.Normal("seen", phi, 1.0, observed=np.linspace(-1, 1, 16))
    point = {"phi": np.random.default_rng(0).normal(size=16)}
    for compile_ in (model.compile_logp, model.compile_dlogp):
        expected = compile_(mode="FAST_COMPILE")(point)
        np.testing.assert_allclose(compile_(mode="CUPY")(point), expected, rtol=1e-12)


def test_a_missing_part_of_cupy_is_named(monkeypatch):
    runtime = SimpleNamespace(getDeviceCount=lambda: 1)
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=SimpleNamespace(runtime=runtime)))
    monkeypatch.setitem(sys.modules, "cupyx.scipy.linalg", None)
    array_module.load.cache_clear()
    with pytest.raises(BackendError, match=r"needs cupyx.scipy.linalg.*CUDA Toolkit"):
        array_module.load("cupyx.scipy.linalg")
    array_module.load.cache_clear()
