"""Makes the tests the same wherever they are started."""

from __future__ import annotations

import signal

# A job in the background inherits an ignored SIGINT, and so would every child that the
# tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
