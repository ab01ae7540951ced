"""The ways of computing a reward that are timed side by side."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from reward_synth.benchmarks.kernel_programs import (
    WIDTHS,
    Program,
    function_text,
    typed,
    variants,
)
from reward_synth.kernels import RewardKernel
from reward_synth.kernels.emit import DType
from reward_synth.kernels.population import Population

Floats = npt.NDArray[Any]
Call = Callable[[], Any]
VARIANTS = 16
"""Programs in the population, which differ in one weight."""
_LEAST_THREADED = 4096
_MOST_REFERENCE = _LEAST_POPULATION = 64
_TORCH = {
    "np.linalg.norm": "torch.norm",
    "np.min(": "torch.amin(",
    "np.max(": "torch.amax(",
    "np.": "torch.",
    "axis=": "dim=",
}
_HELPERS = """#include <math.h>
static inline float norm3(const float *a, const float *b) {
  float x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
  return sqrtf(x * x + y * y + z * z);
}"""


def inputs(program: Program, count: int, seed: int = 0) -> dict[str, Floats]:
    """Return float32 fields of ``count`` states."""
    rng = np.random.default_rng(seed)
    values: dict[str, Floats] = {}
    for name in program.fields:
        if name == "is_grasped":
            drawn: Floats = rng.integers(0, 2, count)
        else:
            drawn = rng.normal(size=(count, WIDTHS[name]))
        values[name] = drawn.astype(np.float32)
    return values


def numpy_text(program: Program) -> str:
    """Return a module with ``compute_reward`` on arrays of N states."""
    shown = ", ".join(f'"{name}": {name}' for name in program.names)
    end = f"return {' + '.join(program.names)}, {{{shown}}}"
    text = function_text(program.fields, program.batched, end)
    return f"import numpy as np\n\n\n{text}"


def torch_text(program: Program) -> str:
    """Return the same on tensors, typed as ``torch.jit.script`` wants it."""
    text = numpy_text(program).replace("import numpy as np\n\n\n", "")
    for spelling, torch in _TORCH.items():
        text = text.replace(spelling, torch)
    given = ", ".join(f"{name}: Tensor" for name in program.fields)
    head = f"def compute_reward({given}) -> Tuple[Tensor, Dict[str, Tensor]]:"
    text = re.sub(r"def compute_reward\(.*?\):", head, text)
    imports = "from typing import Dict, Tuple\nimport torch\nfrom torch import Tensor"
    return f"{imports}\n\n\n{text}"


def c_text(program: Program) -> str:
    """Return a file with ``run(n, field, …, out)``, a loop over states."""
    names = program.names
    given = ", ".join(f"const float *restrict {name}_all" for name in program.fields)
    reads = [_read(name) for name in program.fields]
    stores = [f"out[{row} * n + i] = {name};" for row, name in enumerate(names)]
    stores += [f"out[{len(names)} * n + i] = {' + '.join(names)};"]
    body = "\n".join([*reads, program.c.strip(), *stores])
    head = f"void run(long n, {given}, float *restrict out)"
    loop = f"for (long i = 0; i < n; i++) {{\n{body}\n}}"
    return f"{_HELPERS}\n{head} {{\n{loop}\n}}\n"


def _read(name: str) -> str:
    if name == "is_grasped":
        return f"const float {name} = {name}_all[i];"
    return f"const float *{name} = {name}_all + {WIDTHS[name]} * i;"


def load(text: str, path: Path) -> Any:
    """Return ``compute_reward`` of a module: torch reads its text from the file."""
    path.write_text(text)
    module = ModuleType(path.stem)
    sys.modules[path.stem] = module
    exec(compile(text, str(path), "exec"), module.__dict__)  # this package's own text
    return module.compute_reward


@dataclass(frozen=True, slots=True)
class Target:
    """One call that is timed."""

    name: str
    dtype: str
    call: Call
    programs: int = 1
    """How many programs one call scores."""
    before: Call = int
    """Called before each round, untimed."""


class Forms:
    """One program made ready in every way, for any number of states.

    Args:
        program: What to compute.
        folder: Where texts and the C library are written.
        compiled: Also try ``torch.compile``, which takes many seconds.
    """

    def __init__(self, program: Program, folder: Path, *, compiled: bool) -> None:
        self.program = program
        self.folder = folder
        self.compiled = compiled
        self.missing: dict[str, str] = {}
        """Target to why it is left out."""
        self.function = typed(program.source)

    @cached_property
    def kernels(self) -> dict[tuple[DType, int], RewardKernel]:
        """By type and threads."""
        cases: list[tuple[DType, int]] = [
            ("float32", 1),
            ("float64", 1),
            ("float32", 2),
        ]
        return {case: RewardKernel(self.function, *case) for case in cases}

    @cached_property
    def population(self) -> Population:
        """Variants of the program."""
        texts = variants(self.program, VARIANTS)
        return Population([typed(text) for text in texts], "float32")

    @cached_property
    def plain(self) -> Any:
        """The author's function, run by Python."""
        text = f"import numpy as np\n{self.program.source}"
        return load(text, self.folder / f"plain_{self.program.name}.py")

    @cached_property
    def numpy(self) -> Any:
        """The batched function."""
        path = self.folder / f"numpy_{self.program.name}.py"
        return load(numpy_text(self.program), path)

    @cached_property
    def torch(self) -> dict[str, Any]:
        """Target to a function on tensors."""
        try:
            import torch
        except ImportError as error:
            self.missing["torch_jit"] = str(error)
            return {}
        torch.set_num_threads(1)
        path = self.folder / f"torch_{self.program.name}.py"
        function = load(torch_text(self.program), path)
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            found = {"torch_jit": torch.jit.script(function)}
        if self.compiled:
            found["torch_compile"] = torch.compile(function, dynamic=True)
        return found

    @cached_property
    def library(self) -> Any:
        """The C function, or None without a compiler."""
        if (compiler := shutil.which("gcc")) is None:
            self.missing["c"] = "gcc is not installed"
            return None
        base = self.folder / self.program.name
        source, part, made = (base.with_suffix(end) for end in (".c", ".o", ".so"))
        source.write_text(c_text(self.program))
        flags = ["-O3", "-ffast-math", "-march=native", "-fPIC", "-c"]
        subprocess.run([compiler, *flags, "-o", part, source], check=True)
        # Linked without fast-math, which would round subnormals to 0 in this process.
        link: tuple[str | Path, ...] = ("-o", made, part, "-lmvec", "-lm")
        subprocess.run([compiler, "-shared", *link], check=True)
        return ctypes.CDLL(str(made)).run

    def targets(self, values: Mapping[str, Floats], count: int) -> list[Target]:
        """Return every way that makes sense for ``count`` states."""
        found = _ours(self, values, count)
        if count <= _MOST_REFERENCE:
            found.append(Target("reference", "float32", _each(self, values)))
        arrays = [values[name] for name in self.program.fields]
        found.append(Target("numpy", "float32", lambda: self.numpy(*arrays)))
        found += _torch(self, arrays, count)
        if self.library is not None:
            found.append(Target("c", "float32", _c(self, arrays, count)))
        copy = _copy(self.program, arrays, count)
        return [*found, Target("memcpy", "float32", copy)]


def _ours(forms: Forms, values: Mapping[str, Floats], count: int) -> list[Target]:
    single = forms.kernels["float32", 1]
    if count == 1:
        state = {name: value[0] for name, value in values.items()}
        return [Target("kernel", "float32", lambda: single.one(state))]
    out = np.empty((len(forms.program.names) + 1, count), np.float32)
    found = [Target("kernel", "float32", lambda: single.batch(values, out))]
    wide = {name: value.astype(np.float64) for name, value in values.items()}
    double, wide_out = forms.kernels["float64", 1], np.empty(out.shape)
    found.append(Target("kernel", "float64", lambda: double.batch(wide, wide_out)))
    if count >= _LEAST_THREADED:
        two = forms.kernels["float32", 2]
        found.append(
            Target("kernel_2_threads", "float32", lambda: two.batch(values, out))
        )
    if count >= _LEAST_POPULATION:
        many = forms.population
        total = Target("population", "float32", lambda: many.totals(values), VARIANTS)
        found.append(total)
    return found


def _each(forms: Forms, values: Mapping[str, Floats]) -> Call:
    """The author's function on one state after another, fields from a dictionary."""
    names = forms.program.fields
    rows = zip(*values.values(), strict=True)
    states = [dict(zip(values, row, strict=True)) for row in rows]
    return lambda: [forms.plain(*(state[name] for name in names)) for state in states]


def _torch(forms: Forms, arrays: list[Floats], count: int) -> list[Target]:
    found: list[Target] = []
    for name, function in forms.torch.items():
        import torch

        tensors = [torch.from_numpy(array) for array in arrays]
        call: Call = torch.no_grad()(partial(function, *tensors))
        if name == "torch_compile" and (count == 1 or name in forms.missing):
            continue
        try:
            call()
        except Exception as error:  # of many kinds, as where a compiler is missing
            forms.missing[name] = f"{type(error).__name__}: {error}".splitlines()[0]
            continue
        # Two threads of a kernel make two of torch: both use one OpenMP.
        before = partial(torch.set_num_threads, 1)
        found.append(Target(name, "float32", call, before=before))
    return found


def _c(forms: Forms, arrays: list[Floats], count: int) -> Call:
    out = np.empty((len(forms.program.names) + 1, count), np.float32)
    pointers = [ctypes.c_void_p(item.ctypes.data) for item in (*arrays, out)]
    run, number = forms.library, ctypes.c_long(count)

    def call() -> Floats:
        run(number, *pointers)
        return out

    return call


def _copy(program: Program, arrays: list[Floats], count: int) -> Call:
    """A copy of as many bytes as are read and written together."""
    size = sum(item.size for item in arrays) + (len(program.names) + 1) * count
    source, place = np.ones(size, np.float32), np.zeros(size, np.float32)
    return lambda: np.copyto(place, source)


def components(target: Target, program: Program) -> Floats | None:
    """Return what a target computes, shape ``(components, N)``; None for copies."""
    result = target.call()
    if target.name == "memcpy":
        return None
    if target.name == "reference":
        return np.array(
            [[float(one[name]) for one in result] for name in program.names]
        )
    if isinstance(result, dict):
        return np.array([[result[name]] for name in program.names])
    if isinstance(result, tuple):
        return np.array([np.asarray(result[1][name]) for name in program.names])
    return np.asarray(result[: len(program.names)])
