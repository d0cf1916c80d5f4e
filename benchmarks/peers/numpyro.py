"""NumPyro's Gibbs sampler for discrete variables: the whole log-density at each update."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
from numpyro import distributions
from numpyro.infer import DiscreteGibbs

from benchmarks.contender import Contender, clocked
from benchmarks.systems import System

CHAINS = 1


def chains(system: System, T: float, n: int) -> Contender:
    """One chain of sweeps in random order."""
    assert n == 1
    i, j, J = (jnp.asarray(x) for x in (system.i, system.j, system.J))

    def model() -> None:
        x = numpyro.sample("x", distributions.Bernoulli(jnp.full(system.n_sites, 0.5)))
        s = 2.0 * x - 1.0
        numpyro.factor("exchange", (J * s[i] * s[j]).sum() / T)

    kernel = DiscreteGibbs(model, modified=True)
    now = {"state": kernel.init(jax.random.key(1), 0, None, (), {})}

    @jax.jit
    def advance(state, sweeps):
        return jax.lax.fori_loop(0, sweeps, lambda _, x: kernel.sample(x, (), {}), state)

    def run(sweeps: int) -> None:
        now["state"] = jax.block_until_ready(advance(now["state"], sweeps))

    def energy() -> np.ndarray:
        return system.energy(2 * np.asarray(now["state"].z["x"])[None] - 1)

    return Contender("numpyro", clocked(run), system.n_sites, energy)
