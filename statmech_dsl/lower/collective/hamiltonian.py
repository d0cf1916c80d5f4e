"""From a variable to the programs of its Hamiltonian moves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from statmech_dsl.ir.domains.base import Continuous
from statmech_dsl.ir.draws import Let, Normal
from statmech_dsl.ir.expr import Expr, call, read, slot
from statmech_dsl.ir.hamiltonian import AHEAD, KINETIC, MOMENTUM, SCALE, Hamiltonian, Numbers
from statmech_dsl.ir.kernel import Accumulate, Assign, Gather, LoweredPass, Program, Role, Statement
from statmech_dsl.ir.model import Column, Family, ModelIR, Sum, Tables, Variable
from statmech_dsl.ir.motion import Motion
from statmech_dsl.ir.params import Param
from statmech_dsl.ir.propagator import Propagator
from statmech_dsl.ir.verify import verify
from statmech_dsl.lower.collective.spec import CollectiveSpec, Place
from statmech_dsl.lower.coloring import Order
from statmech_dsl.lower.derivative import NotDifferentiable
from statmech_dsl.lower.gradient import check_gradient, lower_gradient
from statmech_dsl.lower.local_energy import FIXED
from statmech_dsl.lower.passes import SiteAnalysis
from statmech_dsl.lower.propagator import NoPropagator, quadratic_part
from statmech_dsl.lower.workspace import Workspace

Mass = Literal["unit", "fourier", "diagonal"] | tuple[float, ...]
"""Unit masses, those of Fourier modes, or one for each site, that tuning estimates or given."""
STEP, TIME = "step", "time"
"""The step of a site, which is the time of a trajectory's step by the root of the site's mass."""
CURVED = {
    "fourier": "modes of {} do not move freely",
    "diagonal": "sites of {} go around, so that their variance does not tell how stiff they are",
}
"""Why some masses are for variables on a line only."""


@dataclass(frozen=True, slots=True)
class HamiltonianSpec(CollectiveSpec):
    """Trajectories of a continuous variable; ``step`` is tuned unless given."""

    recipe: str
    leapfrogs: int
    step: float | None
    mass: Mass
    target: float

    def lower(self, at: Place) -> Hamiltonian:
        """Lower to programs that draw momenta, and that move."""
        ir, source, tables = at.ir, at.source, at.tables
        work = _Lowering(ir, source, at.analysis, at.stream, tables, self.mass)
        propagator = None
        if self.mass == "fourier":
            found = quadratic_part(ir, source, self.variable)
            tables[f"{work.prefix}.spectrum"] = found.spectrum
            propagator = Propagator(found.periods, f"{work.prefix}.spectrum", found.curvature)
        start = len(work.order.sites) ** -0.25
        return Hamiltonian(
            update=self.update,
            variable=self.variable,
            stream=at.stream,
            times=at.times,
            params=() if self.step else (Param("step", start, self.target, averaged=True),),
            masses=self.mass == "diagonal",
            tallied=True,
            counts=("divergences",),
            recipe=self.recipe,
            leapfrogs=self.leapfrogs,
            step=self.step,
            refresh=work.refresh(),
            motion=work.motion(free=propagator is None),
            propagator=propagator,
        )


def why_none(variable: str, ir: ModelIR, tables: Tables, mass: Mass) -> str | None:
    """Why a variable has no such moves, or None."""
    domain = ir.variable(variable).domain
    if domain.motion() is None:
        return f"{domain.label} has no gradient: its values are discrete"
    try:
        check_gradient(ir, variable)
        if mass in CURVED and (domain.transform is not None or domain.components > 1):
            return f"{CURVED[mass].format(domain.label)}: mass={mass!r} is for Field"
        if mass == "fourier":
            quadratic_part(ir, tables, variable)
    except NotDifferentiable as why:
        return str(why)
    except NoPropagator as why:
        return f"no Fourier masses: {why}"
    n = ir.variable(variable).n_sites
    if not isinstance(mass, str) and len(mass) != n:
        return f"mass has {len(mass)} numbers for {n} sites"
    return None


class _Lowering:
    """One variable's trajectories in the making."""

    def __init__(
        self,
        ir: ModelIR,
        source: Tables,
        analysis: SiteAnalysis,
        stream: int,
        tables: dict,
        mass: Mass,
    ) -> None:
        self.v, self.stream, self.source, self.tables = analysis.variable, stream, source, tables
        self.prefix = f"{self.v}.move{stream}"
        domain = ir.variable(self.v).domain
        motion = domain.motion()
        assert motion is not None
        self.free: Motion = motion
        self.n = domain.components
        shape = ir.variable(self.v).shape
        numbers = Numbers(n=self.n)
        added = (MOMENTUM,) if motion.momentum is None else (MOMENTUM, AHEAD)
        added += (SCALE,) if mass == "diagonal" else ()
        variables = (
            *(replace(x, domain=_double(x.domain)) for x in ir.variables),
            *(Variable(self.v + x, numbers, shape) for x in added),
        )
        self.ir = replace(ir, variables=variables)
        sites = np.sort(analysis.order.sites)
        self.order = Order(sites, np.array([0, len(sites)], np.int64))
        tables[f"{self.prefix}.order"] = self.order.sites
        tables[f"{self.prefix}.segments"] = self.order.segments
        tables[f"{self.prefix}.own"] = np.ascontiguousarray(sites[None, :])
        self.scale: Column | None = None
        if mass == "diagonal":
            self.scale = Column("state", self.v + SCALE, f"{self.prefix}.own")
        elif not isinstance(mass, str):
            tables[f"{self.prefix}.scale"] = 1.0 / np.sqrt(np.array(mass, float))
            self.scale = Column("coefficient", f"{self.prefix}.scale", f"{self.prefix}.own")
        self.occurrences = analysis.occurrences

    def refresh(self) -> Program:
        """Draw momenta that belong to the positions."""
        draws = tuple(Normal(f"p.{c}") for c in range(self.n))
        body = (self._own("x", self.v), *draws, Assign(self.free.tangent))
        only = (self._pass("refresh", MOMENTUM, body),)
        mine = (self.v, self.v + MOMENTUM)
        variables = tuple(v for v in self.ir.variables if v.name in mine)
        return self._program(ModelIR(variables, ()), only)

    def motion(self, free: bool) -> Program:
        """A kick by the force, then a free motion if it is one of the sites."""
        space = Workspace(
            self.ir,
            self.source,
            self.v,
            self.occurrences,
            self.order,
            self.tables,
            self.prefix,
            self.ir.variable(self.v).n_sites,
        )
        x, old = (tuple(read(f"{a}.{c}") for c in range(self.n)) for a in ("x", "old"))
        gradient = lower_gradient("g", x, space)
        force = [read("beta") * read(f"g.{c}") for c in range(self.n)]
        if space.has_fixed:
            force = [f + read(f"g.{c}{FIXED}") for c, f in enumerate(force)]
        kick = (
            *self._step(),
            self._own("x", self.v, gradient.own),
            *gradient.body,
            *(Let(f"p.{c}", old[c] - read(STEP) * f) for c, f in enumerate(force)),
            Assign(self.free.tangent),
        )
        ir = replace(
            self.ir,
            families=self.ir.families + gradient.families,
            sums=self.ir.sums + gradient.sums,
        )
        passes = [self._pass("kick", MOMENTUM, kick), *(self._free() if free else ())]
        time = (Param(TIME, 0.0, 0.0),)
        return self._program(ir, tuple(replace(p, params=time) for p in passes))

    def _free(self) -> list[LoweredPass]:
        present = {a: tuple(Let(f"{a}.{c}", read(f"old.{c}")) for c in range(self.n)) for a in "xp"}
        x, p = self._own("x", self.v), self._own("p", self.v + MOMENTUM)
        free, step = self.free, self._step()
        if free.momentum is None:
            return [self._pass("move", "", (p, *present["x"], *step, Assign(free.position)))]
        ahead = tuple(read(f"y.{c}") for c in range(self.n))
        return [
            self._pass(
                "look ahead", AHEAD, (x, p, *step, *free.body, *free.landing, Assign(free.position))
            ),
            self._pass(
                "turn", MOMENTUM, (x, *present["p"], *step, *free.body, Assign(free.momentum))
            ),
            self._pass("move", "", (self._own("y", self.v + AHEAD), Assign(ahead))),
        ]

    def _step(self) -> tuple[Statement, ...]:
        """Bind the step: masses other than 1 are shorter steps, of momenta in units of their width."""
        if self.scale is None:
            return (Let(STEP, read(TIME)),)
        gather = Gather(Role(f"{self.prefix}.mass", (self.scale,), 1), (("scale", slot(0)),))
        return Accumulate(("scale",), (gather,)), Let(STEP, read(TIME) * read("scale"))

    def _own(
        self, name: str, variable: str, functions: tuple[tuple[str, Expr], ...] = ()
    ) -> Accumulate:
        """Bind ``name.c`` to component c of the site of a variable, and functions of these."""
        index = f"{self.prefix}.own"
        columns = tuple(Column("state", variable, index, c) for c in range(self.n))
        terms = tuple((f"{name}.{c}", slot(c)) for c in range(self.n)) + functions
        gather = Gather(Role(f"{self.prefix}.{name}", columns, 1), terms)
        return Accumulate(tuple(n for n, _ in terms), (gather,))

    def _pass(self, what: str, suffix: str, body: tuple[Statement, ...]) -> LoweredPass:
        """A pass over the free sites of the variable, or of one with this suffix."""
        return LoweredPass(
            what,
            self.v + suffix,
            body,
            (),
            f"{self.prefix}.order",
            f"{self.prefix}.segments",
            self.stream,
            sum(getattr(s, "words", 0) for s in body),
            exclusive=False,
            field="its values are real numbers",
        )

    def _program(self, ir: ModelIR, passes: tuple[LoweredPass, ...]) -> Program:
        """A program that measures the sum of squared momenta."""
        momentum, index = self.v + MOMENTUM, f"{self.prefix}.order"
        columns = [Column("state", momentum, index, c) for c in range(self.n)]
        squares = tuple(
            Family(f"{KINETIC}.{c}", KINETIC, call("sqr", slot(0)), (column,), feeds=KINETIC)
            for c, column in enumerate(columns)
        )
        program = Program(
            ir, passes, "boltzmann", ModelIR(ir.variables, squares, (Sum(KINETIC, 1),))
        )
        verify(program, self.tables)
        return program


def _double(domain):
    """The domain in double precision: trajectories have no other."""
    return replace(domain, dtype="float64") if isinstance(domain, Continuous) else domain
