"""Run the text of a reward program as plain Python, in a locked child process.

This is the only place where a program's text is executed.  A program is
normally parsed against the allow-list of the reward language before it comes
here, but this layer holds without that.

    tier.py      what each layer stops, and the mode that a platform can keep
    job.py       what is asked (Limits, Job) and answered (Execution)
    process.py   ProcessSandbox and live_layers: the way in
    warm.py      the server that workers are forked from; its own side: forking.py
    cold.py      a worker as a new interpreter, where there can be no server
    child.py     one worker process: exchange messages with it, and kill it
    wire.py      framing and packing of the messages, used by both sides
    reply.py     the worker's answer, read as hostile, to an Execution
    worker.py    the script that the child runs; it leads to serve.py
    serve.py     the child: lock down, read the job, run it, answer
    program.py   calls the program row by row, twice, and compares
    result.py    what a call returned, checked
    lockdown.py  the layers in order; landlock.py and seccomp.py are two of them,
                 namespaces.py is one that the server leaves for all

What holds, and what does not: the kernel keeps a locked worker from files,
network, other processes, and more time or memory than it was given, whatever
code runs in it.  The *values* in an answer are the program's own claim: code
that breaks out of the few builtins it is given shares an interpreter with the
code that writes the answer, and can find the token that an answer must carry.
So an answer may be believed as far as it is compared with another computation
of the same program, and no further.
"""

from reward_synth.sandbox.job import Execution, Job, Limits, Sandbox
from reward_synth.sandbox.process import (
    Mode,
    ProcessSandbox,
    live_layers,
    missing_layers,
)
from reward_synth.sandbox.tier import STOPS, Tier, choose

__all__ = [
    "STOPS",
    "Execution",
    "Job",
    "Limits",
    "Mode",
    "ProcessSandbox",
    "Sandbox",
    "Tier",
    "choose",
    "live_layers",
    "missing_layers",
]
