"""Elementwise operations and reductions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from itertools import product as combinations
from typing import Any

import numpy as np
import pytensor.scalar.basic as ps
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.tensor.elemwise import CAReduce, Elemwise

from statmech_dsl.errors import EnergyError, NonLocalEnergyError
from statmech_dsl.ir.expr import Expr, call, const, evaluate
from statmech_dsl.lower.recovery import scalar_ops
from statmech_dsl.lower.recovery.algebra import (
    add,
    broadcast,
    combine,
    common_shape,
    elementwise,
    product,
    take,
)
from statmech_dsl.lower.recovery.rules.choices import of_choice
from statmech_dsl.lower.recovery.rules.products import multiply, with_running_sums
from statmech_dsl.lower.recovery.sums import MAX_ARITY
from statmech_dsl.lower.recovery.terms import Leaf, Term, Value, indicator, size_of
from statmech_dsl.lower.recovery.walker import Walker, rule


@rule.register
def _elemwise(op: Elemwise, node: Apply, k: int, walk: Walker) -> Value:
    scalar = op.scalar_op
    if isinstance(scalar, ps.Composite):
        return walk(_composite(scalar, node, k))
    return _SPECIAL.get(type(scalar), _nonlinear)(scalar, node, walk)


def _nonlinear(scalar: Any, node: Apply, walk: Walker) -> Value:
    arguments = [walk.collapse(walk(x)) for x in node.inputs]
    if len(arguments) == 1 and (chosen := of_choice(scalar, arguments[0], walk)):
        return chosen
    dtypes = [x.type.dtype for x in node.inputs]
    v = elementwise(lambda *e: scalar_ops.translate(scalar, e, dtypes), arguments)
    return _decided(v, walk) if node.outputs[0].type.dtype == "bool" else v


def _add(scalar: Any, node: Apply, walk: Walker) -> Value:
    if node.outputs[0].type.dtype == "bool":  # PyTensor's sum of truth values is a truth value
        return _nonlinear(ps.or_, node, walk)
    return add(*(walk(x) for x in node.inputs))


def _sub(scalar: Any, node: Apply, walk: Walker) -> Value:
    x, y = (walk(x) for x in node.inputs)
    return add(x, y.map(lambda e: -e))


def _neg(scalar: Any, node: Apply, walk: Walker) -> Value:
    return walk(node.inputs[0]).map(lambda e: -e)


def _same(scalar: Any, node: Apply, walk: Walker) -> Value:
    return walk(node.inputs[0])


def _cast(scalar: ps.Cast, node: Apply, walk: Walker) -> Value:
    """Values are real numbers: a cast changes only what it rounds off."""
    before, after = node.inputs[0].type.dtype, scalar.o_type.dtype
    if after == "bool" and before != "bool":
        v = walk.collapse(walk(node.inputs[0]))
        return v.map(lambda e: call("ne", e, const(0)))
    if "int" in after and "float" in before:
        return walk.collapse(walk(node.inputs[0])).map(scalar_ops.truncate)
    return walk(node.inputs[0])


def _second(scalar: Any, node: Apply, walk: Walker) -> Value:
    shape = common_shape(*(walk.shape_of(x) for x in node.inputs))
    return broadcast(walk(node.inputs[1]), shape)


def _mul(scalar: Any, node: Apply, walk: Walker) -> Value:
    return reduce(lambda a, b: multiply(a, b, walk), [walk(x) for x in node.inputs])


def _and(scalar: Any, node: Apply, walk: Walker) -> Value:
    if {x.type.dtype for x in node.inputs} != {"bool"}:
        return _nonlinear(scalar, node, walk)
    return reduce(product, [walk.collapse(walk(x)) for x in node.inputs])


def _true_div(scalar: Any, node: Apply, walk: Walker) -> Value:
    numerator, denominator = walk(node.inputs[0]), walk.collapse(walk(node.inputs[1]))
    if any(t.expr == const(0) for t in denominator.terms):
        raise EnergyError("a division by zero")
    numerator, denominator = with_running_sums(numerator, denominator, walk)
    return combine(lambda x, y: call("div", x, y), numerator, denominator)


def _sqr(scalar: Any, node: Apply, walk: Walker) -> Value:
    return walk.collapse(walk(node.inputs[0])).map(lambda e: call("sqr", e))


def _pow(scalar: Any, node: Apply, walk: Walker) -> Value:
    base, exponent = node.inputs
    whole = "int" in exponent.type.dtype
    if not walk.depends(exponent) and walk.known.is_fixed(exponent):
        n = np.asarray(walk.known.structure(exponent), dtype=np.float64)
        if n.size and (n == n.flat[0]).all():
            shape = common_shape(walk.shape_of(base), n.shape)
            x = walk(base) if n.flat[0] == 1 else walk.collapse(walk(base))
            return broadcast(x.map(lambda e: scalar_ops.power(e, n.flat[0])), shape)
        whole = bool((n == np.round(n)).all())
    arguments = [walk.collapse(walk(x)) for x in node.inputs]
    return elementwise(lambda x, y: scalar_ops.general_power(x, y, whole), arguments)


def _switch(scalar: Any, node: Apply, walk: Walker) -> Value:
    """A choice that does not depend on the states selects instances; it costs nothing."""
    condition = walk.collapse(walk(node.inputs[0]))
    if any(t.expr.op != "const" for t in condition.terms):
        return _nonlinear(scalar, node, walk)
    mask = np.zeros(condition.size, bool)
    for t in condition.terms:
        mask[slice(None) if t.out is None else t.out] = bool(t.expr.attr)
    mask = mask.reshape(condition.shape)
    shape = common_shape(*(walk.shape_of(x) for x in node.inputs))
    chosen = [(m, x) for m, x in zip((mask, ~mask), node.inputs[1:], strict=True) if m.any()]
    return broadcast(add(*(product(indicator(m), walk(x)) for m, x in chosen)), shape)


_SPECIAL: dict[type, Callable[[Any, Apply, Walker], Value]] = {
    ps.Add: _add,
    ps.Sub: _sub,
    ps.Neg: _neg,
    ps.Identity: _same,
    ps.Real: _same,
    ps.Conj: _same,
    ps.Cast: _cast,
    ps.Second: _second,
    ps.Mul: _mul,
    ps.AND: _and,
    ps.TrueDiv: _true_div,
    ps.Sqr: _sqr,
    ps.Pow: _pow,
    ps.Switch: _switch,
}
"""Operations that are linear, or that need more than an expression."""


def _composite(scalar: ps.Composite, node: Apply, k: int) -> Variable:
    """A fused operation, as the operations that it was made of."""
    inner = scalar.fgraph
    tensors: dict[Any, Any] = dict(zip(inner.inputs, node.inputs, strict=True))
    for x in inner.toposort():
        inputs = [i.data if isinstance(i, Constant) else tensors[i] for i in x.inputs]
        outputs: Any = Elemwise(x.op)(*inputs, return_list=True)
        tensors |= dict(zip(x.outputs, outputs, strict=True))
    return tensors[inner.outputs[k]]


def _decided(v: Value, walk: Walker) -> Value:
    """Replace comparisons that come out the same for all values of the variables."""
    terms = (_decide(t, walk) for t in v.terms)
    return replace(v, terms=tuple(t for t in terms if t.expr != const(0.0)))


def _decide(t: Term, walk: Walker) -> Term:
    results = attained(t, walk)
    return Term(const(results.pop()), (), t.out, t.n) if results and len(results) == 1 else t


def attained(t: Term, walk: Walker) -> set[float] | None:
    """All values of a term that reads a few discrete variables and constants only, else None."""
    values = [_values_of(x, walk) for x in t.leaves]
    if None in values or np.prod([len(x or ()) for x in values]) > 4096:
        return None
    return {evaluate(t.expr, x, {}) for x in combinations(*values)}  # type: ignore[arg-type]


def _values_of(x: Leaf, walk: Walker) -> tuple[float, ...] | None:
    if x.kind == "state":
        return walk.domains[x.array].values
    if x.index is None and walk.coefficients.is_constant(x):
        return tuple(walk.coefficients.tables[x.array].values)
    return None


@rule.register
def _reduce(op: CAReduce, node: Apply, k: int, walk: Walker) -> Value:
    v = walk(node.inputs[0])
    axes = None if op.axis is None else tuple(op.axis)
    if isinstance(op.scalar_op, ps.Add):
        return walk.sum(v, axes)
    return _fold(op.scalar_op, walk.collapse(v), axes, node.inputs[0].type.dtype)


def _fold(scalar: Any, v: Value, axes: tuple[int, ...] | None, dtype: str) -> Value:
    """A product, maximum, ... over a few elements, as one factor."""
    gone = sorted(range(len(v.shape)) if axes is None else {a % len(v.shape) for a in axes})
    kept = [k for k in range(len(v.shape)) if k not in gone]
    positions = np.arange(v.size).reshape(v.shape).transpose(*kept, *gone)
    n = size_of(v.shape[k] for k in gone)
    positions = positions.reshape([v.shape[k] for k in kept] + [n])
    if not 1 <= n <= MAX_ARITY:
        raise NonLocalEnergyError(
            f"a {str(scalar).lower()} over {n} elements of the states",
            mend=f"take it over at most {MAX_ARITY}, or introduce auxiliary variables for parts",
        )
    parts = [take(v, positions[..., q]) for q in range(n)]
    if isinstance(scalar, ps.Mul | ps.AND):
        return reduce(product, parts)

    def build(*e: Expr) -> Expr:
        return reduce(lambda x, y: scalar_ops.translate(scalar, (x, y), (dtype, dtype)), e)

    return elementwise(build, parts)
