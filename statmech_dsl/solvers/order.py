"""In which order elimination multiplies factors, and what that costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations, count
from math import prod

import networkx as nx
from networkx.utils import reverse_cuthill_mckee_ordering
from opt_einsum.paths import greedy, linear_to_ssa

from statmech_dsl.errors import InfeasibleError
from statmech_dsl.solvers.series import ORDERS
from statmech_dsl.solvers.system import SMALLER, power_of_two

MAX_BYTES = 2 * 2**30
"""Most memory that a product may take."""
HOPELESS = 2**64
"""Bytes at which an order is not followed to its end."""
MAX_FACTORS = 2**14
"""Most factors for which an order is searched: a few seconds."""

Sites = tuple[int, ...]
Path = Iterable[Sequence[int]]
"""Numbers of the tensors to multiply; a product gets the next number."""


@dataclass(frozen=True)
class Step:
    """Multiply tensors ``pair``, the larger first, and sum over sites that no other tensor has.

    Sites of both are ``common`` if other tensors have them, too, and ``summed`` otherwise. ``left``
    and ``right`` are sites of one of the two; those that no other tensor has are ``lonely``: they
    are summed beforehand.
    """

    pair: tuple[int, int]
    common: Sites
    left: Sites
    right: Sites
    summed: Sites
    lonely: Sites

    @property
    def product(self) -> Sites:
        """Sites of the product."""
        return self.common + self.left + self.right


@dataclass(frozen=True)
class Plan:
    """Steps that leave one tensor without sites, and their cost.

    ``entries``: of the largest product; ``bytes``: memory of the costliest step;
    ``multiplications``: of all steps together, for one coefficient of the series.
    """

    steps: tuple[Step, ...]
    entries: int
    bytes: int
    multiplications: int


def plan(factors: Sequence[Sites], n_levels: Sequence[int]) -> Plan:
    """Find a cheap order.

    The greedy order of opt_einsum suits irregular graphs. Lattices are cheaper by a sweep over the
    sites, in the order in which they are numbered or in that of Cuthill and McKee, which keeps
    neighbors close.

    Parameters
    ----------
    factors : sequence of tuple of int
        Sites of each factor; every site has one.
    n_levels : sequence of int
        Number of levels of each site.

    Returns
    -------
    Plan
        The fastest of these three that fits into memory.

    Raises
    ------
    InfeasibleError
        A product would take more than `MAX_BYTES`.

    Examples
    --------
    >>> plan([(0,), (1,), (2,), (0, 1), (1, 2)], [3, 3, 3]).entries
    3
    """
    if len(factors) > MAX_FACTORS:
        raise InfeasibleError(
            f"elimination takes at most {MAX_FACTORS} factors, there are {len(factors)}",
            mend=SMALLER,
        )
    graph = nx.Graph(pair for sites in factors for pair in combinations(sites, 2))
    # Where every site has k neighbors, no order does without a tensor of k sites.
    least = 2 ** max(nx.core_number(graph).values(), default=0)
    _require_memory(least, 8 * ORDERS * least)
    sizes = dict(enumerate(n_levels))
    sets = [frozenset(sites) for sites in factors]
    paths = [
        linear_to_ssa(greedy(sets, frozenset(), sizes)),  # type: ignore[arg-type]
        sweep(factors, range(len(n_levels))),
        sweep(factors, reverse_cuthill_mckee_ordering(graph)),
    ]
    plans = [_follow(path, factors, sizes) for path in paths]
    best = min(plans, key=lambda p: (max(p.bytes, MAX_BYTES), p.multiplications))
    _require_memory(best.entries, best.bytes)
    return best


def _require_memory(entries: int, n_bytes: int) -> None:
    """Raise InfeasibleError if the product with so many entries is too large."""
    if n_bytes > MAX_BYTES:
        needed, allowed = (f"{Decimal(n) / 2**30:.2g} GiB" for n in (n_bytes, MAX_BYTES))
        raise InfeasibleError(
            f"elimination needs a tensor of {power_of_two(entries)} entries or more, which takes "
            f"{needed} of memory, and {allowed} are allowed",
            mend=SMALLER,
        )


def sweep(factors: Sequence[Sites], order: Iterable[int]) -> Path:
    """Path that sums over the sites in a given order: for each multiply all that has it.

    Examples
    --------
    >>> list(sweep([(0, 1), (1, 2), (2, 3)], [0, 1, 2, 3]))
    [(0, 1), (3, 2)]
    """
    numbers = count(len(factors))
    tensors = dict(enumerate(factors))
    holders: dict[int, set[int]] = {}
    for k, sites in tensors.items():
        for s in sites:
            holders.setdefault(s, set()).add(k)

    def multiply(pair: Sequence[int]) -> tuple[int, ...]:
        union = {s for k in pair for s in tensors.pop(k)}
        product = next(numbers)
        for s in union:
            holders[s].difference_update(pair)
        tensors[product] = tuple(s for s in union if holders[s])
        for s in tensors[product]:
            holders[s].add(product)
        return tuple(pair)

    for s in order:
        while len(holders[s]) > 1:
            yield multiply(sorted(holders[s], key=lambda k: (len(tensors[k]), k))[:2])
    while len(tensors) > 1:
        yield multiply(sorted(tensors)[:2])


def _follow(path: Path, factors: Sequence[Sites], sizes: dict[int, int]) -> Plan:
    """Sites and costs of the steps of a path, which is left where it is hopeless."""

    def entries(sites: Sites) -> int:
        return prod(sizes[s] for s in sites)

    tensors = list(factors)
    uses = Counter(s for sites in tensors for s in sites)
    steps, largest, memory, multiplications = [], 1, 0, 0
    for numbers in path:
        if memory > HOPELESS:
            break
        if len(numbers) < 2:
            continue  # opt_einsum's path for a single factor
        first, second = sorted(numbers, key=lambda k: -entries(tensors[k]))
        a, b = tensors[first], tensors[second]
        uses.subtract(a + b)
        both = set(a) & set(b)
        step = Step(
            pair=(first, second),
            common=tuple(s for s in a if s in both and uses[s]),
            left=tuple(s for s in a if s not in both and uses[s]),
            right=tuple(s for s in b if s not in both and uses[s]),
            summed=tuple(s for s in a if s in both and not uses[s]),
            lonely=tuple(s for s in a + b if s not in both and not uses[s]),
        )
        steps.append(step)
        tensors.append(step.product)
        uses.update(step.product)
        n = entries(step.product)
        largest = max(largest, n)
        # Both tensors are copied in another order, b as matrices, and the product is scaled.
        memory = max(memory, 8 * ORDERS * (2 * entries(a) + (2 + 2 * ORDERS) * entries(b) + 2 * n))
        multiplications += n * entries(step.summed)
    return Plan(tuple(steps), largest, memory, multiplications)
