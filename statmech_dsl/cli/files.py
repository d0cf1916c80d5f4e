"""Results in files: checked before a run, written after it."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import xarray as xr

from statmech_dsl.errors import ArgumentError

SUFFIXES = (".nc", ".zarr")


def check_output(path: Path) -> None:
    """Refuse what could not be written once the run is over.

    Raises
    ------
    ArgumentError
        The suffix is unknown, the folder cannot be written, or something else has this name.
    """
    if path.suffix not in SUFFIXES:
        raise ArgumentError(
            f"cannot tell the format of {path}", mend="end its name with .nc (netCDF) or .zarr"
        )
    if path.exists() and not (path.is_file() if path.suffix == ".nc" else _is_zarr(path)):
        raise ArgumentError(
            f"{path} exists and is no {path.suffix} file", mend="choose another name"
        )
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ArgumentError(f"cannot write to the folder {path.parent}: {error.strerror}") from None


def write(data: xr.DataTree, path: Path) -> None:
    """Write results; an older file of this name is replaced once the new one is complete."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".statmech-") as folder:
        new = Path(folder) / path.name
        if path.suffix == ".nc":
            data.to_netcdf(new)
        else:
            with warnings.catch_warnings():  # other programs than xarray may not read it so fast
                warnings.filterwarnings("ignore", "Consolidated metadata")
                data.to_zarr(new)
        if path.is_dir():
            path.rename(Path(folder) / "old")
        new.replace(path)


def read(path: Path) -> xr.DataTree:
    """Read the results of an earlier run."""
    if not path.exists():
        raise ArgumentError(f"there is no file {path}")
    try:
        with xr.open_datatree(path) as data:
            return data.load()
    except (OSError, ValueError) as error:
        raise ArgumentError(f"cannot read results from {path}: {error}") from None


def _is_zarr(path: Path) -> bool:
    return (path / "zarr.json").is_file()
