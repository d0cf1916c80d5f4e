"""Results as ArviZ-ready trees."""

from statmech_dsl.results.recorder import Recorder
from statmech_dsl.results.tree import final_state, to_tree

__all__ = ["Recorder", "final_state", "to_tree"]
