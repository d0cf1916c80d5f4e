"""How graphs run that are not evaluated often enough for compiling them, some seconds, to pay."""

from pytensor.compile.mode import Mode

INTERPRETED = Mode(linker="py", optimizer="fast_run").excluding("fusion")
"""Fused, a graph would go through arrays element by element."""
