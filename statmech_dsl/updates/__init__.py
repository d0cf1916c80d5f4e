"""Updates, one file each; a new one is exported here and appears everywhere."""

from statmech_dsl.updates.base import Optioned, Situation, Update
from statmech_dsl.updates.heat_bath import HEAT_BATH
from statmech_dsl.updates.hmc import HMC, HMC_UPDATE, MALA_UPDATE
from statmech_dsl.updates.kawasaki import KAWASAKI
from statmech_dsl.updates.metropolis import METROPOLIS
from statmech_dsl.updates.overrelaxation import OVERRELAXATION
from statmech_dsl.updates.swendsen_wang import SWENDSEN_WANG, SwendsenWang
from statmech_dsl.updates.wolff import WOLFF, Wolff

UPDATES: dict[str, Update] = {
    u.name: u
    for u in (
        HEAT_BATH,
        METROPOLIS,
        OVERRELAXATION,
        SWENDSEN_WANG,
        WOLFF,
        HMC_UPDATE,
        MALA_UPDATE,
        KAWASAKI,
    )
}
"""All updates by name, in the order in which "auto" tries them."""

__all__ = ["HMC", "UPDATES", "Optioned", "Situation", "SwendsenWang", "Update", "Wolff"]
