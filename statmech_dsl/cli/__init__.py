"""The command `statmech`: what the verbs of the library do, from a shell."""

from statmech_dsl.cli.app import main

__all__ = ["main"]
