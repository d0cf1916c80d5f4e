"""Every rule gives what PyTensor gives: values, types and shapes; NVRTC compiles every kernel."""

import numpy as np
import pytensor
import pytest
from scipy import sparse

from tests.backends.pytensor_cupy import kernel_sources
from tests.backends.pytensor_cupy.cases import CASES


def dense(x):
    """The entries of a sparse matrix, too."""
    return x.toarray() if sparse.issparse(x) else x


@pytest.mark.parametrize("name", CASES)
def test_results_and_kernels(name, device):
    inputs, outputs, values = CASES[name]()
    options = {"on_unused_input": "ignore"}
    expected = pytensor.function(inputs, outputs, mode="FAST_COMPILE", **options)(*values)
    results = pytensor.function(inputs, outputs, mode="CUPY", **options)(*values)
    single = any(np.asarray(getattr(v, "data", v)).dtype == "float32" for v in values)
    tolerance = 1e-6 if single else 1e-12
    for k, (e, r) in enumerate(zip(map(dense, expected), map(dense, results), strict=True)):
        assert isinstance(r, np.ndarray | np.generic), f"output {k} is a {type(r)}"
        assert (np.shape(r), r.dtype) == (np.shape(e), e.dtype), f"output {k}"
        np.testing.assert_allclose(r, e, rtol=tolerance, atol=tolerance, err_msg=f"output {k}")
    for architecture in kernel_sources.ARCHITECTURES if kernel_sources.has_nvrtc() else ():
        sources = dict.fromkeys(device.KERNELS)
        text = "\n".join(s.cuda(scalars, f"k{k}") for k, (s, scalars) in enumerate(sources))
        assert not text or kernel_sources.nvrtc_errors(text, architecture) == ""
