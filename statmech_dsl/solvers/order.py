"""In which order elimination multiplies factors, and what that costs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from opt_einsum.path_random import RandomGreedy
from opt_einsum.paths import greedy

from statmech_dsl.errors import InfeasibleError
from statmech_dsl.solvers.series import ORDERS

MAX_BYTES = 2 * 2**30
"""Most memory that a product may take."""
SEARCH_ABOVE = 2**25
"""Multiplications of the greedy order above which random orders are tried: a second of computing."""
SEARCH_BELOW = 2**10 * MAX_BYTES
"""Bytes of the greedy order above which random orders would not fit either."""
TRIALS = 64
"""Number of random orders: a few seconds."""

Sites = tuple[int, ...]


@dataclass(frozen=True)
class Step:
    """Take two tensors out of a list and append their product, summed where that is possible.

    ``pair`` are their places, the larger tensor's first. Sites of both are ``common`` if other tensors have
    them too, else ``summed``; ``left`` and ``right`` are sites of one of the two. ``lonely`` are sites of one of
    the two that no other tensor has; they are summed beforehand.
    """

    pair: tuple[int, int]
    common: Sites
    left: Sites
    right: Sites
    summed: Sites
    lonely: Sites


@dataclass(frozen=True)
class Plan:
    """Steps that leave one tensor without sites.

    ``largest`` is the number of entries of the largest product, ``bytes`` the memory of the costliest step,
    ``multiplications`` their number for a series of one coefficient.
    """

    steps: tuple[Step, ...]
    largest: int
    bytes: int
    multiplications: int


def plan(factors: Sequence[Sites], n_levels: Sequence[int]) -> Plan:
    """Find a cheap order.

    Parameters
    ----------
    factors : sequence of tuple of int
        Sites of each factor.
    n_levels : sequence of int
        Number of levels of each site.

    Returns
    -------
    Plan
        The greedy order, or the best of `TRIALS` random ones where that may pay.

    Raises
    ------
    InfeasibleError
        A product would take more than `MAX_BYTES`.
    """
    sizes = dict(enumerate(n_levels))
    inputs = [frozenset(sites) for sites in factors]
    best = _follow(greedy(inputs, frozenset(), sizes), factors, sizes)  # type: ignore[arg-type]
    if best.multiplications > SEARCH_ABOVE and best.bytes < SEARCH_BELOW:
        state = random.getstate()  # RandomGreedy seeds the global generator
        search = RandomGreedy(max_repeats=TRIALS, minimize="flops")
        path = search(inputs, frozenset(), sizes)  # type: ignore[arg-type]
        random.setstate(state)
        best = min(best, _follow(path, factors, sizes), key=lambda p: (p.bytes, p.multiplications))
    if best.bytes > MAX_BYTES:
        raise InfeasibleError(
            f"elimination needs a tensor of {best.largest:.2g} entries, and {best.bytes / 2**30:.2g} GiB "
            f"of memory, where {MAX_BYTES / 2**30:.2g} GiB are allowed"
        )
    return best


def _follow(path: Sequence[Sequence[int]], factors: Sequence[Sites], sizes: dict[int, int]) -> Plan:
    """Sites and costs of the steps of a path."""

    def entries(sites: Sites) -> int:
        return prod(sizes[s] for s in sites)

    tensors = list(factors)
    uses = Counter(s for sites in tensors for s in sites)
    steps, largest, memory, multiplications = [], 1, 0, 0
    for places in path:
        if len(places) < 2:
            continue  # a single factor, which has no sites
        pair = sorted(places, key=lambda k: -entries(tensors[k]))
        a, b = (tensors[k] for k in pair)
        for k in sorted(places, reverse=True):
            uses.subtract(tensors.pop(k))
        both = set(a) & set(b)
        step = Step(
            pair=(pair[0], pair[1]),
            common=tuple(s for s in a if s in both and uses[s]),
            left=tuple(s for s in a if s not in both and uses[s]),
            right=tuple(s for s in b if s not in both and uses[s]),
            summed=tuple(s for s in a if s in both and not uses[s]),
            lonely=tuple(s for s in (*a, *b) if s not in both and not uses[s]),
        )
        out = step.common + step.left + step.right
        tensors.append(out)
        uses.update(out)
        steps.append(step)
        largest = max(largest, entries(out))
        # Both tensors are copied in another order, b as matrices too, and the product is scaled.
        numbers = 2 * entries(a) + (2 + 2 * ORDERS) * entries(b) + 2 * entries(out)
        memory = max(memory, 8 * ORDERS * numbers)
        multiplications += entries(out + step.summed)
    return Plan(tuple(steps), largest, memory, multiplications)
