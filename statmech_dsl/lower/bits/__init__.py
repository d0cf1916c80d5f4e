"""Which programs can be bit-sliced, and how: two-state sites, few energy differences."""

from statmech_dsl.lower.bits.degrees import degree_keys
from statmech_dsl.lower.bits.fold import Fold, find_fold
from statmech_dsl.lower.bits.form import bit_form, terms_as_bits
from statmech_dsl.lower.bits.two_valued import Unsliced

__all__ = ["Fold", "Unsliced", "bit_form", "degree_keys", "find_fold", "terms_as_bits"]
