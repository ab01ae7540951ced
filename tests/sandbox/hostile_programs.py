"""Programs that try to do harm, written so that returning means having done it.

Words in capitals are filled in by the test: CANARY (a file that holds a secret),
TARGET (a path that must not come to be), FOLDER, TCP and UDP (ports that are
listened on), VICTIM and PARENT (process ids).
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


def _few(name: str, body: str) -> Escape:
    return Escape(name, body, unrestricted=False)


def _call(name: str, call: str) -> Escape:
    """Return a raw system call; other machines may refuse it for other reasons."""
    body = f"""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        if {call} < 0:
            raise OSError(ctypes.get_errno(), "refused")
    """
    return Escape(name, body, works_outside=False)


WAYS_OUT = [
    _few("npyio_os", """
        os = np.lib._npyio_impl.os
        os.read(os.open("CANARY", 0), 99)
    """),
    _few("f2py_os", """
        os = np.f2py.os
        os.read(os.open("CANARY", 0), 99)
    """),
    _few("numpy_builtins", 'np.__builtins__["open"]("CANARY").read()'),
    _few("subclasses_walk", """
        kinds = ().__class__.__base__.__subclasses__()
        wrap = [kind for kind in kinds if kind.__name__ == "_wrap_close"][0]
        wrap.__init__.__globals__["listdir"]("FOLDER")
    """),
    _few("generator_frame", """
        def walk():
            yield generator.gi_frame.f_back
        generator = walk()
        frame = [frame for frame in generator][0]
        while "os" not in frame.f_globals:
            frame = frame.f_back
        frame.f_globals["os"].listdir("FOLDER")
    """),
    _few("traceback_frame", """
        try:
            1 / 0
        except np.exceptions.AxisError.__mro__[-3] as error:
            frame = error.__traceback__.tb_frame
        while "os" not in frame.f_globals:
            frame = frame.f_back
        frame.f_globals["os"].listdir("FOLDER")
    """),
    _few("format_to_frame", """
        "{0.__class__.__base__}".format(())
        np.lib._npyio_impl.os.stat("CANARY")
    """),
    _few("nfkc_identifier", """
        kinds = ().__\uff43lass__.__base__.__subclasses__()
        wrap = [kind for kind in kinds if kind.__name__ == "_wrap_close"][0]
        wrap.__init__.__globals__["stat"]("CANARY")
    """),
    _few("match_class_pattern", """
        match ():
            case tuple_type if tuple_type.__class__:
                np.lib._npyio_impl.os.scandir("FOLDER")
    """),
    _few("ctypes_syscall", """
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
    _call("setxattr", 'libc.setxattr(b"CANARY", b"user.x", b"1", 1, 0)'),
    _call("shm_open", 'libc.shm_open(b"/reward-sandbox", 66, 0o600)'),
]

NETWORK = [
    Escape(
        "tcp",
        """
        import socket
        socket.create_connection(("127.0.0.1", TCP), timeout=2)
    """,
    ),
    Escape(
        "udp",
        """
        import socket
        socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", UDP))
    """,
    ),
    Escape("listen", 'import socket; socket.create_server(("127.0.0.1", 0))'),
    Escape("socketpair", "import socket; socket.socketpair()"),
    Escape("unix_socket", "import socket; socket.socket(socket.AF_UNIX)"),
    Escape(
        "urllib",
        """
        import urllib.request
        urllib.request.urlopen("http://127.0.0.1:TCP/", timeout=2).read()
    """,
    ),
    Escape("genfromtxt_url", 'np.genfromtxt("http://127.0.0.1:TCP/x.csv")'),
    Escape(
        "raw_connect",
        """
        import ctypes, struct
        libc = ctypes.CDLL(None)
        address = struct.pack("=H", 2) + struct.pack(">HI8x", TCP, 0x7F000001)
        if libc.connect(libc.socket(2, 1, 0), address, 16) < 0:
            raise OSError("refused")
    """,
    ),
    Escape(
        "raw_sendto",
        """
        import ctypes, struct
        libc = ctypes.CDLL(None)
        address = struct.pack("=H", 2) + struct.pack(">HI8x", UDP, 0x7F000001)
        if libc.sendto(libc.socket(2, 2, 0), b"x", 1, 0, address, 16) < 0:
            raise OSError("refused")
    """,
    ),
]

PROCESSES = [
    Escape(
        "fork",
        """
        import os
        if os.fork() == 0:
            os.close(os.open("TARGET", os.O_CREAT | os.O_WRONLY))
            os._exit(0)
        os.wait()
    """,
    ),
    Escape("subprocess", 'import subprocess; subprocess.run(["touch", "TARGET"])'),
    Escape(
        "system",
        """
        import os
        if os.system("touch TARGET") != 0:
            raise OSError("refused")
    """,
    ),
    Escape("popen", 'import os; os.popen("touch TARGET").read()'),
    Escape(
        "execv",
        """
        import os
        os.execv("/bin/sh", ["sh", "-c", "touch TARGET"])
    """,
    ),
    Escape(
        "posix_spawn",
        """
        import os
        os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", "touch TARGET"], {}), 0)
    """,
    ),
    Escape(
        "pickle_system",
        r"""
        import pickle
        code = b"cposix\nsystem\n(S'touch TARGET'\ntR."
        if pickle.loads(code) != 0:
            raise OSError("refused")
    """,
    ),
    Escape(
        "thread",
        """
        import threading
        threading.Thread(target=len, args=((),)).start()
    """,
    ),
    Escape("setsid", "import os; os.fork() and os.wait(); os.setsid"),
    Escape("kill_victim", "import os; os.kill(VICTIM, 9)"),
    Escape("probe_parent", "import os; os.kill(PARENT, 0)"),
    Escape("stop_group", "import os; os.killpg(os.getpgid(VICTIM), 9)"),
    Escape("ignore_signal", "import signal; signal.signal(24, signal.SIG_IGN)"),
    Escape(
        "more_memory",
        """
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, resource.getrlimit(7))
    """,
    ),
    Escape("nice", "import os; os.nice(1)"),
    _call("ptrace", "libc.ptrace(16, VICTIM, 0, 0)"),
    _call("process_vm_readv", "libc.process_vm_readv(PARENT, None, 0, None, 0, 0)"),
    _call("pidfd_open", "libc.syscall(434, PARENT, 0)"),
    _call("io_uring_setup", "libc.syscall(425, 1, ctypes.create_string_buffer(120))"),
    _call("bpf", "libc.syscall(321, 0, ctypes.create_string_buffer(120), 120)"),
    _call("mount", 'libc.mount(b"none", b"/mnt", b"tmpfs", 0, None)'),
    _call("unshare", "libc.unshare(0x10000000)"),
    _call("clone3", "libc.syscall(435, ctypes.create_string_buffer(88), 88)"),
    _call("execveat", 'libc.syscall(322, -100, b"/bin/true", None, None, 0)'),
    _call("prctl_dumpable", "libc.prctl(4, 1, 0, 0, 0)"),
    _call("userfaultfd", "libc.syscall(323, 1)"),
    _call("x32_getpid", "libc.syscall(0x40000000 + 39)"),
    _call("new_machine_code", "(libc.mprotect(id(0) & ~4095, 4096, 7))"),
]

ESCAPES = [*WAYS_OUT, *READS, *WRITES, *NETWORK, *PROCESSES]

HANGS = {
    "endless_loop": "while True: pass",
    "catches_everything": """
        while True:
            try:
                while True: pass
            except BaseException:
                pass
    """,
    "huge_power": "10 ** 10 ** 10",
    "regular_expression": 'import re; re.match("(a+)+$", "a" * 40 + "b")',
    "matrix_product": "while True: np.ones((900, 900)) @ np.ones((900, 900))",
    "message_of_exception": """
        class Slow(Exception):
            def __str__(self):
                while True: pass
        raise Slow
    """,
}

MEMORY = {
    "long_list": "[0] * 10**10",
    "growing_list": """
        grown = [0]
        while True: grown = grown + grown
    """,
    "growing_string": """
        text = "x"
        while True: text = text + text
    """,
    "big_array": "np.ones(10**10)",
    "broadcast": """
        row = np.ones(4000)
        row[:, None, None] * row[:, None] * row
    """,
    "raised_by_hand": "raise MemoryError",
}

CRASHES = {
    "exit_zero": "import os; os._exit(0)",
    "exit_seven": "import os; os._exit(7)",
    "abort": "import os; os.abort()",
    "null_write": "import ctypes; ctypes.memset(0, 1, 8)",
    "deep_recursion": """
        import sys
        sys.setrecursionlimit(10**9)
        value = []
        for _ in range(10**6): value = [value]
        repr(value)
    """,
    "bad_system_call_table": """
        import ctypes
        ctypes.string_at(1)
    """,
}

RAISES = {
    "system_exit": ("import sys; sys.exit(0)", "SystemExit"),
    "keyboard_interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "generator_exit": ("raise GeneratorExit", "GeneratorExit"),
    "recursion": ("return compute_reward(x)", "RecursionError"),
    "sleep": ("import time; time.sleep(60)", "PermissionError"),
    "kill_itself": ("import os; os.kill(os.getpid(), 9)", "PermissionError"),
    "threads": (
        "import threading\n"
        "for _ in range(200): threading.Thread(target=len).start()",
        "RuntimeError",
    ),
    "unprintable": (
        "class Odd(Exception):\n"
        "    def __str__(self): raise SystemExit\n"
        "raise Odd",
        "Odd: (its message could not be read)",
    ),
}  # fmt: skip
