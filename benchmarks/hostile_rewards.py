"""Hostile programs that stay in arithmetic: junk, hidden state, cheats, kernels.

Most are well-formed rewards; what is wrong with them shows only when they run.
"""

from __future__ import annotations

from reward_synth.benchmarks.hostile_case import Hostile, cases

_JUNK = {
    "nan": "return {'done': np.nan * x}",
    "infinity": "return {'done': np.inf + x}",
    "minus_infinity": "return {'done': -np.inf + x}",
    "huge": "return {'done': 1e300 * (1.0 + x)}",
    "huge_by_product": "big = 1e9 * (2.0 + x)\nreturn {'done': big * big * big}",
    "log_of_negative": "return {'done': np.log(x - 5.0)}",
    "root_of_negative": "return {'done': np.sqrt(x - 5.0)}",
    "division_by_zero": "return {'done': 1.0 / (x - x)}",
    "zero_by_zero": "return {'done': (x - x) / (x - x)}",
    "arcsine_outside": "return {'done': np.arcsin(x + 5.0)}",
    "power_of_negative": "return {'done': (x - 5.0) ** 0.5}",
    "exponential_overflow": "return {'done': np.exp(1000.0 + x)}",
    "sometimes_nan": "return {'done': np.where(x > 0.9, np.nan, x)}",
    "none": "return None",
    "no_return": "def compute_reward(x, v, held):\n    y = x",
    "number": "return {'done': None}",
    "text": "return {'done': 'much'}",
    "array": "return {'done': v}",
    "complex": "return {'done': x + 1j}",
    "list": "return [x]",
    "empty": "return {}",
    "generator": "return (x for _ in range(3))",
    "nested": "return {'done': {'more': x}}",
    "other_names_by_row": "return {'a': x} if x > 0 else {'b': x}",
    "float_subclass": """
        class Odd(float):
            def __float__(self):
                return 9.0
        return {"done": Odd(x)}
    """,
    "constant": "return {'done': 1.0}",
    "date": "return {'done': np.datetime64('2020-01-01')}",
    "bytes": "return {'done': b'1'}",
    "name_with_escape": "return {'\\x1b[31m': x}",
    "name_too_long": "return {'a' * 5000: x}",
    "many_components": "return {f'c{i}': x for i in range(100000)}",
}
_STATE = {
    "input_item": "v[0] = 9.0",
    "input_slice": "v[1:] *= 2.0",
    "input_augmented": "v += 1.0",
    "input_flat": "v.flat[0] = 9.0",
    "input_fill": "v.fill(9.0)",
    "input_copyto": "np.copyto(v, 9.0)",
    "input_out": "np.add(v, 1.0, out=v)",
    "input_positional_out": "np.add(v, 1.0, v)",
    "input_ascontiguous": "np.ascontiguousarray(v)[0] = 9.0",
    "input_diagonal": "np.fill_diagonal(v.reshape(3, 1), 9.0)",
    "input_view": "v.view(np.int64)[0] = 5",
    "input_sorted": "v.sort()\nv[0] = -7.0",
    "input_setflags": "v.setflags(write=True)\nv.put(0, 9.0)",
    "input_nditer": "for item in np.nditer(v, op_flags=['readwrite']):\n    item[...] = 0.5",
    "input_shape": "v.shape = (3, 1)",
    "counter_global": """
        count = [0]
        def compute_reward(x, v, held):
            count[0] += 1
            return {"done": x + count[0]}
    """,
    "counter_default": """
        def compute_reward(x, v, held, seen=[0]):
            seen[0] += 1
            return {"done": x + seen[0]}
    """,
    "counter_attribute": """
        def compute_reward(x, v, held):
            compute_reward.seen = getattr(compute_reward, "seen", 0) + 1
            return {"done": x + compute_reward.seen}
    """,
    "counter_closure": """
        def make():
            seen = 0
            def inner(x):
                nonlocal seen
                seen += 1
                return x + seen
            return inner
        inner = make()
        def compute_reward(x, v, held):
            return {"done": inner(x)}
    """,
    "random_number": "return {'done': x + np.random.random()}",
    "random_generator": "return {'done': x + np.random.default_rng().normal()}",
    "time_of_day": "import time\nreturn {'done': x + time.time()}",
    "process_number": "import os, time\nreturn {'done': x + time.perf_counter_ns() % 7 + os.getpid()}",
    "identity": "return {'done': x + id(object()) % 97 + np.random.random()}",
    "memory_of_empty": "return {'done': x + np.random.random() + float(np.empty(1)[0] != 0)}",
    "order_of_calls": """
        memory = {}
        def compute_reward(x, v, held):
            memory["last"], last = float(x), memory.get("last", 0.0)
            return {"done": x + last}
    """,
    "cached_by_first_call": """
        kept = {}
        def compute_reward(x, v, held):
            return {"done": kept.setdefault(0, x) + np.random.random()}
    """,
}
_CHANGE = {
    "global_error_state": "np.seterr(all='raise')\nreturn {'done': x + np.random.random()}",
    "global_seed": "np.random.seed(0)\nreturn {'done': x + len(np.random.get_state())}",
    "print_options": "np.set_printoptions(precision=1)",
    "warnings_filter": "import warnings\nwarnings.simplefilter('error')",
    "recursion_limit": "import sys\nsys.setrecursionlimit(50_000)",
    "patched_numpy": "np.sum = None",
    "patched_math": "import math\nmath.sqrt = None",
    "patched_builtins": "import builtins\nbuiltins.abs = None",
    "trace_function": "import sys\nsys.settrace(lambda *_: None)",
    "collector_off": "import gc\ngc.disable()",
    "switch_interval": "import sys\nsys.setswitchinterval(100.0)",
    "environment_written": "import os\nos.environ['SEEN'] = '1'",
    "module_cache_poisoned": "import sys\nsys.modules['json'] = np",
    "path_changed": "import sys\nsys.path.insert(0, 'FOLDER')",
    "signal_handler": "import signal\nsignal.signal(signal.SIGTERM, lambda *_: None)",
    "umask": "import os\nos.umask(0)",
    "exit_handler": "import atexit\natexit.register(print)",
}
_CHEAT = {
    "reads_main": "import __main__\nreturn {'done': __main__.TRUE_REWARD[0] + x * 0}",
    "reads_collector": """
        import gc
        for item in gc.get_objects():
            if type(item) is dict and "TRUE_REWARD" in item:
                return {"done": item["TRUE_REWARD"][0] + x * 0}
        raise LookupError
    """,
    "reads_frames": """
        import sys
        frame = sys._getframe()
        while frame is not None:
            if "TRUE_REWARD" in frame.f_globals:
                return {"done": frame.f_globals["TRUE_REWARD"][0] + x * 0}
            frame = frame.f_back
        raise LookupError
    """,
    "reads_modules": """
        import sys
        for module in list(sys.modules.values()):
            if hasattr(module, "TRUE_REWARD"):
                return {"done": module.TRUE_REWARD[0] + x * 0}
        raise LookupError
    """,
    "reads_parents_memory": """
        with open("/proc/PARENT/mem", "rb"):
            return {"done": x}
    """,
    "reads_heap_secret": """
        import gc
        for item in gc.get_objects():
            if type(item) is dict and "HEAP_SECRET" in item:
                return {"done": x + len(item["HEAP_SECRET"])}
        raise LookupError
    """,
    "is_the_sparse_reward": "return {'done': 1.0 if x > 0.9 else 0.0}",
    "is_the_sparse_reward_scaled": "return {'done': np.where(x > 0.9, 7.0, -0.1)}",
    "is_the_sparse_reward_split": "return {'a': 0.5 * (x > 0.9), 'b': 0.5 * (x > 0.9)}",
    "asks_for_info": "def compute_reward(x, v, held, info):\n    return {'done': info['success']}",
    "asks_for_reward": "def compute_reward(x, v, held, reward):\n    return {'done': reward}",
    "asks_for_env": "def compute_reward(env):\n    return {'done': env.unwrapped.reward}",
    "asks_for_rest": "def compute_reward(x, **rest):\n    return {'done': rest['reward']}",
}
_STOP = {
    "range_of_input": "total = 0.0\nfor i in range(int(1e9 * (1 + abs(x)))):\n    total += i\nreturn {'done': total}",
    "range_of_billions": "total = 0.0\nfor i in range(10**9):\n    total += x\nreturn {'done': total}",
    "nested_ranges": "t = 0.0\nfor i in range(2000):\n    for j in range(2000):\n        for k in range(2000):\n            t += x\nreturn {'done': t}",
    "recursion_by_name": "return compute_reward(x, v, held)",
    "mutual_recursion": """
        def a(y):
            return b(y)
        def b(y):
            return a(y)
        def compute_reward(x, v, held):
            return {"done": a(x)}
    """,
    "helpers_double": "\n".join(
        ["def h0(y):\n    return y + 1.0"]
        + [f"def h{i}(y):\n    return h{i - 1}(y) + h{i - 1}(y)" for i in range(1, 26)]
        + ["def compute_reward(x, v, held):\n    return {'done': h25(x)}"]
    ),
    "sum_of_terms": "return {'done': " + " + ".join(["x * x"] * 3000) + "}",
    "many_ands": "return {'done': 1.0 if "
    + " and ".join(["x > 0"] * 2500)
    + " else 0.0}",
    "broadcast_bomb": "a = np.ones(4000)\nb = a[:, None, None] * a[:, None] * a\nwhile True:\n    b = b + 1",
    "outer_bomb": "a = np.outer(v, v)\nfor i in range(5000):\n    a = np.outer(a, a)\nreturn {'done': a[0, 0]}",
    "repeated_product": "a = v\nfor i in range(6000):\n    a = np.cross(a, v + 1.0)\nreturn {'done': np.sum(a)}",
    "deep_parentheses": "def compute_reward(x, v, held):\n    return {'done': "
    + "(" * 3000
    + "x"
    + ")" * 3000
    + "}",
    "deep_minus": "def compute_reward(x, v, held):\n    return {'done': "
    + "-" * 9000
    + "x}",
    "deep_dots": "def compute_reward(x, v, held):\n    return {'done': x"
    + ".T" * 5000
    + "}",
    "long_text": "def compute_reward(x, v, held):\n    return {'done': x}\n# "
    + "y" * 50_000,
    "huge_integer": "return {'done': x + 10 ** 10 ** 10}",
    "huge_literal": "return {'done': x + " + "9" * 4000 + "}",
    "sleeps": "import time\ntime.sleep(30)",
}
_KERNEL = {
    "stride_tricks_read": "return {'done': np.lib.stride_tricks.as_strided(v, (9999,), (8,))[5000]}",
    "stride_tricks_write": "np.lib.stride_tricks.as_strided(v, (9999,), (8,))[5000] = 1.0",
    "flat_outside": "return {'done': v.flat[10**6]}",
    "index_outside": "return {'done': v[7]}",
    "index_negative": "return {'done': v[-9]}",
    "index_by_data": "return {'done': v[int(x * 1e6)]}",
    "take_outside": "return {'done': np.take(v, 10**6)}",
    "raw_address": "import ctypes\nreturn {'done': ctypes.c_double.from_address(v.ctypes.data + 8 * 10**9).value}",
    "frombuffer_outside": "return {'done': np.frombuffer(v.data, np.float64, 1000)[999]}",
    "ndarray_from_interface": """
        class Fake:
            __array_interface__ = {"shape": (1,), "typestr": "<f8", "data": (64, False), "version": 3}
        return {"done": np.asarray(Fake())[0]}
    """,
    "object_mode": """
        import numba
        @numba.jit(forceobj=True)
        def inner():
            return open("CANARY").read()
        inner()
    """,
    "objmode_block": """
        from numba import njit, objmode
        @njit
        def inner():
            with objmode():
                open("CANARY").read()
        inner()
    """,
}
PROGRAMS: tuple[Hostile, ...] = (
    *cases("results", "junk", "own", _JUNK),
    *cases("state", "state", "own", _STATE),
    *cases("interpreter", "change", "own", _CHANGE),
    *cases("answers", "cheat", "own", _CHEAT),
    *cases("resources", "stop", "own", _STOP),
    *cases("kernels", "stop", "numba", _KERNEL),
)
"""All of this module."""
