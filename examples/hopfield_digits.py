"""Ten handwritten digits stored in an energy, and recalled from noise.

    python examples/hopfield_digits.py [picture.png]

Hopfield (1982) gave an energy to a memory: E = -(N / 2) sum_mu m_mu^2 up to a constant, where m_mu is the
overlap of the spins with pattern mu. Cooled from a corrupted pattern, the spins should slide into the
clean one. They do while the patterns are few and unlike each other. Handwritten digits are neither, and
the ten of them melt into blends.

A steeper function of the same overlaps helps (Krotov and Hopfield, 2016): E = -(N / 7) sum_mu m_mu^7.
That is an interaction of all groups of seven spins, which nobody would want to write out. As an energy it
is one line, and the sampler keeps the ten overlaps as running sums.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import statmech_dsl as sm

T = 0.05  # well below the transition of the memory, T = 1
FLIPPED = 6
"""Pixels of each digit, of 64."""


def digits() -> np.ndarray:
    """One real example of each digit, 8 x 8 pixels in black and white: shape (10, 64)."""
    images, labels = load_digits(return_X_y=True)
    first = [int(np.flatnonzero(labels == digit)[0]) for digit in range(10)]
    return np.where(images[first] >= 8, 1, -1)


def dense_memory(patterns: np.ndarray, power: int = 7) -> sm.Model:
    """Declare the dense associative memory: a function of the overlaps."""
    n = patterns.shape[1]
    with sm.Model() as model:
        s = sm.Spin("s", n)
        overlap = patterns @ s / n
        sm.Energy("memory", -n / power * overlap**power)
        sm.Observable("overlap", overlap)
    return model


def recall(model: sm.Model, corrupted: np.ndarray) -> np.ndarray:
    """Start one chain at each corrupted pattern; return the average spins of each, as signs."""
    data = sm.sample(
        model,
        T=T,
        chains=len(corrupted),
        init={"s": corrupted},  # one state for each chain
        tune=50,
        draws=100,
        store="s",
        seed=1,
        progressbar=False,
    )
    return np.where(data.posterior.s.mean("draw") >= 0, 1, -1)


def draw(rows: dict[str, np.ndarray], patterns: np.ndarray) -> plt.Figure:
    """Draw one row of images for each stage, with the overlap with the stored digit below each."""
    mpl.rcParams |= {"font.size": 9}
    figure, panels = plt.subplots(len(rows), 10, figsize=(9.6, 4.9), layout="constrained")
    for line, (title, states) in zip(panels, rows.items(), strict=True):
        overlaps = (states * patterns).mean(axis=1)
        for panel, state, overlap in zip(line, states, overlaps, strict=True):
            panel.imshow(state.reshape(8, 8), cmap="Greys", vmin=-1, vmax=1)
            panel.set(xticks=[], yticks=[])
            panel.set_xlabel(f"{overlap:.2f}", color="black" if overlap == 1 else "#D55E00")
        line[0].set_ylabel(title, rotation=0, ha="right", va="center", labelpad=8)
    figure.suptitle("below each image: overlap with the stored digit", fontsize=9)
    return figure


def main(picture: Path = Path("hopfield_digits.png"), small: bool = False) -> dict[str, np.ndarray]:
    """Store, corrupt, recall twice; print overlaps and draw. It takes seconds: small changes nothing."""
    patterns = digits()
    likeness = patterns @ patterns.T / 64
    print(f"largest overlap of two stored digits: {np.triu(likeness, 1).max():.2f}")
    order = np.random.default_rng(3).random(patterns.shape).argsort(axis=1)
    corrupted = np.where(order < FLIPPED, -patterns, patterns)
    rows = {
        "stored": patterns,
        f"{FLIPPED} of 64\npixels flipped": corrupted,
        "Hopfield,\npower 2": recall(sm.models.hopfield(patterns=patterns), corrupted),
        "dense memory,\npower 7": recall(dense_memory(patterns), corrupted),
    }
    overlaps = {name: (states * patterns).mean(axis=1) for name, states in rows.items()}
    for name, values in overlaps.items():
        print(f"{name.replace(chr(10), ' '):30}", *(f"{x:5.2f}" for x in values))
    figure = draw(rows, patterns)
    figure.savefig(picture, dpi=120)
    plt.close(figure)
    print(f"picture: {picture}")
    return overlaps


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
