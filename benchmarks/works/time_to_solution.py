"""Time to solution of annealing: seconds until an energy is found with 99 % confidence.

Both tools anneal 100 reads or more for each number of sweeps of one grid, and the best number counts for each,
with the better of two schedules: constant speed or linear here, geometric or linear there. Each family of
instances has a grid of its own, with the best numbers of both tools inside. The ranges of beta are what each
tool finds out by itself. Compiling, reading the problem and packing states do not count; the pilot does here.
Targets: the largest cut known for 800 sites, the planted energy of planted problems; for 2000 sites a fixed
part of the largest cut known, as neither tool finds more than that in the time of the grid. The intervals are
those of the numbers of successes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import statmech_dsl as sm
from benchmarks import peers
from benchmarks.rows import Comparison, Figure, Row
from benchmarks.timing import Spread
from statmech_dsl.engine.compile import compile_model
from statmech_dsl.estimators import TimeToSolution, time_to_solution
from statmech_dsl.runs.annealing import betas_of, search, start

GSET = Path(__file__).parents[1] / "data" / "gset"
TORUS, LARGE_TORUS = (1000, 3000, 10_000, 30_000), (1000, 3000, 6000, 15_000)
RANDOM = (300, 1000, 3000, 6000)
"""Numbers of sweeps for families of instances."""
HERE, THERE = 512, 100
"""Reads of this library, which works on them side by side, and of the other."""


@dataclass(frozen=True, eq=False)
class Instance:
    """A maximum cut, the energy (minus the cut) to reach, and the numbers of sweeps to try."""

    name: str
    graph: sm.lattices.Lattice
    weights: np.ndarray
    target: float
    grid: tuple[int, ...]


def gset(number: int, cut: int, grid: tuple[int, ...], part: float = 1.0) -> Instance:
    """An instance of the G-set and the part of the largest known cut that is to be reached."""
    graph, weights = sm.read_gset(GSET / f"G{number}.txt.gz")
    of = "" if part == 1 else f", {part:.1%} of the largest cut known"
    return Instance(f"G{number}{of}", graph, weights, -np.ceil(part * cut), grid)


def planted(L: int, seed: int) -> Instance:
    """A planted tiling of a torus (Perera et al. 2020), class C_2, as a cut.

    Every second plaquette is a tile: one antiferromagnetic bond of size 1, another bond of size 1 and two of
    size 2, all turned by a random gauge. The planted state satisfies all but one bond of size 1 of each tile.
    """
    rng = np.random.default_rng(seed)
    lattice = sm.lattices.square(L)
    number = {(int(a), int(b)): k for k, (a, b) in enumerate(zip(*lattice.bonds, strict=True))}
    J = np.empty(lattice.n_links)
    for x, y in np.argwhere(np.add.outer(np.arange(L), np.arange(L)) % 2 == 0):
        right, up = (x + 1) % L, (y + 1) % L
        corners = [x * L + y, right * L + y, right * L + up, x * L + up]
        pairs = [(corners[k], corners[(k + 1) % 4]) for k in range(4)]
        bonds = [number.get(p, number.get(p[::-1])) for p in pairs]
        J[bonds] = rng.permutation([-1.0, 1.0, 2.0, 2.0])
    energy = -abs(J).sum() + 2 * L * L / 2
    i, j = lattice.bonds
    t = rng.choice([-1.0, 1.0], L * L)
    w = -J * t[i] * t[j]
    # E = -sum J s s' = sum w s s' = -2 cut + sum w, so that the cut is (sum w - E) / 2.
    return Instance(f"planted tiles, L={L}", lattice, w, float(energy - w.sum()) / 2, TORUS)


SPARSE = {11: 564, 12: 556, 13: 582}
LARGE_SPARSE = {32: 1410, 33: 1382, 34: 1384}
DENSE = {1: 11624, 2: 11620, 3: 11622, 4: 11646, 5: 11631}
LARGE_DENSE = {22: 13359, 23: 13344, 24: 13337, 25: 13340, 26: 13328}


def instances() -> Iterator[Instance]:
    """Sparse ones first."""
    yield from (gset(*item, TORUS) for item in SPARSE.items())
    yield from (gset(*item, LARGE_TORUS, part=0.99) for item in LARGE_SPARSE.items())
    yield planted(16, seed=1)
    yield from (gset(*item, RANDOM) for item in DENSE.items())
    yield from (gset(*item, RANDOM, part=0.999) for item in LARGE_DENSE.items())


def searches(instance: Instance) -> Iterator[Callable[[int], TimeToSolution]]:
    """Times to solution here as functions of the sweeps, for each schedule."""
    model = sm.models.max_cut(instance.graph, instance.weights)
    sampler = compile_model(model, HERE, threads=1)

    for schedule in ("constant_speed", "linear"):

        def run(sweeps: int, schedule: str = schedule) -> TimeToSolution:
            start(sampler, sweeps, np.arange(HERE), 1.0, "hot")  # compiles
            began = time.thread_time()
            betas, _ = betas_of(sampler, schedule, None, HERE, sweeps, seed=sweeps)
            piloted = time.thread_time() - began
            packed = start(sampler, sweeps, np.arange(HERE), betas[0], "hot")
            began = time.thread_time()
            found = search(sampler, packed, betas, sweeps)
            seconds = piloted + time.thread_time() - began
            reached = int((found.energy <= instance.target + 1e-6).sum())
            return time_to_solution(reached, HERE, seconds / HERE)

        yield run


def tuned(
    runs: Iterable[Callable[[int], TimeToSolution]], grid: Sequence[int]
) -> tuple[TimeToSolution, int]:
    """The shortest time of all searches on the grid, and its sweeps."""
    found = [(run(n), n) for run in runs for n in grid]
    return min(found, key=lambda pair: pair[0].value)


def measure() -> Iterator[Row]:
    """Both times and their ratio for every instance."""
    if peers.version("dwave-samplers") is None:
        yield Comparison("time to solution", "dwave-samplers", "not installed")
        return
    peer = peers.load("dwave-samplers")
    for instance in instances():
        a, sweeps = tuned(searches(instance), instance.grid)
        b, others = tuned(peer.searches(instance, THERE), instance.grid)
        yield figure(f"{instance.name}, this library, {sweeps} sweeps", a)
        yield figure(f"{instance.name}, dwave-samplers, {others} sweeps", b)
        low, high = b.low / a.high, b.high / a.low
        yield Figure(f"{instance.name}: ratio", "", Spread(b.value / a.value, low, high))


def figure(what: str, found: TimeToSolution) -> Figure:
    """A time with its interval."""
    return Figure(what, "s", Spread(found.value, found.low, found.high))
