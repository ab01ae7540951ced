"""Statistics of few runs: interval estimates instead of single numbers."""
