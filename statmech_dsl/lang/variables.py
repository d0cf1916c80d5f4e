"""Declarations of variables: ``Spin``, ``Potts``, ``Angle`` ... one for each domain."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import ArrayLike
from pymc.exceptions import ImputationWarning
from pytensor.tensor.random.variable import shared_rng

from statmech_dsl.errors import DomainError, ModelError
from statmech_dsl.ir import domains
from statmech_dsl.ir.domains.base import Continuous, Domain
from statmech_dsl.ir.marks import VariableMark, attach
from statmech_dsl.ir.ops import Real
from statmech_dsl.lang.lattices import Lattice
from statmech_dsl.lang.observed import legal, masked
from statmech_dsl.lang.random_variable import DomainRV
from statmech_dsl.lang.site_variable import SiteVariable, as_site_variable

Sites = Lattice | int | Sequence[int]
"""Where a variable lives: a lattice, a number of sites, or a shape."""


def _declare(
    domain: Domain,
    name: str,
    sites: Sites,
    observed: ArrayLike | None,
    dims: str | Sequence[str] | None,
) -> Any:
    try:
        model: Any = pm.modelcontext(None)
    except TypeError:
        raise ModelError(
            f"{domain.label} {name!r} is declared outside of a model",
            mend="declare it inside `with sm.Model() as model:`",
        ) from None
    batch = _shape(domain, name, sites)
    shape = (*batch, domain.components) if domain.components > 1 else batch
    names = _dims(name, sites, shape, dims)
    data = None if observed is None else _observed(domain, name, shape, observed)
    # The constant has one value for all sites; `size` gives the shape, known statically.
    op: Any = DomainRV(domain)
    rng = shared_rng(np.random.default_rng())
    _, rv = op(pt.constant(0.0), size=batch, rng=rng, return_next_rng=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImputationWarning)
        variable = model.register_rv(rv, name, observed=data, dims=names)
    mask = values = None
    if data is not None:
        clamped = ~np.ma.getmaskarray(data)
        if domain.components > 1:
            clamped = clamped.all(axis=-1)
        mask = clamped.ravel()
        values = np.ma.getdata(data).reshape(mask.size, *shape[len(batch) :])
    mark = VariableMark(variable.name, domain, shape, mask, values)
    attach(variable, mark)
    variable = as_site_variable(variable)
    for attribute, value in domain.attributes(variable).items():
        setattr(variable, attribute, value)
    return variable


def _shape(domain: Domain, name: str, sites: Sites) -> tuple[int, ...]:
    if isinstance(sites, Lattice):
        return sites.shape
    shape = (sites,) if isinstance(sites, int | np.integer) else tuple(sites)
    if not shape or any(not isinstance(n, int | np.integer) or n < 1 for n in shape):
        raise DomainError(
            f"{domain.label} {name!r} needs a lattice or a shape of positive whole numbers",
            where=f"got {sites!r}",
        )
    return tuple(int(n) for n in shape)


def _dims(
    name: str, sites: Sites, shape: tuple[int, ...], dims: str | Sequence[str] | None
) -> tuple[str, ...]:
    """Names of the dimensions, namespaced by the variable: two lattices may differ in size."""
    if dims is not None:
        given = (dims,) if isinstance(dims, str) else tuple(dims)
        if len(given) != len(shape):
            raise DomainError(
                f"{name!r} has {len(shape)} dimensions but {len(given)} names",
                where=f"dims={dims!r}",
            )
        return given
    one_index = isinstance(sites, Lattice | int | np.integer)
    n = 1 if one_index else len(tuple(sites))
    names = (f"{name}_site",) if one_index else tuple(f"{name}_dim_{k}" for k in range(n))
    return names if len(shape) == n else (*names, f"{name}_component")


def _observed(domain: Domain, name: str, shape: tuple[int, ...], observed: ArrayLike) -> Any:
    data = masked(observed)
    if data.shape != shape:
        hint = ""
        if data.shape[1:] == shape:
            hint = "this looks like a batch of states; give one state"
        raise DomainError(
            f"observed= of {name!r} has shape {data.shape}, the variable has {shape}",
            mend=hint or "give one value for each site, masked where it is unknown",
        )
    return legal(domain, f"observed= of {name!r}", data)


_PARAMETERS = """
    Parameters
    ----------
    name : str
        Name in the model and in results.
    sites : Lattice, int or tuple of int
        Where the variable lives. On a lattice it has shape ``(n_sites,)``.
    {extra}observed : array_like, optional
        Clamped values, of the shape of the variable; masked or NaN where a site is free.
    dims : str or tuple of str, optional
        Names of the dimensions in results; default ``{{name}}_site``.

    Returns
    -------
    TensorVariable
        A PyMC random variable with a flat base measure.

    Raises
    ------
    DomainError
        Shape, parameters or observed values do not fit.

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> with sm.Model():
    ...     x = {example}
    >>> x.type.shape
    {shape}
"""


def Spin(
    name: str, sites: Sites, *, observed: ArrayLike | None = None, dims: Any = None
) -> SiteVariable:
    """Ising spin: -1 or +1."""
    return _declare(domains.Spin(), name, sites, observed, dims)


def Occupation(
    name: str, sites: Sites, *, observed: ArrayLike | None = None, dims: Any = None
) -> SiteVariable:
    """Occupation number: 0 or 1."""
    return _declare(domains.Occupation(), name, sites, observed, dims)


def Levels(
    name: str,
    sites: Sites,
    *,
    values: Sequence[int],
    observed: ArrayLike | None = None,
    dims: Any = None,
) -> SiteVariable:
    """One of a few whole numbers, such as ``values=[-1, 0, 1]``."""
    return _declare(domains.Levels(values), name, sites, observed, dims)


def Potts(
    name: str, sites: Sites, *, q: int, observed: ArrayLike | None = None, dims: Any = None
) -> SiteVariable:
    """Potts color: 0, 1, ..., q - 1; compare colors with ``pt.eq``."""
    return _declare(domains.Potts(q), name, sites, observed, dims)


def Clock(
    name: str, sites: Sites, *, q: int, observed: ArrayLike | None = None, dims: Any = None
) -> SiteVariable:
    """Clock variable k = 0, 1, ..., q - 1; its ``angle`` is 2 pi k / q."""
    return _declare(domains.Clock(q), name, sites, observed, dims)


def Angle(
    name: str,
    sites: Sites,
    *,
    dtype: Real = "float64",
    observed: ArrayLike | None = None,
    dims: Any = None,
) -> SiteVariable:
    """Planar angle in [-pi, pi): XY spins, U(1) links."""
    return _declare(domains.Angle(dtype=dtype), name, sites, observed, dims)


def UnitVector(
    name: str,
    sites: Sites,
    *,
    n: int = 3,
    dtype: Real = "float64",
    observed: ArrayLike | None = None,
    dims: Any = None,
) -> SiteVariable:
    """Unit vector with n components: arrays of shape ``(n_sites, n)``; Heisenberg is n = 3."""
    return _declare(domains.UnitVector(n, dtype=dtype), name, sites, observed, dims)


def Field(
    name: str,
    sites: Sites,
    *,
    dtype: Real = "float64",
    observed: ArrayLike | None = None,
    dims: Any = None,
) -> SiteVariable:
    """Real field."""
    return _declare(domains.Field(dtype=dtype), name, sites, observed, dims)


def _document() -> None:
    examples = {
        "Levels": ("values : sequence of int\n        The levels.\n    ", ", values=[-1, 0, 1]"),
        "Potts": ("q : int\n        Number of colors, at least 2.\n    ", ", q=3"),
        "Clock": ("q : int\n        Number of directions, at least 2.\n    ", ", q=6"),
        "UnitVector": ("n : int\n        Number of components, 2 to 8.\n    ", ", n=3"),
    }
    precision = (
        'dtype : {"float64", "float32"}\n'
        "        Precision in which states are stored and moved; graphs and energies are in float64.\n    "
    )
    for label, domain in domains.DOMAINS.items():
        extra, arguments = examples.get(label, ("", ""))
        extra += precision if issubclass(domain, Continuous) else ""
        function = globals()[label]
        function.__doc__ += "\n" + _PARAMETERS.format(
            extra=extra,
            example=f'sm.{label}("x", (4, 4){arguments})',
            shape="(4, 4, 3)" if label == "UnitVector" else "(4, 4)",
        )


_document()
