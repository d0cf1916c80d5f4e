"""Models to start from, one in each file, written with nothing but the public interface.

`MODELS` maps each name to the function that builds the model; all arguments have defaults.
"""

from __future__ import annotations

from collections.abc import Callable

import statmech_dsl as sm
from statmech_dsl.models.ashkin_teller import ashkin_teller as ashkin_teller
from statmech_dsl.models.blume_capel import blume_capel as blume_capel
from statmech_dsl.models.boltzmann_machine import boltzmann_machine as boltzmann_machine
from statmech_dsl.models.clock import clock as clock
from statmech_dsl.models.curie_weiss import curie_weiss as curie_weiss
from statmech_dsl.models.edwards_anderson import edwards_anderson as edwards_anderson
from statmech_dsl.models.gaussian_field import gaussian_field as gaussian_field
from statmech_dsl.models.heisenberg import heisenberg as heisenberg
from statmech_dsl.models.hopfield import hopfield as hopfield
from statmech_dsl.models.ising import ising as ising
from statmech_dsl.models.lattice_gas import lattice_gas as lattice_gas
from statmech_dsl.models.max_cut import max_cut as max_cut
from statmech_dsl.models.p_spin import p_spin as p_spin
from statmech_dsl.models.phi4 import phi4 as phi4
from statmech_dsl.models.potts import potts as potts
from statmech_dsl.models.restricted_boltzmann_machine import (
    restricted_boltzmann_machine as restricted_boltzmann_machine,
)
from statmech_dsl.models.sherrington_kirkpatrick import (
    sherrington_kirkpatrick as sherrington_kirkpatrick,
)
from statmech_dsl.models.u1_gauge import u1_gauge as u1_gauge
from statmech_dsl.models.xy import xy as xy
from statmech_dsl.models.z2_gauge import z2_gauge as z2_gauge

MODELS: dict[str, Callable[..., sm.Model]] = {
    function.__name__: function
    for function in (
        ashkin_teller,
        blume_capel,
        boltzmann_machine,
        clock,
        curie_weiss,
        edwards_anderson,
        gaussian_field,
        heisenberg,
        hopfield,
        ising,
        lattice_gas,
        max_cut,
        p_spin,
        phi4,
        potts,
        restricted_boltzmann_machine,
        sherrington_kirkpatrick,
        u1_gauge,
        xy,
        z2_gauge,
    )
}
