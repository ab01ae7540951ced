"""Benchmarks: each runs with ``python -m``, takes ``--quick`` and ``--json FILE``."""
