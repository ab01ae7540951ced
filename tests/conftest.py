"""Makes the tests the same wherever they are started."""

from __future__ import annotations

import os
import signal
import tempfile

from hypothesis import HealthCheck, settings

# A job in the background inherits an ignored SIGINT, and so would every child that the
# tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Kernels of tests do not fill the user's own cache; child processes inherit the folder.
_KERNELS = tempfile.TemporaryDirectory(prefix="reward_synth_kernels_")
os.environ["REWARD_SYNTH_CACHE"] = _KERNELS.name

# Two workers share the cores with what they start: how long an example takes is no rule.
settings.register_profile(
    "shared", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared")
