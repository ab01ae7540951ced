"""Runs as they are measured: a suite, a search, a going one, one with extras, a hostile one."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np

from reward_synth.report.data import (
    AuditData,
    Cost,
    DesignData,
    FindingData,
    LabelData,
    MatrixData,
    Measured,
    ProgramData,
    RunData,
    TaskData,
    TrialData,
)

TASKS = ("PickCube-v1", "PushT-v1", "FetchReach-v4", "Hopper-v5")
DESIGNS = (
    DesignData("sparse", "sparse", "1 when the task succeeds, else 0."),
    DesignData("expert", "expert", "The dense reward that ships with the environment."),
    DesignData("symbolic", "program", "A program composed from the task description."),
)
_REACHED = {"sparse": 0.12, "expert": 0.88, "symbolic": 0.93}
_HALFWAY = {"sparse": 0.7, "expert": 0.33, "symbolic": 0.26}
_HARDER = (0.0, 0.25, -0.05, 0.1)
_MACHINE = {"cpu": "AMD EPYC 7B13, 16 cores", "memory": "64 GiB", "gpu": "none"}
_VERSIONS = {
    "reward_synth": "0.1.0",
    "python": "3.11.9",
    "gymnasium": "1.2.0",
    "mani_skill": "3.0.1",
    "stable_baselines3": "2.7.0",
    "torch": "2.8.0",
}
_NOTE = "Hopper-v5 has no success rule of its own; x position above 2 m was taken as success."

SOURCE = '''\
"""Reach for the cube, grasp it, carry it to the goal."""

import numpy as np


def compute_reward(tcp_pos, cube_pos, goal_pos, is_grasped, action, scale={scale}):
    # Every stage pays only once the one before it is done.
    reach = 1.0 - np.tanh(scale * np.linalg.norm(tcp_pos - cube_pos))
    carry = 1.0 - np.tanh({carry} * np.linalg.norm(cube_pos - goal_pos))
    grasp = 1.0 if is_grasped else 0.0
    effort = -0.01 * np.sum(action**2)
    if not is_grasped:
        carry = 0.0
    return {{
        "reach": reach,
        "grasp": {grasp} * grasp,
        "carry": {weight} * carry,
        "effort": effort,
    }}
'''


def source(rng: np.random.Generator) -> str:
    """Return a reward program whose numbers are drawn."""
    return SOURCE.format(
        scale=rng.choice((2.0, 5.0, 10.0)),
        carry=rng.choice((2.0, 5.0, 10.0)),
        grasp=rng.choice((0.5, 1.0, 2.0)),
        weight=round(float(rng.uniform(1.0, 9.0)), 2),
    )


def curve(
    rng: np.random.Generator, design: str, harder: float, steps: int, points: int = 40
) -> tuple[Measured, ...]:
    """Return a plausible learning curve: a noisy S, whose place depends on the seed."""
    top = np.clip(_REACHED[design] - harder + rng.normal(0, 0.05), 0.02, 1.0)
    half = _HALFWAY[design] + 0.5 * harder + rng.normal(0, 0.05)
    share = np.linspace(0, 1, points)
    ideal = top / (1 + np.exp(-(share - half) * 14))
    reached = rng.binomial(50, np.clip(ideal, 0, 1)) / 50
    rows = []
    for at, value in zip(share, reached, strict=True):
        kept = value * (0.93 if design == "symbolic" else 0.97)
        parts = {} if design == "sparse" else _components(float(at), float(value))
        rows.append(
            Measured(
                int(at * steps),
                float(value),
                float(kept),
                float(60 * value),
                100,
                parts,
            )
        )
    return tuple(rows)


def _components(at: float, reached: float) -> dict[str, float]:
    return {
        "reach": 30 * (1 - np.exp(-6 * at)),
        "grasp": 20 * min(1.0, 1.5 * reached),
        "carry": 60 * reached,
        "effort": -4.0 * (1 - 0.5 * at),
    }


def suite(
    tasks: int = 4,
    designs: int = 3,
    seeds: int = 3,
    points: int = 40,
    frames: bool = True,
) -> RunData:
    """Return a finished suite of tasks, designs and seeds."""
    rng = np.random.default_rng(7)
    rows = tuple(
        TaskData(name, _instruction(name), "info['success']", 100, 200_000)
        for name in (TASKS * (tasks // 4 + 1))[:tasks]
    )
    rows = tuple(
        replace(row, name=row.name if i < 4 else f"{row.name[:-1]}{i}")
        for i, row in enumerate(rows)
    )
    programs = {row.name: _program(rng, row.name) for row in rows}
    trials = []
    for i, task in enumerate(rows):
        for design in DESIGNS[:designs]:
            for seed in range(seeds):
                trials.append(_trial(rng, task, design, seed, points, i, programs))
    if frames:
        trials[0] = replace(trials[0], frames=strip(rng))
        trials[-1] = replace(trials[-1], frames=strip(rng))
    return RunData(
        "Four tasks, three rewards",
        "Does a program composed from the task description train as well as an expert's?",
        "reward_synth bench --suite manipulation --designs sparse,expert,symbolic "
        "--seeds 3 --steps 200000",
        1_793_000_000.0,
        "finished",
        rows,
        DESIGNS[:designs],
        tuple(trials),
        tuple(programs.values()),
        _VERSIONS,
        _MACHINE,
        Cost(len(trials) * 200_000, len(trials) * 840.0),
        (_NOTE,),
    )


def _instruction(name: str) -> str:
    return {
        "PickCube-v1": "Pick up the cube and hold it at the goal.",
        "PushT-v1": "Push the T onto its outline.",
        "FetchReach-v4": "Move the gripper to the target.",
        "Hopper-v5": "Hop forward without falling.",
    }[name]


def _program(rng: np.random.Generator, task: str) -> ProgramData:
    return ProgramData(
        f"{rng.integers(16**12):012x}",
        source(rng),
        task,
        "symbolic",
        "grammar",
        findings=(
            FindingData(
                "warning",
                "The component 'effort' is 20 times smaller than 'reach'.",
                11,
            ),
            FindingData("note", "'is_grasped' was false in every rollout."),
        ),
        scores={"screen": 0.71, "trained": 0.93},
        chosen=True,
    )


def _trial(
    rng: np.random.Generator,
    task: TaskData,
    design: DesignData,
    seed: int,
    points: int,
    index: int,
    programs: dict[str, ProgramData],
) -> TrialData:
    rows = curve(rng, design.name, _HARDER[index % 4], task.steps, points)
    digest = programs[task.name].digest if design.kind == "program" else ""
    return TrialData(
        task.name,
        design.name,
        "ppo",
        seed,
        task.steps,
        "ok",
        curve=rows,
        selection=rows[-1],
        seconds=float(rng.uniform(600, 1100)),
        program=digest,
    )


def strip(rng: np.random.Generator) -> str:
    """Return five frames side by side, as a ``data:`` address."""
    from PIL import Image

    tones = np.linspace(40, 220, 5 * 96).astype(np.uint8)
    pixels = np.broadcast_to(tones[None, :, None], (96, 5 * 96, 3)).copy()
    for frame in range(5):
        x, y = 96 * frame + 10 + 15 * frame, int(rng.integers(20, 70))
        pixels[y : y + 14, x : x + 14] = (230, 90, 30)
        pixels[:, 96 * frame] = 255
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "png")
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


def search(candidates: int = 200, trainings: int = 60, points: int = 60) -> RunData:
    """Return a run of ``generate`` with lineage, screening and trainings."""
    rng = np.random.default_rng(11)
    programs: list[ProgramData] = []
    for i in range(candidates):
        made = _candidate(rng, i, programs)
        programs.append(replace(made, design=made.digest[:10]))
    best = max(programs, key=lambda item: item.scores.get("screen", -1.0))
    at = programs.index(best)
    programs[at] = replace(best, chosen=True)
    task = TaskData(TASKS[0], _instruction(TASKS[0]), "info['success']", 100, 200_000)
    trained = sorted(programs, key=lambda item: -item.scores.get("screen", -1.0))
    designs = (
        DESIGNS[0],
        *(_own_design(item) for item in trained[: trainings // 3 - 1]),
    )
    trials = tuple(
        _search_trial(rng, task, designs, trained, i, points) for i in range(trainings)
    )
    return RunData(
        "A reward for PickCube-v1",
        "The search screened 200 programs and trained agents on the best ones.",
        "reward_synth generate --env PickCube-v1 --budget 200 --trainings 60 --seed 11",
        1_793_000_000.0,
        "finished",
        (task,),
        designs,
        trials,
        tuple(programs),
        _VERSIONS,
        _MACHINE,
        Cost(trainings * 200_000, trainings * 800.0, 212, 1_250_000, 310_000, 4.37),
    )


def _own_design(program: ProgramData) -> DesignData:
    name = program.digest[:10]
    return DesignData(name, "program", f"The reward program {name}; combine add.")


def _search_trial(
    rng: np.random.Generator,
    task: TaskData,
    designs: tuple[DesignData, ...],
    trained: list[ProgramData],
    index: int,
    points: int,
) -> TrialData:
    place, seed = divmod(index, 3)
    kind = "symbolic" if place else "sparse"
    rows = curve(rng, kind, 0.02 * place - 0.05, task.steps, points)
    digest = trained[place - 1].digest if place else ""
    return TrialData(
        task.name,
        designs[place].name,
        "ppo",
        seed,
        task.steps,
        "ok",
        curve=rows,
        seconds=800.0,
        program=digest,
    )


def _candidate(
    rng: np.random.Generator, index: int, before: list[ProgramData]
) -> ProgramData:
    parents: tuple[str, ...] = ()
    base = 0.2
    if index >= 16:
        pool = sorted(before, key=lambda item: -item.scores.get("screen", 0.0))[:12]
        first = pool[int(rng.integers(len(pool)))]
        parents = (first.digest,)
        base = first.scores.get("screen", 0.2)
        if rng.random() < 0.2:
            second = pool[int(rng.integers(len(pool)))]
            parents = tuple(dict.fromkeys((first.digest, second.digest)))
    broken = rng.random() < 0.1
    findings = [
        FindingData("warning", "'carry' pays nothing in 97 % of the steps.", 13)
    ]
    if broken:
        findings.append(FindingData("error", "The reward is NaN after a reset.", 8))
    score = float(np.clip(base + rng.normal(0.01, 0.08), 0, 0.97))
    scores = {} if broken else {"screen": score}
    if not broken and score > 0.5 and rng.random() < 0.3:
        scores["trained"] = float(np.clip(score + rng.normal(0, 0.05), 0, 1))
    return ProgramData(
        f"{rng.integers(16**12):012x}",
        source(rng),
        TASKS[0],
        "",
        "mutate" if parents else "model",
        "" if parents else "qwen3-coder-30b",
        parents,
        tuple(findings),
        scores,
    )


def going() -> RunData:
    """Return a suite in which most trainings run, wait or have failed."""
    whole = suite(frames=False)
    rows = list(whole.trials)
    for i, row in enumerate(rows):
        if i % 4 == 1:
            rows[i] = replace(row, status="running", curve=row.curve[:12])
        if i % 4 == 2:
            rows[i] = replace(row, status="waiting", curve=(), seconds=0.0)
        if i % 12 == 3:
            rows[i] = replace(
                row, status="diverged", curve=row.curve[:5], error="loss became NaN"
            )
    return replace(whole, state="running", trials=tuple(rows))


def extras() -> RunData:
    """Return a suite with labels, distances and audits, that lacks one training arm."""
    whole = suite(frames=False)
    gone = (TASKS[1], "expert")
    return replace(
        whole,
        trials=tuple(x for x in whole.trials if (x.task, x.design) != gone),
        notes=(f"expert is left out on {TASKS[1]}: it has no dense reward.",),
        labels=(
            LabelData(
                "pairs of captions",
                "language model",
                "qwen3-coder-30b",
                {"first": 30, "second": 50},
                100,
                (("You find gold. / You are hungry.", "first"),),
            ),
        ),
        distances=(
            MatrixData(
                "Distances of rewards",
                "0: both order all behaviour alike; 1: the opposite way.",
                ("expert", "symbolic", "sparse"),
                ((0.0, 0.25, float("nan")), (0.25, 0.0, 1.0), (0.5, 1.0, 0.0)),
            ),
        ),
        audits=(
            AuditData("symbolic", "Pays nothing for standing still.", "passed"),
            AuditData(
                "expert", "A longer episode earns no more.", "failed", "+3 paid."
            ),
            AuditData("sparse", "Success alone is paid.", "not checked"),
        ),
    )


def empty() -> RunData:
    """Return a run that has just begun."""
    return RunData(
        "Nothing yet", "", "reward_synth train", 0.0, "running", (), DESIGNS[:1], ()
    )


HOSTILE = (
    "</script></pre></title></template><script>window.hacked=1</script>"
    '<img src=x onerror="window.hacked=1"><a href="javascript:hacked=1">x</a>'
    "{{ 7*7 }}{% raw %}<!--'\"`&\x00\u202e\ud800"
)


def hostile() -> RunData:
    """Return a run in which every text tries to break out of the page."""
    whole = suite(tasks=2, designs=3, seeds=2, frames=False)
    named = {row.name: f"{row.name}{HOSTILE}" for row in whole.tasks}
    styled = {row.name: f"{row.name}{HOSTILE}" for row in whole.designs}
    trials = tuple(
        replace(
            row,
            task=named[row.task],
            design=styled[row.design],
            agent=HOSTILE,
            status="ok" if i % 5 else HOSTILE,
            error=HOSTILE,
            program=row.program and HOSTILE,
            frames=HOSTILE if i % 2 else f"data:text/html,{HOSTILE}",
            curve=tuple(
                replace(point, components={**point.components, HOSTILE: float("nan")})
                for point in row.curve
            ),
        )
        for i, row in enumerate(whole.trials)
    )
    return replace(
        whole,
        title=HOSTILE,
        about=HOSTILE,
        command=HOSTILE,
        tasks=tuple(
            replace(row, name=named[row.name], instruction=HOSTILE, success=HOSTILE)
            for row in whole.tasks
        ),
        designs=tuple(
            replace(row, name=styled[row.name], about=HOSTILE) for row in whole.designs
        ),
        trials=trials,
        programs=tuple(
            ProgramData(
                f"{i}{HOSTILE}",
                f"{HOSTILE}\n{HOSTILE}",
                named[row.task],
                styled[row.design],
                HOSTILE,
                HOSTILE,
                (f"{1 - i}{HOSTILE}", f"{i}{HOSTILE}"),
                (FindingData(HOSTILE, HOSTILE, 1), FindingData("error", HOSTILE, 99)),
                {HOSTILE: float("nan"), "screen": float("inf")},
                i == 0,
            )
            for i, row in enumerate(whole.programs)
        ),
        versions={HOSTILE: HOSTILE},
        machine={HOSTILE: HOSTILE},
        notes=(HOSTILE,),
        labels=(
            LabelData(
                HOSTILE, HOSTILE, HOSTILE, {HOSTILE: 1}, 2, ((HOSTILE, HOSTILE),)
            ),
        ),
        distances=(MatrixData(HOSTILE, HOSTILE, (HOSTILE,), ((float("nan"),),)),),
        audits=(AuditData(HOSTILE, HOSTILE, "failed", HOSTILE),),
    )
