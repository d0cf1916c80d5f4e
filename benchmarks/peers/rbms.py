"""rbms: restricted Boltzmann machines in PyTorch, on the processor."""

from __future__ import annotations

import numpy as np
import torch
from rbms.bernoulli_bernoulli.classes import BBRBM


class Machine:
    """Persistent chains, one for each state of a batch, and plain gradient steps, as its own training has."""

    def __init__(self, x: np.ndarray, n_hidden: int, batch: int, rate: float) -> None:
        torch.set_num_threads(1)
        self.x, self.batch = torch.tensor(x, dtype=torch.float32), batch
        n = x.shape[1]
        self.machine = BBRBM(
            0.01 * torch.randn(n, n_hidden),
            torch.zeros(n),
            torch.zeros(n_hidden),
            device="cpu",
            dtype=torch.float32,
        )
        self.steps = torch.optim.SGD(self.machine.parameters(), lr=rate, maximize=True)
        self.chains = self.machine.init_chains(batch)
        self.ones = torch.ones(batch)

    @torch.no_grad()
    def epochs(self, n: int) -> None:
        """All states n times."""
        machine = self.machine
        for _ in range(n):
            order = torch.randperm(len(self.x))
            for a in range(0, len(order) - self.batch + 1, self.batch):
                seen = self.x[order[a : a + self.batch]]
                self.steps.zero_grad(set_to_none=False)
                data = machine.init_chains(self.batch, weights=self.ones, start_v=seen)
                self.chains = machine.sample_state(chains=self.chains, n_steps=1)
                machine.compute_gradient(data=data, chains=self.chains, centered=False)
                self.steps.step()
