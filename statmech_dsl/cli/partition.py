"""What `statmech free-energy` does and prints."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pymc as pm
import xarray as xr
from rich.table import Table

import statmech_dsl as sm
from statmech_dsl.cli.arguments import read_assignments, read_numbers
from statmech_dsl.cli.loading import load_model
from statmech_dsl.cli.report import with_error
from statmech_dsl.cli.results import finish, plain_table, prepared
from statmech_dsl.errors import OverlapWarning

COLUMNS = {
    "log_partition": "log Z",
    "free_energy": "F",
    "energy": "energy",
    "entropy": "entropy",
    "heat_capacity": "heat capacity",
}


def free_energy_model(
    model: str, param: Sequence[str], output: Path | None, **options: Any
) -> None:
    """Estimate log Z of the named model; `options` are passed on, read where they are text."""
    console, arguments = prepared(output, options)
    given = arguments["ground_state"]
    arguments["ground_state"] = None if given is None else read_numbers("ground-state", given)
    arguments["reference"] = _reference(model, param, arguments["reference"])
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OverlapWarning)  # the report says the same, below its table
        data = sm.free_energy(load_model(model, param), **arguments)
    head = data.attrs["method"]
    if "seed" in data.attrs:
        size = f"{arguments['chains']} chains x {arguments['draws']} draws"
        head += f", {size}, seed {data.attrs['seed']}"
    head += f", {time.perf_counter() - began:.1f} s"
    report = _panel(data) if "method" in data.dims else _single(data)
    finish(console, (head, *report), xr.DataTree(data), output)


def _reference(model: str, param: Sequence[str], changes: Sequence[str]) -> pm.Model | None:
    """The same model with other parameters."""
    if not changes:
        return None
    values = read_assignments("param", param) | read_assignments("reference", changes)
    return load_model(model, [f"{name}={value}" for name, value in values.items()])


def _single(data: xr.Dataset) -> tuple[Table | str, ...]:
    """All quantities of one route."""
    titles = dict(COLUMNS)
    if "log_partition_difference" in data:
        data = data.assign(log_partition_difference_error=data["log_partition_error"])
        titles = {"log_partition_difference": "log Z,\nrelative"} | titles
        del titles["free_energy"]
    if data.attrs["reference"] != "absolute":  # they are relative too
        del titles["log_partition"], titles["entropy"]
    table = plain_table("T", *titles.values())
    for row in _rows(data):
        table.add_row(f"{float(row['T']):.6g}", *(_cell(row, name) for name in titles))
    return table, *_trouble({data.attrs["method"]: data.attrs.get("trouble", "")})


def _panel(data: xr.Dataset) -> tuple[Table | str, ...]:
    """Log Z by all routes, whether they agree, and which are in trouble."""
    methods = [str(name) for name in data["method"].values]
    table = plain_table("T", *(name.replace("_", "\n") for name in methods))
    absolute = data.attrs["reference"] == "absolute"
    table.title = "log Z" if absolute else "log Z, relative to the reference"
    for row in _rows(data):
        cells = (_cell(row.sel({"method": name}), "log_partition") for name in methods)
        table.add_row(f"{float(row['T']):.6g}", *cells)
    verdict = "agree" if data["agreed"] else "are not said to agree"
    sigmas = f"{float(data['worst_sigma']):.1f} standard errors"
    words = dict(zip(methods, map(str, data["trouble"].values), strict=True))
    return table, f"the routes {verdict}: they differ by {sigmas} at most", *_trouble(words)


def _trouble(words: Mapping[str, str]) -> list[str]:
    """What is wrong with each method."""
    return [f"{name} is in trouble: {why}" for name, why in words.items() if why]


def _rows(data: xr.Dataset) -> list[xr.Dataset]:
    """One for each temperature."""
    return [data.isel(T=k) for k in range(data.sizes["T"])] if "T" in data.dims else [data]


def _cell(row: xr.Dataset, name: str) -> str:
    value, error = float(row[name]), float(row[f"{name}_error"])
    return f"{value:.10g}" if row.attrs["method"] == "exact" else with_error(value, error)
