"""Conditional probabilities of single sites, and their product."""
