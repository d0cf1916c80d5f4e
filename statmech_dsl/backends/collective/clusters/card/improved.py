"""Improved estimators on a card, before anything moves: the numbers of `clusters.improved`, in a fixed order.

Threads add up the odd parts of a cluster in any order, so they add whole numbers: multiples of a power of two,
as small as 64 bits allow for the largest odd part of the replica. Sums over places are sums of parts of `PART`
places each, in order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from statmech_dsl.backends.collective.base import Ledger
from statmech_dsl.backends.collective.clusters.card.sites import SitePrinter
from statmech_dsl.backends.cupy_gpu.device import Device
from statmech_dsl.backends.cupy_gpu.names import Table
from statmech_dsl.backends.cupy_gpu.spell import Lines, block
from statmech_dsl.ir.collective import Report

PART = 256
FIRST = ["double* odds", "u64* total", "u64* largest", "double* part", "double* sums"]
"""What the kernel takes for reports.

``odds`` is [site][replica], ``total`` [place][replica], ``part`` [number][part][replica], ``sums``
[number][replica]; ``largest`` has the bits of numbers that are not negative.
"""


def room(n_sites: int, n_numbers: int, n_replicas: int, device: Device) -> list[Any]:
    """What the kernel keeps between its stages."""
    parts = -(-(n_sites + 1) // PART)
    return [
        device.empty((n_sites * n_replicas,), float),
        device.empty(((1 + n_sites) * n_replicas,), np.uint64),
        device.empty((n_replicas,), np.uint64),
        device.empty((max(2, n_numbers) * parts * n_replicas,), float),
    ]


class CardLedger(Ledger):
    """Sums that lie on a card, [number][replica], until they are taken."""

    def __init__(self, reports: tuple[Report, ...], device: Device) -> None:
        super().__init__(reports)
        self._device, self._on_card = device, None

    def open(self, n_replicas: int, moves: int) -> Any:
        """The sums, which so many moves of each replica are to be added to."""
        sums = super().open(n_replicas, moves)
        if self._on_card is None or self._on_card.shape != sums.T.shape:
            self._on_card = self._device.put(np.zeros(sums.T.shape))
        return self._on_card

    def take(self) -> list[np.ndarray]:
        """Means over the moves since this was last called."""
        if self._on_card is not None:
            self.sums, self._on_card = self._device.get(self._on_card).T, None
        return super().take()


def begin(p: SitePrinter) -> Lines:
    """What is bound around all sweeps: of how many parts the places are, one more than the sites."""
    if not p.move.reports:
        return []
    return [f"const u32 n_parts = ({p.n_sites} + {PART}) / {PART};"]


def hold(p: SitePrinter) -> Lines:
    """Join clamped sites with the ghost."""
    if p.move.held is None:
        return []
    held = Table("copy", p.move.held)
    place = f"{p.names.table(held)}[item / R] + 1"
    join = f"join(label + item % R, R, {place}, 0);"
    return [f"EACH(item, (u64){p.names.size(held)} * R) {join}"]


def report(p: SitePrinter) -> Lines:
    """Stages that add to ``sums``, before anything moves."""
    if not p.move.reports:
        return []
    return _of_one(p) if p.move.one else _of_all(p)


def _of_all(p: SitePrinter) -> Lines:
    n = p.n_sites
    size = [
        "const u32 r = item % R;",
        *p.odd(f"{p.row_of}[item / R]"),
        "odds[item] = odd;",
        "const u64 size = (u64)__double_as_longlong(fabs(odd));",
        "if (size > ((volatile u64*)largest)[r]) atomicMax(&largest[r], size);",
    ]
    add = [
        "const u32 r = item % R, i = item / R;",
        "const u32 mine = root(label + r, R, i + 1);",
        "label[item + R] = mine;",
        f"const i64 whole = (i64)rint(odds[item] * scale2(1.0, digits({n}, largest[r])));",
        "atomicAdd(&total[(u64)mine * R + r], (u64)whole);",
    ]
    square = [
        f"const double unit = scale2(1.0, -digits({n}, largest[r]));",
        "double squares = 0.0;",
        *_places(f"{n} + 1", ["squares += square((double)(i64)total[(u64)i * R + r] * unit);"]),
        "part[item] = squares;",
        *(_correlate(p) if p.move.forward else []),
    ]
    add_up = [
        "const u32 r = item % R, d = item / R;",
        *_sum_of_parts("added", "d * (u64)n_parts * R + r"),
        f"sums[item] += added / (d ? {_pairs(p)} : square((double){n}));",
    ]
    return [
        *block(f"EACH(item, (u64){n} * R)", size),
        "MEET;",
        *block(f"EACH(item, (u64){n} * R)", add),
        "MEET;",
        *_each_part(square),
        "MEET;",
        *block(f"EACH(item, (u64){p.n_numbers} * R)", add_up),
    ]


def _pairs(p: SitePrinter) -> str:
    """Pairs of sites at a distance; without correlations there is none."""
    if p.move.forward is None:
        return "1.0"
    forward = Table("copy", p.move.forward)
    return f"((double){p.names.size(forward, 0)} * {p.names.size(forward, 1)})"


def _correlate(p: SitePrinter) -> Lines:
    """Products of the odd parts of sites in one cluster, at distances along the axes."""
    forward = Table("copy", p.move.forward or "")
    n_axes, table = p.names.size(forward, 0), p.names.table(forward)
    width = p.n_numbers
    product = "odds[(u64)i * R + r] * odds[(u64)j * R + r]"
    walk = [
        f"if (label[(j + (u64)1) * R + r] == mine) products[d] += {product};",
        f"j = {table}[a * (u64){p.n_sites} + j];",
    ]
    pairs = [
        "const u32 mine = label[(i + (u64)1) * R + r];",
        *block(
            f"for (u32 a = 0; a < {n_axes}; ++a)",
            ["u32 j = i;", *block(f"for (u32 d = 1; d < {width}; ++d)", walk)],
        ),
    ]
    keep = f"for (u32 d = 1; d < {width}; ++d) part[d * (u64)n_parts * R + item] = products[d];"
    return [f"double products[{width}] = {{}};", *_places(p.n_sites, pairs), keep]


def _of_one(p: SitePrinter) -> Lines:
    n = p.n_sites
    member = ["if (root(label + r, R, i + 1) != own) continue;", *p.odd(f"{p.row_of}[i]")]
    total = [
        "if (!home[r]) continue;",
        "const u32 own = root(label + r, R, home[r]);",
        "double sum = 0.0;",
        "u32 count = 0;",
        *_places(n, [*member, "sum += odd;", "++count;"]),
        "part[item] = sum;",
        "part[(u64)n_parts * R + item] = count;",
    ]
    share = "1.0"
    if p.move.picks is not None:
        picked = p.picked(f"{p.row_of}[home[r] - 1]")
        share = f"((double){picked}[0] / {p.n_mirrors})"
    end = [
        "if (!home[r]) continue;",
        *_sum_of_parts("sum", "r"),
        *_sum_of_parts("count", "(u64)n_parts * R + r"),
        f"sums[r] += sum * sum / count * ({n} + 1.0) / square((double){n}) * {share};",
    ]
    return [
        *_each_part(total),
        "MEET;",
        *block("EACH(r, R)", end),
        "MEET;",
    ]


def _each_part(body: Lines) -> Lines:
    """A stage with an item for each part and replica."""
    item = ["const u32 r = item % R, p = item / R;", *body]
    return block("EACH(item, (u64)n_parts * R)", item)


def _places(end: str, body: Lines) -> Lines:
    """A loop over the places, or sites, of a part."""
    head = f"for (u32 i = p * {PART}; i < least({end}, (p + 1) * {PART}u); ++i)"
    return block(head, body)


def _sum_of_parts(name: str, first: str) -> Lines:
    return [
        f"double {name} = 0.0;",
        f"for (u32 p = 0; p < n_parts; ++p) {name} += part[p * (u64)R + {first}];",
    ]
