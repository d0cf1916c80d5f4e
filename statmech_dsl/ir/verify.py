"""Checks that hold for every program; a failure is a mistake of the compiler, not of the user."""

from __future__ import annotations

from statmech_dsl.ir.draws import Attempts, Let
from statmech_dsl.ir.expr import Expr, reads_of, slots_of, walk
from statmech_dsl.ir.kernel import Accumulate, Assign, Bump, LoweredPass, Move, Program, Role, Tally
from statmech_dsl.ir.model import Tables


def verify(program: Program, tables: Tables) -> None:
    """Raise AssertionError unless every name is bound before it is read and every table exists."""
    for p in program.passes:
        _verify_pass(p, program, tables)


def _verify_pass(p: LoweredPass, program: Program, tables: Tables) -> None:
    components = len(p.ends) * program.model.variable(p.variable).domain.components
    bound = {"beta"} | {f"old.{k}" for k in range(components)} | {x.name for x in p.params}
    bound |= {f"sum.{s.name}" for s in program.model.sums if s.size == 1}
    bound |= {f"coefficient.{name}" for name in tables}
    bound |= {"energy"} if program.needs_energy else set()

    def check(e: Expr, slots: int = 0) -> None:
        missing = reads_of(e) - bound
        assert not missing, f"{p.update} of {p.variable} reads {missing} before they are bound"
        assert all(k < slots for k in slots_of(e)), f"{p.update} of {p.variable}: unknown slot"
        assert all(x.op != "law" for x in walk(e)), f"{p.update} of {p.variable}: law not lowered"

    def check_role(role: Role) -> None:
        for c in role.columns:
            if c.index is not None:
                rows = tables[c.index].shape[0]
                assert role.degree is None or rows == role.degree, f"{role.name}: degree"
        assert (role.degree is None) == (role.pointer is not None), f"{role.name}: pointer"

    def check_body(body) -> None:
        for s in body:
            match s:
                case Accumulate(names, gathers):
                    for g in gathers:
                        check_role(g.role)
                        for name, e in g.terms:
                            assert name in names, f"{name} is no accumulator"
                            check(e, len(g.role.columns))
                    bound.update(names)
                case Bump(role, _, e):
                    check_role(role)
                    check(e, len(role.columns))
                case Attempts():
                    check_body(s.body)
                    check(s.accept)
                    check(s.result)
                    bound.add(s.name)
                case Let(name, e):
                    check(e)
                    bound.add(name)
                case Assign(value):
                    assert len(value) == components, f"{p.update}: wrong number of components"
                    for e in value:
                        check(e)
                case Tally(e) | Move(e):
                    check(e)
                case _:
                    for e in (
                        *getattr(s, "log_weights", ()),
                        *([s.log_p] if hasattr(s, "log_p") else []),
                    ):
                        check(e)
                    bound.add(s.name)

    check_body(p.body)
