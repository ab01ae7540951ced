"""The command line. Commands are thin: they call the library and print."""

from reward_synth.cli.main import main

__all__ = ["main"]
