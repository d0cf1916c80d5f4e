"""A photograph segmented into four materials by a hidden Potts field, in plain PyMC.

    python examples/segmentation_pymc.py [picture.png]

Each pixel has a class; neighbors like to have the same one. The gray value of a pixel is normal with the
mean and the width of its class, which are unknown too. NUTS moves the eight parameters. The 17,000
classes are discrete, and `sm.LocalGibbs` moves all of them between two steps of NUTS in under a millisecond.

The strength of the smoothing is fixed: its posterior would need the partition function of the Potts model.
The photograph is scikit-learn's china.jpg.
"""

from __future__ import annotations

import sys
from pathlib import Path

import arviz as az
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from sklearn.datasets import load_sample_image

import statmech_dsl as sm

CLASSES, COUPLING = 4, 1.2


def photograph(every: int) -> np.ndarray:
    """Gray values from 0 to 1 of every n-th pixel in both directions."""
    return load_sample_image("china.jpg")[::every, ::every].mean(axis=2) / 255


def declare(gray: np.ndarray) -> pm.Model:
    """Declare a Potts field behind the pixels; nothing here belongs to statmech_dsl."""
    levels = np.quantile(gray, (np.arange(CLASSES) + 0.5) / CLASSES)
    ordered = pm.distributions.transforms.ordered
    with pm.Model() as model:
        nearest = abs(gray[..., None] - levels).argmin(axis=-1)
        z = pm.Categorical("z", np.ones(CLASSES) / CLASSES, shape=gray.shape, initval=nearest)
        same = pt.eq(z[1:], z[:-1]).sum() + pt.eq(z[:, 1:], z[:, :-1]).sum()
        pm.Potential("smooth", COUPLING * same)
        mu = pm.Normal("mu", 0.5, 0.5, shape=CLASSES, transform=ordered, initval=levels)
        sigma = pm.HalfNormal("sigma", 0.2, shape=CLASSES)
        pm.Normal("gray", mu[z], sigma[z], observed=gray)
    return model


def segment(model: pm.Model, draws: int) -> xr.Dataset:
    """Sample classes and parameters."""
    with model:
        data = pm.sample(
            draws,
            tune=draws,
            chains=2,
            cores=1,
            step=[sm.LocalGibbs([model["z"]])],
            random_seed=1,
            progressbar=False,
            compute_convergence_checks=False,
        )
    return data.posterior.to_dataset()


def likely(posterior: xr.Dataset) -> np.ndarray:
    """The class that each pixel has most of the time."""
    shares = [(posterior.z == k).mean(("chain", "draw")) for k in range(CLASSES)]
    return np.stack(shares).argmax(axis=0)


def boundaries(classes: np.ndarray) -> float:
    """Share of neighbors that differ."""
    down, right = classes[1:] != classes[:-1], classes[:, 1:] != classes[:, :-1]
    return (down.sum() + right.sum()) / (down.size + right.size)


def draw(gray: np.ndarray, alone: np.ndarray, classes: np.ndarray, mu: np.ndarray) -> plt.Figure:
    """Draw the photograph, its pixels by nearest mean, and the hidden field, in the gray of the means."""
    mpl.rcParams |= {"font.size": 9}
    figure, panels = plt.subplots(1, 3, figsize=(9.6, 2.4), layout="constrained")
    pictures = {"photograph": gray, "nearest mean": mu[alone], "hidden Potts field": mu[classes]}
    for panel, (title, picture) in zip(panels, pictures.items(), strict=True):
        panel.imshow(picture, cmap="Greys_r", vmin=0, vmax=1)
        panel.set(title=title, xticks=[], yticks=[])
    return figure


def main(
    picture: Path = Path("segmentation_pymc.png"), small: bool = False
) -> tuple[xr.Dataset, float, float]:
    """Segment; print the parameters; compare with a segmentation pixel by pixel; draw."""
    gray = photograph(10 if small else 4)
    posterior = segment(declare(gray), draws=100 if small else 500)
    print(az.summary(posterior, var_names=["mu", "sigma"])[["mean", "sd", "ess_bulk", "r_hat"]])
    mu = posterior.mu.mean(("chain", "draw")).values
    classes, alone = likely(posterior), abs(gray[..., None] - mu).argmin(axis=-1)
    rough, smooth = boundaries(alone), boundaries(classes)
    print(f"neighbors that differ: {rough:.1%} by nearest mean, {smooth:.1%} in the hidden field")
    figure = draw(gray, alone, classes, mu)
    figure.savefig(picture, dpi=100)
    plt.close(figure)
    print(f"picture: {picture}")
    return posterior, rough, smooth


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
