"""The quantities that `derived` knows: one entry each in a table of functions of means."""

from __future__ import annotations

import numpy as np
import xarray as xr

from statmech_dsl.diagnostics.functions import Derived


def _reduced_energy(draws: xr.Dataset) -> xr.DataArray:
    """(E - <E>) / T: centered, so that no digits are lost and its square fluctuates like C."""
    return (draws["energy"] - draws["energy"].mean()) / draws["T"]


THERMAL = {
    "energy_per_site": Derived(
        of={"energy": lambda draws: draws["energy"] / draws.attrs["n_sites"]},
        value=lambda energy: energy,
        long_name="energy per site",
        formula="<E> / N",
    ),
    "heat_capacity": Derived(
        of={"energy": _reduced_energy, "energy2": lambda draws: _reduced_energy(draws) ** 2},
        value=lambda energy, energy2: energy2 - energy**2,
        long_name="heat capacity, total",
        formula="(<E^2> - <E>^2) / T^2",
    ),
    "heat_capacity_per_site": Derived(
        of={
            "energy": lambda draws: _reduced_energy(draws) / draws.attrs["n_sites"] ** 0.5,
            "energy2": lambda draws: _reduced_energy(draws) ** 2 / draws.attrs["n_sites"],
        },
        value=lambda energy, energy2: energy2 - energy**2,
        long_name="heat capacity per site",
        formula="(<E^2> - <E>^2) / (N T^2)",
    ),
}
"""Quantities made of the energy."""


def magnetic(m: str) -> dict[str, Derived]:
    """Return the quantities made of a magnetization per site, a variable of the posterior."""

    def scaled(draws: xr.Dataset) -> xr.DataArray:
        return draws[m] * np.sqrt(draws.attrs["n_sites"] / draws["T"])

    return {
        "magnetization": Derived(
            of={"m": m},
            value=lambda m: m,
            long_name="magnetization per site",
            formula="<m>",
        ),
        "abs_magnetization": Derived(
            of={"abs_m": lambda draws: abs(draws[m])},
            value=lambda abs_m: abs_m,
            long_name="absolute magnetization per site",
            formula="<|m|>",
        ),
        "susceptibility_per_site": Derived(
            of={
                "abs_m": lambda draws: abs(scaled(draws)),
                "m2": lambda draws: scaled(draws) ** 2,
            },
            value=lambda abs_m, m2: m2 - abs_m**2,
            long_name="susceptibility per site, connected with <|m|>",
            formula="N (<m^2> - <|m|>^2) / T",
        ),
        "susceptibility_per_site_disordered": Derived(
            of={"m2": lambda draws: scaled(draws) ** 2},
            value=lambda m2: m2,
            long_name="susceptibility per site, for <m> = 0",
            formula="N <m^2> / T",
        ),
        "binder_cumulant": Derived(
            of={"m2": lambda draws: draws[m] ** 2, "m4": lambda draws: draws[m] ** 4},
            value=binder,
            long_name="Binder cumulant",
            formula="1 - <m^4> / (3 <m^2>^2)",
        ),
    }


def binder(m2: float, m4: float) -> float:
    """Fourth-order cumulant 1 - <m^4> / (3 <m^2>^2); NaN if m vanishes in every draw.

    Examples
    --------
    >>> round(binder(m2=1.0, m4=3.0), 6), round(binder(m2=1.0, m4=1.0), 6)
    (0.0, 0.666667)
    """
    return 1 - m4 / (3 * m2**2) if m2 else float("nan")
