"""Small models for every variable type, built from the registry: a new type appears by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import Parameter, signature
from itertools import product
from math import isinf, log
from typing import Any, get_type_hints

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from statmech_dsl.engine.compile import lower_model
from statmech_dsl.errors import IllegalUpdateError
from statmech_dsl.ir.domains import DOMAINS, Domain
from statmech_dsl.lang import variables
from statmech_dsl.lang.energy import Energy
from statmech_dsl.lang.model import Model
from statmech_dsl.updates import UPDATES

EXAMPLES: dict[Any, tuple[Any, ...]] = {
    int: (2, 3),
    Sequence[int]: ((-1, 0, 1), (-2, 0, 1)),
}
"""What the arguments of a variable type are tried with, by their annotation."""
MAX_STATES = 40
"""States of a small discrete model: its transition matrix takes the interpreter a moment."""


@dataclass(frozen=True)
class Declaration:
    """A variable type with its arguments."""

    label: str
    arguments: tuple[tuple[str, Any], ...] = ()

    @property
    def domain(self) -> Domain:
        """The domain."""
        return DOMAINS[self.label](**dict(self.arguments))

    def __call__(self, name: str, sites: Any, observed: Any = None) -> Any:
        """Declare a variable in the present model."""
        declare = getattr(variables, self.label)
        return declare(name, sites, observed=observed, **dict(self.arguments))

    def __str__(self) -> str:
        return f"{self.label}({', '.join(f'{k}={v}' for k, v in self.arguments)})"


def declarations() -> list[Declaration]:
    """Every variable type, with each combination of `EXAMPLES` for its arguments.

    Examples
    --------
    >>> [str(d) for d in declarations()][:4]
    ['Spin()', 'Occupation()', 'Levels(values=(-1, 0, 1))', 'Levels(values=(-2, 0, 1))']
    """
    found = []
    for label, domain in DOMAINS.items():
        hints = get_type_hints(domain.__init__)
        required = [
            p for p in signature(domain).parameters.values() if p.default is Parameter.empty
        ]
        names = [p.name for p in required]
        for values in product(*(EXAMPLES[hints[name]] for name in names)):
            found.append(Declaration(label, tuple(zip(names, values, strict=True))))
    return found


def small_models(declaration: Declaration, n_sites: int | None = None) -> dict[str, Model]:
    """Models of one variable ``x`` with random couplings, of each kind of energy.

    Parameters
    ----------
    declaration : Declaration
        The variable type.
    n_sites : int, optional
        Sites; as many as have `MAX_STATES` states, at least 2 and at most 6, unless given.

    Returns
    -------
    dict of str to Model
        ``pairs``: a ring that binds each site linearly (quadratically on the real line);
        ``local``: an irregular graph with one clamped site and an energy of no simple form;
        ``sum``: a function of a sum over all sites.
    """
    n = _n_sites(declaration.domain) if n_sites is None else n_sites
    return {name: build(declaration, n) for name, build in _KINDS.items()}


def legal_updates(model: pm.Model, law: str = "boltzmann") -> list[str]:
    """Names of the updates that are legal for all variables of a model."""
    found = []
    for name in UPDATES:
        try:
            lower_model(model, name, law)
        except IllegalUpdateError:
            continue
        found.append(name)
    return found


def _n_sites(domain: Domain) -> int:
    if domain.values is None:
        return 4
    return int(np.clip(log(MAX_STATES) / log(len(domain.values)) + 1e-9, 2, 6))


def _scale(domain: Domain) -> float:
    return 1.0 if domain.values is None else float(np.abs(domain.values).max())


def _confine(x: Any, domain: Domain) -> None:
    """A variable of infinite volume needs a binding energy."""
    if isinf(domain.log_volume):
        Energy("binding", 0.7 * x**2)


def _features(x: Any, domain: Domain) -> Any:
    """Bounded or linear functions of a site whose products and squares make energies: (sites, k)."""
    if domain.transform == "circular":
        return pt.stack([pt.cos(x), pt.sin(x)], axis=-1)
    if domain.components > 1:
        return x
    return x[:, None] / _scale(domain)


def _ring(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(n), (np.arange(n) + 1) % n


def _pairs(declaration: Declaration, n: int) -> Model:
    domain, rng = declaration.domain, np.random.default_rng(1)
    i, j = _ring(n)
    J, h = rng.uniform(-0.5, 0.5, n), rng.uniform(-0.5, 0.5, n)
    with Model() as model:
        x = declaration("x", n)
        if domain.transform == "circular":
            Energy("exchange", J * pt.cos(x[i] - x[j] - 0.4))
            Energy("field", h * pt.cos(x - h))
        else:
            f = _features(x, domain)
            Energy("exchange", J[:, None] * f[i] * f[j])
            Energy("field", h[:, None] * f)
        _confine(x, domain)
    return model


def _local(declaration: Declaration, n: int) -> Model:
    domain, rng = declaration.domain, np.random.default_rng(2)
    i = np.array([*[0] * (n - 1), *range(1, n - 1)])  # a wheel without its rim's last bond
    j = np.array([*range(1, n), *range(2, n)])
    J = rng.uniform(-0.6, 0.6, len(i))
    clamped = np.arange(n) == n - 1
    mask = clamped if domain.components == 1 else clamped[:, None].repeat(domain.components, 1)
    with Model() as model:
        x = declaration("x", n, observed=np.ma.masked_array(domain.cold(n), ~mask))
        if domain.values is not None:
            a, b = rng.choice(domain.values, (2, len(i)))
            Energy("one hot", J * pt.eq(x[i], a) * pt.eq(x[j], b))
            for v in domain.values:
                Energy(f"level {v:g}", rng.uniform(-0.5, 0.5) * pt.eq(x, v))
        else:
            f = _features(x, domain)
            Energy("biquadratic", J * (f[i] * f[j]).sum(axis=-1) ** 2 / (1.0 + (f[i] ** 2).sum(axis=-1)))
            Energy("quartic", 0.5 * f**4 - 0.3 * f)
        _confine(x, domain)
    return model


def _sum(declaration: Declaration, n: int) -> Model:
    domain, rng = declaration.domain, np.random.default_rng(3)
    h = rng.uniform(-0.5, 0.5, n)
    with Model() as model:
        x = declaration("x", n)
        f = _features(x, domain)
        Energy("mean field", -0.4 / n * f.sum(axis=0) ** 2)
        Energy("field", h[:, None] * f)
        _confine(x, domain)
    return model


_KINDS: dict[str, Callable[[Declaration, int], Model]] = {
    "pairs": _pairs,
    "local": _local,
    "sum": _sum,
}
