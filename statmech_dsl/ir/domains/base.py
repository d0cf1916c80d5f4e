"""What a variable type has to say about itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from statmech_dsl.errors import DomainError
from statmech_dsl.ir.draws import Attempts, Draw, Index, Let, Value
from statmech_dsl.ir.expr import Expr, call, const, read
from statmech_dsl.ir.motion import Motion
from statmech_dsl.ir.ops import Real

Form = Literal["quadratic", "linear", "first harmonic"]
"""How the energy may depend on one site for an exact draw: a x^2 + b x; b . x; a cos x + b sin x."""
Body = tuple[Draw | Let | Attempts, ...]


@dataclass(frozen=True)
class Proposal:
    """A symmetric proposal: statements that bind names, and the proposed value."""

    body: Body
    value: Value
    width: float | None = None
    """Start value of the tuned parameter ``width`` that the body reads; None: it reads none."""


@dataclass(frozen=True)
class Conditional:
    """A move that leaves exp(law) of a site alone, for energies of a given form, read off a few probe values.

    The body reads ``l.1``, ``l.2``, ...: the log weight at probe c minus that at probe 0.
    """

    form: Form
    probes: tuple[Value, ...]
    body: Body
    value: Value


@dataclass(frozen=True)
class Reflection:
    """A random map of values that is its own inverse.

    ``axis`` are statements that draw it, ``image`` those that a site's value goes through; both bind names.
    ``odd`` is the component of a site's vector that changes its sign, scaled so that products of two sites
    have the scalar product of the vectors as their mean over all axes.
    """

    axis: Body
    image: tuple[Let, ...]
    value: Value
    odd: Expr


@dataclass(frozen=True)
class Domain:
    """Base of all variable types; a type is one file in this folder and one export line.

    Class attributes: ``kind`` (lower-case name), ``label`` (name of the declaration), ``components``
    (numbers per site), ``graph_dtype`` (type in PyTensor graphs), ``transform`` (of the gradient
    samplers: None, "circular" or "sphere"), ``measure`` (base measure in words, which log Z refers to).
    """

    kind: ClassVar[str]
    label: ClassVar[str]
    measure: ClassVar[str]
    graph_dtype: ClassVar[str] = "float64"
    transform: ClassVar[str | None] = None

    @property
    def components(self) -> int:
        """Numbers per site; above 1, arrays have a last axis of this length."""
        return 1

    @property
    def values(self) -> tuple[float, ...] | None:
        """All values of a discrete variable in ascending order; None for a continuous one."""
        return None

    @property
    def storage_dtype(self) -> str:
        """Type in kernels and on disk."""
        raise NotImplementedError

    @property
    def log_volume(self) -> float:
        """Logarithm of the measure of all values: log Z of one site at infinite temperature."""
        raise NotImplementedError

    def contains(self, x: np.ndarray) -> np.ndarray:
        """Whether each site holds a legal value; a component axis, if any, is the last one."""
        raise NotImplementedError

    def hot(self, rng: np.random.Generator, n_sites: int) -> np.ndarray:
        """Values at infinite temperature, shape (n_sites,) or (n_sites, components)."""
        raise NotImplementedError

    def cold(self, n_sites: int) -> np.ndarray:
        """All sites alike, the same shape."""
        raise NotImplementedError

    def proposal(self) -> Proposal:
        """Proposal of the Metropolis update."""
        raise NotImplementedError

    def conditional(self) -> Conditional | None:
        """Exact draw of a continuous variable, or None."""
        return None

    def overrelaxed(self) -> Conditional | None:
        """Another value of the same energy, by a map that is its own inverse and keeps the measure."""
        return None

    def motion(self) -> Motion | None:
        """Free motion of a continuous variable, or None."""
        return None

    def reflection(self) -> Reflection | None:
        """Reflections of a continuous variable, or None."""
        return None

    @property
    def mirrors(self) -> tuple[tuple[int, ...], ...]:
        """Reflections of a discrete variable: of each, the numbers of the images of all values."""
        return ()

    def vectors(self, x: np.ndarray) -> np.ndarray:
        """Values [state, row] as the vectors that overlaps are made of, [state, site, component].

        Numbers as they are, unless the type says what is better.
        """
        return x.reshape(len(x), -1, self.components)

    def attributes(self, variable: Any) -> dict[str, Any]:
        """Attributes that a declared variable gets besides PyTensor's, such as ``angle``."""
        return {}


@dataclass(frozen=True)
class Continuous(Domain):
    """A variable of real numbers, which kernels store and move in the precision ``dtype``.

    In PyTensor graphs it is float64 always: gradient samplers take no other type there.
    """

    dtype: Real = field(default="float64", kw_only=True)

    def __post_init__(self) -> None:
        if self.dtype not in get_args(Real):
            raise DomainError(
                f"{self.label} is stored in double or in single precision",
                where=f"dtype={self.dtype!r}",
                mend='use dtype="float64" or dtype="float32"',
            )

    @property
    def storage_dtype(self) -> str:  # noqa: D102
        return self.dtype


class Finite(Domain):
    """A discrete variable: everything follows from its values."""

    measure = "counting measure"
    graph_dtype = "int64"

    @property
    def _values(self) -> tuple[float, ...]:
        values = self.values
        assert values is not None
        return values

    @property
    def storage_dtype(self) -> str:  # noqa: D102
        low, high = self._values[0], self._values[-1]
        return "int8" if -128 <= low and high <= 127 else "int16"

    @property
    def log_volume(self) -> float:  # noqa: D102
        return float(np.log(len(self._values)))

    def contains(self, x: np.ndarray) -> np.ndarray:  # noqa: D102
        return np.isin(x, np.asarray(self._values))

    def hot(self, rng: np.random.Generator, n_sites: int) -> np.ndarray:  # noqa: D102
        numbers = rng.integers(len(self._values), size=n_sites, dtype=np.uint32)
        return np.asarray(self._values)[numbers]  # what rng.choice draws, in less time

    def cold(self, n_sites: int) -> np.ndarray:  # noqa: D102
        return np.full(n_sites, self._values[-1])

    @property
    def mirrors(self) -> tuple[tuple[int, ...], ...]:
        """The values in reverse, if they are even about their middle."""
        v = self._values
        even = all(a + b == v[0] + v[-1] for a, b in zip(v, reversed(v), strict=True))
        return (tuple(reversed(range(len(v)))),) if even else ()

    def proposal(self) -> Proposal:
        """Uniform among all values, the present one included.

        Proposing always another value would accept every move at beta = 0 and never mix.
        """
        return Proposal((Index("choice", len(self._values)),), (self.value_at(read("choice")),))

    def value_at(self, index: Expr) -> Expr:
        """Value number ``index``, counted from 0."""
        v = self._values
        steps = {b - a for a, b in zip(v, v[1:], strict=False)}
        if len(steps) == 1:
            return const(v[0]) + const(steps.pop()) * index
        e = const(v[-1])
        for n in range(len(v) - 2, -1, -1):
            e = call("where", call("eq", index, float(n)), const(v[n]), e)
        return e


def require_count(label: str, q: object) -> int:
    """Check the number of states of a variable type."""
    if not isinstance(q, int | np.integer) or isinstance(q, bool) or not 2 <= int(q) <= 32767:
        raise DomainError(
            f"{label} needs a whole number of states, 2 <= q <= 32767", where=f"q={q!r}"
        )
    return int(q)
