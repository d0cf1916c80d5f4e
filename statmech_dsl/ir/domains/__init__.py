"""Variable types, one file each; a new one is exported here and appears everywhere."""

from statmech_dsl.ir.domains.angle import Angle
from statmech_dsl.ir.domains.base import Conditional, Domain, Finite, Proposal, Reflection
from statmech_dsl.ir.domains.clock import Clock
from statmech_dsl.ir.domains.field import Field
from statmech_dsl.ir.domains.levels import Levels
from statmech_dsl.ir.domains.occupation import Occupation
from statmech_dsl.ir.domains.potts import Potts
from statmech_dsl.ir.domains.spin import Spin
from statmech_dsl.ir.domains.unit_vector import UnitVector

DOMAINS: dict[str, type[Domain]] = {
    d.label: d for d in (Spin, Occupation, Levels, Potts, Clock, Angle, UnitVector, Field)
}
"""All variable types by the name of their declaration."""

__all__ = ["DOMAINS", "Conditional", "Domain", "Finite", "Proposal", "Reflection", *DOMAINS]
