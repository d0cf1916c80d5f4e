"""Binary quadratic models of dimod as models of this library."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from statmech_dsl.errors import ModelError, PackageError
from statmech_dsl.lang.energy import Energy
from statmech_dsl.lang.model import Model
from statmech_dsl.lang.variables import Occupation, Spin

KINDS = {"SPIN": ("s", Spin), "BINARY": ("x", Occupation)}
"""Name and type of the variable for each vartype."""
DIM = "label"


def from_bqm(bqm: Any) -> Model:
    """Make a model of a binary quadratic model, an Ising problem or a QUBO.

    Its energy is that of the `bqm`, the offset included.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        Any model of dimod with vartype SPIN or BINARY.

    Returns
    -------
    Model
        Spins ``s``, or occupations ``x`` where the vartype is BINARY, in the order of ``bqm.variables``.
        Labels other than 0 .. n-1 are the coordinate ``label``, as text unless they are all whole numbers.

    Raises
    ------
    ModelError
        This is no binary quadratic model, or it has no variables.

    Examples
    --------
    >>> import dimod  # doctest: +SKIP
    >>> import statmech_dsl as sm
    >>> bqm = dimod.BinaryQuadraticModel.from_qubo(
    ...     {("a", "a"): -1, ("a", "b"): 2}
    ... )  # doctest: +SKIP
    >>> result = sm.anneal(sm.from_bqm(bqm))  # doctest: +SKIP
    """
    vartype = getattr(getattr(bqm, "vartype", None), "name", None)
    if vartype not in KINDS or not hasattr(bqm, "to_numpy_vectors"):
        raise ModelError(
            f"from_bqm takes a binary quadratic model of dimod, not {type(bqm).__name__}",
            mend="build one with dimod.BinaryQuadraticModel, or write the energy with sm.Energy",
        )
    labels = list(bqm.variables)
    if not labels:
        raise ModelError("the binary quadratic model has no variables")
    h, (i, j, J), offset, *_ = bqm.to_numpy_vectors(variable_order=labels)
    name, declare = KINDS[vartype]
    whole = all(isinstance(x, int | np.integer) for x in labels)
    plain = whole and [int(x) for x in labels] == list(range(len(labels)))
    coords = {} if plain else {DIM: [int(x) if whole else str(x) for x in labels]}
    with Model(coords=coords) as model:
        s = declare(name, len(labels), dims=None if plain else DIM)
        energy: Any = (_alike(h) * s).sum() + float(offset)
        if len(J):
            energy = energy + (_alike(J) * s[np.asarray(i)] * s[np.asarray(j)]).sum()
        Energy("bqm", energy)
    return model


def _alike(x: np.ndarray) -> np.ndarray | float:
    """Equal numbers as one."""
    x = np.asarray(x, float)
    return float(x[0]) if (x == x[0]).all() else x


def import_dimod() -> Any:
    """The package dimod.

    Raises
    ------
    PackageError
        It is not installed.
    """
    try:
        return importlib.import_module("dimod")
    except ImportError:
        raise PackageError("this needs the package dimod", mend="pip install dimod") from None
