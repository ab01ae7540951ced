"""Programs that reach for the network, other processes, time and memory.

Returning means having done it.  The tests of the sandbox run each of them; see
:class:`~reward_synth.benchmarks.hostile_case.Hostile` for the words in capitals.
"""

from __future__ import annotations

from reward_synth.benchmarks.hostile_files import Escape, call

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
    call("ptrace", "libc.ptrace(16, VICTIM, 0, 0)"),
    call("process_vm_readv", "libc.process_vm_readv(PARENT, None, 0, None, 0, 0)"),
    call("pidfd_open", "libc.syscall(434, PARENT, 0)"),
    call("io_uring_setup", "libc.syscall(425, 1, ctypes.create_string_buffer(120))"),
    call("bpf", "libc.syscall(321, 0, ctypes.create_string_buffer(120), 120)"),
    call("mount", 'libc.mount(b"none", b"/mnt", b"tmpfs", 0, None)'),
    call("unshare", "libc.unshare(0x10000000)"),
    call("clone3", "libc.syscall(435, ctypes.create_string_buffer(88), 88)"),
    call("execveat", 'libc.syscall(322, -100, b"/bin/true", None, None, 0)'),
    call("prctl_dumpable", "libc.prctl(4, 1, 0, 0, 0)"),
    call("userfaultfd", "libc.syscall(323, 1)"),
    call("x32_getpid", "libc.syscall(0x40000000 + 39)"),
    call("new_machine_code", "(libc.mprotect(id(0) & ~4095, 4096, 7))"),
]

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
