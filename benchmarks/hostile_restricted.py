"""Hostile programs after the regression tests and advisories of RestrictedPython.

Each holds the fact of a test or an advisory in our own words: what is reached, and by
which way.  Source: RestrictedPython 9.0, its ``tests`` folder and its change log.
"""

from __future__ import annotations

from reward_synth.benchmarks.hostile_case import Hostile, cases

_FRAMES = {
    "generator_expression_frame": "made = (0 for _ in (1,))\nmade.gi_frame.f_back",
    "generator_two_frames_back": """
        def walk():
            yield made.gi_frame.f_back.f_back
        made = walk()
        list(made)[0].f_globals
    """,
    "generator_sends_itself": """
        def walk():
            yield made.gi_frame.f_back
        made = walk()
        found = made.send(None)
        found.f_builtins.get("__import__")("os").listdir("FOLDER")
    """,
    "async_generator_frame": """
        async def walk():
            yield 1
        walk().ag_frame.f_globals
    """,
    "async_generator_code": """
        async def walk():
            yield 1
        walk().ag_code.co_consts
    """,
    "async_generator_await": """
        async def walk():
            yield 1
        walk().ag_await
        walk().ag_frame.f_builtins["open"]("CANARY").read()
    """,
    "coroutine_frame": """
        async def walk():
            return 1
        made = walk()
        made.cr_frame.f_globals
        made.close()
    """,
    "coroutine_code": "async def walk():\n    return 1\nwalk.__code__.co_names",
    "traceback_of_exception": """
        try:
            1 / 0
        except ZeroDivisionError as error:
            error.__traceback__.tb_frame.f_globals
    """,
    "traceback_next": """
        try:
            (lambda: 1 / 0)()
        except ZeroDivisionError as error:
            error.__traceback__.tb_next.tb_frame.f_back.f_globals
    """,
    "exception_group_split": """
        try:
            raise ExceptionGroup("", [ValueError(1)])
        except* ValueError as group:
            group.__traceback__.tb_frame.f_globals
    """,
    "exception_group_catches_all": """
        try:
            raise BaseExceptionGroup("", [KeyboardInterrupt()])
        except* BaseException as group:
            found = group.exceptions[0].__class__.__base__.__subclasses__()
    """,
    "bare_except_hides_all": """
        try:
            open("CANARY").read()
        except:
            raise SystemExit(1)
    """,
}
_NAMES = {
    "private_attribute": "np._globals",
    "private_attribute_written": "np._seen = 15",
    "dunder_name_called": "__builtins__",
    "attribute_with_roles": "x.abc__roles__ if hasattr(x, 'abc__roles__') else np.__dict__",
    "guard_overwritten": "_getattr_ = getattr\n_getattr_(np, '__dict__')",
    "guard_overwritten_by_def": """
        def _getattr_(thing, name):
            return getattr(thing, name)
        _getattr_(np, "__dict__")
    """,
    "guard_overwritten_by_class": "class _write_:\n    pass\n_write_.__mro__",
    "positional_only_guard": """
        def shadow(_getattr_=getattr, /):
            return _getattr_(np, "__dict__")
        shadow()
    """,
    "keyword_only_guard": """
        def shadow(*, _getitem_=getattr):
            return _getitem_(np, "__dict__")
        shadow()
    """,
    "star_guard": "def shadow(*_args):\n    return _args\nshadow(np.__dict__)",
    "double_star_guard": """
        def shadow(**_names):
            return _names["found"]
        shadow(found=np.__dict__)
    """,
    "lambda_guard": "(lambda _getattr_=getattr: _getattr_(np, '__dict__'))()",
    "walrus_binds_guard": "[(_found := np.__dict__) for _ in (1,)]",
    "magic_method_called": "int.__init__(1)\nnp.__getattribute__('__dict__')",
    "magic_method_defined": """
        class Odd:
            def __eq__(self, other):
                np.lib._npyio_impl.os.listdir("FOLDER")
                return True
        Odd() == 1
    """,
    "metaclass": """
        class Meta(type):
            def __getattr__(cls, name):
                return np.__dict__
        class Odd(metaclass=Meta):
            pass
        Odd.anything
    """,
    "decorated_class": "@np.lib._npyio_impl.os.fspath\nclass odd(str):\n    pass",
    "with_binds_private": """
        class Context:
            def __enter__(self):
                return np.__dict__
            def __exit__(self, *trace):
                pass
        with Context() as (_found):
            _found["__builtins__"]
    """,
    "star_import": "exec('from os import *')\nlistdir = np.lib._npyio_impl.os.listdir\nlistdir('FOLDER')",
    "augmented_attribute": "np.__doc__ += 'x'",
    "augmented_item": "np.__dict__['seen'] = 1\nnp.__dict__['seen'] += 1",
    "deleted_attribute": "np.seen = 1\ndel np.seen",
    "nonlocal_cell": """
        found = None
        def inner():
            nonlocal found
            found = np.__dict__
        inner()
        found["__builtins__"]
    """,
    "global_statement": "exec('global found; found = np.__dict__')",
}
_STRINGS = {
    "str_format_attribute": "'{0.__class__.__mro__}'.format(x)",
    "str_format_map": "'{a.__class__.__mro__}'.format_map({'a': x})",
    "unbound_str_format": "str.format('{0.__class__.__base__}', x)",
    "unbound_str_format_map": "str.format_map('{a.__class__}', {'a': x})",
    "formatter_get_field": """
        import string
        bar = chr(95) * 2
        way = "0." + bar + "globals" + bar + "[" + bar + "builtins" + bar + "]"
        found = string.Formatter().get_field(way, (string.capwords,), {})[0]
        found["open"]("CANARY").read()
    """,
    "formatter_unbound": """
        import string
        take = string.Formatter.get_field
        take(string.Formatter(), "0.__globals__", (string.capwords,), {})
    """,
    "formatter_vformat": """
        import string
        string.Formatter.vformat(string.Formatter(), "{0.__globals__}", (string.capwords,), {})
    """,
    "formatter_subclass": """
        import string
        class Mine(string.Formatter):
            pass
        Mine().get_field("0.__globals__", (string.capwords,), {})[0]["_re"]
    """,
    "f_string_dunder": "f'{__builtins__}'\nf'{x.__class__}'",
    "string_with_lying_method": """
        class Lying(str):
            def startswith(self, _):
                return False
        kinds = getattr(getattr(getattr(str, Lying("__class__")), Lying("__base__")), "__subclasses__")()
        kinds[-1].__name__
    """,
    "string_subclass_reaches_importer": """
        kinds = object.__subclasses__()
        found = [kind for kind in kinds if "BuiltinImporter" in str(kind)][0]
        found.load_module("posix").listdir("FOLDER")
    """,
}
_CALLS = {
    "exec_called": "exec('import os; os.listdir(\"FOLDER\")')",
    "eval_called": 'eval(\'__import__("os").listdir("FOLDER")\')',
    "breakpoint_called": """
        import sys
        sys.breakpointhook = lambda: np.lib._npyio_impl.os.listdir("FOLDER")
        breakpoint()
    """,
    "import_os": "import os\nos.listdir('FOLDER')",
    "import_builtins": "import builtins\nbuiltins.open('CANARY').read()",
    "import_builtins_as": "import builtins as plain\nplain.eval('open(\"CANARY\").read()')",
    "from_private_import": "from os import _exit as leave\nleave.__self__",
    "import_as_private": "import os as _os\n_os.listdir('FOLDER')",
    "relative_import": "from numpy.lib import _npyio_impl as found\nfound.os.listdir('FOLDER')",
    "iterates_without_guard": "dict.items(np.__dict__)",
    "sorted_without_guard": "sorted(vars(np))[0]",
    "random_module": "import random\nrandom._os.listdir('FOLDER')",
    "string_module": "import string\nstring._re.enum.sys.modules['os'].listdir('FOLDER')",
}
PROGRAMS: tuple[Hostile, ...] = (
    *cases("frames", "leak", "RestrictedPython", _FRAMES),
    *cases("objects", "leak", "RestrictedPython", _NAMES),
    *cases("strings", "leak", "RestrictedPython", _STRINGS),
    *cases("imports", "escape", "RestrictedPython", _CALLS),
)
"""All of this module."""
