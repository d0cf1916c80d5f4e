"""Make the pictures of the documentation: python -m docs.images.make_pictures, in the repository.

ising_transition.png, hopfield_digits.png, tempering_spin_glass.png, maxcut_gset.png,
population_annealing.png, density_of_states.png, segmentation.png, segmentation_pymc.png,
inverse_ising.png, boltzmann_machine_digits.png and encoder_4_2_4.png are made by the examples of these names.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from tests.docs.pages import blocks

HERE = Path(__file__).parent
BLUE, ORANGE, GREEN, GRAY = "#0072B2", "#E69F00", "#009E73", "0.75"
mpl.rcParams |= {"font.size": 9, "figure.dpi": 120}


def how_it_compiles() -> plt.Figure:
    """A site with its terms, the two colors of a square lattice, and two ways to fill a vector."""
    figure, (terms, colors, lanes) = plt.subplots(1, 3, figsize=(9.6, 3.4), layout="constrained")
    for panel in (terms, colors, lanes):
        panel.set_axis_off()
        panel.set_aspect("equal")
        panel.set_anchor("N")
    lattice = [(x, y) for x in range(5) for y in range(5)]
    near = {(2, 2), (1, 2), (3, 2), (2, 1), (2, 3)}
    for x, y in lattice:
        for a, b in ((x + 1, y), (x, y + 1)):
            if a < 5 and b < 5:
                touched = (2, 2) in ((x, y), (a, b))
                style = {"color": BLUE, "lw": 3} if touched else {"color": GRAY, "lw": 1}
                terms.plot([x, a], [y, b], zorder=1, **style)
                colors.plot([x, a], [y, b], color=GRAY, lw=1, zorder=1)
    fill = [BLUE if p == (2, 2) else "white" if p not in near else "#9ecae1" for p in lattice]
    x, y = np.transpose(lattice)
    terms.scatter(x, y, s=130, c=fill, edgecolors="0.4", zorder=2)
    terms.set_title("a move of one site\nchanges four terms")
    parity = [BLUE if (a + b) % 2 else ORANGE for a, b in lattice]
    colors.scatter(x, y, s=130, c=parity, edgecolors="0.4", zorder=2)
    colors.set_title("sites of one color\nshare no term")
    for k in range(4):
        left = k * 2.6
        for a in range(3):
            for b in range(3):
                chosen = (a, b) == (1, 1)
                box = (left + 0.7 * a, 4.2 + 0.7 * b)
                color = BLUE if chosen else "white"
                lanes.add_patch(plt.Rectangle(box, 0.65, 0.65, fc=color, ec="0.5", lw=0.8))
        lanes.annotate(
            "",
            (3.7 + 0.9 * k, 2.5),
            (left + 1, 4.8),
            arrowprops={"arrowstyle": "->", "color": BLUE},
        )
    for k in range(4):
        lanes.add_patch(plt.Rectangle((3.3 + 0.9 * k, 1.6), 0.85, 0.85, fc=BLUE, ec="white"))
    lanes.text(5.1, 1.2, "one vector operation", ha="center", va="top")
    lanes.set(
        xlim=(-0.2, 10.4),
        ylim=(0.2, 7),
        title="the lanes of a vector hold\nthe same site of many systems",
    )
    return figure


def hidden_potts() -> plt.Figure:
    """The image of the page on PyMC, by the code of that page."""
    page = (HERE.parent / "pymc.md").read_text()
    names: dict = {}
    for block in blocks(page):
        if block.language == "python" and "hidden" not in names:
            exec(block.text, names)
    figure, panels = plt.subplots(1, 4, figsize=(9.6, 2.7), layout="constrained")
    materials = mpl.colors.ListedColormap([BLUE, ORANGE, GREEN])
    for panel, title, image, style in zip(
        panels,
        ("the truth", "what is seen", "nearest level, pixel by pixel", "hidden Potts field"),
        (names["truth"], names["pixels"], names["alone"], names["hidden"]),
        ({}, {"cmap": "Greys_r", "vmin": -2, "vmax": 2}, {}, {}),
        strict=True,
    ):
        panel.imshow(image, **({"cmap": materials, "vmin": 0, "vmax": 2} | style))
        panel.set_title(title, fontsize=9)
        panel.set_axis_off()
    return figure


def works() -> plt.Figure:
    """The picture of the page on estimators, by the code of that page."""
    page, names = (HERE.parent / "estimators.md").read_text(), {}
    for block in blocks(page):
        if block.language == "python":
            exec(block.text, names)
    return names["figure"]


if __name__ == "__main__":
    for make in (how_it_compiles, hidden_potts, works):
        make().savefig(HERE / f"{make.__name__}.png")
