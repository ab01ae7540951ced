"""``python -m reward_synth`` is the command line."""

from reward_synth.cli import main

main()
