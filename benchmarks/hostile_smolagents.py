"""Hostile programs after the security tests, advisories and issues of smolagents.

Each holds the fact of a test, an advisory or a public issue in our own words.  Source:
smolagents 1.26 (``tests/test_local_python_executor.py``), CVE-2025-5120, CVE-2025-9959,
CVE-2026-4963, and its issues 2094, 2395 and 2473.
"""

from __future__ import annotations

from reward_synth.benchmarks.hostile_case import Hostile, cases

_IMPORTS = {
    "import_os": "import os\nos.popen",
    "os_popen": "import os\nos.popen('touch TARGET').read()",
    "posix_system": "import posix\nif posix.system('touch TARGET') != 0:\n    raise OSError",
    "builtins_exec": "import builtins\nbuiltins.exec('import os; os.listdir(\"FOLDER\")')",
    "builtins_compile": "import builtins\neval(builtins.compile('open(\"CANARY\").read()', '', 'eval'))",
    "builtins_globals": "import builtins\nbuiltins.globals()['__builtins__']",
    "builtins_locals": "import builtins\nbuiltins.locals()\nopen('CANARY').read()",
    "builtins_import": "import builtins\nbuiltins.__import__('os').listdir('FOLDER')",
    "sys_modules_os": "import sys\nsys.modules['os'].listdir('FOLDER')",
    "sys_modules_io": "import sys\nsys.modules['io'].open('CANARY').read()",
    "sys_modules_posix": "import sys\nsys.modules['posix'].listdir('FOLDER')",
    "importlib_os": "import importlib\nimportlib.import_module('os').listdir('FOLDER')",
    "queue_threading_os": "import queue\nqueue.threading._os.listdir('FOLDER')",
    "queue_threading_sys": "import queue\nqueue.threading._sys.modules['os'].listdir('FOLDER')",
    "random_os": "import random\nrandom._os.listdir('FOLDER')",
    "random_dict_os": "import random\nrandom.__dict__['_os'].listdir('FOLDER')",
    "inspect_os": "import inspect\ninspect.os.listdir('FOLDER')",
    "asyncio_subprocess": "import asyncio\nasyncio.base_events.subprocess.run(['touch', 'TARGET'])",
    "warnings_sys": "import warnings\nwarnings.sys.modules['os'].listdir('FOLDER')",
    "ctypes_libc": """
        import ctypes
        if ctypes.CDLL(None).access(b"CANARY", 4) != 0:
            raise OSError
    """,
    "ctypes_system": """
        import ctypes
        if ctypes.CDLL(None).system(b"touch TARGET") != 0:
            raise OSError
    """,
    "private_ctypes": "import _ctypes\n_ctypes.dlopen(None, 0)",
    "pty_spawn": "import pty\npty.os.listdir('FOLDER')",
    "shutil_copy": "import shutil\nshutil.copy('CANARY', 'TARGET')",
    "pathlib_read": "from pathlib import Path\nPath('CANARY').read_bytes()",
    "multiprocessing": """
        import multiprocessing
        child = multiprocessing.get_context("fork").Process(target=open, args=("TARGET", "w"))
        child.start()
        child.join()
    """,
    "socket_connect": "import socket\nsocket.create_connection(('127.0.0.1', TCP), 1)",
    "io_open_code": "import io\nio.open_code('CANARY').read()",
    "code_console": "import code\ncode.InteractiveInterpreter({'open': open}).runsource('open(\"CANARY\").read()')",
}
_INDIRECT = {
    "partial_getattr": """
        import functools, warnings
        found = list(filter(functools.partial(getattr, warnings), ["sys"]))
    """,
    "map_getattr": "import warnings\nlist(map(getattr, [warnings], ['sys']))[0].modules",
    "map_partial_getattr": """
        import functools, warnings
        list(map(functools.partial(getattr, warnings), ["sys"]))[0].modules
    """,
    "getattr_class": "getattr((), '__class__').__base__",
    "attrgetter": "import operator\noperator.attrgetter('__class__.__base__')(())",
    "methodcaller": "import operator\noperator.methodcaller('__subclasses__')(object)",
    "frame_builtins": "import sys\nsys._getframe().f_builtins['__import__']('os').listdir('FOLDER')",
    "traceback_builtins": """
        try:
            1 / 0
        except Exception as error:
            found = error.__traceback__.tb_frame.f_globals["__builtins__"]
            dict(vars(found) if not isinstance(found, dict) else found)["open"]
    """,
    "catch_warnings_module": """
        kinds = {}.__class__.__base__.__subclasses__()
        found = [kind for kind in kinds if kind.__name__ == "catch_warnings"][0]
        found()._module.sys.modules
    """,
    "importer_loads": """
        kinds = object.__subclasses__()
        found = [kind for kind in kinds if kind.__name__ == "BuiltinImporter"][0]
        found.load_module("posix").listdir("FOLDER")
    """,
    "popen_by_subclasses": """
        import subprocess
        kinds = ().__class__.__base__.__subclasses__()
        found = [kind for kind in kinds if "Popen" in kind.__class__.__repr__(kind)][0]
        found(["touch", "TARGET"]).wait()
    """,
    "popen_by_getattribute": """
        import subprocess
        def plain():
            pass
        kind = plain.__getattribute__("__class__")
        root = type.__getattribute__(kind, "__bases__")[0]
        [item for item in root.__subclasses__() if item.__name__ == "Popen"][0](["touch", "TARGET"]).wait()
    """,
    "dict_of_instance": "class Plain:\n    pass\nPlain().__dict__\nPlain.__mro__[1].__subclasses__()",
    "dir_of_string": "'text'.__dir__()",
    "self_of_builtin": "callable.__self__.exec(callable.__self__.compile('open(\"CANARY\").read()', '', 'exec'))",
    "augmented_dunder": """
        class Plain:
            pass
        thing = Plain()
        thing.__class__ = type("Other", (Plain,), {"reach": np.__dict__})
        thing.reach
    """,
    "set_through_dunder_path": "np.__dict__.__setitem__('seen', 1)\ndel np.seen",
    "delattr_dunder": "np.seen = 1\nnp.__delattr__('seen')",
    "for_target_dunder": "class P:\n    pass\nfor P.__doc__ in ('x',):\n    pass\nP.__mro__[1].__subclasses__()",
    "with_target_dunder": """
        class P:
            def __enter__(self):
                return np.__dict__
            def __exit__(self, *a):
                pass
        with P() as P.__doc__:
            P.__doc__["__builtins__"]
    """,
    "match_reads_class": """
        match ():
            case object(__class__=found):
                found.__base__.__subclasses__()
    """,
    "numpy_os_through_lib": "np.lib._npyio_impl.os.listdir('FOLDER')",
    "numpy_ctypeslib": "np.ctypeslib.ctypes.CDLL(None)",
    "numpy_f2py": "import numpy.f2py\nnp.f2py.os.listdir('FOLDER')",
}
_LATER = {
    "finalizer_runs_later": """
        class Late:
            def __del__(self):
                open("TARGET", "w").close()
        Late()
    """,
    "equality_runs_on_host": """
        class Odd(float):
            def __eq__(self, other):
                open("TARGET", "w").close()
                return True
            __hash__ = float.__hash__
        return {"done": Odd(1.0) == 1.0}
    """,
    "thread_outlives_timeout": """
        import threading
        def late():
            import time
            time.sleep(0.05)
            open("TARGET", "w").close()
        found = threading.Thread(target=late)
        found.start()
        found.join()
    """,
    "exit_hook": "import atexit\natexit.register(open, 'TARGET', 'w')\natexit._run_exitfuncs()",
    "reduce_on_pickle": """
        import pickle
        class Odd:
            def __reduce__(self):
                return (open, ("TARGET", "w"))
        pickle.loads(pickle.dumps(Odd()))
    """,
    "loop_in_thread_never_ends": """
        import threading
        def loop():
            while True:
                pass
        threading.Thread(target=loop, daemon=True).start()
        while True:
            pass
    """,
}
PROGRAMS: tuple[Hostile, ...] = (
    *cases("imports", "escape", "smolagents", _IMPORTS),
    *cases("objects", "leak", "smolagents", _INDIRECT),
    *cases("later", "escape", "smolagents", _LATER),
)
"""All of this module."""
