"""Makes cluster moves on a card."""

from __future__ import annotations

from typing import Any

import numpy as np

from statmech_dsl.backends.collective.base import Lender, Seat
from statmech_dsl.backends.collective.clusters.card import improved
from statmech_dsl.backends.collective.clusters.card.source import ClusterPrinter
from statmech_dsl.backends.cupy_gpu.kernel import Kernel, Packed


class CardClusters:
    """Makes the moves of one `Clusters`, of all replicas together."""

    def __init__(self, seat: Seat, lender: Lender) -> None:
        printer = ClusterPrinter(seat.move, seat.program.model)
        self._move, self._n_numbers = seat.move, printer.n_numbers
        self.ledger = improved.CardLedger(seat.move.reports, lender.device)
        self._kernel = Kernel("clusters", printer.source(), lender.layout, lender.device)
        self._device, self._n_axes = lender.device, len(printer.axes)
        self._n_sites = seat.program.model.variable(seat.move.variable).n_sites
        self._largest = max([1 + self._n_sites, *(t.count(seat.tables) for t in seat.move.ties)])
        self._rooms: dict[int, list[Any]] = {}

    def source(self) -> str:
        """Source of the kernel."""
        return self._kernel.source.text

    def move_on_card(self, lent: Packed, sweep: int, n: int) -> None:
        """Make the moves of n sweeps in place; it returns before they are done."""
        state = lent.state
        counters = [np.uint32(n), np.uint32(sweep), np.uint64(state.seed)]
        first = [*counters, lent.replicas, lent.beta, *self._room(state.n_replicas)]
        if self._move.reports:
            first.append(self.ledger.open(state.n_replicas, n * self._move.times))
        self._kernel(self._largest * state.n_replicas, lent, first)

    def _room(self, n_replicas: int) -> list[Any]:
        """What a kernel keeps between its stages."""
        if n_replicas not in self._rooms:
            empty = self._device.empty
            sizes = self._n_sites, self._n_numbers, n_replicas
            reports = improved.room(*sizes, self._device) if self._move.reports else []
            self._rooms = {
                n_replicas: [
                    empty(((1 + self._n_sites) * n_replicas,), np.uint32),
                    empty((n_replicas,), np.uint64),
                    *(empty((n_replicas,), np.uint32) for _ in range(2)),
                    empty((max(1, self._n_axes) * n_replicas,), float),
                    *reports,
                ]
            }
        return self._rooms[n_replicas]
