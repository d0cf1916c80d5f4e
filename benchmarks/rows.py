"""What a work yields: comparisons of two contenders, and plain figures."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from benchmarks import peers
from benchmarks.contender import Contender
from benchmarks.timing import Duel, Spread, duel


@dataclass(frozen=True)
class Comparison:
    """This library and another way to do the same. Published only if ``status`` is "measured"."""

    system: str
    other: str
    status: str
    duel: Duel | None = None


@dataclass(frozen=True)
class Figure:
    """A number that stands alone."""

    what: str
    unit: str
    value: Spread


Row = Comparison | Figure
REASON = 160
"""Letters of an error message that are kept."""


def compare(system: str, other: str, a: Contender, b: Contender, **how) -> Comparison:
    """Time two contenders; energies that do not agree are a result of its own."""
    found = duel(a, b, **how)
    status = "the energies do not agree" if found.agree is False else "measured"
    return Comparison(system, other, status, found)


def against(
    system: str,
    peer: str,
    ours: Contender,
    build: Callable[[ModuleType], Contender],
    **how,
) -> Comparison:
    """Compare with a peer; one that is not installed, or fails, is reported and not replaced."""
    if peers.version(peer) is None:
        return Comparison(system, peer, "not installed")
    return tried(system, peer, lambda: compare(system, peer, ours, build(peers.load(peer)), **how))


def tried(system: str, other: str, run: Callable[[], Comparison]) -> Comparison:
    """The comparison, or what went wrong."""
    try:
        return run()
    except Exception as error:  # whatever a library raises
        reason = re.split(r"\n|\. ", str(error))[0][:REASON]
        return Comparison(system, other, f"failed: {type(error).__name__}: {reason}")


def as_json(row: Row) -> dict[str, Any]:
    """The row as plain data, with its kind."""
    return {"kind": type(row).__name__.lower(), **dataclasses.asdict(row)}
