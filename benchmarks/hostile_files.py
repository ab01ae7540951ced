"""Programs that look for a way out, and read or write files.

Returning means having done it.  The tests of the sandbox run each of them; see
:class:`~reward_synth.benchmarks.hostile_case.Hostile` for the words in capitals.
"""

from __future__ import annotations

import textwrap
from typing import NamedTuple


class Escape(NamedTuple):
    """A program that reaches for something outside."""

    name: str
    body: str
    """Body of ``compute_reward(x)``; a value is returned after it."""
    unrestricted: bool = True
    """Run with all builtins; False: with the few, so the way out is part of it."""
    works_outside: bool = True
    """Whether it must succeed in a process without a lock on any test machine."""

    @property
    def source(self) -> str:
        """The whole program."""
        body = textwrap.indent(textwrap.dedent(self.body).strip(), "    ")
        return f"def compute_reward(x):\n{body}\n    return {{'done': 1.0}}\n"


def few(name: str, body: str) -> Escape:
    """Return a program that runs with the few builtins."""
    return Escape(name, body, unrestricted=False)


def call(name: str, text: str) -> Escape:
    """Return a raw system call; other machines may refuse it for other reasons."""
    body = f"""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        if {text} < 0:
            raise OSError(ctypes.get_errno(), "refused")
    """
    return Escape(name, body, works_outside=False)


WAYS_OUT = [
    few("npyio_os", """
        os = np.lib._npyio_impl.os
        os.read(os.open("CANARY", 0), 99)
    """),
    few("f2py_os", """
        os = np.f2py.os
        os.read(os.open("CANARY", 0), 99)
    """),
    few("numpy_builtins", 'np.__builtins__["open"]("CANARY").read()'),
    few("subclasses_walk", """
        kinds = ().__class__.__base__.__subclasses__()
        wrap = [kind for kind in kinds if kind.__name__ == "_wrap_close"][0]
        wrap.__init__.__globals__["listdir"]("FOLDER")
    """),
    few("generator_frame", """
        def walk():
            yield generator.gi_frame.f_back
        generator = walk()
        frame = [frame for frame in generator][0]
        while "os" not in frame.f_globals:
            frame = frame.f_back
        frame.f_globals["os"].listdir("FOLDER")
    """),
    few("traceback_frame", """
        try:
            1 / 0
        except np.exceptions.AxisError.__mro__[-3] as error:
            frame = error.__traceback__.tb_frame
        while "os" not in frame.f_globals:
            frame = frame.f_back
        frame.f_globals["os"].listdir("FOLDER")
    """),
    few("format_to_frame", """
        "{0.__class__.__base__}".format(())
        np.lib._npyio_impl.os.stat("CANARY")
    """),
    few("nfkc_identifier", """
        kinds = ().__\uff43lass__.__base__.__subclasses__()
        wrap = [kind for kind in kinds if kind.__name__ == "_wrap_close"][0]
        wrap.__init__.__globals__["stat"]("CANARY")
    """),
    few("match_class_pattern", """
        match ():
            case tuple_type if tuple_type.__class__:
                np.lib._npyio_impl.os.scandir("FOLDER")
    """),
    few("ctypes_syscall", """
        libc = np.ctypeslib.ctypes.CDLL(None)
        if libc.open(b"CANARY", 0) < 0:
            raise_ = 1 / 0
    """),
]  # fmt: skip

READS = [
    Escape("open", 'open("CANARY").read()'),
    Escape("exec_compile", """exec(compile("open('CANARY').read()", "", "exec"))"""),
    Escape("pathlib", 'from pathlib import Path; Path("CANARY").read_text()'),
    Escape("fromfile", 'np.fromfile("CANARY", dtype=np.uint8)'),
    Escape("memmap", 'np.memmap("CANARY", dtype=np.uint8, mode="r")[0]'),
    Escape("genfromtxt", 'np.genfromtxt("CANARY", dtype=str)'),
    Escape("loadtxt", 'np.loadtxt("CANARY", dtype=str)'),
    Escape("datasource", 'np.lib.npyio.DataSource(None).open("CANARY").read()'),
    Escape("listdir_root", 'import os; os.listdir("/")'),
    Escape("stat", 'import os; os.stat("CANARY")'),
    Escape("readlink", 'import os; os.readlink("/proc/self/exe")'),
    Escape("own_environ", 'open("/proc/self/environ").read()'),
    Escape("environ", 'import os; os.environ["SANDBOX_SECRET"]'),
    Escape(
        "getenv",
        """
        import ctypes
        ctypes.CDLL(None).getenv(b"SANDBOX_SECRET") or 1 / 0
    """,
    ),
    Escape("parent_environ", 'open("/proc/PARENT/environ").read()'),
    Escape("parent_maps", 'open("/proc/PARENT/maps").read()'),
    Escape("parent_memory", 'open("/proc/PARENT/mem", "rb")', works_outside=False),
    Escape("import_unloaded", "import ftplib"),
]

WRITES = [
    Escape("open_write", 'open("TARGET", "w").write("x")'),
    Escape("open_append", 'open("CANARY", "a").write("x")'),
    Escape("tofile", 'np.ones(3).tofile("TARGET")'),
    Escape("save", 'np.save("TARGET", np.ones(3))'),
    Escape("savetxt", 'np.savetxt("TARGET", np.ones(3))'),
    Escape("dump", 'np.ones(3).dump("TARGET")'),
    Escape(
        "open_memmap",
        """
        np.lib.format.open_memmap("TARGET", "w+", np.float64, shape=(3,))
    """,
    ),
    Escape("mkdir", 'import os; os.mkdir("TARGET")'),
    Escape("symlink", 'import os; os.symlink("CANARY", "TARGET")'),
    Escape("hard_link", 'import os; os.link("CANARY", "TARGET")'),
    Escape("rename", 'import os; os.rename("CANARY", "TARGET")'),
    Escape("unlink", 'import os; os.unlink("CANARY")'),
    Escape("truncate", 'import os; os.truncate("CANARY", 0)'),
    Escape("chmod", 'import os; os.chmod("CANARY", 0o777)'),
    Escape("chown", 'import os; os.chown("CANARY", os.getuid(), -1)'),
    Escape("utime", 'import os; os.utime("CANARY", (0, 0))'),
    Escape("mkfifo", 'import os; os.mkfifo("TARGET")'),
    Escape("relative", 'open("here", "w").write("x")'),
    Escape("temporary", "import tempfile; tempfile.TemporaryFile()"),
    Escape("memfd", 'import os; os.memfd_create("x")'),
    Escape("pipe", "import os; os.pipe()"),
    call("setxattr", 'libc.setxattr(b"CANARY", b"user.x", b"1", 1, 0)'),
    call("shm_open", 'libc.shm_open(b"/reward-sandbox", 66, 0o600)'),
]
