"""Labelled layer over the estimators: from the draws of a run to quantities with errors."""

from statmech_dsl.diagnostics.autocorrelation import tau_int
from statmech_dsl.diagnostics.correlation import correlation
from statmech_dsl.diagnostics.correlation_length import correlation_length
from statmech_dsl.diagnostics.derived import derived
from statmech_dsl.diagnostics.functions import Derived
from statmech_dsl.diagnostics.reweighting import reweight

__all__ = ["Derived", "correlation", "correlation_length", "derived", "reweight", "tau_int"]
