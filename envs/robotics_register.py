"""Importing this module registers Gymnasium-Robotics' tasks, without a word."""

import io
from contextlib import redirect_stderr
from importlib import import_module

with redirect_stderr(io.StringIO()):  # it prints a notice about other versions
    import_module("gymnasium_robotics")
