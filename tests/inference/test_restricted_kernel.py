"""Fields and draws of two layers: by lookup and by matrix products, of any sizes and values."""

from __future__ import annotations

import numpy as np
import pytest

from statmech_dsl.backends.numba_cpu.lookups import LINE
from statmech_dsl.inference.learning.restricted_kernel import (
    WORTH,
    encode_all,
    expect,
    fields,
    pick,
    pick_in,
    room,
)

F32 = np.float32


@pytest.mark.parametrize("values", [(0, 1), (-1, 2), (0.5, 3)])
@pytest.mark.parametrize(("n_sources", "n_sites"), [(3, 5), (64, 128), (70, 33), (130, LINE)])
@pytest.mark.parametrize("turned", [False, True])
def test_fields_are_sums_of_couplings(values, n_sources, n_sites, turned):
    rng, (low, size) = np.random.default_rng(1), map(F32, values)
    W = rng.normal(size=(n_sources, n_sites)).astype(F32)
    W = np.ascontiguousarray(W.T).T if turned else W
    bias = rng.normal(size=n_sites).astype(F32)
    for n in (WORTH - 1, WORTH):
        bits = rng.integers(0, 2, (n, n_sources)).astype(np.int8)
        codes, out = room(n, n_sources), np.empty((n, -(-n_sites // LINE) * LINE), F32)
        encode_all(bits, codes)
        states = (low + size * bits).astype(F32)
        fields(states, codes, W, low, size, bias, out)
        exact = states.astype(float) @ W + bias
        assert np.allclose(out[:, :n_sites], exact, rtol=0, atol=1e-4)


@pytest.mark.parametrize("values", [(0, 1), (-1, 2)])
def test_draws_have_their_expectations(values):
    """Both ways to draw, against the logistic function; fields far out decide alone."""
    rng, (low, size) = np.random.default_rng(2), map(F32, values)
    n, given = 20_000, np.array([-1000.0, -2.0, -0.3, 0.0, 1.5, 1000.0])
    of, k = np.tile(given, (n, 1)).astype(F32), len(given)
    means, values = np.empty((n, k), F32), np.empty((n, k), F32)
    bits, words = np.empty((n, k), np.int8), rng.integers(0, 2**32, n * k, np.uint32)
    expect(of, low, size, means)
    p = 1 / (1 + np.exp(-np.clip(size * given, -700, 700)))
    assert np.allclose(means, low + size * p, rtol=0, atol=1e-6)
    pick(means, low, size, words, bits, values)
    first = bits.copy()
    assert np.array_equal(values, low + size * bits)
    pick_in(of, low, size, words, bits, values)
    assert np.array_equal(values, low + size * bits)
    assert (bits != first).mean() < 1e-4  # the same words: but for roundings the same draws
    error = np.sqrt(p * (1 - p) / n) + 1e-12
    assert (np.abs(bits.mean(0) - p) / error).max() < 4
