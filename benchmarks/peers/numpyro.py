"""NumPyro: Gibbs for discrete variables, the whole log-density at each update; NUTS for a real field."""

from __future__ import annotations

import time

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
from numpyro import distributions
from numpyro.infer import MCMC, NUTS, DiscreteGibbs

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


def phi4(
    L: int, mu2: float, lam: float, chains: int, warmup: int, draws: int, method: str
) -> tuple[float, np.ndarray, int]:
    """NUTS on the phi^4 theory of `sm.models.phi4`, in float64: seconds of draws, means of phi, leapfrogs.

    Warm-up and compilation come before.
    """
    numpyro.enable_x64()

    def potential(phi: jax.Array) -> jax.Array:
        gradient = sum(((jnp.roll(phi, 1, axis) - phi) ** 2).sum() for axis in (0, 1))
        return 0.5 * gradient + (0.5 * mu2 * phi**2 + 0.25 * lam * phi**4).sum()

    run = MCMC(
        NUTS(potential_fn=potential),
        num_warmup=warmup,
        num_samples=draws,
        num_chains=chains,
        chain_method=method,
        progress_bar=False,
    )
    start = jax.random.normal(jax.random.key(1), (chains, L, L))
    run.warmup(jax.random.key(2), init_params=start, extra_fields=("num_steps",))
    for seed in (3, 4):  # the first run compiles
        began = time.process_time()
        run.run(jax.random.key(seed), extra_fields=("num_steps",))
        phi = jax.block_until_ready(run.get_samples(group_by_chain=True))
        seconds = time.process_time() - began
    means = np.asarray(phi).mean(axis=(2, 3))
    return seconds, means, int(run.get_extra_fields()["num_steps"].sum())
