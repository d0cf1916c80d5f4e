"""The benchmark of graphs runs, and counts what it says: one pass over the field."""

import pytest

from benchmarks import gpu_graphs


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_benchmark_runs(dtype, device):
    timing = gpu_graphs.measure(dtype, 8)
    assert timing.seconds == timing.bound == 1
    assert "1.00 of the bound" in str(timing)
    per_call = device.LAUNCHES[: len(device.LAUNCHES) // 2]
    assert per_call.count("reduce_chunks") == per_call.count("reduce_totals") == 1
    assert len(per_call) <= 3
