"""The kinds of a pass: sites with equally many terms have local energies of the same few sizes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from statmech_dsl.ir.bits import BitKind
from statmech_dsl.lower.bits.degrees import size
from statmech_dsl.lower.bits.two_valued import Unsliced
from statmech_dsl.rng import GROUP_LANES

MAX_COUNT = 127
"""Largest count of a local energy: seven bits."""
MAX_LEVELS = 72
"""Sizes of local energies, of all kinds together, at most: they take 5 s to compile.

Kernels of so many are still three times as fast as those of the field tier.
"""
FEW_LEVELS, MAX_WASTE = 12, 4
"""Where there are more levels, blocks may hold so many times the sites that they decide."""
MAX_KINDS, MAX_TERMS = 4, 24
"""As long as they are not more, all numbers of terms make kinds of their own; each takes time to compile."""


def find_kinds(
    prefix: str,
    variable: str,
    steps: list[float],
    degrees: np.ndarray,
    base: np.ndarray,
    tables: dict[str, np.ndarray],
) -> tuple[tuple[BitKind, ...], np.ndarray, np.ndarray]:
    """Kinds, the kind of each rank and its offset.

    ``steps[t]`` is what a bit of term t adds to the energy, ``degrees[t]`` how many a rank has; ``base`` is the
    energy of a rank without any.
    """
    sizes = np.array([size(step, steps) for step in steps], np.int64)
    number = _numbers(steps, sizes @ degrees, base)
    offset, kinds = np.zeros(len(base), np.uint8), []
    for k in range(int(number.max()) + 1):
        here = slice(None) if not number.any() else number == k
        name = f"{prefix}.energies{k}"
        kind, offset[here] = _kind(name, steps, degrees[:, here], base[here], tables)
        kinds.append(kind)
    if sum(kind.n_classes for kind in kinds) > MAX_LEVELS:
        terms = f"up to {degrees.sum(axis=0).max()} terms" if len(degrees) else "fields"
        raise Unsliced(
            f"the local energies of sites of {variable} with {terms} have more than {MAX_LEVELS} sizes"
        )
    return tuple(kinds), number, offset


def _numbers(steps: list[float], total: np.ndarray, base: np.ndarray) -> np.ndarray:
    """The kind of each rank, from its number of terms, each counted by its size.

    If there are many, those whose energies differ by multiples of one unit become one kind.
    """
    totals, number = np.unique(total, return_inverse=True)
    if len(totals) <= MAX_KINDS and totals[-1] <= MAX_TERMS:
        return number
    unit = common_unit(steps)
    rest = np.round(base / unit, 6) % 1.0
    rests = [tuple(np.unique(rest[number == k])) for k in range(len(totals))]
    known = list(dict.fromkeys(rests))
    return np.array([known.index(x) for x in rests])[number]


def find_runs(number: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """First rank and kind of each run of ranks of one color and kind, and a last row for the end."""
    first = np.union1d(segments[:-1], np.flatnonzero(np.diff(number)) + 1).astype(np.int64)
    return np.append(np.stack([first, number[first]], axis=1), [[len(number), 0]], axis=0)


def check_blocks(runs: np.ndarray, kinds: Sequence[BitKind], variable: str) -> None:
    """Refuse a pass of many levels whose runs are so short that blocks of ranks hold little else than others.

    Raises
    ------
    Unsliced
        They are.
    """
    edges = runs[:, 0]
    blocks = -(-edges[1:] // GROUP_LANES) - edges[:-1] // GROUP_LANES
    wasted = blocks.sum() * GROUP_LANES > MAX_WASTE * edges[-1]
    if wasted and max(kind.n_classes for kind in kinds) > FEW_LEVELS:
        raise Unsliced(f"few sites of {variable} have one color: each is a neighbor of many others")


def _kind(
    name: str,
    steps: list[float],
    degrees: np.ndarray,
    base: np.ndarray,
    tables: dict[str, np.ndarray],
) -> tuple[BitKind, np.ndarray]:
    """The kind of some ranks, and their offsets."""
    most = degrees.max(axis=1, initial=0)
    unit = common_unit([step for step, n in zip(steps, most, strict=True) if n], base)
    weights = [round(step / unit) if n else 0 for step, n in zip(steps, most, strict=True)]
    low = base.min(initial=np.inf)
    offset = np.rint((base - low) / unit).astype(np.int64)
    counts = _counts(offset, degrees, weights)
    energies = low + unit * np.array(counts)
    energies[np.abs(energies) < 1e-9 * unit] = 0.0
    classes = _classes(energies, unit)
    tables[name] = energies
    kind = BitKind(
        tuple(map(int, most)),
        tuple(weights),
        int(offset.max()).bit_length(),
        counts,
        name,
        classes,
        tuple(bool(e > 0) for e in energies),
    )
    return kind, offset


def common_unit(steps: Sequence[float], base: np.ndarray | None = None) -> float:
    """The largest unit of which all steps and all differences of ``base`` are multiples."""
    above = np.zeros(0) if base is None else base - base.min(initial=np.inf)
    scale = max([*steps, float(above.max(initial=0.0))])
    if scale == 0.0:
        return 1.0
    relative = np.unique(np.round(above / scale, 12))
    if len(relative) > MAX_COUNT:
        raise Unsliced("the fields have many values")
    differences = relative[relative > 1e-9] * scale
    smallest = min([*steps, *differences])
    for k in (1, 2, 3, 4):
        ratios = np.array([*steps, *differences]) * k / smallest
        if np.all(np.abs(ratios - np.rint(ratios)) < 1e-6):
            return smallest / k
    raise Unsliced("energy differences are no multiples of one unit")


def _counts(offset: np.ndarray, degrees: np.ndarray, weights: list[int]) -> tuple[int, ...]:
    """All counts that occur, from the offset and the number of terms of each kind at each rank."""
    found: set[int] = set()
    key = offset
    for n in degrees:
        key = key * (n.max(initial=0) + 1) + n
    _, examples = np.unique(key, return_index=True)
    for low, *numbers in np.stack([offset, *degrees], axis=1)[examples].tolist():
        if low + sum(w * n for w, n in zip(weights, numbers, strict=True)) > MAX_COUNT:
            raise Unsliced(f"the energy of a site with {sum(numbers)} terms has too many sizes")
        sums = {low}
        for w, n in zip(weights, numbers, strict=True):
            sums = {x + w * k for x in sums for k in range(n + 1)}
        found |= sums
    return tuple(sorted(found))


def _classes(energies: np.ndarray, unit: float) -> tuple[int, ...]:
    """Number of each energy's size among the sizes; 0 is for energy 0."""
    sizes = [0.0]
    out = []
    for e in np.abs(energies):
        known = [k for k, size in enumerate(sizes) if abs(size - e) < 1e-6 * unit]
        if not known:
            known = [len(sizes)]
            sizes.append(float(e))
        out.append(known[0])
    return tuple(out)
