import os
import subprocess
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from statmech_dsl.ir.expr import (
    Expr,
    at_values,
    call,
    const,
    difference,
    digest,
    evaluate,
    law,
    read,
    reads_of,
    renumber,
    slot,
    slots_of,
    substitute,
)
from statmech_dsl.ir.ops import COMMUTATIVE
from tests.ir.expressions import (
    LARGEST,
    N_SLOTS,
    largest,
    real_values,
    smooth,
    values,
    whole,
)


def folded(e):
    """An expression with every node in normal form, from the leaves to the root."""
    return substitute(e, lambda x: None)


@given(whole, values)
def test_folding_keeps_the_value(e, x):
    assume(largest(e, x) < LARGEST)
    assert evaluate(folded(e), x, {}) == evaluate(e, x, {})


@given(smooth, real_values)
def test_folding_keeps_the_value_to_rounding(e, x):
    size = largest(e, x)
    assume(size < 1e4)
    assert evaluate(folded(e), x, {}) == pytest.approx(evaluate(e, x, {}), abs=1e-9 * (1 + size))


@given(whole | smooth)
def test_folding_twice_is_folding_once(e):
    assert folded(folded(e)) == folded(e)


@given(whole, whole, st.sampled_from(sorted(COMMUTATIVE)))
def test_the_order_of_commuting_arguments_does_not_matter(a, b, op):
    a, b = folded(a), folded(b)
    assert call(op, a, b) == call(op, b, a)


@given(whole, values, values, st.sets(st.integers(0, N_SLOTS - 1)))
def test_a_difference_is_the_difference(e, x, y, moved):
    new, ref = {k: const(y[k]) for k in moved}, {k: const(x[k]) for k in moved}
    after = [y[k] if k in moved else x[k] for k in range(N_SLOTS)]
    assume(max(largest(e, x), largest(e, after)) < LARGEST)
    change = difference(folded(e), new, ref)
    assert slots_of(change).isdisjoint(moved)
    assert evaluate(change, x, {}) == evaluate(e, after, {}) - evaluate(e, x, {})


@given(whole, whole, values)
def test_substitution_is_evaluation_with_other_values(e, inner, x):
    y = [evaluate(inner, x, {}), *x[1:]]
    assume(max(largest(inner, x), largest(e, y)) < LARGEST)
    replaced = at_values(folded(e), {0: folded(inner)})
    assert evaluate(replaced, x, {}) == evaluate(e, y, {})


@given(whole, values, st.permutations(range(N_SLOTS)))
def test_renumbering_moves_the_slots(e, x, order):
    assume(largest(e, x) < LARGEST)
    moved = [0.0] * N_SLOTS
    for k, n in enumerate(order):
        moved[n] = x[k]
    e = folded(e)
    assert evaluate(renumber(e, dict(enumerate(order))), moved, {}) == evaluate(e, x, {})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (-(slot(0) * slot(1)), slot(1) * -slot(0)),
        (2.0 * slot(0) * 3.0, 6.0 * slot(0)),
        (slot(0) - slot(1), -(slot(1) - slot(0))),
        (call("cos", slot(0) - slot(1)), call("cos", slot(1) - slot(0))),
        (call("sqr", slot(0) - slot(1)), call("sqr", slot(1) - slot(0))),
        (slot(0) * slot(0), call("sqr", slot(0))),
        (slot(0) + slot(0), 2.0 * slot(0)),
        (call("where", const(1), slot(0), slot(1)), slot(0)),
        (slot(0) / 1.0 + 0.0, slot(0)),
    ],
)
def test_equal_terms_compare_equal(one, other):
    assert one == other


def test_a_flip_of_a_spin_costs_one_product():
    energy = -(slot(0) * slot(1) * slot(2))
    assert difference(energy, {0: const(1)}, {0: const(-1)}) == -2.0 * (slot(1) * slot(2))


def test_laws_and_tables_are_left_alone():
    e = law(read("e.1")) - law(read("e.0"))
    assert folded(e) == e
    assert reads_of(e) == {"e.0", "e.1"}
    table = Expr("table", (read("energy") + 1.0,), "law")
    assert evaluate(table, (), {"energy": 2.0, "law": lambda x: 10 * x}) == 30


def test_the_digest_is_the_same_in_every_process():
    code = (
        "from statmech_dsl.ir.expr import digest, slot, read, call\n"
        "print(digest(call('cos', slot(0) - slot(1)) * read('beta')))"
    )
    env = {k: v for k, v in os.environ.items() if k != "PYTHONHASHSEED"}
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**env, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert outputs == {digest(call("cos", slot(0) - slot(1)) * read("beta"))}
