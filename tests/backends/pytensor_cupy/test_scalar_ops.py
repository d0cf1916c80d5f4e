"""The code of every scalar Op of PyTensor: its values on the host, and that NVRTC compiles it."""

from functools import cache

import numpy as np
import pytensor.scalar.basic as ps
import pytensor.scalar.math as psm
import pytest

from statmech_dsl.backends.pytensor_cupy.kernels import body, output_dtypes, preamble
from statmech_dsl.errors import BackendError
from tests.backends.pytensor_cupy import kernel_sources
from tests.backends.pytensor_cupy.kernel_sources import ARCHITECTURES, Source, parameters

DTYPES = ("float64", "float32", "int64")

REFUSED = {
    "BetaInc", "BetaIncInv", "GammaInc", "GammaIncC", "GammaIncCInv", "GammaIncInv", "Hyp2F1",
    "Ive", "Jv", "Kve", "NdtriExp", "Owens_t", "PolyGamma",
}  # fmt: skip
"""No code for a device."""

COMPLEX = {"Angle", "Complex", "ComplexFromPolar", "Conj", "Imag", "Real"}


def every_op():
    """One instance of each class of scalar Ops, and a Cast to each type."""
    found = {}
    for module in (ps, psm):
        for op in vars(module).values():
            if isinstance(op, ps.ScalarOp) and type(op).__name__ not in COMPLEX:
                name = f"to_{op.o_type.dtype}" if isinstance(op, ps.Cast) else type(op).__name__
                found.setdefault(name, op)
    kept = ("complex", "float16", "uint16", "int16")
    return {
        k: op for k, op in sorted(found.items()) if not k.startswith(tuple(f"to_{t}" for t in kept))
    }


OPS = every_op()


def n_inputs(op):
    return op.nin if op.nin > 0 else 2


def accepts(op, dtype):
    """Whether PyTensor itself takes the type."""
    try:
        op.make_node(*[ps.get_scalar_type(dtype)() for _ in range(n_inputs(op))])
    except (TypeError, NotImplementedError):
        return False
    return True


def source(op, dtype):
    dtypes = [dtype] * n_inputs(op)
    ins = [f"in{k}" for k in range(len(dtypes))]
    (produced,) = output_dtypes(op, dtypes)
    params = parameters(", ".join(f"{dtype} {i}" for i in ins), True)
    params += parameters(f"{produced} out0", False)
    return Source(tuple(params), preamble(op), body(op, dtypes, ins, ["out0"]))


@cache
def sources():
    """All that has code."""
    found = {}
    for name, op in OPS.items():
        for dtype in DTYPES:
            if accepts(op, dtype) and name not in REFUSED:
                found[f"{name}_{dtype}"] = (op, source(op, dtype))
    return found


def arguments(op, dtype):
    """Numbers at which most functions are defined; where they are not, both sides say so."""
    if dtype == "int64":
        rows = np.array([[1, 2, 3, 5, 2, 7], [2, 1, 3, 2, 4, 1], [3, 3, 4, 6, 4, 9]])
        return rows[: n_inputs(op)].astype(dtype) * (-1 if type(op).__name__ == "Log1mexp" else 1)
    rows = np.array(
        [
            [0.3, 0.9, -0.6, 1.7, 2.5, -3.5, 0.5],
            [0.7, 0.2, 1.4, -0.4, 2.5, 2.0, -1.5],
            [0.9, 1.1, 2.0, 3.0, 2.6, 9.0, 0.5],
        ]
    )
    return rows[: n_inputs(op)].astype(dtype)


def test_the_table_is_complete():
    assert {"Exp", "Pow", "Mod", "IntDiv", "Switch", "Erf", "Psi", "to_int8"} <= set(OPS)
    assert REFUSED <= set(OPS)
    assert len(OPS) > 80


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_has_no_code_is_refused_by_name(name):
    op = OPS[name]
    dtypes = ["int64" if name == "PolyGamma" else "float64", *["float64"] * (n_inputs(op) - 1)]
    with pytest.raises(BackendError, match=name):
        body(op, dtypes, ["x"] * n_inputs(op), ["y"])


@pytest.mark.parametrize("dtype", ["float16", "complex64"])
def test_types_without_code_are_refused_by_name(dtype):
    with pytest.raises(BackendError, match=dtype):
        source(ps.add, dtype)


@cache
def library():
    texts = [s.host(frozenset(), name) for name, (_, s) in sources().items()]
    return kernel_sources.compiled("\n".join(texts))


@pytest.mark.parametrize("dtype", DTYPES)
def test_values_are_those_of_pytensor(dtype):
    if not kernel_sources.has_compiler():
        pytest.skip("no g++: kernels cannot be run on the host")
    wrong = {}
    for name, (op, s) in sources().items():
        if not name.endswith(dtype):
            continue
        values = arguments(op, dtype)
        out = np.empty(values.shape[1], s.params[-1].dtype)
        kernel_sources.run(getattr(library(), name), [*np.ascontiguousarray(values), out], out.size)
        with np.errstate(all="ignore"):
            expected = np.array([op.impl(*column) for column in values.T]).astype(out.dtype)
        tolerance = 2e-5 if dtype == "float32" else 1e-11
        if not np.allclose(out, expected, rtol=tolerance, atol=tolerance, equal_nan=True):
            wrong[name] = (out, expected)
    assert not wrong, wrong


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_nvrtc_compiles_all(architecture):
    if not kernel_sources.has_nvrtc():
        pytest.skip("no NVRTC")
    text = "\n".join(s.cuda(frozenset(), name) for name, (_, s) in sources().items())
    assert kernel_sources.nvrtc_errors(text, architecture) == ""
