"""A photograph segmented by a hidden Potts field whose coupling is unknown as well.

    python examples/segmentation.py [picture.png]

Each pixel has a class, and its gray value is normal with the mean and the width of its class. Neighbors
like to have the same class; how much is the coupling J of a Potts model, which
[segmentation_pymc.py](segmentation_pymc.py) has to fix: the posterior of J needs the partition function of the
Potts model. Here `sm.infer` takes care of it. Compiled sweeps move the classes, NUTS the means and
widths, and the exchange algorithm J: it draws auxiliary pictures at each J that it proposes, by cluster
moves, as ordered Potts models are slow otherwise. The photograph is scikit-learn's china.jpg.
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

CLASSES = 4


def photograph(every: int) -> np.ndarray:
    """Gray values from 0 to 1 of every n-th pixel in both directions."""
    return load_sample_image("china.jpg")[::every, ::every].mean(axis=2) / 255


def declare(gray: np.ndarray) -> pm.Model:
    """Declare a Potts field behind the pixels; no number is fixed but that of the classes."""
    levels = np.quantile(gray, (np.arange(CLASSES) + 0.5) / CLASSES)
    lattice = sm.lattices.square(gray.shape, periodic=False)
    i, j = lattice.bonds
    with sm.Model() as model:
        J = pm.HalfNormal("J", 1, initval=0.8)
        z = sm.Potts("z", lattice, q=CLASSES)
        sm.Energy("smooth", -J * pt.eq(z[i], z[j]))
        ordered = pm.distributions.transforms.ordered
        mu = pm.Normal("mu", 0.5, 0.5, shape=CLASSES, transform=ordered, initval=levels)
        sigma = pm.HalfNormal("sigma", 0.2, shape=CLASSES, initval=np.full(CLASSES, 0.1))
        pm.Normal("gray", mu[z], sigma[z], observed=gray.ravel())
    return model


def draw(gray: np.ndarray, found: xr.DataTree) -> plt.Figure:
    """Draw the photograph, its pixels by nearest mean, the hidden field, and the posterior of J."""
    mpl.rcParams |= {"font.size": 9}
    shares = found["hidden"].z.mean("chain").sel(state=0).values.reshape(*gray.shape, CLASSES)
    mu = found["posterior"].mu.mean(("chain", "draw")).values
    alone = abs(gray[..., None] - mu).argmin(axis=-1)
    figure, panels = plt.subplots(1, 4, figsize=(12, 2.3), layout="constrained")
    pictures = {
        "photograph": gray,
        "nearest mean": mu[alone],
        "hidden Potts field": mu[shares.argmax(axis=-1)],
    }
    for panel, (title, picture) in zip(panels, pictures.items(), strict=False):
        panel.imshow(picture, cmap="Greys_r", vmin=0, vmax=1)
        panel.set(title=title, xticks=[], yticks=[])
    panels[3].hist(found["posterior"].J.values.ravel(), 25, density=True, color="#0072B2")
    critical = np.log(1 + np.sqrt(CLASSES))
    panels[3].axvline(critical, color="0.5", ls="--", lw=1)
    panels[3].set(title="posterior of J; dashed: transition", xlabel="J", yticks=[])
    return figure


def main(picture: Path = Path("segmentation.png"), small: bool = False) -> xr.DataTree:
    """Infer classes, means, widths and the coupling; print and draw them."""
    gray = photograph(24 if small else 14)
    draws = 25 if small else 200
    found = sm.infer(
        declare(gray),
        method="exchange",
        draws=draws,
        tune=draws,
        chains=2,
        seed=1,
        progressbar=False,
    )
    summary = az.summary(found, var_names=["J", "mu", "sigma"])
    print(summary[["mean", "sd", "ess_bulk", "r_hat"]])
    sweeps, bias = found.attrs["auxiliary_sweeps"], found.attrs["auxiliary_bias"]
    error = found.attrs["auxiliary_bias_error"]
    print(f"auxiliary pictures: {sweeps} sweeps, bias {bias:.2f} +- {error:.2f} sd")
    figure = draw(gray, found)
    figure.savefig(picture, dpi=100)
    plt.close(figure)
    print(f"picture: {picture}")
    return found


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
