"""A mixture with 5000 discrete latents in plain PyMC, sampled as it is written.

    python examples/mixture_pymc.py [picture.png]

Every observation has a class that nobody sees. NUTS moves no discrete variables, and PyMC's own step for
them evaluates the log-density of all observations for each class of each of them. So the usual advice is
to sum the classes out by hand, if one can. `sm.LocalGibbs` reads off the log-density which terms a
class is in, and moves all classes in one compiled sweep, with NUTS on weights, means and width.

Here the classes can be summed out, so that the same posterior is known in another way: both are compared.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import arviz as az
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pymc as pm
import xarray as xr

import statmech_dsl as sm

WEIGHTS, MEANS, WIDTH = np.array([0.2, 0.5, 0.3]), np.array([-2.0, 0.0, 2.5]), 0.8
ORDERED = pm.distributions.transforms.ordered


def observe(n: int) -> np.ndarray:
    """Draw observations from the mixture."""
    rng = np.random.default_rng(1)
    return rng.normal(MEANS[rng.choice(3, n, p=WEIGHTS)], WIDTH)


def declare(y: np.ndarray, summed_out: bool = False) -> pm.Model:
    """Declare the mixture with a class for each observation, or with the classes summed out."""
    with pm.Model() as model:
        w = pm.Dirichlet("w", np.ones(3))
        mu = pm.Normal("mu", 0, 3, shape=3, transform=ORDERED, initval=[-1, 0, 1])
        sigma = pm.HalfNormal("sigma", 2)
        if summed_out:
            pm.NormalMixture("y", w, mu, sigma=sigma, observed=y)
        else:
            z = pm.Categorical("z", w, shape=len(y))
            pm.Normal("y", mu[z], sigma, observed=y)
    return model


def sample(model: pm.Model, draws: int) -> xr.Dataset:
    """Sample with NUTS, and with compiled sweeps where there are classes."""
    with model:
        step = [sm.LocalGibbs()] if model.discrete_value_vars else []
        data = pm.sample(
            draws,
            tune=draws // 2,
            chains=2,
            cores=1,
            step=step,
            nuts_sampler="pymc",
            random_seed=1,
            progressbar=False,
            compute_convergence_checks=False,
        )
    return data.posterior.to_dataset()


def moments(posterior: xr.Dataset) -> xr.Dataset:
    """Means of the parameters with their Monte Carlo errors."""
    names = ["w", "mu", "sigma"]
    mean = posterior[names].mean(("chain", "draw"))
    return xr.concat([mean, az.mcse(posterior[names])], dim="of").assign_coords(of=["mean", "mcse"])


def seconds_a_step(model: pm.Model, make: type, steps: int) -> float:
    """Time that one update of all classes takes, compilation left out."""
    with model:
        step = make([model["z"]])
    point = model.initial_point()
    step.setup_chain(1, 0, steps)
    point, _ = step.step(point)
    start = time.perf_counter()
    for _ in range(steps):
        point, _ = step.step(point)
    return (time.perf_counter() - start) / steps


def draw(posterior: xr.Dataset, y: np.ndarray) -> plt.Figure:
    """Draw the observations, and which class each of them most likely has."""
    mpl.rcParams |= {"font.size": 9}
    share = np.stack([(posterior.z == k).mean(("chain", "draw")) for k in range(3)])
    figure, (top, bottom) = plt.subplots(2, sharex=True, figsize=(6.4, 4.2), layout="constrained")
    top.hist(y, bins=80, color="0.75")
    top.set_ylabel("observations")
    order = np.argsort(y)
    for k, color in enumerate(("#0072B2", "#E69F00", "#009E73")):
        bottom.plot(y[order], share[k][order], ".", ms=2, color=color)
    bottom.set(xlabel="y", ylabel="share of each class")
    return figure


def main(picture: Path = Path("mixture_pymc.png"), small: bool = False) -> xr.Dataset:
    """Sample both forms, compare moments, time the steps, draw."""
    y, draws = (observe(200), 300) if small else (observe(5000), 2000)
    model = declare(y)
    posterior = sample(model, draws)
    with_classes, summed_out = moments(posterior), moments(sample(declare(y, True), draws))
    difference = (with_classes - summed_out).sel(of="mean")
    error = np.hypot(with_classes.sel(of="mcse"), summed_out.sel(of="mcse"))
    for name in ("w", "mu", "sigma"):
        for label, x in (("with classes", with_classes), ("summed out", summed_out)):
            values = x[name].sel(of="mean").values.ravel(), x[name].sel(of="mcse").values.ravel()
            numbers = "  ".join(f"{a:8.4f} +- {b:.4f}" for a, b in zip(*values, strict=True))
            print(f"{name:6}{label:13}{numbers}")
    ours = seconds_a_step(model, sm.LocalGibbs, 100)
    theirs = seconds_a_step(model, pm.CategoricalGibbsMetropolis, 1)
    print(
        f"{len(y)} classes: {1e3 * ours:.3f} ms a sweep; with PyMC's own step {1e3 * theirs:.0f} ms"
    )
    figure = draw(posterior, y)
    figure.savefig(picture, dpi=120)
    plt.close(figure)
    print(f"picture: {picture}")
    return difference / error


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
