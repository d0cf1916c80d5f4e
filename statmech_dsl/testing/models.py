"""Small models for every variable type, built from the registry: a new type appears by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import Parameter, signature
from itertools import product
from math import isinf, log
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pymc as pm
import pytensor.tensor

from statmech_dsl.engine.compile import lower_model
from statmech_dsl.errors import IllegalUpdateError
from statmech_dsl.ir.domains import DOMAINS, Domain, base
from statmech_dsl.lang import variables
from statmech_dsl.lang.energy import Energy, Observable
from statmech_dsl.lang.model import Model
from statmech_dsl.updates import UPDATES

pt: Any = pytensor.tensor  # whose functions have no types
EXAMPLES: dict[Any, tuple[Any, ...]] = {
    int: (2, 3),
    Sequence[int]: ((-1, 0, 1), (-2, 0, 1)),
}
"""What the arguments of a variable type are tried with, by their annotation."""
MAX_STATES = 27
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
    """Every variable type, with each combination of `EXAMPLES` for its arguments, and of literal ones.

    Examples
    --------
    >>> [str(d) for d in declarations()][:4]
    ['Spin()', 'Occupation()', 'Levels(values=(-1, 0, 1))', 'Levels(values=(-2, 0, 1))']
    """
    found = []
    for label, domain in DOMAINS.items():
        # Inherited fields are annotated with names of another module.
        hints = get_type_hints(domain.__init__, vars(base) | domain.__init__.__globals__)
        tried = {
            name: choices
            for name, p in signature(domain).parameters.items()
            if (choices := _choices(hints[name], p.default))
        }
        for values in product(*tried.values()):
            given = zip(tried, values, strict=True)
            found.append(Declaration(label, tuple((k, v) for k, v in given if v is not _DEFAULT)))
    return found


_DEFAULT = object()


def _choices(hint: Any, default: Any) -> tuple[Any, ...]:
    """What an argument is tried with: nothing if it has a default, unless all its values are listed."""
    if default is Parameter.empty:
        return EXAMPLES[hint]
    if get_origin(hint) is Literal:
        return (_DEFAULT, *(x for x in get_args(hint) if x != default))
    return ()


def small_models(
    declaration: Declaration, n_sites: int | None = None, n_free: int | None = None
) -> dict[str, Model]:
    """Models of a variable ``x`` with random couplings, one for each kind of energy.

    Parameters
    ----------
    declaration : Declaration
        The variable type.
    n_sites : int, optional
        Sites; as many as have `MAX_STATES` states, at least 2 and at most 6, unless given.
    n_free : int, optional
        Sites that are not clamped; all of them, but one less in ``local``, unless given.

    Returns
    -------
    dict of str to Model
        ``pairs``: a ring whose energy is linear in each site (quadratic on the real line);
        ``local``: an irregular graph with an energy of no simple form;
        ``sum``: a function of a sum over all sites;
        ``mixed``: two sites that are coupled to two spins ``s``;
        ``signs``: couplings of one size and random sign, among two and three sites.
        All have observables.
    """
    domain = declaration.domain
    n = _n_sites(domain) if n_sites is None else n_sites
    models = {}
    for seed, (name, energies) in enumerate(KINDS.items()):
        size = 2 if name == "mixed" else n
        free = size - (name == "local") if n_free is None else n_free
        with Model() as models[name]:
            x = declaration("x", size, _clamped(domain, size, free))
            energies(x, domain, size, np.random.default_rng(seed))
            if isinf(domain.log_volume):  # only an energy can bind it
                Energy("binding", 1.5 * x**2)
            _observables(x, domain, size)
    return models


def legal_updates(model: pm.Model, law: str = "boltzmann") -> list[str | list[str]]:
    """The updates that are legal for all variables of a model; beside "auto" those that need another one."""
    found: list[str | list[str]] = []
    for name in UPDATES:
        recipe = next((r for r in (name, [name, "auto"]) if _is_legal(model, r, law)), None)
        found += [] if recipe is None else [recipe]
    return found


def _is_legal(model: pm.Model, updates: str | list[str], law: str) -> bool:
    try:
        lower_model(model, updates, law)
    except IllegalUpdateError:
        return False
    return True


def _n_sites(domain: Domain) -> int:
    if domain.values is None:
        return 4
    return int(np.clip(log(MAX_STATES) / log(len(domain.values)) + 1e-9, 2, 6))


def _clamped(domain: Domain, n: int, free: int) -> np.ma.MaskedArray | None:
    """Observed values: the sites from number ``free`` on have the values of a hot start."""
    if free == n:
        return None
    hot = domain.hot(np.random.default_rng(0), n)
    return np.ma.masked_array(hot, np.isin(np.indices(hot.shape)[0], range(free)))


def _features(x: Any, domain: Domain) -> Any:
    """Functions of a site whose products make energies, shape (sites, functions)."""
    if domain.transform == "circular":
        return pt.stack([pt.cos(x), pt.sin(x)], axis=-1)
    if domain.components > 1:
        return x
    return x[:, None] / (1.0 if domain.values is None else np.abs(domain.values).max())


def _observables(x: Any, domain: Domain, n: int) -> None:
    """A sum of products, and sums that have several elements: backends are compared in them."""
    f, waves = _features(x, domain), np.cos(np.outer(np.arange(2), np.arange(n)))
    Observable("products", (f[0] * f).mean())
    Observable("waves", pt.dot(waves, f) ** 2)


def _pairs(x: Any, domain: Domain, n: int, rng: np.random.Generator) -> None:
    i, j = np.arange(n), (np.arange(n) + 1) % n
    J, h = rng.uniform(-0.5, 0.5, (2, n))
    if domain.transform == "circular":
        Energy("exchange", J * pt.cos(x[i] - x[j] - 0.4))
        Energy("field", h * pt.cos(x - 1.0))
    else:
        f = _features(x, domain)
        Energy("exchange", J[:, None] * f[i] * f[j])
        Energy("field", h[:, None] * f)


def _local(x: Any, domain: Domain, n: int, rng: np.random.Generator) -> None:
    i, j = np.array([*[0] * (n - 1), *range(1, n - 1)]), np.array([*range(1, n), *range(2, n)])
    J = rng.uniform(-0.6, 0.6, len(i))
    if domain.values is not None:
        a, b = rng.choice(domain.values, (2, len(i)))
        Energy("one hot", J * pt.eq(x[i], a) * pt.eq(x[j], b))
        for value in domain.values:
            Energy(f"level {value:g}", rng.uniform(-0.5, 0.5) * pt.eq(x, value))
    else:
        f = _features(x, domain)
        Energy("saturated", J * pt.tanh((f[i] * f[j]).sum(axis=-1)))
        Energy("quartic", 0.5 * f**4 - 0.3 * f)


def _sum(x: Any, domain: Domain, n: int, rng: np.random.Generator) -> None:
    f = _features(x, domain)
    Energy("mean field", -0.4 / n * f.sum(axis=0) ** 2)
    Energy("field", rng.uniform(-0.5, 0.5, (n, 1)) * f)


def _mixed(x: Any, domain: Domain, n: int, rng: np.random.Generator) -> None:
    s = variables.Spin("s", n)
    _pairs(x, domain, n, rng)
    Energy("coupling", rng.uniform(-0.6, 0.6, n) * s * _features(x, domain)[:, 0])
    Energy("spins", -0.3 * s[0] * s[1])


def _signs(x: Any, domain: Domain, n: int, rng: np.random.Generator) -> None:
    f = _features(x, domain)
    i, j = np.arange(n), (np.arange(n) + 1) % n
    sign = rng.choice([-1.0, 1.0], (2, n))
    Energy("exchange", 0.5 * sign[0][:, None] * f[i] * f[j])
    Energy("three sites", 0.5 * sign[1][:, None] * f[i] * f[j] * f[(j + 1) % n])
    Energy("field", 0.25 * f)


KINDS: dict[str, Callable[[Any, Domain, int, np.random.Generator], None]] = {
    "pairs": _pairs,
    "local": _local,
    "sum": _sum,
    "mixed": _mixed,
    "signs": _signs,
}
