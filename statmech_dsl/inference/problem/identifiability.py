"""What data do not tell about parameters: flat directions, symmetries, all values alike."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import xarray as xr

from statmech_dsl.errors import IdentifiabilityWarning, UnboundedLikelihoodError
from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.inference.problem.space import Space
from statmech_dsl.ir.domains.base import Domain
from statmech_dsl.ir.domains.field import Field
from statmech_dsl.solvers.evaluate import energies
from statmech_dsl.solvers.system import Values

FLAT = 1e-6
"""Information about a direction below this, relative to that about single parameters, is none."""
MIN_STATES, SEED = 256, 1
"""Random states that statistics are compared in, at least."""
FEW_STATES = 64
"""Random states that a symmetry has to hold in."""
MAX_SITES = 64
"""Hidden sites of a variable up to which a gauge symmetry is looked for."""
MAX_PARAMETERS = 256
"""Elements of parameters up to which directions are looked at."""


def refuse_unbounded(posed: Posed) -> None:
    """Raise for constant data under flat priors: the posterior cannot be normalized.

    Raises
    ------
    UnboundedLikelihoodError
        A variable and a prior are named.
    """
    flat = [
        str(v.name)
        for v in posed.of_couplings
        if type(v.owner.op).__name__.startswith(("Flat", "HalfFlat"))
    ]
    alike = _constant(posed)
    if flat and alike:
        raise UnboundedLikelihoodError(
            f"all values of {', '.join(alike)} are the same, and the prior of {', '.join(flat)} is flat: "
            "the posterior cannot be normalized",
            mend="give parameters proper priors, or look for a mistake in the data",
        )


def unidentified(posed: Posed, tree: xr.DataTree) -> list[IdentifiabilityWarning]:
    """What the data leave open, as seen from the mean of the posterior."""
    found = [
        f"all values of {name} are the same: only priors keep couplings from infinity"
        for name in _constant(posed)
    ]
    space = Space(posed)
    if space.size <= MAX_PARAMETERS:
        means = {name: tree.posterior[name].mean(("chain", "draw")).values for name in space.names}
        x = space.vector(means, space.start)
        found += _flat_directions(posed, space, x)
        found += _sign_symmetries(space, means)
        found += _gauge_symmetries(posed, space, x)
    return [IdentifiabilityWarning(text) for text in found]


def _constant(posed: Posed) -> list[str]:
    return [repr(name) for name, x in posed.data.items() if x.constant]


def _flat_directions(posed: Posed, space: Space, x: np.ndarray) -> list[str]:
    """Combinations of parameters that move no coupling, or only ones whose statistics no state tells apart."""
    S = posed.statistics_of(_random_states(posed, max(MIN_STATES, 2 * space.size)))
    S = S @ space.jacobian(x)
    information = np.cov(S.T).reshape(space.size, space.size)
    scale = np.sqrt(np.diag(information))
    names = _elements(space)
    dead = scale <= FLAT * scale.max(initial=0.0)
    found = (
        [f"the energy does not depend on {', '.join(np.array(names)[dead])}"] if dead.any() else []
    )
    alive = np.flatnonzero(~dead)
    if len(alive) < 2:
        return found
    normed = information[np.ix_(alive, alive)] / np.outer(scale[alive], scale[alive])
    values, vectors = np.linalg.eigh(normed)
    for v in vectors.T[values < FLAT]:
        part = [names[alive[k]] for k in np.flatnonzero(abs(v) > 0.1 * abs(v).max())]
        found.append(
            f"the data tell only a combination of {', '.join(part)}: along one direction the "
            "likelihood is flat, and the posterior is the prior"
        )
    return found


def _random_states(posed: Posed, n: int) -> Values:
    """States that have nothing to do with the couplings."""
    r, rng, states = posed.recovered, np.random.default_rng(SEED), posed.states()
    values = {}
    for v in r.ir.variables:
        x = v.domain.hot(rng, n * v.n_sites).reshape(n, v.n_sites, -1).astype(float)
        free = r.tables[v.free]
        base = np.tile(states[v.name][:, 0].reshape(v.n_sites, -1), (n, 1, 1))
        base[:, free] = x[:, free]
        values[v.name] = base.reshape(n, -1).T
    return values


def _sign_symmetries(space: Space, means: dict[str, Any]) -> list[str]:
    """Parameters whose signs can be turned over, alone or two together, without a change of any coupling."""
    at = _joined(space.tables(space.vector(means, space.start)))
    free = [n for n, rv in zip(space.names, space.rvs, strict=True) if not _bounded(space, rv)]
    found: list[tuple[str, ...]] = []
    for size in (1, 2):
        for some in combinations(free, size):
            if any(set(f) <= set(some) for f in found):
                continue
            turned = means | {name: -means[name] for name in some}
            c = _joined(space.tables(space.vector(turned, space.start)))
            if np.allclose(c, at, rtol=1e-10, atol=1e-12 * abs(at).max(initial=1.0)):
                found.append(some)
    return [
        f"the likelihood does not change when {' and '.join(some)} change sign: the posterior may have two "
        "modes that chains do not cross between"
        for some in found
    ]


def _gauge_symmetries(posed: Posed, space: Space, x: np.ndarray) -> list[str]:
    """Hidden sites that can be turned over together with the couplings that multiply them."""
    r, names, found = posed.recovered, np.array(_elements(space)), []
    values = _random_states(posed, FEW_STATES)
    S, slope = posed.statistics_of(values), abs(space.jacobian(x))
    own = {
        n: space.of(n)
        for n, v in zip(space.names, space.rvs, strict=True)
        if not _bounded(space, v)
    }
    for v in r.ir.variables:
        if v.name in posed.data or v.name not in posed.hidden or not _even(v.domain):
            continue
        for site in r.tables[v.free][:MAX_SITES]:
            turned = values | {v.name: values[v.name].copy()}
            turned[v.name][site] *= -1
            odd = (posed.statistics_of(turned) == -S).all(axis=0) & S.any(axis=0)
            moved = np.flatnonzero(slope.T @ odd)
            if not len(moved) or not all(
                any(s.start <= k < s.stop for s in own.values()) for k in moved
            ):
                continue
            other = x.copy()
            other[moved] *= -1
            energy = [
                np.add(*energies(r.ir, r.tables | space.tables(at), states))
                for at, states in ((x, values), (other, turned))
            ]
            if np.allclose(*energy, rtol=1e-10, atol=1e-10):
                found.append(
                    f"the likelihood does not change when site {site} of {v.name!r}, which was not seen, and "
                    f"{', '.join(names[moved])} change sign: a gauge symmetry; the posterior has modes that "
                    "chains may not cross between"
                )
                break  # other sites are mostly alike
    return found


def _bounded(space: Space, rv: Any) -> bool:
    return space.model.rvs_to_transforms[rv] is not None


def _even(domain: Domain) -> bool:
    """Whether minus a value is a value too."""
    if domain.components > 1:
        return False
    values = domain.values
    return isinstance(domain, Field) if values is None else {-v for v in values} == set(values)


def _joined(tables: dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate(list(tables.values()))


def _elements(space: Space) -> list[str]:
    out = []
    for name in space.names:
        size = space.of(name).stop - space.of(name).start
        out += [name] if size == 1 else [f"{name}[{k}]" for k in range(size)]
    return out
