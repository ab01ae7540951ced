"""Rewards of several kinds, each written four times: language, NumPy, torch and C.

The torch text is the batched NumPy text in torch's spelling, as Eureka's rewards are
written: vectors with a leading batch dimension, a total and a dictionary of components.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reward_synth.errors import UsageError
from reward_synth.language import FunctionIR, parse
from reward_synth.task import Field, TaskSpec

JOINTS = 9
FIELDS = (
    Field("tcp_pos", (3,)),
    Field("cube_pos", (3,)),
    Field("goal_pos", (3,)),
    Field("quat", (4,)),
    Field("goal_quat", (4,)),
    Field("q", (JOINTS,)),
    Field("qvel", (JOINTS,)),
    Field("is_grasped", (), "bool"),
)
TASK = TaskSpec("Bench/Arm-v0", "Score states.", FIELDS, Field("action", (4,)))
WIDTHS = {field.name: field.size for field in FIELDS}


@dataclass(frozen=True, slots=True)
class Program:
    """One reward in every form that is timed."""

    name: str
    fields: tuple[str, ...]
    """Parameters, in order."""
    names: tuple[str, ...]
    """Components: in each text, variables of these names hold them."""
    language: str
    """Body for one state, in the reward language."""
    batched: str
    """Body for N states, in NumPy."""
    c: str
    """Body for one state, in C: each field is a pointer, or a float if scalar."""

    @property
    def source(self) -> str:
        """The program as its author gives it."""
        shown = ", ".join(f'"{name}": {name}' for name in self.names)
        return function_text(self.fields, self.language, f"return {{{shown}}}")


def function_text(fields: Sequence[str], body: str, end: str) -> str:
    """Return ``compute_reward`` with this body and last line."""
    lines = [line for line in [*body.strip("\n").splitlines(), end] if line]
    inside = "\n".join(f"    {line}" for line in lines)
    return f"def compute_reward({', '.join(fields)}):\n{inside}\n"


def typed(source: str) -> FunctionIR:
    """Return the typed form of a program's text.

    Raises:
        UsageError: The text is no program of the benchmark's task.
    """
    parsed = parse(source, TASK)
    if parsed.ir is None or parsed.ir.reward is None:
        shown = "; ".join(str(item) for item in parsed.findings)
        raise UsageError(f"Not a program of {TASK.id}: {shown}. Correct its text.")
    return parsed.ir.reward


def variants(program: Program, count: int) -> list[str]:
    """Return texts that differ in the weight of the first component.

    Example:
        >>> variants(PROGRAMS["pick"], 2)[1].splitlines()[-1][:40]
        '    return {"reaching": 1.01 * reaching,'
    """
    first = program.names[0]
    old = f'return {{"{first}": '
    return [
        program.source.replace(old, f"{old}{1 + number / 100} * ")
        for number in range(count)
    ]


_PICK = Program(
    "pick",
    ("tcp_pos", "cube_pos", "goal_pos", "qvel", "is_grasped"),
    ("reaching", "grasped", "placing", "still"),
    """
place = np.linalg.norm(cube_pos - goal_pos)
reaching = 1.0 - np.tanh(5.0 * np.linalg.norm(tcp_pos - cube_pos))
grasped = 1.0 * is_grasped
placing = (1.0 - np.tanh(5.0 * place)) * is_grasped
still = (1.0 - np.tanh(5.0 * np.linalg.norm(qvel))) * (place < 0.5)
""",
    """
place = np.linalg.norm(cube_pos - goal_pos, axis=1)
reaching = 1.0 - np.tanh(5.0 * np.linalg.norm(tcp_pos - cube_pos, axis=1))
grasped = 1.0 * is_grasped
placing = (1.0 - np.tanh(5.0 * place)) * is_grasped
still = (1.0 - np.tanh(5.0 * np.linalg.norm(qvel, axis=1))) * (place < 0.5)
""",
    """
float place = norm3(cube_pos, goal_pos), speed = 0.0f;
for (int j = 0; j < 9; j++) speed += qvel[j] * qvel[j];
float reaching = 1.0f - tanhf(5.0f * norm3(tcp_pos, cube_pos));
float grasped = is_grasped;
float placing = (1.0f - tanhf(5.0f * place)) * is_grasped;
float still = (1.0f - tanhf(5.0f * sqrtf(speed))) * (place < 0.5f);
""",
)
_BRANCHES = Program(
    "branches",
    ("tcp_pos", "cube_pos", "goal_pos", "is_grasped"),
    ("stage", "calm"),
    """
reach = np.linalg.norm(tcp_pos - cube_pos)
place = np.linalg.norm(cube_pos - goal_pos)
if not is_grasped:
    if reach < 0.5:
        stage = 1.0 + 0.5 * (1.0 - np.tanh(10.0 * reach))
    else:
        stage = 1.0 - np.tanh(3.0 * reach)
elif cube_pos[2] > 0.05:
    stage = 3.0 - np.tanh(5.0 * place)
    if place < 0.5:
        stage = 5.0 + np.exp(-place)
else:
    stage = 2.0 + np.clip(cube_pos[2], -1.0, 0.0)
calm = -0.1 * np.max(np.abs(tcp_pos))
""",
    """
reach = np.linalg.norm(tcp_pos - cube_pos, axis=1)
place = np.linalg.norm(cube_pos - goal_pos, axis=1)
height = cube_pos[:, 2]
close = 1.0 + 0.5 * (1.0 - np.tanh(10.0 * reach))
free = np.where(reach < 0.5, close, 1.0 - np.tanh(3.0 * reach))
carried = np.where(place < 0.5, 5.0 + np.exp(-place), 3.0 - np.tanh(5.0 * place))
held = np.where(height > 0.05, carried, 2.0 + np.clip(height, -1.0, 0.0))
stage = np.where(is_grasped > 0.0, held, free)
calm = -0.1 * np.max(np.abs(tcp_pos), axis=1)
""",
    """
float reach = norm3(tcp_pos, cube_pos), place = norm3(cube_pos, goal_pos);
float h = cube_pos[2];
float stage;
if (is_grasped == 0.0f) {
  if (reach < 0.5f) stage = 1.0f + 0.5f * (1.0f - tanhf(10.0f * reach));
  else stage = 1.0f - tanhf(3.0f * reach);
} else if (h > 0.05f) {
  if (place < 0.5f) stage = 5.0f + expf(-place);
  else stage = 3.0f - tanhf(5.0f * place);
} else stage = 2.0f + fminf(fmaxf(h, -1.0f), 0.0f);
float calm = -0.1f * fmaxf(fmaxf(fabsf(tcp_pos[0]), fabsf(tcp_pos[1])), fabsf(tcp_pos[2]));
""",
)
_QUATERNIONS = Program(
    "quaternions",
    ("quat", "goal_quat", "cube_pos", "goal_pos"),
    ("turned", "upright", "near"),
    """
w, x, y, z = quat
a, b, c, d = goal_quat
dot = a * w + b * x + c * y + d * z
u = a * x - b * w - c * z + d * y
v = a * y + b * z - c * w - d * x
t = a * z - b * y + c * x - d * w
turned = -2.0 * np.arctan2(np.sqrt(u * u + v * v + t * t), np.abs(dot))
upright = 1.0 - 2.0 * (x * x + y * y) / (w * w + x * x + y * y + z * z + 0.01)
near = np.exp(-4.0 * np.sum(np.square(cube_pos - goal_pos)))
""",
    """
w, x, y, z = quat[:, 0], quat[:, 1], quat[:, 2], quat[:, 3]
a, b, c, d = goal_quat[:, 0], goal_quat[:, 1], goal_quat[:, 2], goal_quat[:, 3]
dot = np.sum(quat * goal_quat, axis=1)
u = a * x - b * w - c * z + d * y
v = a * y + b * z - c * w - d * x
t = a * z - b * y + c * x - d * w
turned = -2.0 * np.arctan2(np.sqrt(u * u + v * v + t * t), np.abs(dot))
upright = 1.0 - 2.0 * (x * x + y * y) / (np.sum(quat * quat, axis=1) + 0.01)
near = np.exp(-4.0 * np.sum(np.square(cube_pos - goal_pos), axis=1))
""",
    """
float w = quat[0], x = quat[1], y = quat[2], z = quat[3];
float a = goal_quat[0], b = goal_quat[1], c = goal_quat[2], d = goal_quat[3];
float dot = a * w + b * x + c * y + d * z;
float u = a * x - b * w - c * z + d * y;
float v = a * y + b * z - c * w - d * x;
float t = a * z - b * y + c * x - d * w;
float turned = -2.0f * atan2f(sqrtf(u * u + v * v + t * t), fabsf(dot));
float upright = 1.0f - 2.0f * (x*x + y*y) / (w*w + x*x + y*y + z*z + 0.01f);
float far = norm3(cube_pos, goal_pos);
float near = expf(-4.0f * far * far);
""",
)
_TRIG = Program(
    "trig",
    ("q", "goal_pos"),
    ("reach", "posture"),
    """
angle, x, y = 0.0, 0.0, 0.0
posture = 0.0
for j in range(9):
    angle += q[j]
    x += 0.2 * np.cos(angle)
    y += 0.2 * np.sin(angle)
    posture -= 0.1 * np.abs(np.sin(0.5 * q[j]))
apart = np.arctan2(y, x) - np.arctan2(goal_pos[1], goal_pos[0])
reach = np.cos(apart) - np.hypot(x - goal_pos[0], y - goal_pos[1])
""",
    """
angle = np.cumsum(q, axis=1)
x = 0.2 * np.sum(np.cos(angle), axis=1)
y = 0.2 * np.sum(np.sin(angle), axis=1)
posture = -0.1 * np.sum(np.abs(np.sin(0.5 * q)), axis=1)
apart = np.arctan2(y, x) - np.arctan2(goal_pos[:, 1], goal_pos[:, 0])
reach = np.cos(apart) - np.hypot(x - goal_pos[:, 0], y - goal_pos[:, 1])
""",
    """
float angle = 0.0f, x = 0.0f, y = 0.0f, posture = 0.0f;
for (int j = 0; j < 9; j++) {
  angle += q[j];
  x += 0.2f * cosf(angle);
  y += 0.2f * sinf(angle);
  posture -= 0.1f * fabsf(sinf(0.5f * q[j]));
}
float apart = atan2f(y, x) - atan2f(goal_pos[1], goal_pos[0]);
float dx = x - goal_pos[0], dy = y - goal_pos[1];
float reach = cosf(apart) - sqrtf(dx * dx + dy * dy);
""",
)
_LONG = Program(
    "long",
    ("q", "qvel", "tcp_pos", "goal_pos"),
    ("barrier", "effort", "smooth", "bounded", "limit", "near"),
    """
barrier, effort, smooth, bounded, limit = 0.0, 0.0, 0.0, 0.0, 0.0
for j in range(9):
    barrier -= np.exp(-3.0 * (2.8 - np.abs(q[j])))
    effort -= 0.01 * qvel[j] ** 2 * np.sqrt(1.0 + np.abs(q[j]))
    smooth -= 0.1 * np.log1p(np.abs(qvel[j]))
    bounded += q[j] / (1.0 + q[j] * q[j]) * np.tanh(qvel[j])
    limit -= np.where(np.abs(q[j]) > 1.5, (np.abs(q[j]) - 1.5) ** 2, 0.0)
near = 1.0 / (0.1 + np.linalg.norm(tcp_pos - goal_pos))
""",
    """
size = np.abs(q)
barrier = -np.sum(np.exp(-3.0 * (2.8 - size)), axis=1)
effort = -0.01 * np.sum(qvel * qvel * np.sqrt(1.0 + size), axis=1)
smooth = -0.1 * np.sum(np.log1p(np.abs(qvel)), axis=1)
bounded = np.sum(q / (1.0 + q * q) * np.tanh(qvel), axis=1)
limit = -np.sum(np.square(np.clip(size - 1.5, 0.0, 1e9)), axis=1)
near = 1.0 / (0.1 + np.linalg.norm(tcp_pos - goal_pos, axis=1))
""",
    """
float barrier = 0, effort = 0, smooth = 0, bounded = 0, limit = 0;
for (int j = 0; j < 9; j++) {
  float size = fabsf(q[j]), over = fmaxf(size - 1.5f, 0.0f);
  barrier -= expf(-3.0f * (2.8f - size));
  effort -= 0.01f * qvel[j] * qvel[j] * sqrtf(1.0f + size);
  smooth -= 0.1f * log1pf(fabsf(qvel[j]));
  bounded += q[j] / (1.0f + q[j] * q[j]) * tanhf(qvel[j]);
  limit -= over * over;
}
float near = 1.0f / (0.1f + norm3(tcp_pos, goal_pos));
""",
)
_TERMS = (
    ("{w} * np.exp(-{s} * {x} * {x})", "{w}f * expf(-{s}f * {x} * {x})"),
    ("{w} * np.tanh({s} * {x})", "{w}f * tanhf({s}f * {x})"),
    ("-{w} * np.abs({x})", "-{w}f * fabsf({x})"),
    ("{w} / (1.0 + {s} * {x} * {x})", "{w}f / (1.0f + {s}f * {x} * {x})"),
)


def _forty() -> Program:
    """Forty short terms, one a component, over 18 numbers."""
    language, batched, c = [], [], []
    for number in range(40):
        text, in_c = _TERMS[number % len(_TERMS)]
        field, entry = ("q", "qvel")[number // 4 % 2], number % JOINTS
        shown = {"w": f"{0.1 + number / 50:.2f}", "s": f"{1 + number / 10:.1f}"}
        one, many = f"{field}[{entry}]", f"{field}[:, {entry}]"
        language.append(f"t{number} = {text.format(x=one, **shown)}")
        batched.append(f"t{number} = {text.format(x=many, **shown)}")
        c.append(f"float t{number} = {in_c.format(x=one, **shown)};")
    names = tuple(f"t{number}" for number in range(40))
    texts = ("\n".join(lines) for lines in (language, batched, c))
    return Program("forty", ("q", "qvel"), names, *texts)


PROGRAMS: dict[str, Program] = {
    item.name: item for item in (_PICK, _BRANCHES, _QUATERNIONS, _TRIG, _LONG, _forty())
}
"""By name."""
