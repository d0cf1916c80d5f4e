"""The bit-sliced form: what has one, its counts against energy differences, its thresholds."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.backends.reference import Reference
from statmech_dsl.engine.compile import lower_model
from statmech_dsl.ir.bits import DIGITS, class_energies, kind_of, threshold
from statmech_dsl.lower.bits.fold import find_fold
from statmech_dsl.lower.bits.two_valued import Unsliced
from statmech_dsl.lower.recovery import recover


def integer_fields(L=6):
    lattice = sm.lattices.square(L)
    i, j = lattice.bonds
    with sm.Model() as model:
        s = sm.Spin("s", lattice)
        sm.Energy("exchange", -0.7 * s[i] * s[j])
        sm.Energy("field", 0.7 * np.random.default_rng(1).integers(-1, 2, L * L) * s)
    return model


def three_body(n=24):
    rng = np.random.default_rng(2)
    i, j, k = (np.concatenate([rng.permutation(n) for _ in range(2)]) for _ in range(3))
    keep = (i != j) & (j != k) & (i != k)
    with sm.Model() as model:
        s = sm.Spin("s", n)
        sm.Energy(
            "triples", rng.choice([-1.0, 1.0], keep.sum()) * s[i[keep]] * s[j[keep]] * s[k[keep]]
        )
    return model


def products_of_occupations(n=20):
    i = np.arange(n)
    with sm.Model() as model:
        x = sm.Occupation("x", n)
        sm.Energy("neighbors", 0.3 * x[i] * x[(i + 1) % n])
        sm.Energy("triples", -0.9 * x[i] * x[(i + 1) % n] * x[(i + 2) % n])
    return model


def two_variables(n=12):
    i = np.arange(n)
    with sm.Model() as model:
        s, t = sm.Spin("s", n), sm.Spin("t", n)
        sm.Energy("coupling", -1.0 * s * t[(i + 1) % n])
        sm.Energy("exchange", -0.5 * s[i] * s[(i + 1) % n])
    return model


def random_triples(n=40, n_groups=60):
    """Sites in 0 to 12 terms."""
    rng = np.random.default_rng(4)
    groups = np.array([rng.choice(n - 2, 3, replace=False) for _ in range(n_groups)])
    with sm.Model() as model:
        s = sm.Spin("s", n)
        sm.Energy("triples", rng.choice([-0.3, 0.3], n_groups) * s[groups].prod(axis=1))
    return model


def diluted(L=6, h=0.0):
    """Half of the couplings are zero; a site is clamped."""
    rng = np.random.default_rng(5)
    lattice = sm.lattices.square(L)
    i, j = lattice.bonds
    J = rng.choice([-0.5, 0.0, 0.0, 0.5], len(np.asarray(i)))
    with sm.Model() as model:
        s = sm.Spin("s", lattice, observed=np.ma.masked_array(np.ones(L * L), np.arange(L * L) > 0))
        sm.Energy("exchange", J * s[i] * s[j])
        if h:
            sm.Energy("field", h * rng.integers(-1, 2, L * L) * s)
    return model


def random_occupations(n=30):
    """Repulsion and attraction on a random graph, whose list has bonds of a site with itself."""
    i, j = np.random.default_rng(6).integers(0, n, (2, 2 * n))
    J = np.random.default_rng(7).choice([-1.0, 1.0], 2 * n)
    with sm.Model() as model:
        x = sm.Occupation("x", n)
        sm.Energy("pairs", J * x[i] * x[j])
    return model


def several_sizes(n=36):
    """Couplings of three sizes and both signs, half of them on triples, and a field."""
    rng = np.random.default_rng(8)
    i, j, k = rng.permuted(np.tile(np.arange(n), (3, 1)), axis=1)
    keep = (i != j) & (j != k) & (k != i)
    i, j, k = i[keep], j[keep], k[keep]
    J, K = rng.choice([-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5], (2, len(i)))
    with sm.Model() as model:
        s = sm.Spin("s", n)
        sm.Energy("pairs", J * s[i] * s[j])
        sm.Energy("triples", K * s[i] * s[j] * s[k])
        sm.Energy("field", -0.5 * s)
        sm.Observable("weighted", (J * s[i] * s[k]).sum())
    return model


def stars(*degrees):
    """A site with each number of neighbors."""
    first = np.cumsum([0, *degrees])
    hub = first[-1] + np.repeat(np.arange(len(degrees)), degrees)
    with sm.Model() as model:
        s = sm.Spin("s", first[-1] + len(degrees))
        sm.Energy("rays", -1.0 * s[np.arange(first[-1])] * s[hub])
    return model


def striped(L=32):
    """Every second row has horizontal bonds."""
    i, j = (np.asarray(x) for x in sm.lattices.square(L).bonds)
    keep = (i // L != j // L) | (i // L % 2 == 0)
    with sm.Model() as model:
        s = sm.Spin("s", L * L)
        sm.Energy("exchange", -1.0 * s[i[keep]] * s[j[keep]])
    return model


SLICED = {
    "square": lambda: sm.models.ising(L=6),
    "double bonds": lambda: sm.models.ising(L=2),
    "field": lambda: sm.models.ising(L=4, h=0.3),
    "+-J": lambda: sm.models.edwards_anderson(L=3),
    "+-J, open": lambda: sm.models.edwards_anderson(L=3, periodic=False),
    "plaquettes": lambda: sm.models.z2_gauge(L=3),
    "lattice gas": lambda: sm.models.lattice_gas(L=4),
    "integer fields": integer_fields,
    "three bodies": three_body,
    "occupations": products_of_occupations,
    "two variables": two_variables,
    "random triples": random_triples,
    "diluted": diluted,
    "diluted, integer fields": lambda: diluted(h=0.5),
    "diluted, field": lambda: diluted(h=0.2),
    "random occupations": random_occupations,
    "several sizes": several_sizes,
    "stars": lambda: stars(24, 23, 13, 6, 4, 3, 2),
}
FOLDED = {
    64: lambda: sm.models.ising(L=128),
    50: lambda: sm.models.ising(L=100),
    24: lambda: sm.models.ising(L=48, h=0.5),
    16: lambda: sm.models.edwards_anderson(L=32, d=2),
}


def bits_of(x, domain):
    return (x == domain.values[1]).astype(int)


def count_of(form, kind, rank, columns, flip, tables):
    """Count of a rank, by the words of the definition."""
    total = 0 if form.offset is None else int(tables[form.offset][rank])
    assert total < 2**kind.digits
    for t, (term, x, sign) in enumerate(zip(form.terms, columns, flip, strict=True)):
        bit = np.zeros_like(x[0][:, rank])
        for m in term.monomials:
            bit ^= np.prod([x[q][:, rank] for q in m], axis=0)
        bit ^= sign if isinstance(sign, int) else sign[:, rank]
        total += kind.weights[t] * bit[: kind.degrees[t]].sum()
    return int(total)


def energy_steps(lowered, values):
    """Energy of the upper value minus that of the lower one, for every rank of every pass."""
    program, tables = lowered.program, lowered.tables
    reference = Reference(program, tables)
    for p in program.passes:
        low, high = program.model.variable(p.variable).domain.values
        steps = []
        for site in tables[p.order]:
            pair = []
            for v in (low, high):
                x = {k: y.copy() for k, y in values.items()}
                x[p.variable][site] = v
                pair.append(reference.energies(x)[0])
            steps.append(pair[1] - pair[0])
        yield np.array(steps)


@pytest.mark.parametrize("name", SLICED)
def test_counts_give_the_energy_differences(name):
    lowered = lower_model(SLICED[name](), n_replicas=64).lowered
    bits, tables, ir = lowered.program.bits, lowered.tables, lowered.program.model
    assert bits is not None, lowered.unsliced
    rng = np.random.default_rng(3)
    values = {v.name: rng.choice(v.domain.values, v.n_sites) for v in ir.variables}
    rows = {v.name: np.append(bits_of(values[v.name], v.domain), 0) for v in ir.variables}
    for steps, form in zip(energy_steps(lowered, values), bits.passes, strict=True):
        columns = [[rows[c.variable][tables[c.index]] for c in t.columns] for t in form.terms]
        flips = [
            tables[t.flip].astype(int) if isinstance(t.flip, str) else int(t.flip)
            for t in form.terms
        ]
        for rank, step in enumerate(steps):
            kind = kind_of(form, rank, tables)
            level = kind.counts.index(count_of(form, kind, rank, columns, flips, tables))
            assert step == pytest.approx(tables[kind.energies][level], abs=1e-9)
            sizes = [0.0, *class_energies(kind, tables)]
            assert sizes[kind.classes[level]] == pytest.approx(abs(step), abs=1e-9)
            assert kind.rises[level] == (step > 1e-9)


@pytest.mark.parametrize("name", SLICED)
def test_counted_energies(name):
    model = SLICED[name]()
    plain, sliced = lower_model(model).lowered, lower_model(model, n_replicas=64).lowered
    ir = plain.program.model
    rng = np.random.default_rng(4)
    for _ in range(3):
        x = {v.name: rng.choice(v.domain.values, v.n_sites) for v in ir.variables}
        expected = Reference(plain.program, plain.tables).energies(x)[0]
        found = Reference(sliced.program, sliced.tables).energies(x)[0]
        assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("size", FOLDED)
def test_folded_words_have_the_neighbors_of_their_sites(size):
    lowered = lower_model(FOLDED[size](), n_replicas=1).lowered
    bits, tables, (p,) = lowered.program.bits, lowered.tables, lowered.program.passes
    assert bits is not None
    assert bits.fold == size
    words = len(tables[p.order]) // size
    order = tables[p.order].reshape(words, size)
    assert np.all(order % words == order[:, :1] % words)
    role = p.body[0].gathers[0].role
    neighbors = tables[role.columns[0].index].reshape(-1, words, size)
    (column,) = bits.passes[0].terms[0].columns
    index, turn = tables[column.index].astype(int), tables[column.turn].astype(int)
    lane = np.arange(size)
    found = (lane + turn[..., None]) % size * words + index[..., None]
    assert np.array_equal(np.sort(found, axis=0), np.sort(neighbors, axis=0))


def test_several_replicas_are_folded_if_the_system_is_large():
    assert lower_model(sm.models.ising(L=256), n_replicas=4).lowered.program.bits.fold == 64
    assert lower_model(sm.models.ising(L=128), n_replicas=4).lowered.program.bits.fold is None


@pytest.mark.parametrize(
    ("model", "n", "reason"),
    [
        (sm.models.xy(L=4), 64, "more than two values"),
        (sm.models.blume_capel(L=4), 64, "more than two values"),
        (sm.models.edwards_anderson(L=4, couplings="gaussian"), 64, "couplings of many values"),
        (sm.models.curie_weiss(N=32), 64, "sum over sites"),
        (sm.models.sherrington_kirkpatrick(N=24), 64, "couplings of many values"),
        (sm.models.ising(L=5), 1, "one system alone fills no word"),
        (sm.models.ising(L=8), None, "couplings may change"),
    ],
)
def test_what_has_no_bit_sliced_form_says_why(model, n, reason):
    lowered = lower_model(model, n_replicas=n).lowered
    assert lowered.program.bits is None
    assert reason in lowered.unsliced


def test_metropolis_is_not_bit_sliced():
    lowered = lower_model(sm.models.ising(L=4), "metropolis", n_replicas=64).lowered
    assert "not a heat bath" in lowered.unsliced


def test_colors_of_single_sites_fill_no_blocks():
    i, j = np.triu_indices(40, 1)
    with sm.Model() as model:
        s = sm.Spin("s", 40)
        sm.Energy("exchange", -0.1 * s[i] * s[j])
    assert "few sites of s have one color" in lower_model(model, n_replicas=64).lowered.unsliced


@pytest.mark.parametrize(
    ("model", "degrees"),
    [
        (lambda: sm.models.edwards_anderson(L=4, periodic=False), [(3,), (4,), (5,), (6,)]),
        (lambda: striped(L=6), [(2,), (4,)]),
        (random_triples, [(12,), (7,)]),
        (lambda: diluted(L=12), [(4,), (3,)]),
        (lambda: sm.models.z2_gauge(L=3), [(4,)]),
    ],
)
def test_sites_of_a_color_are_sorted_by_kind(model, degrees):
    """Few numbers of terms are kinds of their own; of many, those with equal parity share one."""
    lowered = lower_model(model(), n_replicas=64).lowered
    (p,), (form,) = lowered.program.passes, lowered.program.bits.passes
    first, kind = lowered.tables[form.runs].T
    segments = lowered.tables[p.segments]
    assert set(segments) <= set(first)
    for a, b in pairwise(segments):
        here = kind[(first >= a) & (first < b)]
        assert len(set(here)) == len(here) <= len(form.kinds)
    assert sorted(k.degrees for k in form.kinds) == sorted(degrees)


def test_as_many_terms_as_fit():
    for most, reason in (
        (100, ""),
        (126, "with up to 126 terms have more than 72 sizes"),
        (128, "a site with 128 terms has too many sizes"),
    ):
        lowered = lower_model(stars(most, 25, 3, 2, 4, 5), n_replicas=64).lowered
        assert (lowered.program.bits is None) == bool(reason)
        assert reason in lowered.unsliced


def test_what_is_not_bit_sliced_keeps_its_order():
    """Its trajectories are those of backends that slice nothing."""
    model = stars(140, 3, 2, 1)
    plain, many = lower_model(model).lowered, lower_model(model, n_replicas=64).lowered
    (p,) = many.program.passes
    assert many.program.bits is None
    assert np.array_equal(plain.tables[p.order], many.tables[p.order])


@pytest.mark.parametrize("scale", [1e-11, 1.0, 1e11])
def test_energies_have_no_scale(scale):
    """Fields of half a coupling make a unit; fields of 0.3 couplings do, as 3/10; others do not."""
    for ratio, sliced in ((0.5, True), (0.3, True), (0.31415, False)):
        i = np.arange(12)
        with sm.Model() as model:
            s = sm.Spin("s", 12)
            sm.Energy("exchange", -scale * s[i] * s[(i + 1) % 12])
            sm.Energy("field", scale * ratio * np.where(i % 3 == 0, 1.0, -1.0) * s)
        lowered = lower_model(model, n_replicas=64).lowered
        assert (lowered.program.bits is not None) == sliced, lowered.unsliced


def test_sizes_that_fill_no_words_of_sites_fill_words_of_replicas():
    lattice = sm.lattices.square(192)
    i, j = lattice.bonds
    with sm.Model() as model:
        s = sm.Spin("s", lattice)
        sm.Energy("exchange", np.random.default_rng(1).choice([1.0, 2.0], i.size) * s[i] * s[j])
    lowered = lower_model(model, n_replicas=4).lowered
    assert lowered.program.bits is not None
    assert lowered.program.bits.fold is None


def test_a_shift_that_is_no_symmetry_is_no_fold():
    """One coupling is missing."""
    lattice = sm.lattices.square(32)
    i, j = (np.delete(x.data, 100) for x in lattice.bonds)
    with sm.Model() as model:
        s = sm.Spin("s", lattice)
        sm.Energy("exchange", -1.0 * s[i] * s[j])
    lowered = lower_model(model, n_replicas=1).lowered
    assert lowered.program.bits is None
    recovered = recover(model)
    with pytest.raises(Unsliced):
        find_fold(recovered.ir, recovered.tables, 33, {})


def test_thresholds_are_rounded_probabilities():
    for beta in (0.0, 1e-9, 0.1, 0.44, 2.0, 30.0):
        for energy in (0.0, 0.5, -4.0, 8.0, 200.0):
            p = 1 / (1 + np.exp(np.longdouble(beta) * abs(energy)))
            error = Fraction(threshold(beta, energy), 2**DIGITS) - Fraction(float(p))
            assert abs(error) <= Fraction(1, 2 ** (DIGITS + 1)) + Fraction(1, 2**52)
    assert threshold(1.0, 0.0) == 2 ** (DIGITS - 1)
