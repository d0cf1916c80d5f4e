"""Shipped tests: conformance of updates, variable types and backends, and `validate` for a user's model."""

from statmech_dsl.testing.conformance import check_backend, check_transition_matrix
from statmech_dsl.testing.differences import energy_differences
from statmech_dsl.testing.distributions import check_conditional, check_geweke
from statmech_dsl.testing.models import (
    KINDS,
    Declaration,
    declarations,
    legal_updates,
    small_models,
)

__all__ = [
    "KINDS",
    "Declaration",
    "check_backend",
    "check_conditional",
    "check_geweke",
    "check_transition_matrix",
    "declarations",
    "energy_differences",
    "legal_updates",
    "small_models",
]
