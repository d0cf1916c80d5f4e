"""Updates, one file each; a new one is exported here and appears everywhere."""

from statmech_dsl.updates.base import Situation, Update
from statmech_dsl.updates.heat_bath import HEAT_BATH
from statmech_dsl.updates.metropolis import METROPOLIS
from statmech_dsl.updates.swendsen_wang import SWENDSEN_WANG
from statmech_dsl.updates.wolff import WOLFF

UPDATES: dict[str, Update] = {u.name: u for u in (HEAT_BATH, METROPOLIS, SWENDSEN_WANG, WOLFF)}
"""All updates by name, in the order in which "auto" tries them."""

__all__ = ["UPDATES", "Situation", "Update"]
