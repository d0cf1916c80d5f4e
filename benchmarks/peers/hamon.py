"""hamon: block Gibbs sampling in JAX, grown out of THRML."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import networkx as nx
import numpy as np
from hamon import Block, SamplingSchedule, SpinNode, sample_states_batched
from hamon.models import IsingEBM, IsingSamplingProgram

from benchmarks.contender import Contender, clocked
from benchmarks.systems import System

CHAINS = 64


def chains(system: System, T: float, n: int) -> Contender:
    """All chains at once; two colors."""
    nodes = [SpinNode() for _ in range(system.n_sites)]
    edges = [(nodes[a], nodes[b]) for a, b in zip(system.i, system.j, strict=True)]
    model = IsingEBM(
        nodes, edges, jnp.zeros(system.n_sites), jnp.asarray(system.J), jnp.asarray(1 / T)
    )
    colors = nx.bipartite.color(nx.Graph(zip(system.i.tolist(), system.j.tolist(), strict=True)))
    sites = [np.array([k for k in range(system.n_sites) if colors[k] == c]) for c in (0, 1)]
    blocks = [Block([nodes[k] for k in own]) for own in sites]
    program = IsingSamplingProgram(model, blocks, [])
    start = [
        jax.random.bernoulli(jax.random.key(k), shape=(n, len(own))) for k, own in enumerate(sites)
    ]
    now = {"states": start, "key": jax.random.key(1)}

    def run(sweeps: int) -> None:
        for length in [10] * (sweeps // 10) + [1] * (sweeps % 10):  # a length is a compilation
            now["key"], key = jax.random.split(now["key"])
            schedule = SamplingSchedule(n_warmup=length, n_samples=1, steps_per_sample=1)
            found = sample_states_batched(key, program, schedule, now["states"], [], blocks)
            now["states"] = jax.block_until_ready([x[:, 0] for x in found])

    def energy() -> np.ndarray:
        spins = np.empty((n, system.n_sites), np.int8)
        for own, states in zip(sites, now["states"], strict=True):
            spins[:, own] = 2 * np.asarray(states).astype(np.int8) - 1
        return system.energy(spins)

    run(11)
    return Contender("hamon", clocked(run), n * system.n_sites, energy)
