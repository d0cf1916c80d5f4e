"""What `make evidence` holds against exact results and theory, topic by topic; a new one is added here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.evidence import (
    dynamics,
    exchange,
    flat_histograms,
    free_energies,
    learning,
    log_z,
    overrelaxation,
    population,
    tempering,
)
from tests.evidence.checks import Check


@dataclass(frozen=True)
class Topic:
    """The text above its table, and what measures it: as a whole or in a reduced form."""

    text: str
    find: Callable[[bool, Callable[[Check], None]], list[Check]]


TOPICS: dict[str, Topic] = {
    "tempering": Topic(
        """## Tempering

Parallel tempering against exact results, and against the theory of its ladders. Seeds are a hash of
the name of the run here too; the checks are in `tests/evidence/tempering.py`, and in a reduced form
among the tests.""",
        tempering.all_checks,
    ),
    "population": Topic(
        """## Population annealing

Intervals of log Z over many runs of small models whose log Z is known. The checks are in
`tests/evidence/population.py`, and in a reduced form among the tests.""",
        population.all_checks,
    ),
    "flat_histograms": Topic(
        """## Flat histograms

Densities of states against exact ones, and a transition of first order. The checks are in
`tests/evidence/flat_histograms.py`, and in a reduced form among the tests. The highest points of the two
peaks lie 0.77 apart at L = 32, 11 % more than the latent heat; the means of the phases are closer.""",
        flat_histograms.all_checks,
    ),
    "overrelaxation": Topic(
        """## Moves

What moves beside heat bath gain, and that means stay the same. The checks are in
`tests/evidence/overrelaxation.py`, and in a reduced form among the tests.""",
        overrelaxation.all_checks,
    ),
    "dynamics": Topic(
        """## Critical slowing down

Autocorrelation times at the critical point of the 2D Ising model grow as L^z. The checks are in
`tests/evidence/dynamics.py`, and in a reduced form among the tests.""",
        dynamics.all_checks,
    ),
    "free_energies": Topic(
        """## Free energies

Estimators of free energies against harmonic oscillators, whose partition functions are known. The checks
are in `tests/evidence/free_energies.py`, and in a reduced form among the tests.""",
        free_energies.all_checks,
    ),
    "log_z": Topic(
        """## Log Z by every route

`sm.free_energy` against exact log Z of twenty models, the intervals of each route over many seeds, and runs
that are too short or too far apart. Intervals of integration are not held against the Ising model in a field:
its chains do not swap, and stay on the wrong side for longer than they run. The checks are in
`tests/evidence/log_z.py`, and in a reduced form among the tests.""",
        log_z.all_checks,
    ),
    "exchange": Topic(
        """## Posteriors

The exchange algorithm against quadrature; ranks of true parameters among draws of their posteriors, by
several methods; intervals of couplings from one state. Parameters are drawn from priors. Pseudolikelihood
promises no calibration, and is reported. The checks are in `tests/evidence/exchange.py`, and in a reduced form
among the tests.""",
        exchange.all_checks,
    ),
    "learning": Topic(
        """## Learning

Couplings from states. The Fisher bound is that of one exact conditional distribution, with the true couplings;
pseudolikelihood joins the two conditionals that a coupling stands in. Both machines of digits
have the same chains and epochs; that of scikit-learn is the best of three constant learning rates, ours has the
default one, which falls. Log Z of both is estimated by annealed importance sampling with 1000 members. The
checks are in `tests/evidence/learning.py`, and in a reduced form among the tests.""",
        learning.all_checks,
    ),
}
"""All topics, in the order of the page."""
