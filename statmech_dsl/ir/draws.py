"""Named draws: the statements that consume random words, and what each of them means.

`meaning` is the only place that says how a draw is decided and what its exact probabilities are;
sampling, enumeration and printing all read it. A decided probability (cumulated, where there
are more than two values) differs from the exact one by at most 2^-32; in a pass of float32, where uniform
numbers have 23 bits, by at most 2^-21.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from statmech_dsl.ir.elementary import LOG2E
from statmech_dsl.ir.expr import Expr, call, const, read

Value = tuple[Expr, ...]
"""A value of a site: one expression for each component."""


def old(components: int) -> Value:
    """The present value of the site."""
    return tuple(read(f"old.{k}") for k in range(components))


@dataclass(frozen=True, slots=True)
class Let:
    """Bind a name to an expression."""

    name: str
    expr: Expr


@dataclass(frozen=True, slots=True)
class Categorical:
    """Bind an index drawn with the given log weights."""

    name: str
    log_weights: tuple[Expr, ...]
    words = 1


@dataclass(frozen=True, slots=True)
class Bernoulli:
    """Bind 1 with probability exp(log_p), else 0."""

    name: str
    log_p: Expr
    words = 1


@dataclass(frozen=True, slots=True)
class Index:
    """Bind an integer, uniform over 0 .. n-1."""

    name: str
    n: int
    words = 1


@dataclass(frozen=True, slots=True)
class Uniform:
    """Bind a number, uniform in (0, 1)."""

    name: str
    words = 1


@dataclass(frozen=True, slots=True)
class Normal:
    """Bind a standard normal number."""

    name: str
    words = 2


Draw = Categorical | Bernoulli | Index | Uniform | Normal


AT_ONCE = 3
"""Attempts whose words come from the site's stream, so that all lanes of a vector make them together."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """Run ``body`` (at most four words) until ``accept`` is not 0, then bind ``name`` to ``result``.

    The first `AT_ONCE` attempts take the site's words, used or not; attempt k beyond has a block of
    words of its own. So the number of attempts of one site shifts no other site's stream.
    """

    name: str
    body: tuple[Let | Draw, ...]
    accept: Expr
    result: Expr

    @property
    def words(self) -> int:
        """Words of the attempts that are made at once."""
        return AT_ONCE * sum(s.words for s in self.body if not isinstance(s, Let))


@dataclass(frozen=True, slots=True)
class Meaning:
    """How a draw follows from its uniforms ``u[0]``, ``u[1]``, ... in (0, 1).

    ``lets`` come first, then ``result`` is the drawn value. ``outcomes`` are all values with their exact
    probabilities (they read the lets), or None for continuous draws.
    """

    lets: tuple[Let, ...]
    result: Expr
    outcomes: tuple[tuple[float, Expr], ...] | None


@lru_cache(maxsize=1024)
def meaning(draw: Draw, u: tuple[Expr, ...]) -> Meaning:
    """Meaning of a draw whose uniforms are ``u`` (as many as it has words)."""
    match draw:
        case Categorical():
            return _categorical(draw, u[0])
        case Bernoulli(name, log_p):
            p = Let(f"{name}.p", call("weight2", log_p * LOG2E))
            q = read(p.name)
            return Meaning((p,), call("lt", u[0], q), ((1.0, q), (0.0, 1.0 - q)))
        case Index(_, n):
            outcomes = tuple((float(k), const(1 / n)) for k in range(n))
            return Meaning((), call("floor", u[0] * float(n)), outcomes)
        case Uniform():
            return Meaning((), u[0], None)
        case Normal():  # Box and Muller 1958
            radius = call("sqrt", -2.0 * call("log", u[0]))
            return Meaning((), radius * call("cos", 6.283185307179586 * u[1]), None)


def cumulated_weights(draw: Categorical) -> tuple[tuple[Let, ...], tuple[Expr, ...]]:
    """Statements, and the cumulated weights that they bind; two states need one exponential."""
    name, log_weights = draw.name, draw.log_weights
    lets: list[Let] = []
    if len(log_weights) == 2:
        lets.append(Let(f"{name}.w0", const(1.0)))
        lets.append(Let(f"{name}.w1", call("weight2", (log_weights[1] - log_weights[0]) * LOG2E)))
    else:
        top = log_weights[0]
        for x in log_weights[1:]:
            top = call("max", top, x)
        lets.append(Let(f"{name}.top", top))
        for k, x in enumerate(log_weights):
            lets.append(Let(f"{name}.w{k}", call("weight2", (x - read(f"{name}.top")) * LOG2E)))
    total = read(f"{name}.w0")
    cumulated = [total]
    for k in range(1, len(log_weights)):
        lets.append(Let(f"{name}.c{k}", total + read(f"{name}.w{k}")))
        total = read(f"{name}.c{k}")
        cumulated.append(total)
    return tuple(lets), tuple(cumulated)


def _categorical(draw: Categorical, u: Expr) -> Meaning:
    """Inversion of the cumulated weights, without a division."""
    lets, (*below, total) = cumulated_weights(draw)
    threshold = Let(f"{draw.name}.t", u * total)
    result = call("le", below[0], read(threshold.name))
    for c in below[1:]:
        result = result + call("le", c, read(threshold.name))
    outcomes = tuple(
        (float(k), read(f"{draw.name}.w{k}") / total) for k in range(len(draw.log_weights))
    )
    return Meaning((*lets, threshold), result, outcomes)
