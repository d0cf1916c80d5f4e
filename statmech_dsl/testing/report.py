"""What `validate` returns: measured against exact values, and facts against what they may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True)
class Comparison:
    """A sampled mean against its exact value."""

    name: str
    exact: float
    sampled: float
    error: float

    @property
    def z(self) -> float:
        """Deviation in standard errors; differences by rounding do not count."""
        deviation = self.sampled - self.exact
        if abs(deviation) <= 1e-9 * max(1.0, abs(self.exact)):
            return 0.0
        return deviation / self.error if self.error else inf


@dataclass(frozen=True)
class Check:
    """A number that may be at most ``allowed``."""

    name: str
    found: float
    allowed: float


@dataclass(frozen=True)
class Report:
    """Everything that `validate` found out.

    Attributes
    ----------
    title : str
        What was looked at.
    comparisons : tuple of Comparison
        Sampled means against exact ones.
    checks : tuple of Check
        Facts that hold or do not.
    notes : tuple of str
        What could not be checked, and why.
    max_z : float
        Standard errors by which a mean may be off.

    Examples
    --------
    >>> report = Report(
    ...     "one spin", (Comparison("m", 0.2, 0.21, 0.01),), (Check("drift", 0.0, 1e-9),)
    ... )
    >>> print(report)
    one spin: passed
    quantity       exact     sampled     error     z
    m                0.2        0.21      0.01   1.0
    check          found     allowed
    drift              0       1e-09
    """

    title: str
    comparisons: tuple[Comparison, ...]
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()
    max_z: float = 5.0

    @property
    def worst_z(self) -> float:
        """Largest deviation of a mean, in standard errors; 0 where none was compared."""
        return max((abs(c.z) for c in self.comparisons), default=0.0)

    @property
    def failures(self) -> tuple[str, ...]:
        """Names of what is wrong."""
        wrong = [c.name for c in self.comparisons if not abs(c.z) <= self.max_z]
        return (*wrong, *(c.name for c in self.checks if not c.found <= c.allowed))

    def __str__(self) -> str:
        verdict = f"FAILED: {', '.join(self.failures)}" if self.failures else "passed"
        numbers = [
            (c.name, f"{c.exact:.6g}", f"{c.sampled:.6g}", f"{c.error:.2g}", f"{c.z:.1f}")
            for c in self.comparisons
        ]
        facts = [(c.name, f"{c.found:.3g}", f"{c.allowed:.3g}") for c in self.checks]
        rows = [("quantity", "exact", "sampled", "error", "z"), *numbers] if numbers else []
        rows += [("check", "found", "allowed"), *facts] if facts else []
        width = max((len(row[0]) for row in rows), default=0)
        lines = [_line(row, width) for row in rows]
        return "\n".join([f"{self.title}: {verdict}", *lines, *(f"note: {n}" for n in self.notes)])

    __repr__ = __str__


def _line(row: Sequence[str], width: int) -> str:
    columns = (width, 12, 12, 10, 6)
    cells = [row[0].ljust(width), *(x.rjust(n) for x, n in zip(row[1:], columns[1:], strict=False))]
    return "".join(cells)
