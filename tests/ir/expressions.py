"""Strategies for expressions, as written: not folded."""

from hypothesis import strategies as st

from statmech_dsl.ir.expr import Expr, const, evaluate, slot, walk

N_SLOTS = 4
UNARY = ("neg", "sqr", "abs", "sign")
BINARY = ("add", "sub", "mul", "min", "max", "eq", "ne", "lt", "le")
SMOOTH_UNARY = ("neg", "sqr", "cos", "sin", "exp", "exp2")
SMOOTH_BINARY = ("add", "sub", "mul")
LARGEST = 2.0**40
"""Whole numbers up to this are added and multiplied without rounding."""

values = st.lists(st.integers(-3, 3).map(float), min_size=N_SLOTS, max_size=N_SLOTS)
real_values = st.lists(st.floats(-2, 2, allow_subnormal=False), min_size=N_SLOTS, max_size=N_SLOTS)


def apply(op, *args):
    return Expr(op, args)


def expressions(unary, binary, more=None):
    leaves = st.integers(0, N_SLOTS - 1).map(slot) | st.integers(-3, 3).map(const)

    def extend(inner):
        return st.one_of(
            st.builds(apply, st.sampled_from(unary), inner),
            st.builds(apply, st.sampled_from(binary), inner, inner),
            *([] if more is None else [more(inner)]),
        )

    return st.recursive(leaves, extend, max_leaves=10)


def over_one_plus_square(a, b):
    return apply("div", a, apply("add", const(1), apply("sqr", b)))


whole = expressions(UNARY, BINARY, lambda x: st.builds(apply, st.just("where"), x, x, x))
"""Expressions that are exact at whole numbers."""
smooth = expressions(
    SMOOTH_UNARY,
    SMOOTH_BINARY,
    lambda x: st.builds(over_one_plus_square, x, x),
)
"""Expressions that change little when their arguments do."""


def largest(e, slots):
    """Largest number that occurs on the way to the value of an expression."""
    return max(abs(evaluate(x, slots, {})) for x in walk(e))
