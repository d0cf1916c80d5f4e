"""Shipped tests: conformance of updates, variable types and backends, and `validate` for a user's model."""

from statmech_dsl.testing.conformance import check_backend, check_transition_matrix
from statmech_dsl.testing.models import Declaration, declarations, legal_updates, small_models

__all__ = ["check_backend", "check_transition_matrix", "Declaration", "declarations", "legal_updates", "small_models"]
