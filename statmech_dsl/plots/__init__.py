"""Pictures of results, with matplotlib."""

from statmech_dsl.plots.ladder import ladder

__all__ = ["ladder"]
