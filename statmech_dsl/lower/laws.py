"""Laws: what the log weight of an energy is. The only place where passes meet beta or a table.

``law(e)`` in a pass means the log weight of the whole configuration whose local energy is e, so that
only differences of laws matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

from statmech_dsl.ir.domains.base import Value
from statmech_dsl.ir.draws import Let, old
from statmech_dsl.ir.expr import Expr, call, const, read, reads_of, substitute
from statmech_dsl.ir.kernel import Assign, LocalEnergy, Move
from statmech_dsl.lower.local_energy import FIXED

Body = tuple


def boltzmann(body: Body, has_fixed: bool, components: int) -> Body:
    """``law(e) = -beta e``, minus the energy that T does not divide."""

    def weight(e: Expr) -> Expr:
        return -(read("beta") * e) - _fixed(e) if has_fixed else -(read("beta") * e)

    return tuple(map_exprs(s, lambda e: _replace_law(e, weight)) for s in body)


def tabulated(body: Body, has_fixed: bool, components: int) -> Body:
    """``law(e) = table[E + e - e_old]``, E being the running energy of the replica.

    Every `LocalEnergy` gets the present value as a further candidate, and the running energy is moved by
    the difference that the assignment makes.
    """
    present = old(components)
    out: list = []
    rest = const(0.0)

    def weight(e: Expr) -> Expr:
        total = Expr("table", (call("add", rest, e),), "law")
        return total - _fixed(e) if has_fixed else total

    for s in body:
        if isinstance(s, LocalEnergy):
            rest = read("energy") - read(f"{s.name}.{len(s.at)}")
            out.append(replace(s, at=(*s.at, present)))
        elif isinstance(s, Assign):
            s = map_exprs(s, lambda e: _replace_law(e, weight))
            new: Value = tuple(read(f"moved.{k}") for k in range(components))
            out += [Let(f"moved.{k}", x) for k, x in enumerate(s.value)]
            out += [LocalEnergy("change", (present, new)), Move(read("change.1")), Assign(new)]
        else:
            out.append(map_exprs(s, lambda e: _replace_law(e, weight)))
    return tuple(out)


LAWS: dict[str, Callable[[Body, bool, int], Body]] = {
    "boltzmann": boltzmann,
    "tabulated": tabulated,
}


def map_exprs(statement, f: Callable[[Expr], Expr]):
    """A statement with ``f`` applied to every expression in it."""

    def apply(x):
        if isinstance(x, Expr):
            return f(x)
        if isinstance(x, tuple):
            return tuple(apply(y) for y in x)
        if hasattr(x, "__dataclass_fields__"):
            return map_exprs(x, f)
        return x

    return replace(
        statement, **{x.name: apply(getattr(statement, x.name)) for x in fields(statement)}
    )


def _replace_law(e: Expr, weight: Callable[[Expr], Expr]) -> Expr:
    return substitute(e, lambda x: weight(x.args[0]) if x.op == "law" else None)


def _fixed(e: Expr) -> Expr:
    """The same combination of local energies, of the part that T does not divide."""
    return substitute(e, lambda x: read(f"{x.attr}{FIXED}") if x.op == "read" else None)


def drop_reference(body: Body) -> Body:
    """Local energies are relative to candidate 0: ``e.0`` is 0."""
    zero = {f"{s.name}.0{x}" for s in body if isinstance(s, LocalEnergy) for x in ("", FIXED)}
    return tuple(
        map_exprs(
            s,
            lambda e: (
                substitute(e, lambda x: const(0.0) if x.op == "read" and x.attr in zero else None)
                if reads_of(e) & zero
                else e
            ),
        )
        for s in body
    )
