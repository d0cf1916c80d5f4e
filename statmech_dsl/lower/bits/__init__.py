"""Which programs can be bit-sliced, and how: two-state sites, few energy differences."""

from statmech_dsl.lower.bits.fold import Fold, find_fold
from statmech_dsl.lower.bits.form import Unsliced, bit_form

__all__ = ["Fold", "Unsliced", "bit_form", "find_fold"]
