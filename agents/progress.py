"""Names of the files that a running trial writes; read without loading torch."""

PROGRESS = "progress.json"
"""Steps done, steps in all, seconds: replaced about once a second."""
CURVES = "curves.jsonl"
"""One line an episode: sparse return, dense return, components."""
