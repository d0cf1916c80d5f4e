"""A restricted Boltzmann machine learns handwritten digits.

    python examples/boltzmann_machine_digits.py [picture.png]

64 visible units, the pixels of a digit in black and white, and 128 hidden units; couplings between the layers
only. The energy is three lines of the model. Its 8384 parameters are learned by persistent
chains (Tieleman 2008), whose states follow the couplings from step to step.

How good is it? The likelihood of digits that it has never seen needs log Z, a sum over 2^64 states.
Annealed importance sampling estimates it along the way (Salakhutdinov and Murray 2008). Independent
pixels with the right means are what it has to beat.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pymc as pm
import xarray as xr
from sklearn.datasets import load_digits

import statmech_dsl as sm

VISIBLE, HIDDEN = 64, 128
N_TEST = 297


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Real digits of 8 x 8 pixels, 0 or 1, in random order: most to learn, some to test."""
    x = (load_digits().data >= 8).astype(int)
    x = x[np.random.default_rng(0).permutation(len(x))]
    return x[N_TEST:], x[:N_TEST]


def machine() -> sm.Model:
    """Declare the machine, with unknown couplings."""
    with sm.Model() as model:
        W = pm.Normal("W", 0, 1, shape=(VISIBLE, HIDDEN))
        a = pm.Normal("a", 0, 1, shape=VISIBLE)
        b = pm.Normal("b", 0, 1, shape=HIDDEN)
        v, h = sm.Occupation("v", VISIBLE), sm.Occupation("h", HIDDEN)
        sm.Energy("weights", -v[:, None] * W * h)
        sm.Energy("visible", -a * v)
        sm.Energy("hidden", -b * h)
    return model


def independent_pixels(train: np.ndarray, test: np.ndarray) -> float:
    """Log-likelihood of a digit if pixels knew nothing of each other."""
    p = (train.sum(axis=0) + 1) / (len(train) + 2)
    return float((test * np.log(p) + (1 - test) * np.log1p(-p)).sum(axis=1).mean())


def dream(model: sm.Model, fit: xr.DataTree, n: int) -> np.ndarray:
    """Sample digits from the machine with its fitted couplings."""
    numbers = {name: fit.point[name].values for name in "Wab"}
    learned = pm.do(model, numbers)
    data = sm.sample(
        learned, chains=n, tune=500, draws=1, store="v", seed=2, init="hot", progressbar=False
    )
    return data.posterior.v.values[:, -1]


def draw(fit: xr.DataTree, test: np.ndarray, dreams: np.ndarray, pixels: float) -> plt.Figure:
    """Draw digits, dreams, the couplings of some hidden units, and the likelihood of the test digits."""
    mpl.rcParams |= {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    figure, panels = plt.subplots(1, 4, figsize=(11.5, 3.2), layout="constrained")
    W = fit.point.W.values
    strongest = np.argsort(-(W**2).sum(axis=0))[:36]
    _tiles(panels[0], test[:36], "test digits", "Greys")
    _tiles(panels[1], dreams[:36], "samples of the machine", "Greys")
    _tiles(panels[2], W.T[strongest], "couplings of 36 hidden units", "RdBu")
    shown = fit.history.test_log_likelihood.dropna("step")
    panels[3].plot(shown.step, shown, "o-", ms=3, color="#0072B2", label="machine")
    panels[3].axhline(pixels, color="gray", ls=":", label="independent pixels")
    panels[3].set(xlabel="epoch", ylabel="log-likelihood of a test digit")
    panels[3].legend(frameon=False)
    return figure


def _tiles(panel: plt.Axes, images: np.ndarray, title: str, colors: str) -> None:
    """Show 36 images of 8 x 8 pixels side by side."""
    tiles = np.pad(images.reshape(6, 6, 8, 8).astype(float), ((0, 0), (0, 0), (1, 0), (1, 0)))
    limit = np.abs(images).max()
    whole = tiles.transpose(0, 2, 1, 3).reshape(54, 54)[1:, 1:]
    panel.imshow(whole, cmap=colors, vmin=-limit if colors == "RdBu" else 0, vmax=limit)
    panel.set(xticks=[], yticks=[], title=title)
    panel.spines[:].set_visible(False)


def main(picture: Path = Path("boltzmann_machine_digits.png"), small: bool = False) -> xr.DataTree:
    """Learn, test, dream; print and draw."""
    train, test = digits()
    epochs, every = (20, 20) if small else (200, 20)
    model = machine()
    fit = sm.learn(
        model,
        {"v": train},
        method="pcd",
        epochs=epochs,
        batch_size=20,
        learning_rate=(0.1, 0.005),
        test_data={"v": test},
        test_every=every,
        seed=1,
    )
    pixels = independent_pixels(train, test)
    print(f"log-likelihood of a test digit; independent pixels: {pixels:.1f}")
    for step, value in fit.history.test_log_likelihood.dropna("step").to_series().items():
        print(f"epoch {step:4}: {value:.1f}")
    figure = draw(fit, test, dream(model, fit, 36), pixels)
    figure.savefig(picture, dpi=120)
    plt.close(figure)
    print(f"picture: {picture}")
    fit.attrs["independent_pixels"] = pixels
    return fit


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
