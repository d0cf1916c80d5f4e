"""Bit-sliced kernels where the registry-driven comparisons do not reach: ties, teams, folds, memory."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl import rng
from statmech_dsl.backends import BACKENDS
from statmech_dsl.backends.numba_cpu.bit_sliced import BitKernels
from statmech_dsl.backends.numba_cpu.bit_sliced.boolean import count, mask
from statmech_dsl.ir.bits import class_energies, kind_of, threshold
from statmech_dsl.testing.setup import begin, build


def sampler(model, n, backend="numba", threads=1):
    found = build(model, n, backend=backend, lowered_for=n, threads=threads)
    assert found.program.bits is not None
    return found


def follow(model, beta, lowered_for, sweeps, threads=1, seed=3):
    """Numba and the reference side by side; the state they agree on."""
    reference = build(model, lowered_for=lowered_for)
    kernels = BACKENDS["numba"].build(reference.program, reference.tables, len(beta), threads)
    assert isinstance(kernels, BitKernels)
    state = begin(reference, beta, seed=seed)
    a, b = reference.kernels.pack(state), kernels.pack(state)
    for _ in range(sweeps):
        reference.kernels.sweep(a, 1)
        kernels.sweep(b, 1)
        for x, y in zip(reference.kernels.measure(a), kernels.measure(b), strict=True):
            assert np.array_equal(x, y)
    x, y = reference.kernels.unpack(a).values, kernels.unpack(b).values
    assert all(np.array_equal(x[name], y[name]) for name in x)
    return reference, state


def diluted(L):
    """Every second bond of a square lattice, at random: sites have 0 to 4."""
    rng = np.random.default_rng(1)
    i, j = (np.asarray(x) for x in sm.lattices.square(L).bonds)
    kept = rng.random(len(i)) < 0.5
    J = rng.choice([-1.0, 1.0], kept.sum())
    with sm.Model() as model:
        s = sm.Spin("s", L * L)
        sm.Energy("exchange", J * s[i[kept]] * s[j[kept]])
        sm.Observable("m", s.mean())
    return model


def several_sizes(n):
    """Ring and random bonds of three sizes and both signs."""
    rng = np.random.default_rng(3)
    i = np.concatenate([np.arange(n), rng.permutation(n)])
    j = np.concatenate([np.roll(np.arange(n), 1), rng.permutation(n)])
    J = rng.choice([-1.0, 1.0, 2.0, 3.0], 2 * n)[i != j]
    i, j = i[i != j], j[i != j]
    with sm.Model() as model:
        s = sm.Spin("s", n)
        sm.Energy("exchange", J * s[i] * s[j])
        sm.Observable("weighted", (J * s[i]).sum())
    return model


def many_neighbors(n=120, signs=(-1.0, 1.0)):
    """A random graph: sites have about 26 neighbors, and most local energies masks in rows."""
    rng = np.random.default_rng(4)
    i, j = np.triu_indices(n, 1)
    kept = rng.random(len(i)) < 26 / n
    J = rng.choice(signs, kept.sum())
    with sm.Model() as model:
        s = sm.Spin("s", n)
        sm.Energy("exchange", J * s[i[kept]] * s[j[kept]])
    return model


def open_with_free_spins(L):
    """Sites with 2, 3 and 4 neighbors, and some with none."""
    lattice = sm.lattices.square(L, periodic=False)
    i, j = lattice.bonds
    with sm.Model() as model:
        s = sm.Spin("s", lattice)
        sm.Spin("free", 20)
        sm.Energy("exchange", -1.0 * s[i] * s[j])
    return model


def striped(L):
    """Every second row has horizontal bonds."""
    i, j = (np.asarray(x) for x in sm.lattices.square(L).bonds)
    keep = (i // L != j // L) | (i // L % 2 == 0)
    with sm.Model() as model:
        s = sm.Spin("s", L * L)
        sm.Energy("exchange", -1.0 * s[i[keep]] * s[j[keep]])
    return model


def anisotropic(L):
    """Vertical bonds are twice as strong."""
    i, j = (np.asarray(x) for x in sm.lattices.square(L).bonds)
    with sm.Model() as model:
        s = sm.Spin("s", L * L)
        sm.Energy("exchange", np.where(i // L == j // L, -1.0, -2.0) * s[i] * s[j])
    return model


@pytest.mark.parametrize(
    "model",
    [diluted(12), open_with_free_spins(5), several_sizes(150), many_neighbors()],
    ids=["diluted", "open", "several sizes", "many neighbors"],
)
def test_runs_of_uneven_degrees(model):
    """Kinds that several degrees share, and kinds of their own; runs that begin within a block."""
    beta = np.linspace(0.2, 1.0, 9)
    reference, _ = follow(model, beta, len(beta), 2, threads=2)
    assert len(reference.program.bits.passes[0].kinds) > 1


def test_folds_of_many_shapes():
    """Colors that begin within a block, rotations by less than a word, signs that differ in a word."""
    for model in (
        striped(32),
        sm.models.ising(L=48),
        sm.models.ising(L=40, h=0.5),
        sm.models.edwards_anderson(L=32, d=2),
        anisotropic(L=32),
    ):
        reference, _ = follow(model, [0.4], 1, 2, threads=2)
        assert reference.program.bits.fold is not None


def test_sums_over_the_same_sites_in_different_orders():
    """Terms are listed in no order; one observable reads the second site of each bond only."""
    rng = np.random.default_rng(1)
    n = 40
    i = rng.permutation(n)
    j = np.roll(i, 1)
    with sm.Model() as model:
        s = sm.Spin("s", n)
        sm.Energy("exchange", -1.0 * s[i] * s[j])
        sm.Observable("second", s[j[: n // 2]].sum())
        sm.Observable("first", (s[i[::3]] * s[j[::3]]).sum())
        sm.Observable("weighted", (rng.normal(size=n) * s).sum())
    reference, _ = follow(model, [0.3, 0.5, 0.9], 2, 2)
    families = {f.name for f in reference.program.measured.families}
    counted = families & {x.family for x in reference.program.bits.sums}
    assert 0 < len(counted) < len(families)


def ties(reference, beta, replica, sweep):
    """Sites whose random planes equal those of a threshold of theirs."""
    p, form = reference.program.passes[0], reference.program.bits.passes[0]
    fold = reference.program.bits.fold
    n = 0
    for rank in range(len(reference.tables[p.order])):
        if fold is None:
            u = rng.replica_bits(rank, replica, sweep, 0, 3)
        else:
            u = rng.site_bits(*divmod(rank, fold), replica, sweep, 0, 3)
        energies = class_energies(kind_of(form, rank, reference.tables), reference.tables)
        n += (u >> rng.TAIL) in {threshold(beta, e) >> rng.TAIL for e in energies}
    return n


def test_lanes_that_the_planes_leave_open():
    for model, lowered_for, beta in (
        (sm.models.ising(L=32, h=0.1), 2, [0.3, 0.6]),
        (sm.models.ising(L=32, h=0.1), 1, [0.3]),
    ):
        reference, _ = follow(model, beta, lowered_for, 3)
        found = [ties(reference, b, r, t) for (r, b), t in product(enumerate(beta), range(3))]
        assert sum(found) >= 2


@pytest.mark.parametrize(
    ("declare", "L", "n"),
    [
        (sm.models.ising, 512, 1),
        (sm.models.ising, 96, 1),
        (sm.models.ising, 72, 20),
        (sm.models.ising, 90, 20),
        (diluted, 90, 20),
    ],
)
def test_threads_of_a_team_give_the_same_bits(declare, L, n):
    """Sites and replicas in words; colors and runs that begin in the middle of a tile, which threads share."""
    ends = []
    for threads in (1, 2, 3):
        s = sampler(declare(L=L), n, threads=threads)
        state = s.start(5, np.arange(n), np.zeros(n, int), np.full(n, 0.44), "hot")
        packed = s.kernels.pack(state)
        measured = s.kernels.record(packed, 2, 2)
        ends.append((s.kernels.unpack(packed).values["s"], *measured))
    for other in ends[1:]:
        assert all(np.array_equal(x, y) for x, y in zip(ends[0], other, strict=True))


def test_replicas_of_one_group_in_different_company():
    model = sm.models.ising(L=4)
    beta = np.linspace(0.2, 0.8, 300)
    full = sampler(model, 300)
    first = begin(full, beta, seed=1)
    packed = full.kernels.pack(first)
    full.kernels.sweep(packed, 5)
    end = full.kernels.unpack(packed).values["s"]
    for rows in ([299], [3, 17, 18, 250], list(range(5, 75))):
        some = sampler(model, 2)
        state = begin(some, beta[rows], seed=1)
        state.replicas = first.replicas[rows]
        state.values = {"s": first.values["s"][rows]}
        kernels = BACKENDS["numba"].build(some.program, some.tables, len(rows), 2)
        packed = kernels.pack(state)
        kernels.sweep(packed, 5)
        assert np.array_equal(kernels.unpack(packed).values["s"], end[rows])


@pytest.mark.parametrize(("L", "n"), [(16, 256), (128, 1)])
def test_a_spin_is_a_bit(L, n):
    s = sampler(sm.models.ising(L=L), n)
    zeros = np.zeros(n, int)
    packed = s.kernels.pack(s.start(1, np.arange(n), zeros, np.full(n, 0.4), "hot"))
    bytes_of_states = sum(x.nbytes for x in packed.words.values())
    assert bytes_of_states * 8 <= (1.05 if n > 1 else 2.1) * n * L * L  # with halos


def test_masks_and_counts_spell_numbers():
    generator = np.random.default_rng(1)
    for _ in range(200):
        n = int(generator.integers(1, 5))
        possible = set(generator.permutation(2**n)[: generator.integers(1, 2**n + 1)].tolist())
        wanted = {k for k in possible if generator.random() < 0.5}
        text = mask([f"b{k}" for k in range(n)], wanted, possible)
        for k in possible:
            digits = {f"b{q}": -(k >> q & 1) for q in range(n)}
            assert eval(text, {"ONES": -1, "ZERO": 0} | digits) == -(k in wanted)
    for positions in ([0] * 7, [0, 0, 1, 1, 2], [1] * 4 + [0]):
        lines, digits = count([(q, f"a{k}") for k, q in enumerate(positions)])
        for x in product((0, 1), repeat=len(positions)):
            scope = {f"a{k}": bit for k, bit in enumerate(x)} | {"ZERO": 0}
            exec("\n".join(lines), scope)
            total = sum(bit << q for bit, q in zip(x, positions, strict=True))
            assert sum(scope[d] << q for q, d in enumerate(digits)) == total


@pytest.mark.parametrize("n", [1, 40, 300])
def test_other_temperatures_are_those_of_a_fresh_start(n):
    """Thresholds are kept from call to call: known temperatures, new ones, and back."""
    s = sampler(sm.models.ising(L=64 if n == 1 else 16), n)
    rng_ = np.random.default_rng(1)
    ladder = np.linspace(0.1, 1.0, 7)
    state = begin(s, rng_.choice(ladder, n), seed=1)
    packed = s.kernels.pack(state)
    for known in (ladder, ladder, ladder + 0.01, ladder):
        beta = rng_.choice(known, n)
        s.kernels.set_beta(packed, beta)
        state.beta = beta
        fresh = s.kernels.pack(state)
        assert np.array_equal(packed.state.beta, beta)
        for a, b in zip(packed.levels + packed.tails, fresh.levels + fresh.tails, strict=True):
            assert np.array_equal(a, b)
