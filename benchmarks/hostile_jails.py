"""Hostile programs after public collections of Python jails.

The ways are those of the challenges that ``jailctf/pyjail-collection`` lists and of
write-ups about them; the programs are ours.
"""

from __future__ import annotations

import random

from reward_synth.benchmarks.hostile_case import Hostile, cases

_OBJECTS = {
    "walk_to_wrap_close": """
        kinds = [].__class__.__mro__[-1].__subclasses__()
        found = [kind for kind in kinds if kind.__name__ == "_wrap_close"][0]
        found.__init__.__globals__["listdir"]("FOLDER")
    """,
    "walk_without_builtins": """
        found = (lambda: 0).__class__.__base__.__subclasses__()
        [k for k in found if "wrap_close" in k.__name__][0].__init__.__builtins__["open"]("CANARY").read()
    """,
    "function_globals": "compute_reward.__globals__['__builtins__']",
    "function_builtins": "compute_reward.__builtins__['open']('CANARY').read()",
    "license_printer": "import _sitebuiltins\n_sitebuiltins.Quitter.__init__.__globals__['sys'].modules['os'].listdir('FOLDER')",
    "help_imports": "import _sitebuiltins\n_sitebuiltins._Helper.__call__.__globals__",
    "print_self": "print.__self__.open('CANARY').read()",
    "len_module": "len.__self__.__import__('os').listdir('FOLDER')",
    "exception_context": """
        try:
            try:
                1 / 0
            except ZeroDivisionError:
                [][0]
        except IndexError as error:
            error.__context__.__traceback__.tb_frame.f_builtins["open"]("CANARY").read()
    """,
    "name_error_obj": """
        try:
            np.nothing
        except AttributeError as error:
            error.obj.__builtins__["open"]("CANARY").read()
    """,
    "attribute_error_of_format": """
        try:
            "{0.nothing}".format(np)
        except AttributeError as error:
            error.obj.__dict__
    """,
    "class_getitem": """
        class Reach:
            __class_getitem__ = eval
        Reach["__import__('os').listdir('FOLDER')"]
    """,
    "set_name_hook": """
        class Hook:
            def __set_name__(self, owner, name):
                open("CANARY").read()
        class Owner:
            hook = Hook()
    """,
    "init_subclass_hook": """
        class Base:
            def __init_subclass__(cls):
                open("CANARY").read()
        class Derived(Base):
            pass
    """,
    "operator_overload_call": """
        class Reach:
            __add__ = eval
        Reach.__add__("open('CANARY').read()")
    """,
    "metaclass_instancecheck": """
        class Meta(type):
            __instancecheck__ = lambda cls, text: eval(text)
        class Reach(metaclass=Meta):
            pass
        isinstance("open('CANARY').read()", Reach)
    """,
    "prepare_namespace": """
        class Meta(type):
            def __prepare__(name, bases):
                return {"found": open("CANARY").read()}
        class Reach(metaclass=Meta):
            pass
    """,
    "missing_of_dict": """
        class Names(dict):
            def __missing__(self, key):
                return open("CANARY").read()
        Names()["any"]
    """,
    "type_with_three": "type('Reach', (), {'__getattr__': lambda self, name: np.__dict__})().any",
    "code_replaced": """
        def plain():
            return 0
        plain.__code__ = plain.__code__.replace(co_consts=("x",))
    """,
    "defaults_replaced": """
        def plain(found=1):
            return found
        plain.__defaults__ = (np.__dict__,)
        plain()["__builtins__"]
    """,
    "closure_cell": """
        secret = np.__dict__
        def inner():
            return secret
        inner.__closure__[0].cell_contents["__builtins__"]
    """,
    "function_type": """
        kind = (lambda: 0).__class__
        kind(compile("open('CANARY').read()", "", "eval"), {"open": open})()
    """,
    "gc_objects": "import gc\n[item for item in gc.get_objects() if type(item) is dict][0]",
    "gc_referrers": "import gc\ngc.get_referrers(np)[0]",
    "weakref_registry": "import abc\nabc.ABCMeta.__subclasses__(type)",
    "slots_descriptor": "np.ndarray.__dict__['base'].__get__(v)\ntype(np.ndarray.base).__objclass__",
    "simple_namespace": "import types\ntypes.FunctionType\ntypes.ModuleType('m').__loader__\nopen('CANARY').read()",
    "loader_of_math": "import math\nmath.__loader__.load_module('posix').listdir('FOLDER')",
    "spec_of_numpy": "np.__spec__.loader.get_data('CANARY')",
    "numpy_attribute_os": "np.testing.suppress_warnings.__init__.__globals__['os'].listdir('FOLDER')",
    "numpy_load_pickle": """
        import io
        class Odd:
            def __reduce__(self):
                return (open, ("TARGET", "w"))
        box = io.BytesIO()
        np.save(box, np.array([Odd()], dtype=object), allow_pickle=True)
        box.seek(0)
        np.load(box, allow_pickle=True)
    """,
    "numpy_vectorize": "np.vectorize(eval, otypes=[object])(np.array(\"open('CANARY').read()\", dtype=object))",
    "numpy_frompyfunc": "np.frompyfunc(eval, 1, 1)(\"open('CANARY').read()\")",
    "numpy_piecewise": "np.piecewise(np.zeros(1), [True], [lambda _: len(open('CANARY').read())])",
    "numpy_apply": "np.apply_along_axis(lambda _: len(open('CANARY').read()), 0, v)",
    "numpy_fromiter": "np.fromiter((len(open('CANARY').read()) for _ in (1,)), float)",
    "numpy_testing": "np.testing.__dict__['__builtins__']",
}
_TEXTS = {
    "nfkc_dunder": "().__\uff43lass__.__base__.__subclasses__()",
    "nfkc_builtin": "\uff4fpen('CANARY').read()",
    "bold_letters": "\U0001d41e\U0001d42f\U0001d41a\U0001d425(\"open('CANARY').read()\")",
    "carriage_return_ends_comment": "1 # plain\ropen('CANARY').read()\n1",
    "form_feed_indent": "\x0copen('CANARY').read()",
    "escaped_dunder": "getattr((), '\\x5f\\x5fclass\\x5f\\x5f').__base__",
    "named_unicode_escape": "getattr((), '\\N{LOW LINE}_class__').__base__",
    "backslash_continuation": "().__class__\\\n.__base__",
    "string_concatenation": "getattr((), '__cla' 'ss__').__base__",
    "octal_text": "eval('\\157\\160\\145\\156(\"CANARY\").read()')",
    "hex_bytes": "exec(bytes.fromhex('70617373'))\nopen('CANARY').read()",
    "type_comment": "y = 1  # type: ignore[__import__('os')]\nopen('CANARY').read()",
    "nested_f_string": "f'{open(\"CANARY\").read()}'",
    "f_string_format_spec": "f'{x:{open(\"CANARY\").read()[:0]}}'",
    "f_string_debug": "f'{np.__dict__=}'",
    "decorator_calls": """
        @eval
        @(lambda _: "open('CANARY').read()")
        class _:
            pass
    """,
    "decorator_on_function": """
        @open
        @(lambda _: "CANARY")
        def found():
            pass
    """,
    "default_argument": "def inner(found=open('CANARY').read()):\n    return found\ninner()",
    "annotation_runs": "def inner(found: open('CANARY').read()):\n    return found\nif 'open' in str(inner.__annotations__):\n    raise OSError",
    "return_annotation_runs": "def inner() -> open('CANARY').read():\n    return 1\nif 'open' in str(inner.__annotations__):\n    raise OSError",
    "variable_annotation_runs": "class Reach:\n    found: open('CANARY').read() = 1\nif 'open' in str(Reach.__annotations__):\n    raise OSError",
    "assert_message": "assert open('CANARY').read()",
    "starred_file": "[*open('CANARY')]",
    "star_arguments": "print(*open('CANARY'), file=None)",
    "walrus_in_test": "y = 1 if (f := open('CANARY').read()) else 0",
    "chained_comparison": "x == x == open('CANARY').read() or 1",
    "conditional_import": "y = __import__('os').listdir('FOLDER') if True else 0",
    "subscript_call": "[open('CANARY').read()][0]",
    "slice_call": "v[: len(open('CANARY').read()) * 0 + 1]",
    "lambda_call": "(lambda: open('CANARY').read())()",
    "comprehension_call": "[open(name).read() for name in ['CANARY']]",
    "dict_comprehension_call": "{name: open(name).read() for name in ['CANARY']}",
    "generator_call": "next(open(name).read() for name in ['CANARY'])",
    "exec_in_loop": "for f in [eval]:\n    f(\"open('CANARY').read()\")",
    "for_over_file": "for line in open('CANARY'):\n    pass",
    "with_file": "with open('CANARY') as f:\n    f.read()",
    "try_finally_file": "try:\n    pass\nfinally:\n    open('CANARY').read()",
    "yield_from_file": "def inner():\n    yield from open('CANARY')\nlist(inner())",
    "any_overwritten": "import builtins\nbuiltins.any = all\nopen('CANARY').read()",
    "audit_hook_removed": "import sys\nsys.addaudithook(lambda *_: None)\nopen('CANARY').read()",
}
_HEADS = (
    "x",
    "v",
    "np",
    "held",
    "().__class__",
    "np.lib",
    "compute_reward",
    "'a'",
    "0.0",
)
_STEPS = (
    "__class__", "__base__", "__mro__", "__subclasses__()", "__init__", "__globals__",
    "__dict__", "__builtins__", "__doc__", "__module__", "__reduce__()", "__code__",
    "__call__", "__self__", "__loader__", "__spec__", "T", "base", "ctypes", "data",
    "flat", "tobytes()", "dtype", "__array_interface__", "__array_struct__",
)  # fmt: skip


def _generated(count: int, seed: int) -> dict[str, str]:
    """Return programs that walk from a name over random attributes to a private one."""
    rng = random.Random(seed)
    found: dict[str, str] = {}
    while len(found) < count:
        steps = [rng.choice(_STEPS) for _ in range(rng.randint(1, 4))]
        private = rng.choice(("__class__", "__dict__", "__reduce__()", "ctypes"))
        chain = ".".join([rng.choice(_HEADS), *steps[:-1], private])
        form = rng.choice(("{0}", "y = {0}", "y = [{0}][0]", "y = 1.0 if {0} else 0.0"))
        found[f"chain_{len(found)}"] = form.format(chain)
    return found


PROGRAMS: tuple[Hostile, ...] = (
    *cases("objects", "leak", "jails", _OBJECTS),
    *cases("texts", "escape", "jails", _TEXTS),
    *cases("chains", "leak", "generator", _generated(30, 0)),
)
"""All of this module."""
