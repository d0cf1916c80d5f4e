"""`explain`: what the compiler made of a model, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pymc as pm
from scipy.sparse import coo_array

from statmech_dsl.engine import explain_kernels
from statmech_dsl.engine.candidates import candidates, written
from statmech_dsl.engine.compile import Compiled, lower_model, refuse_random
from statmech_dsl.engine.composition import TUNED, Updates, conserved, situation_of
from statmech_dsl.engine.explain_kernels import MANY_REPLICAS
from statmech_dsl.engine.explanation import Explanation, Section, aligned
from statmech_dsl.errors import ModelError
from statmech_dsl.ir.clusters import Clusters
from statmech_dsl.ir.collective import Collective
from statmech_dsl.ir.draws import Attempts
from statmech_dsl.ir.kernel import LoweredPass
from statmech_dsl.ir.model import Family, ModelIR, Tables, Variable, content_hash
from statmech_dsl.ir.notation import Symbol, elide
from statmech_dsl.ir.notations import TEXT
from statmech_dsl.ir.show import coefficients, family, hamiltonian, latex, sum_symbol
from statmech_dsl.lang.model import given_or_context
from statmech_dsl.lower.coloring import dependencies
from statmech_dsl.lower.passes import SiteAnalysis
from statmech_dsl.lower.recovery.graph import describe
from statmech_dsl.lower.reductions import Measured
from statmech_dsl.updates import UPDATES

SHOWN = 20
"""Of longer lists the first and the last are shown."""


def explain(
    model: pm.Model | None = None, *, updates: Updates = "auto", source: bool = False
) -> Explanation:
    r"""Show what the compiler made of a model: its terms, colors, updates and conventions.

    Parameters
    ----------
    model : Model
        Any `pm.Model` with variables of statmech_dsl; couplings may be random.
    updates : str, list or dict
        As in `sample`.
    source : bool
        Whether to add what each update does at a site, and the generated source of the CPU kernels
        for one chain and for 64.

    Returns
    -------
    Explanation
        Text when printed, rich in a notebook; ``latex`` is the Hamiltonian in LaTeX.

    Raises
    ------
    ModelError
        There is nothing to sample.
    NonLocalEnergyError
        An energy is neither a sum of local terms nor a function of sums over sites.
    IllegalUpdateError
        An update is unknown or not legal.

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> lattice = sm.lattices.chain(8)
    >>> with sm.Model() as model:
    ...     s = sm.Spin("s", lattice)
    ...     i, j = lattice.bonds
    ...     exchange = sm.Energy("exchange", -1.0 * s[i] * s[j])
    >>> print(sm.explain(model).sections[0].lines[0])
    H = c0 sum_<ij> s_i s_j
    >>> sm.explain(model).latex
    'H = c_{0} \\sum_{\\langle ij \\rangle} s_{i} s_{j}'
    """
    model = given_or_context(model)
    updates = "auto" if updates == TUNED else updates
    compiled = lower_model(model, updates)
    ir = compiled.recovered.ir
    forms = {n: lower_model(model, updates, n_replicas=n).lowered for n in (1, MANY_REPLICAS)}
    texts = {
        "Hamiltonian": [*_formulas(compiled), *_random(model)],
        "Conventions": list(_conventions(ir)),
        "Variables": aligned([_variable(v, compiled) for v in ir.variables]),
        "Energy terms": elide(aligned([_term(f, compiled) for f in ir.energy_families]), SHOWN),
        "Running sums": [line for s in ir.sums for line in _running_sum(s.name, s.size, compiled)],
        "Dependencies": [x for a in compiled.lowered.analyses for x in _dependencies(a, compiled)],
        "Updates": [x for a in compiled.lowered.analyses for x in _updates(a, compiled, updates)]
        + list(_trials(compiled if updates == "auto" else lower_model(model)))
        or ["every site is clamped: there is nothing to move"],
        "Observables": aligned(list(_observables(compiled.measured, compiled.lowered.tables))),
        "Kernels": [*explain_kernels.kernels(forms, ir), _identity(compiled)],
    }
    sections = tuple(Section(title, tuple(lines)) for title, lines in texts.items() if lines)
    return Explanation(sections, latex(ir), explain_kernels.source(forms, ir) if source else "")


# ---- the model -----------------------------------------------------------------------------------


def _formulas(compiled: Compiled) -> Iterator[str]:
    recovered = compiled.recovered
    for left, right in hamiltonian(recovered.ir):
        yield f"{left} = {right}"
    values = coefficients(recovered.ir, recovered.tables)
    lines = []
    for name, value in values.items():
        if name in recovered.parameters:
            random = name in recovered.random
            when = "random; at the model's initial point" if random else "can be set; at present"
            value = f"{describe(recovered.parameters[name])}, {when} {value}"
        lines.append(f"{TEXT.symbol(Symbol(name))} = {value}")
    yield from elide(lines, SHOWN)


def _random(model: pm.Model) -> list[str]:
    """Why `sample` would refuse the model."""
    try:
        refuse_random(model)
    except ModelError as error:
        return [f"sample refuses this model: {error}"]
    return []


def _conventions(ir: ModelIR) -> Iterator[str]:
    fixed = "" if all(f.tempered for f in ir.energy_families) else " - H_0(x)"
    yield f"p(x) = exp(-H(x)/T{fixed}) / Z, H being the energy of the whole system"
    yield "each bond is listed once; in -J s_i s_j a positive J is ferromagnetic"
    yield "T is in units of energy (k_B = 1) and divides the Energy terms (H) only"
    yield "F = -T log Z, Z with respect to the measures of the variables below"


def _variable(v: Variable, compiled: Compiled) -> tuple[str, ...]:
    values = v.domain.values
    if values is not None:
        what = ", ".join(elide([f"{x:g}" for x in values]))
    else:
        what = f"{v.domain.components} components" if v.domain.components > 1 else "continuous"
        what = f"{what}, {v.domain.storage_dtype}"
    clamped = v.n_sites - len(compiled.recovered.tables[v.free])
    sites = f"{v.n_sites} sites" + (f" ({clamped} clamped)" if clamped else "")
    return v.name, v.domain.label, what, sites, v.domain.measure


def _term(f: Family, compiled: Compiled) -> tuple[str, ...]:
    recovered = compiled.recovered
    count = f.n_instances(recovered.tables)
    instances = f"{count} instance{'s' * (count != 1)}"
    return (
        f.term,
        family(f, recovered.ir),
        instances + ("" if f.tempered else ", T does not divide it"),
    )


def _running_sum(name: str, size: int, compiled: Compiled) -> Iterator[str]:
    ir, tables = compiled.recovered.ir, compiled.recovered.tables
    fed = sum(f.n_instances(tables) for f in ir.feeding(name))
    readers = {f.term for f in ir.energy_families if any(c.array == name for c in f.columns)}
    elements = f"{size} elements" if size > 1 else "one number"
    yield (
        f"{TEXT.symbol(sum_symbol(name))}: {elements}, kept up to date at every move; "
        f"{fed} contributions; read by {', '.join(sorted(readers))}"
    )


# ---- the analysis --------------------------------------------------------------------------------


def _dependencies(a: SiteAnalysis, compiled: Compiled) -> Iterator[str]:
    """Who depends on whom, and what that leaves to be done at the same time."""
    if not a.occurrences:
        yield f"{a.variable}: no energy depends on it; its sites are independent"
        return
    shape = ", ".join(sorted(a.forms)) or "of no form that has an exact draw"
    yield f"{a.variable}: as a function of one site the energy is {shape}"
    if a.exclusive:
        sums = sorted({o.family.feeds for o in a.occurrences if o.family.feeds})
        through = ", ".join(TEXT.symbol(sum_symbol(x)) for x in sums)
        yield f"    every site depends on every other through {through}: one site after the other"
        return
    recovered = compiled.recovered
    degrees = _degrees(recovered.ir, recovered.tables, a)
    sizes = np.diff(a.order.segments)
    bipartite = "bipartite" if a.order.n_colors <= 2 else "not bipartite"
    colors = f"{a.order.n_colors} color{'s' * (a.order.n_colors != 1)} of {_span(sizes)} sites"
    yield f"    a site shares terms with {_span(degrees)} other sites; {bipartite}"
    yield f"    {colors}; sites of a color share no term"


def _degrees(ir: ModelIR, tables: Tables, a: SiteAnalysis) -> np.ndarray:
    """Number of different free sites that each free site meets in a term."""
    n = ir.variable(a.variable).n_sites
    i, j = dependencies(ir, tables, a.variable)
    pairs = coo_array((np.ones(len(i), bool), (i, j)), shape=(n, n)).tocsr()
    return np.diff((pairs + pairs.T).tocsr().indptr)[a.order.sites]


def _span(x: np.ndarray) -> str:
    low, high = int(x.min()), int(x.max())
    return str(low) if low == high else f"{low} to {high}"


def _updates(a: SiteAnalysis, compiled: Compiled, updates: Updates) -> Iterator[str]:
    """The update that was chosen, and of the others why not."""
    ir, program = compiled.recovered.ir, compiled.lowered.program
    situation = situation_of(ir, compiled.recovered.tables, a, program.law)
    mine = [p for p in program.steps if p.variable == a.variable]
    steps = {p.name: p for p in mine}
    chosen = {p.update for p in mine}
    wanted = updates.get(a.variable, "auto") if isinstance(updates, Mapping) else updates
    for p in steps.values():
        times = sum(q.times for q in mine if q.name == p.name)
        often = f"{times} times a sweep, " if times > 1 else ""
        yield f"{a.variable}: {p.name}, {often}{_randomness(p)}"
        if isinstance(p, Clusters):
            yield f"    {_ties(p, compiled.lowered.tables)}"
        for q in p.params:
            yield f"    {q.name} is tuned to an acceptance of {q.target:g}; it starts at {q.start:g}"
        if isinstance(p, Collective) and p.masses:
            yield "    masses of sites are tuned to inverse variances; they start at 1"
    if a.variable in conserved(program):
        yield "    the values of the first state are conserved: they only change places"
    rows = []
    for update in UPDATES.values():
        reason = update.refuse(situation)
        if update.name in chosen:
            why = "the first that is legal" if wanted == "auto" else "asked for"
            verdict = f"chosen, {why}"
        else:
            verdict = "legal, but not asked for" if reason is None else f"not legal: {reason}"
        rows.append((f"    {update.name}", verdict))
    yield from aligned(rows)


def _trials(compiled: Compiled) -> Iterator[str]:
    """What "tuned" would try, where there is a choice; ``compiled`` has the automatic updates."""
    for v, recipes in candidates(compiled).items():
        if len(recipes) > 1:
            yield f'{v}: updates="tuned" measures {written(recipes)}'


def _ties(p: Clusters, tables: Tables) -> str:
    """What ties the sites of clusters together, and what becomes of these."""
    pairs, fields = (sum(t.count(tables) for t in ties) for ties in (p.pairs, p.fields))
    if p.recolor:
        how = "a cluster may get any value"
    elif p.mirrors is None:
        how = "reflected about a random axis" if p.reflection and p.reflection.axis else "signs"
    else:
        n = len(tables[p.mirrors])
        how = f"{n} reflection{'s' * (n != 1)}"
    return f"{how}; ties: {pairs} of two sites, {fields} to what does not move"


def _randomness(p: LoweredPass | Collective) -> str:
    if isinstance(p, Collective):
        return "a collective move"
    if not p.words:
        return "no random words"
    loops = sum(isinstance(s, Attempts) for s in p.body)
    parts = [f"{p.words} a site"] * bool(p.words) + ["4 a further attempt"] * loops
    return f"random words of 32 bits: {', '.join(parts)}"


def _observables(measured: Measured, tables: Tables) -> Iterator[tuple[str, str]]:
    """How each observable is measured, and why not in a cheaper way."""
    for name in measured.names:
        if name in measured.unpacked:
            yield name, f"evaluated on unpacked states, which costs more: {measured.unpacked[name]}"
            continue
        sums = [s for s in measured.ir.sums if s.name in measured.sums[name]]
        n = sum(s.size for s in sums)
        families = [f for s in sums for f in measured.ir.feeding(s.name)]
        terms = sum(f.n_instances(tables) for f in families)
        which = f"{n} sum{'s' * (n != 1)} of {terms} terms"
        yield name, f"a function of {which}, added up in the kernel" if n else "a constant"


def _identity(compiled: Compiled) -> str:
    identity = content_hash(compiled.recovered.ir, compiled.recovered.tables)
    return f"content hash of the model and its couplings: {identity}"
