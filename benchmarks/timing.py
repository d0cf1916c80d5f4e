"""Timing of sweeps: alternating, medians, one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import pymc as pm

from statmech_dsl.engine.compile import compile_model


def sweeper(
    model: pm.Model, T: float, replicas: int, **options
) -> tuple[Callable[[int], None], int]:
    """A function that does n sweeps of all replicas, and the number of updates in a sweep."""
    sampler = compile_model(model, replicas, threads=1, **options)
    numbers = np.arange(replicas)
    zeros = np.zeros(replicas, int)
    state = sampler.start(1, numbers, zeros, np.full(replicas, 1.0 / T), "hot")
    packed = sampler.kernels.pack(state)
    sampler.kernels.sweep(packed, 1)
    updates = replicas * sum(len(sampler.tables[p.order]) for p in sampler.program.passes)
    return lambda n: sampler.kernels.sweep(packed, n), updates


def nanoseconds(
    contenders: dict[str, tuple[Callable[[int], None], int]], repeats: int = 7, seconds: float = 0.2
) -> dict[str, float]:
    """Median nanoseconds per update; the contenders take turns, so that a slow moment hits all."""
    counts = {}
    for name, (run, _) in contenders.items():
        began = time.perf_counter()
        run(1)
        counts[name] = max(1, int(seconds / max(time.perf_counter() - began, 1e-6)))
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, (run, updates) in contenders.items():
            began = time.perf_counter()
            run(counts[name])
            times[name].append((time.perf_counter() - began) / counts[name] / updates * 1e9)
    return {name: statistics.median(t) for name, t in times.items()}
