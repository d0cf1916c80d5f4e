"""The table that `statmech run` prints."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import arviz as az
import numpy as np
import xarray as xr
from rich import box
from rich.table import Table

import statmech_dsl as sm
from statmech_dsl.cli.arguments import write_recipe

PLAIN = {"energy_per_site": "energy", "heat_capacity_per_site": "heat capacity"}
LARGE = 1e6
"""From here on numbers are written with an exponent, so that the table stays narrow."""


def summary(data: xr.DataTree) -> str:
    """What was run, in two lines; the seed repeats it."""
    sizes, attrs = data["posterior"].sizes, data.attrs
    return (
        f"{variables(attrs)}\n"
        f"{sizes['chain']} chains x {sizes['draw']} draws, seed {attrs['seed']}, "
        f"{attrs['backend']}, {attrs['sampling_time']:.1f} s"
    )


def variables(attrs: Mapping[Any, Any]) -> str:
    """The sites of each variable, and what moves them."""
    sites, updates = json.loads(attrs["n_sites"]), json.loads(attrs["updates"])
    return "; ".join(
        f"{v}: {n} sites, {write_recipe(updates.get(v, 'clamped'))}" for v, n in sites.items()
    )


def table(data: xr.DataTree, more: Mapping[str, Sequence[str]] | None = None) -> Table:
    """Energy, heat capacity and |m| with errors, worst R-hat and least ESS, one row for each T.

    Columns of ``more`` stand in the place of the heat capacity and of |m|.

    Per site; of the whole system if it has several variables, as it is not clear then what a site is.
    """
    draws = data["posterior"].to_dataset()
    per_site = len(json.loads(data.attrs["n_sites"])) == 1
    titles = {k: f"{v}\nper site" if per_site else v for k, v in PLAIN.items()}
    if more is not None:
        del titles["heat_capacity_per_site"]
    observed = draws[["energy"]]
    if more is None and "m" in draws and draws["m"].dims == draws["energy"].dims:
        titles["abs_magnetization"] = "|m|"
        observed["|m|"] = abs(draws["m"])
    values = sm.derived(data, titles, n_sites=None if per_site else 1)
    with np.errstate(invalid="ignore"):  # R-hat of what never changes is 0/0
        values["rhat"] = _over_copies(az.rhat(observed).to_array(), "max")
        values["ess"] = _over_copies(az.ess(observed).to_array(), "min")
    style = {"box": box.SIMPLE_HEAD, "show_edge": False, "collapse_padding": True}
    cells = more or {}
    out = Table("T", *titles.values(), *cells, "R-hat", "ESS", **style)
    for column in out.columns:
        column.justify = "right"
    for k, row in enumerate(_rows(values)):
        out.add_row(
            f"{row['T']:.6g}",
            *(with_error(row[name], row[f"{name}_error"]) for name in titles),
            *(column[k] for column in cells.values()),
            "-" if math.isnan(row["rhat"]) else f"{row['rhat']:.2f}",
            "-" if math.isnan(row["ess"]) else f"{row['ess']:.0f}",
        )
    return out


def _over_copies(found: xr.DataArray, which: str) -> xr.DataArray:
    return getattr(found, which)([d for d in found.dims if d != "T"])


def ladder_table(data: xr.DataTree) -> Table:
    """Energies, log Z, and the swaps of every temperature with the next higher one."""
    stats = data["sample_stats"].to_dataset()
    swaps = [f"{x:.2f}" for x in stats["swap_acceptance"].mean("chain").values]
    log_z, error = stats["log_partition"], stats["log_partition_error"]
    absolute = log_z.attrs["reference"] == "absolute"
    more = {
        "log Z" if absolute else "log Z,\nrelative": [
            with_error(*x) for x in zip(log_z.values, error.values, strict=True)
        ],
        "swaps": [*swaps, ""],
    }
    out = table(data, more)
    trips = int(stats["round_trips"].sum())
    out.caption = f"barrier {float(stats['barrier'][0]):.2f}, {trips} round trips"
    return out


def _rows(values: xr.Dataset) -> list[dict[str, float]]:
    if "T" not in values.dims:
        values = values.expand_dims("T")
    columns = {str(k): v.to_numpy() for k, v in values.variables.items()}
    return [{k: float(v[i]) for k, v in columns.items()} for i in range(values.sizes["T"])]


def with_error(value: float, error: float) -> str:
    """Write a value and its error, with two digits of the error.

    Examples
    --------
    >>> with_error(-1.72034, 0.00801), with_error(1234.5, 67.8), with_error(-2.0, 0.0)
    ('-1.7203 +- 0.0080', '1234 +- 68', '-2 +- 0')
    """
    if abs(value) >= LARGE:
        return f"{value:.3e} +- {error:.1e}"
    if not math.isfinite(error) or error == 0:
        return f"{value:.6g} +- {error:.2g}"
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{digits}f} +- {error:.{digits}f}"
