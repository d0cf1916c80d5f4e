"""The couplings of a dense pass in panels of ranks, as two digits that tensor cores add without error.

TF32 keeps 11 bits of a factor, and sums have the 24 bits of float32. A coupling in whole steps is
``base * high + low``, both whole numbers of at most 2^11; states are 0 and 1; no sum of some digits of a row
exceeds 2^24. So products in TF32 are exact in any order, and so are those in float32.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from statmech_dsl.backends.couplings import Couplings, Steps, Units, couplings, in_steps
from statmech_dsl.backends.cupy_gpu.tables import Layout
from statmech_dsl.ir.dense import DenseForm
from statmech_dsl.ir.kernel import LoweredPass
from statmech_dsl.ir.model import Tables

PANEL = 32
"""Sites that are visited in turn between two products: they note their changes in the bits of a word."""
FACTOR, SUM = 2**11, 2**24
"""Largest whole numbers that TF32 holds in a row, and float32."""


def in_panels(p: LoweredPass, tables: Tables) -> list[tuple[int, int]]:
    """First and last rank (and one) of each panel: a color, or a few sites in turn.

    Examples
    --------
    >>> from statmech_dsl.ir.dense import DenseForm
    >>> from statmech_dsl.ir.kernel import LoweredPass
    >>> form = DenseForm("fields", 0.0, 1.0, ("s",))
    >>> p = LoweredPass("", "s", (), (), "order", "segments", 0, 1, False, dense=form)
    >>> in_panels(p, {"order": np.arange(70), "segments": np.arange(71)})
    [(0, 32), (32, 64), (64, 70)]
    """
    assert p.dense is not None
    n = len(tables[p.order])
    fields = p.dense.method == "fields"
    cuts = [*range(0, n, PANEL), n] if fields else tables[p.segments].tolist()
    return list(zip(cuts, cuts[1:], strict=False))


@dataclass(frozen=True, eq=False)
class Panel:
    """Rows of couplings: the ranks they belong to, and the part of the sources that they have columns for.

    ``digits`` holds the high digits of all ranks, then the low ones; ``matrix`` is what they stand for.
    """

    first: int
    last: int
    begin: int
    end: int
    digits: np.ndarray
    matrix: np.ndarray


class DenseArrays:
    """What the kernels take for one pass. Sources are rows of their variables, one variable after the other."""

    def __init__(self, p: LoweredPass, layout: Layout) -> None:
        assert p.dense is not None
        self.form: DenseForm = p.dense
        model, tables = layout.program.model, layout.tables
        sizes = [model.variable(v).n_sites for v in self.form.sources]
        self.first = dict(zip(self.form.sources, np.cumsum([0, *sizes]).tolist(), strict=False))
        self.n_sources = sum(sizes)
        sites = [self.first[v] + layout.site_of[v].astype(np.int64) for v in self.form.sources]
        by_site = couplings(p, model, tables)
        self.exact = replace(by_site, matrix=by_site.matrix[:, np.concatenate(sites)])
        self.base, self.steps = for_digits(self.exact)
        self.units = Units(self.steps)
        self.panels = [self._panel(*ranks) for ranks in in_panels(p, tables)]

    @property
    def by_rank(self) -> list[np.ndarray]:
        """Arrays by rank: steps in units, their slack, offsets in steps; the constants, their error."""
        return [
            self.units.scale,
            self.units.slack,
            self.steps.offset,
            self.exact.offset,
            self.exact.error,
        ]

    def _panel(self, first: int, last: int) -> Panel:
        matrix = self.exact.matrix[first:last]
        begin, end = 0, self.n_sources
        if self.form.method == "products":
            found = np.flatnonzero(matrix.any(0))
            begin, end = (found[0], found[-1] + 1) if len(found) else (0, 1)
        part = slice(int(begin), int(end))
        digits = in_digits(self.steps.steps[first:last, part], self.base)
        return Panel(first, last, part.start, part.stop, digits, matrix[:, part])


def for_digits(exact: Couplings) -> tuple[int, Steps]:
    """Round couplings to steps that two digits hold; the base of the digits, the steps."""
    n = exact.matrix.shape[1]
    base = 2 ** min(
        12, 25 - (n - 1).bit_length()
    )  # n low digits, each up to base / 2, must not exceed SUM
    return base, in_steps(exact, base * (SUM - n), base * FACTOR)


def in_digits(steps: np.ndarray, base: int) -> np.ndarray:
    """Whole steps as high digits, and below them low ones.

    Examples
    --------
    >>> in_digits(np.array([[4097.0, 2047.0, -2049.0]]), 4096).tolist()
    [[1.0, 0.0, -1.0], [1.0, 2047.0, 2047.0]]
    """
    high = np.rint(steps / base)
    return np.concatenate([high, steps - base * high]).astype(np.float32)
